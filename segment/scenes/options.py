"""What is wanted of a scene: checked once, before anything is read."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from segment.errors import FileError, InputError
from segment.files import display_name, file_error
from segment.memory import free_memory, parse_size
from segment.params import Cut, whole_number
from segment.threads import resolve_n_threads

SUFFIXES = {
    "labels": (".tif", ".tiff", ".zarr"),
    "posterized": (".tif", ".tiff", ".zarr"),
    "filtered": (".tif", ".tiff", ".zarr"),
    "table": (".csv", ".parquet"),
    "vector": (".gpkg", ".fgb", ".parquet", ".geojson"),
    "preview": (".png",),
}
SHARE_OF_MEMORY = 0.5
DEFAULT_TILE = 2048
SIDE = 2048  # of the windows that are written, a multiple of a file's blocks
DESCRIBED = 1024  # side of the windows in which leaves are described
STRIP = 1024  # rows that are traced at once


@dataclass(frozen=True)
class SceneOptions:
    """What is wanted of a scene; the attributes are the parameters of `segment.scene`."""

    dst: Path
    params: dict[str, Any] = field(default_factory=dict)
    range_bandwidth: float | str | None = None
    value_range: tuple[float, float] | None = None
    scale: bool = False
    level: float | None = None
    n_regions: int | None = None
    bands: Sequence[int] | None = None
    mask: str | os.PathLike[str] | None = None
    nodata: float | None = None
    channel_axis: int | None = None
    posterized: Path | None = None
    filtered: Path | None = None
    table: Path | None = None
    vector: Path | None = None
    preview: Path | None = None
    cog: bool = False
    memory: int | str | None = None
    tile: int | None = None
    jobs: int | None = None
    scratch: Path | None = None
    scheduler: str | None = None
    client: Any = None
    overwrite: bool = False
    accept_damaged: bool = False

    def with_tile(self, side: int) -> SceneOptions:
        """Return the same with tiles of that side."""
        return replace(self, tile=side)

    @property
    def cut(self) -> Cut:
        """Where the hierarchy is cut, if at all."""
        return Cut(self.level, self.n_regions)

    def __post_init__(self) -> None:
        Cut(self.level, self.n_regions)  # checks them
        if self.tile is not None:
            whole_number("tile", self.tile, minimum=1)
        if self.jobs is not None:
            whole_number("jobs", self.jobs, minimum=1)
        if self.scheduler is not None and self.client is not None:
            raise InputError("both scheduler and client are given; give one of them")
        names: dict[str, str] = {}
        for kind, path in self.outputs.items():
            check_local(kind, path)
            check_suffix(kind, path)
            other = names.setdefault(os.path.realpath(path).casefold(), kind)
            if other != kind:
                raise InputError(
                    f"{other} and {kind} would both be written to {display_name(path)}; "
                    "give them different names"
                )
        if self.cog and self.dst.suffix.lower() == ".zarr":
            raise InputError(
                f"cog=True does not go with {display_name(self.dst)}; give a name that ends in .tif"
            )

    @property
    def outputs(self) -> dict[str, Path]:
        """The files to write, by kind; the labels last, because they say that all is there."""
        found = {
            "posterized": self.posterized,
            "filtered": self.filtered,
            "table": self.table,
            "vector": self.vector,
            "preview": self.preview,
            "labels": self.dst,
        }
        return {kind: Path(path) for kind, path in found.items() if path is not None}

    @property
    def n_jobs(self) -> int:
        """Tiles that are worked on at once."""
        return self.jobs or resolve_n_threads(None)

    @property
    def n_bytes(self) -> int:
        """Memory that may be used."""
        if self.memory is not None:
            return parse_size("memory", self.memory)
        free = free_memory()
        return int(free * SHARE_OF_MEMORY) if free < float("inf") else 4 * 10**9


def check_local(kind: str, path: Path) -> None:
    """Raise InputError if a name leads to another machine."""
    text = path.as_posix()
    if re.match(r"[a-z][a-z0-9+.-]+:/|/vsi", text):
        kind = "dst" if kind == "labels" else kind
        name = re.sub(r"^([a-z][a-z0-9+.-]+):/+", r"\1://", text)
        raise InputError(
            f"{kind}={display_name(name)!r} is on another machine, and only inputs may be there; "
            "give a name on this one and copy the result"
        )


def check_suffix(kind: str, path: Path) -> None:
    """Raise InputError if a name does not tell a format that can be written."""
    if path.suffix.lower() not in SUFFIXES[kind]:
        *others, last = SUFFIXES[kind]
        known = f"{', '.join(others)} or {last}" if others else last
        raise InputError(
            f"{kind}={display_name(path)!r} does not say which format; give a name that ends in "
            f"{known}"
        )


def check_outputs(options: SceneOptions, inputs: Sequence[str], *, ours: bool) -> None:
    """Raise if an output cannot be written, is an input, or exists and may not be replaced.

    Parameters
    ----------
    options : SceneOptions
    inputs : sequence of str
        Files that are read.
    ours : bool
        Whether what exists was put there by an earlier run that did not come to its end.
    """
    read = {os.path.realpath(name) for name in inputs}
    for kind, path in options.outputs.items():
        if os.path.realpath(path) in read:
            raise InputError(
                f"{display_name(path)} is an input and would be written over; give another name"
            )
        folder = path.parent
        if not folder.is_dir():
            raise FileError(
                f"cannot write {display_name(path)}: there is no folder {display_name(folder)}; "
                "make it first"
            )
        if os.path.lexists(path):
            if path.is_dir() and path.suffix.lower() != ".zarr":
                raise FileError(
                    f"cannot write {display_name(path)}: it is a folder; give another name"
                )
            if not options.overwrite and not ours:
                raise FileError(
                    f"{display_name(path)} exists; overwrite=True replaces it, or choose another "
                    f"name for the {kind}"
                )
        if not os.access(folder, os.W_OK):
            raise file_error(path, PermissionError(13, ""), "write")
