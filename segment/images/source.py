"""From a name to bytes: what may be opened, how much is read, which format it is."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from dataclasses import dataclass
from typing import BinaryIO

from segment.errors import FileError
from segment.files import display_name, file_error

HEAD = 4096
MAX_STDIN = 1 << 30  # bytes; a file of that size has a name

FORMATS = "PNG, JPEG, TIFF, WebP, BMP, GIF, PNM, JPEG 2000 or AVIF"

# Format -> the first bytes of its files. Containers are told apart in `sniff`.
MAGIC = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "bmp": (b"BM",),
    "jp2": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    "pnm": tuple(b"P%c%c" % (kind, space) for kind in b"123456fF" for space in b" \t\r\n#"),
}

# Kinds that people do hand over, and the one thing that helps.
STRANGERS = (
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
    (b"v/1\x01", "an OpenEXR image"),
    (b"#?RADIANCE", "a Radiance HDR image"),
    (b"8BPS", "a Photoshop document"),
    (b"SIMPLE  =", "a FITS image"),
    (b"DDS ", "a DDS texture"),
    (b"\0\0\1\0", "an icon"),
    (b"\0\0\2\0", "a cursor"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
)


@dataclass(frozen=True)
class Source:
    """An open image file: its name as given, its format, its size and a seekable stream."""

    name: str
    format: str
    size: int
    stream: BinaryIO

    @property
    def display(self) -> str:
        """The name on one line."""
        return "standard input" if self.name == "-" else display_name(self.name)

    def read_all(self) -> bytes:
        """Return the whole file."""
        self.stream.seek(0)
        return self.stream.read()

    def error(self, reason: str) -> FileError:
        """Return a FileError that names this file."""
        return FileError(f"cannot read {self.display}: {reason}")


def open_source(path: str | os.PathLike[str], max_bytes: int) -> Source:
    """Open an image file, or standard input for ``"-"``, and find out its format.

    Raises
    ------
    FileError
        If it is missing, unreadable, empty, not a regular file, of an unknown format, or larger
        than `max_bytes`.
    """
    name = os.fsdecode(path)
    if name == "-":
        return _from_stdin(max_bytes)
    stream = _open_regular(name)
    try:
        size = os.fstat(stream.fileno()).st_size
        source = Source(name, "", size, stream)
        try:
            head = stream.read(HEAD)
        except OSError as error:
            raise file_error(name, error) from error
        source = Source(name, sniff(head, source), size, stream)
        if size > max_bytes and source.format != "tiff":  # TIFF is read in parts
            raise _too_long(source, max_bytes)
    except BaseException:
        stream.close()
        raise
    return source


def _open_regular(name: str) -> BinaryIO:
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to must not wait.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        stream = open(name, "rb", opener=lambda file, _: os.open(file, flags))  # noqa: SIM115
    except OSError as error:
        # Sockets cannot be opened at all.
        if error.errno in {errno.ENXIO, errno.EOPNOTSUPP}:
            raise FileError(
                f"cannot read {display_name(name)}: it is a socket or device; give an image file"
            ) from error
        raise file_error(name, error) from error
    except ValueError as error:  # a NUL in the name
        raise FileError(f"cannot read {display_name(name)}: {error}; check the name") from error
    mode = os.fstat(stream.fileno()).st_mode
    if not stat.S_ISREG(mode):
        stream.close()
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device"
        remedy = "give - to read standard input" if stat.S_ISFIFO(mode) else "give an image file"
        raise FileError(f"cannot read {display_name(name)}: it is {kind}; {remedy}")
    return stream


def _from_stdin(max_bytes: int) -> Source:
    if sys.stdin is None:
        raise FileError("cannot read standard input: it is closed; give a file name")
    max_bytes = min(max_bytes, MAX_STDIN)
    unknown = Source("-", "", 0, io.BytesIO())
    head = _read_stdin(HEAD)
    # Only what begins like an image is read on: an endless stream of zeros is not.
    format_ = sniff(head, unknown)
    data = head + (_read_stdin(max_bytes + 1 - HEAD) if len(head) == HEAD else b"")
    source = Source("-", format_, len(data), io.BytesIO(data))
    if len(data) > max_bytes:
        raise _too_long(source, max_bytes)
    return source


def _read_stdin(n_bytes: int) -> bytes:
    try:
        return sys.stdin.buffer.read(n_bytes)
    except OSError as error:
        raise file_error("standard input", error) from error


def _too_long(source: Source, max_bytes: int) -> FileError:
    return source.error(
        f"it has more than {max_bytes:,} bytes, more than an image within the pixel limit needs; "
        "raise --max-pixels, or give a file in place of standard input"
    )


def sniff(head: bytes, source: Source) -> str:
    """Return the format that the first bytes of a file tell, whatever its name says."""
    for format_, starts in MAGIC.items():
        if head.startswith(starts):
            return format_
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        brands = head[8 : max(16, int.from_bytes(head[:4], "big"))]
        if b"avif" in brands or b"avis" in brands:
            return "avif"
        if any(brand in brands for brand in (b"heic", b"heix", b"mif1", b"hevc")):
            raise source.error(f"it is a HEIC image; convert it to {FORMATS}")
    if not head:
        raise source.error("it is empty; is the copy complete?")
    for start, kind in STRANGERS:
        if head.startswith(start):
            raise source.error(f"it is {kind}; convert it to {FORMATS}")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:256].lower()
    if text.startswith((b"<!doctype html", b"<html")):
        raise source.error("it is a web page, not an image; download it again")
    if text.startswith((b"<svg", b"<?xml")) and b"<svg" in head.lower():
        raise source.error(f"it is an SVG drawing; convert it to {FORMATS}")
    raise source.error(f"it is no image of a known format; convert it to {FORMATS}")
