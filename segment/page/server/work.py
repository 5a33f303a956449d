"""Segmenting for the page: one picture at a time, seen, and ended by the next."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segment.errors import InputError, SegmentError
from segment.page.building import build_page
from segment.params import BANDWIDTHS, Cut, MeanShiftOptions, choose_scale

# What the page may ask for, by the API's names, with the options of the command line.
OPTIONS = {
    "spatial_bandwidth": "--spatial-bandwidth",
    "range_bandwidth": "--range-bandwidth",
    "min_size": "--min-size",
    "color_space": "--color-space",
    "engine": "--engine",
}


class Cancelled(Exception):
    """A later request has ended this one."""


@dataclass
class Run:
    """One request, and how far it is."""

    picture: Path
    options: dict[str, Any]
    doing: str = "waiting"
    done: int = 0
    total: int = 0
    error: str | None = None
    page: bytes | None = None
    cancelled: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        return self.page is not None or self.error is not None or self.cancelled

    # What `segment.workflow` shows its work to.

    def note(self, text: str) -> None:
        self.notes.append(text)

    def stage(self, stage: str) -> None:
        self.doing = stage

    def watch(self, done: int, total: int) -> None:
        if self.cancelled:
            raise Cancelled
        self.done, self.total = done, total

    def state(self) -> dict[str, Any]:
        return {
            "stage": self.doing,
            "notes": self.notes,
            "done": self.done,
            "total": self.total,
            "error": self.error,
            "ready": self.page is not None,
            "cancelled": self.cancelled,
        }


class Works:
    """Runs the latest job; a new one ends the one before at its next tile."""

    def __init__(self, n_threads: int) -> None:
        self.n_threads = n_threads
        self.job: Run | None = None
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def begin(self, picture: Path, options: Mapping[str, Any]) -> Run:
        """Start a job.

        Raises
        ------
        InputError
            If an option is unknown or its value out of its domain.
        """
        job = Run(picture, check(options))
        with self._lock:
            if self.job is not None and not self.job.ended:
                self.job.cancelled = True
            self.job = job
        threading.Thread(target=self._run, args=(job,), daemon=True).start()
        return job

    def end(self) -> None:
        """End the job that runs."""
        with self._lock:
            if self.job is not None and not self.job.ended:
                self.job.cancelled = True

    def _run(self, job: Run) -> None:
        with self._turn:
            try:
                job.watch(0, 0)
                job.page = self._make(job)
            except Cancelled:
                pass
            except SegmentError as error:
                job.error = str(error)
            except MemoryError:
                job.error = "out of memory; use a smaller picture"
            except Exception:
                job.error = "an error of the program; see the terminal"
                raise

    def _make(self, job: Run) -> bytes:
        from segment.files import display_name
        from segment.images import read_image
        from segment.threads import watched
        from segment.workflow import Course, Recipe, find_regions

        course = Course(job.watch)

        def enter(stage: str, doing: str) -> None:
            job.stage(doing)
            course.begin(stage)

        params, cut = scale(job.options)
        with watched(course):
            enter("read", "reading")
            image = read_image(job.picture)
            for text in image.notes:
                job.note(text)
            enter("segment", "segmenting")
            found, _ = find_regions(
                image, Recipe(params=params, cut=cut, kinds=("page",)), self.n_threads
            )
            enter("merge", "merging")
            hierarchy = found.merge(self.n_threads)
        enter("save", "drawing")
        n_regions = None if cut.wanted else found.segmentation.n_regions
        name = display_name(job.picture.name)
        return build_page(hierarchy, image, name=name, n_regions=n_regions, served=True)


def check(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options that were given, or raise InputError."""
    given = {name: value for name, value in options.items() if value is not None}
    unknown = sorted(set(given) - set(OPTIONS))
    if unknown:
        raise InputError(f"{unknown[0]!r} is no option of the page; choose of {', '.join(OPTIONS)}")
    scale(given)
    return given


def scale(given: Mapping[str, Any]) -> tuple[MeanShiftOptions, Cut]:
    """Return the parameters and the cut that `segment image` takes from the same options."""
    bandwidths = {name: given[name] for name in BANDWIDTHS if name in given}
    chosen, cut = choose_scale(bandwidths, Cut())
    return MeanShiftOptions(**{**given, **chosen}), cut


def command(picture: Path, options: Mapping[str, Any]) -> str:
    """Return the command line that segments a picture with such options."""
    words = ["segment", "image", picture.name if picture.name[0] != "-" else f"./{picture.name}"]
    for name, option in OPTIONS.items():
        if options.get(name) is not None:
            value = options[name]
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join([*words, "--save", "page"])
