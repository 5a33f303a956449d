"""The manifest: one JSON line a picture, appended as work is done."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

from segment.exports import KINDS, output_paths
from segment.files import file_error

MANIFEST = "manifest.jsonl"
LOCK = ".segment.lock"

STATUSES = ("started", "ok", "failed")
COUNTS = ("regions", "seconds", "width", "height")  # what every picture that was done has

Entry = dict[str, Any]
Key = tuple[str, int | None]  # input, and page of it where every page is a job


def read_manifest(path: Path) -> dict[Key, Entry]:
    """Return the last entry of each job; what is no entry, as after a crash, is passed over.

    The key "owned" of an entry, which is not in the file, holds all that runs have written for the
    input or may have, relative to the folder.

    Raises
    ------
    FileError
        If the file exists and cannot be read.
    """
    entries: dict[Key, Entry] = {}
    try:
        with path.open("rb") as stream:
            for line in stream:
                entry = parse_entry(line)
                if entry is not None:
                    key = entry["input"], entry.get("page")
                    before = entries.get(key, {})
                    entry["owned"] = before.get("owned", set()) | written_by(entry)
                    entries[key] = entry
    except FileNotFoundError:
        pass
    except OSError as error:
        raise file_error(path, error) from error
    return entries


def parse_entry(line: bytes) -> Entry | None:
    """Return the entry in a line of a manifest; None if it is none that a batch has written.

    Manifests lie in folders that others may write to: types are checked here, once.
    """
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("input"), str):
        return None
    page = entry.get("page")
    if page is not None and not (isinstance(page, int) and _is_count(page)):
        return None
    status = entry.get("status")
    outputs = entry.get("outputs", {})
    if status not in STATUSES or not isinstance(outputs, dict):
        return None
    if not all(isinstance(name, str) for name in outputs.values()):
        return None
    if status == "ok" and not all(_is_count(entry.get(name)) for name in COUNTS):
        return None
    return entry


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**63


def written_by(entry: Entry) -> set[str]:
    """Return the files that an entry says were written, or were to be."""
    named = {name for name in entry.get("outputs", {}).values() if isinstance(name, str)}
    stem, kinds = entry.get("stem"), entry.get("kinds")
    if isinstance(stem, str) and isinstance(kinds, list):
        known = [kind for kind in kinds if kind in KINDS]
        named |= {path.as_posix() for path in output_paths(Path(stem), known)}
    return named


class Manifest:
    """A manifest open for appending."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(path, flags, 0o666)
            self._end_last_line()
        except OSError as error:
            raise file_error(path, error, "write") from error

    def _end_last_line(self) -> None:
        size = os.lseek(self._descriptor, 0, os.SEEK_END)
        if size:
            os.lseek(self._descriptor, size - 1, os.SEEK_SET)
            if os.read(self._descriptor, 1) != b"\n":
                self._write(b"\n")

    def append(self, entry: Entry) -> None:
        """Add one entry; it is in the hands of the system when this returns.

        Raises
        ------
        FileError
            If it cannot be written; its ``errno`` tells a full disk.
        """
        # ASCII: any file name survives, also one that is no text.
        line = json.dumps(entry, separators=(",", ":")).encode("ascii") + b"\n"
        try:
            self._write(line)
        except OSError as error:
            raise file_error(self.path, error, "write") from error

    def _write(self, data: bytes) -> None:
        # One call, so that a crash cuts at most this line, and two processes never mix lines.
        written = os.write(self._descriptor, data)
        if written < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        os.close(self._descriptor)
