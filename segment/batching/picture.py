"""One picture, from file to files: what a worker does, wherever it runs."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segment import __version__
from segment.errors import SegmentError
from segment.files import display_name, file_error
from segment.params import MeanShiftParams

if TYPE_CHECKING:
    from segment.images import Image
    from segment.segmentation import Segmentation

# Bytes a pixel takes at the peak of a segmentation, with room to spare.
BYTES_PER_PIXEL = 120
BLOCK = 1 << 20
THUMBNAIL = 192  # pixels on the longer side
THUMBNAILS = ".segment-thumbnails"

Ask = Callable[[int], None]


@dataclass(frozen=True)
class Task:
    """Everything about a batch that is the same for all its pictures."""

    src: str
    dst: str
    params: dict[str, Any]
    save: tuple[str, ...]
    page: int
    max_pixels: int
    accept_damaged: bool
    report: bool
    fingerprint: dict[str, Any]
    n_threads: int = 1

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Task:
        return cls(**{**content, "save": tuple(content["save"])})


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
    from segment import exports
    from segment.images import read_image

    source = Path(task.src, job["input"])
    stem = Path(task.dst, job["stem"])
    image = read_image(
        source, page=task.page, max_pixels=task.max_pixels, accept_damaged=task.accept_damaged
    )
    entry |= identity(source)
    height, width = image.shape
    if ask is not None:
        ask(height * width * BYTES_PER_PIXEL)
    clock = time.perf_counter()
    segmentation, filtered = segment(image, task.params, task.save, task.n_threads)
    seconds = time.perf_counter() - clock
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise file_error(stem.parent, error, "make the folder") from error
    written = exports.save(
        segmentation,
        image,
        stem,
        task.save,
        filtered=filtered,
        record={"input": str(source), "seconds": {"segment": round(seconds, 4)}},
        overwrite=job["overwrite"],
    )
    if task.report:
        written["thumbnail"] = write_thumbnail(task, job, image, segmentation)
    names = {kind: os.path.relpath(path, task.dst) for kind, path in written.items()}
    return {
        "outputs": {kind: Path(name).as_posix() for kind, name in names.items()},
        "width": width,
        "height": height,
        "regions": segmentation.n_regions,
        "segment_seconds": round(seconds, 4),
        "notes": list(image.notes),
    }


def segment(
    image: Image, params: Mapping[str, Any], save: Sequence[str], n_threads: int
) -> tuple[Segmentation, Any]:
    """Segment an image, and filter it if the filtered image is to be saved."""
    from segment.filtering import mean_shift_filter
    from segment.segmentation import mean_shift

    result = mean_shift(image.pixels, mask=image.mask, n_threads=n_threads, **params)
    if "filtered" not in save:
        return result, None
    own = {
        name: value for name, value in params.items() if name not in {"min_size", "connectivity"}
    }
    return result, mean_shift_filter(image.pixels, mask=image.mask, n_threads=n_threads, **own)


def identity(source: Path) -> dict[str, Any]:
    """Return size, time and hash of a file, by which a change is seen."""
    try:
        status = source.stat()
        return {
            "size": status.st_size,
            "mtime_ns": status.st_mtime_ns,
            "hash": digest(source),
        }
    except OSError as error:
        raise file_error(source, error) from error


def digest(source: Path) -> str:
    """Return the SHA-256 of a file."""
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_thumbnail(
    task: Task, job: Mapping[str, Any], image: Image, segmentation: Segmentation
) -> Path:
    """Write picture, flat colours and outlines, small and side by side, for the report."""
    from segment import drawing
    from segment.images import write_image

    name = hashlib.sha256(os.fsencode(job["stem"])).hexdigest()[:24]
    path = Path(task.dst, THUMBNAILS, name[:2], f"{name}.jpg")
    with contextlib.suppress(FileExistsError):
        path.parent.mkdir(parents=True)
    original = drawing.to_rgb(image.pixels, image.mask)
    flat = drawing.to_rgb(segmentation.posterized, image.mask, like=image.pixels)
    outlined = drawing.overlay(original, segmentation.labels)
    strip = [shrunk(picture) for picture in (original, flat, outlined)]
    return write_image(path, np.concatenate(strip, axis=1), overwrite=True)


def shrunk(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture whose longer side is at most `THUMBNAIL`."""
    import cv2

    height, width = picture.shape[:2]
    scale = THUMBNAIL / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def warm(params: Mapping[str, Any]) -> None:
    """Compile what pictures of the usual kinds need, so that workers find it in the cache."""
    from segment.segmentation import mean_shift

    usual = MeanShiftParams(**params).as_dict()
    for dtype, white in (("uint8", 255), ("uint16", 65535), ("float32", 1)):
        for shape in ((24, 32), (24, 32, 3)):
            noise = np.random.default_rng(0).uniform(0, white, shape).astype(dtype)
            with contextlib.suppress(SegmentError):
                result = mean_shift(noise, n_threads=1, **usual)
                result.posterized  # noqa: B018
                result.regions()
