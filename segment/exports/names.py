"""Under which names outputs are saved."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from segment.exports.kinds import KINDS

STDOUT = Path("-")
_LONGEST_NAME = 255  # bytes, on every file system of note
_LONGEST_ENDING = 32  # of an output's name, with room to spare


def output_stem(folder: str | os.PathLike[str], source: str | os.PathLike[str]) -> Path:
    """Return where the outputs for `source` go: its name without suffix, in `folder`."""
    return Path(folder) / fitting("stdin" if os.fspath(source) == "-" else Path(source).stem)


def page_stem(stem: str, page: int | None, n_pages: int) -> str:
    """Return the beginning of the outputs' names of one page of several, counted from 0.

    >>> page_stem("stack", 7, 120)
    'stack-007'
    """
    return stem if page is None or n_pages == 1 else f"{stem}-{page:0{len(str(n_pages - 1))}}"


def fitting(name: str) -> str:
    """Return the beginning of outputs' names as it fits a file system.

    What would grow too long is cut and made unique by a hash.
    """
    encoded = os.fsencode(name)
    if len(encoded) + _LONGEST_ENDING <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(encoded).hexdigest()[:12]
    head = encoded[: _LONGEST_NAME - _LONGEST_ENDING - 13].decode("utf-8", "ignore")
    return f"{head}-{digest}"


def output_path(stem: Path, kind: str, suffix: str) -> Path:
    """Return the file that saving `kind` under `stem` writes."""
    if stem == STDOUT:
        return STDOUT
    middle = f".{kind}" if KINDS[kind].named else ""
    return stem.parent / f"{stem.name}{middle}{suffix}"


def output_paths(stem: Path, kinds: Iterable[str]) -> list[Path]:
    """Return every file that saving `kinds` under `stem` may write."""
    return [output_path(stem, kind, suffix) for kind in kinds for suffix in KINDS[kind].suffixes]
