"""One picture, from file to files: what a worker does, wherever it runs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segment import __version__
from segment.errors import SegmentError
from segment.files import display_name, file_error, make_folder
from segment.notices import listening
from segment.params import EVERY_PAGE, Cut, MeanShiftOptions
from segment.workflow import Outcome, Recipe, make

if TYPE_CHECKING:
    from segment.regions.segmentation import Segmentation

THUMBNAIL = 192  # pixels on the longer side
THUMBNAILS = ".segment-thumbnails"

Ask = Callable[[float], None]


@dataclass(frozen=True)
class Task:
    """Everything about a batch that is the same for all its pictures."""

    src: str
    dst: str
    recipe: Recipe
    fingerprint: dict[str, Any]
    report: bool = False
    n_threads: int = 1

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Task:
        given = dict(content["recipe"])
        given["params"] = MeanShiftOptions(**given["params"])
        given["cut"] = Cut(**given["cut"])
        given["kinds"] = tuple(given["kinds"])
        return cls(**{**content, "recipe": Recipe(**given)})


def process(task: Task, job: Mapping[str, Any], ask: Ask | None = None) -> dict[str, Any]:
    """Read, segment and save one picture; return its line of the manifest, also when it fails.

    Parameters
    ----------
    task : Task
        What is to be done.
    job : mapping
        ``input``, ``stem`` and ``overwrite`` of a `segment.batching.plan.Job`.
    ask : callable, optional
        Called with the bytes of memory that the segmentation will take; may wait.
    """
    started = time.perf_counter()
    entry: dict[str, Any] = {
        "input": job["input"],
        "page": job.get("page"),
        "size": None,
        "mtime_ns": None,
        "hash": None,
        "parameters": task.fingerprint,
        "program": f"segment {__version__}",
        "outputs": {},
        "regions": None,
        "seconds": None,
        "status": "failed",
        "error": None,
    }
    try:
        entry |= _outputs(task, job, entry, ask)
        entry["status"] = "ok"
    except SegmentError as error:
        entry["error"] = _text(str(error), job["input"])
        entry["errno"] = getattr(error, "errno", None)
    except MemoryError:
        entry["error"] = _text("out of memory; use fewer --jobs or smaller images", job["input"])
    except Exception as error:  # a defect of ours, or of a library: it must not end the batch
        what = f"{type(error).__name__}: {error}"
        entry["error"] = _text(f"unexpected {what}; please report it", job["input"])
    entry["seconds"] = round(time.perf_counter() - started, 4)
    return entry


def _text(message: str, name: str) -> str:
    shown = display_name(name)
    line = " ".join(message.split())
    return line if shown in line else f"{shown}: {line}"


def _outputs(
    task: Task, job: Mapping[str, Any], entry: dict[str, Any], ask: Ask | None
) -> dict[str, Any]:
    source = Path(task.src, job["input"])
    stem = Path(task.dst, job["stem"])

    before = stamp(source)
    entry.update(before)

    recipe = task.recipe
    if recipe.mask is not None and Path(recipe.mask).is_dir():  # it has the folders of the source
        recipe = replace(recipe, mask=str(Path(recipe.mask, job["input"]).parent))
    if recipe.page == EVERY_PAGE:
        recipe = replace(recipe, page=job["page"], every_page=True)
    product = make(
        source, stem, recipe, n_threads=task.n_threads, overwrite=job["overwrite"], ask=ask
    )
    # Only now: it may be a sparse file of terabytes, refused for its header. A change while it was
    # being read is seen by the next run.
    entry["hash"] = digest(source) if before and stamp(source) == before else None
    written = dict(product.outputs)
    if task.report:
        written["thumbnail"] = write_thumbnail(task, job, product)
    height, width = product.image.shape
    return {
        "outputs": {
            kind: Path(os.path.relpath(path, task.dst)).as_posix() for kind, path in written.items()
        },
        "sizes": {kind: path.stat().st_size for kind, path in written.items()},
        "width": width,
        "height": height,
        "regions": product.segmentation.n_regions,
        "stages": product.seconds,
        "notes": list(product.facts.get("notes", ())),
    }


def stamp(source: Path) -> dict[str, Any]:
    """Return size and time of a file, by which a change is seen; nothing of a pipe or so."""
    try:
        status = source.stat()
    except OSError as error:
        raise file_error(source, error) from error
    if not stat.S_ISREG(status.st_mode):
        return {}
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns}


def digest(source: Path) -> str:
    """Return the SHA-256 of a file."""
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_thumbnail(task: Task, job: Mapping[str, Any], product: Outcome) -> Path:
    """Write picture, flat colours and outlines, small and side by side, for the report."""
    from segment import drawing
    from segment.images import write_image

    name = hashlib.sha256(os.fsencode(job["stem"])).hexdigest()[:24]
    path = Path(task.dst, THUMBNAILS, name[:2], f"{name}.jpg")
    make_folder(path.parent)
    image, segmentation = product.image, product.segmentation
    original = drawing.to_rgb(image.pixels, image.mask)
    flat = drawing.to_rgb(segmentation.posterized, image.mask, like=image.pixels)
    outlined = drawing.overlay(original, segmentation.labels)
    strip = [drawing.fitted(picture, THUMBNAIL) for picture in (original, flat, outlined)]
    return write_image(path, np.concatenate(strip, axis=1), overwrite=True)


def _ignore(text: str) -> None:
    pass


def warm(recipe: Recipe) -> None:
    """Compile what pictures of the usual kinds need, so that workers find it in the cache."""
    from segment.regions.climbing import climb
    from segment.regions.segmenting import segmentation_of

    for dtype, white in (("uint8", 255), ("uint16", 65535), ("float32", 1)):
        for shape in ((24, 32), (24, 32, 3)):
            noise = np.random.default_rng(0).uniform(0, white, shape).astype(dtype)
            with contextlib.suppress(SegmentError), listening(_ignore):
                climbed = climb(noise, recipe.params, n_threads=1)
                result = segmentation_of(climbed, n_threads=1)
                result.posterized  # noqa: B018
                result.regions()
                if recipe.cut.wanted:
                    result.hierarchy(n_threads=1).cut(n_regions=2)
                if (dtype, len(shape)) == ("uint8", 3):
                    _warm_shapes(result, recipe)


def _warm_shapes(result: Segmentation, recipe: Recipe) -> None:
    """Compile what the kinds need that are made of outlines."""
    from segment.exports import KINDS

    kinds = [
        kind for kind in recipe.kinds if KINDS[kind].writer.startswith("segment.exports.shapes")
    ]
    if kinds:
        heeded = {name for kind in kinds for name in KINDS[kind].options}
        options = {name: value for name, value in recipe.options.items() if name in heeded}
        with tempfile.TemporaryDirectory() as folder:
            result.save(Path(folder, "warm"), kinds, **options)
