"""The scratch folder of a scene: what each tile gave, whole or not at all, and whose it is."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.errors import ExtraError, FileError
from segment.files import display_name, file_error, temporary_name
from segment.locks import locked

MANIFEST = "scene.json"
LOCK = "lock"
FORMAT = 1  # of the files below; another one starts anew
MAGIC = b"segment tile 1\n"
SUFFIX = ".tile"

Arrays = dict[str, NDArray[Any]]


def scratch_folder(dst: Path, scratch: Path | None) -> Path:
    """Return the folder for a scene's scratch: beside the output, or in a folder for scratch."""
    if scratch is None:
        return dst.parent / f".{dst.name}.segment-scene"
    code = hashlib.sha256(os.fsencode(os.path.abspath(dst))).hexdigest()[:8]
    return scratch / f"{dst.name}-{code}.segment-scene"


class Store:
    """Files of arrays, one a tile; safe to use from several processes.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def has(self, key: str) -> bool:
        """Return whether arrays of that name were saved."""
        return self.path(key).exists()

    def save(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> int:
        """Save arrays under a name, all or none, and return the bytes that they take.

        Raises
        ------
        FileError
            If the system refuses.
        """
        blosc = _blosc()
        blobs, header = [], {}
        for name, array in arrays.items():
            shape, plain = array.shape, np.ascontiguousarray(array)  # which makes 1-D of 0-D
            packed = blosc.Blosc("lz4", clevel=3, shuffle=blosc.Blosc.SHUFFLE)
            data = packed.encode(plain) if plain.nbytes else b""
            blobs.append(data)
            header[name] = [plain.dtype.str, list(shape), len(data), zlib.crc32(data)]
        text = json.dumps(header).encode()
        temporary = temporary_name(self.folder)
        try:
            with temporary.open("wb") as stream:
                stream.write(MAGIC)
                stream.write(len(text).to_bytes(8, "little"))
                stream.write(text)
                for data in blobs:
                    stream.write(data)
            os.replace(temporary, self.path(key))
        except OSError as error:
            raise file_error(self.folder, error, "write to") from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
        return sum(map(len, blobs))

    def load(self, key: str, names: Sequence[str]) -> list[NDArray[Any]]:
        """Return arrays saved under a name.

        Raises
        ------
        FileError
            If they cannot be read, or are not what was written.
        """
        path = self.path(key)
        try:
            with path.open("rb") as stream:
                header = self._header(stream)
                start, places = stream.tell(), {}
                for name, (dtype, shape, size, code) in header.items():
                    places[name] = (start, dtype, shape, size, code)
                    start += size
                out = []
                for name in names:
                    start, dtype, shape, size, code = places[name]
                    stream.seek(start)
                    data = stream.read(size)
                    if len(data) != size or zlib.crc32(data) != code:
                        raise ValueError(name)
                    array = np.empty(shape, dtype)
                    if array.nbytes:
                        _blosc().Blosc().decode(data, array)
                    out.append(array)
                return out
        except OSError as error:
            raise file_error(path, error) from error
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            raise FileError(
                f"cannot read {display_name(path)}: it is damaged; remove it and run again"
            ) from error

    def is_sound(self, key: str) -> bool:
        """Return whether a file is there and is what was written."""
        try:
            with self.path(key).open("rb") as stream:
                for _, _, size, code in self._header(stream).values():
                    data = stream.read(size)
                    if len(data) != size or zlib.crc32(data) != code:
                        return False
                return not stream.read(1)
        except (OSError, ValueError, TypeError):
            return False

    @staticmethod
    def _header(stream: Any) -> dict[str, Any]:
        if stream.read(len(MAGIC)) != MAGIC:
            raise ValueError("no tile")
        size = int.from_bytes(stream.read(8), "little")
        header: dict[str, Any] = json.loads(stream.read(size))
        return header


def _blosc() -> Any:
    try:
        from numcodecs import blosc
    except ImportError as error:
        raise ExtraError("segment scene", "scene") from error
    blosc.use_threads = False  # tiles are what runs side by side
    return blosc


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Make a scratch folder if needed and keep every other run out of it.

    Raises
    ------
    FileError
        If another run is at work in it, it holds something else, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strange = [
            name
            for name in os.listdir(folder)
            if name not in {MANIFEST, LOCK} and not name.endswith((SUFFIX, ".npy", ".tmp", ".tif"))
        ]
        if strange:
            raise FileError(
                f"cannot use {display_name(folder)} for scratch: it holds "
                f"{display_name(sorted(strange)[0])}, which is not ours; choose another place"
            )
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise file_error(folder, error, "write to") from error
    with locked(folder, LOCK):
        yield


def begin(folder: Path, fingerprint: Mapping[str, Any]) -> list[str]:
    """Make a scratch folder fit for a run: keep what an equal run has left, remove all else.

    Parameters
    ----------
    folder : Path
        Held by this process.
    fingerprint : mapping
        What the tiles depend on, fit for JSON.

    Returns
    -------
    changed : list of str
        Names of what is no longer as it was when the tiles found there were made; empty if they
        can be used, or there were none.
    """
    wanted = plain({"format": FORMAT, **fingerprint})
    path = folder / MANIFEST
    try:
        found = read_manifest(path)
        if found is not None and found.get("fingerprint") == wanted:
            for name in folder.glob("*.tmp"):
                name.unlink()
            return []
        had_tiles = any(folder.glob(f"*{SUFFIX}"))
        for name in folder.iterdir():
            if name.name != LOCK:
                name.unlink()
        write_manifest(path, {"fingerprint": wanted})
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise file_error(folder, error, "write to") from error
    if not had_tiles:
        return []
    before = (found or {}).get("fingerprint", {})
    return sorted(key for key in {*before, *wanted} if before.get(key) != wanted.get(key))


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts as they are once they were written as JSON."""
    found: dict[str, Any] = json.loads(json.dumps(facts))
    return found


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Return a manifest, or None if there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_manifest(path: Path, content: Mapping[str, Any]) -> None:
    """Write a manifest, whole or not at all."""
    temporary = temporary_name(path.parent)
    try:
        temporary.write_text(json.dumps(content), encoding="utf-8")
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def remove(folder: Path) -> None:
    """Remove a scratch folder that is ours."""
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)
