"""From a name to bytes: what may be opened, how much is read, which format it is."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import struct
import sys
from dataclasses import dataclass
from typing import BinaryIO

from segment.errors import FileError
from segment.files import display_name, file_error

HEAD = 4096
MAX_STDIN = 1 << 30  # bytes; a file of that size has a name

FORMATS = "PNG, JPEG or TIFF"

# Format -> the first bytes of its files. Containers are told apart in `sniff`.
MAGIC = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "bmp": (b"BM",),
    "jp2": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    "pnm": (
        *(b"P%c%c" % (kind, space) for kind in b"123456fF" for space in b" \t\r\n#"),
        b"P7\n",
        b"P7\r\n",
    ),
    "hdr": (b"#?RADIANCE", b"#?RGBE"),
    "blp": (b"BLP1", b"BLP2"),
    "dds": (b"DDS ",),
    "fits": (b"SIMPLE  =",),
    "icns": (b"icns",),
    "dcx": (b"\xb1\x68\xde\x3a",),
    "farbfeld": (b"farbfeld",),
    "ftex": (b"FTEX",),
    "pixar": (b"\x80\xe8\0\0",),
    "im": (b"Image type: ", b"Comment: ", b"Name: "),
    "msp": (b"DanM", b"LinS"),
    "pcx": tuple(b"\n%c\1" % version for version in (0, 2, 3, 5)),
    "psd": (b"8BPS\0\1",),
    "qoi": (b"qoif",),
    "sgi": (b"\1\xda\0\1", b"\1\xda\0\2", b"\1\xda\1\1", b"\1\xda\1\2"),
    "sun": (b"\x59\xa6\x6a\x95",),
    "exr": (b"v/1\x01",),
    "jxl": (b"\xff\x0a", b"\0\0\0\x0cJXL "),
    "xpm": (b"/* XPM */",),
}

# Kinds that people do hand over, and the one thing that helps.
STRANGERS = (
    (b"%PDF", "a PDF"),
    (b"%!PS", "a PostScript file"),
    (b"8BPS", "a large Photoshop document"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
    (b"II\xbc\x01", "a JPEG XR"),
    (b"BPG\xfb", "a BPG"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"CDF", "a NetCDF file"),
    (b"ZISRAWFILE", "a Zeiss CZI, which Fiji and QuPath open"),
    (b"\xda\xce\xbe\n", "a Nikon ND2, which Fiji and QuPath open"),
    (b"p\0\0\0", "a Leica LIF, which Fiji and QuPath open"),
    (b"NRRD", "an NRRD volume"),
    (b"\x93NUMPY", "a NumPy array, which Python takes: segment.hierarchy(numpy.load(FILE))"),
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

    def needs_codecs(self, reason: str) -> FileError:
        """Return a FileError that says which extra reads it."""
        return self.error(
            f"{reason}, which needs the 'codecs' extra: install it with  "
            "pip install 'segment[codecs]'"
        )

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
    if (found := _without_magic(head)) is not None:
        return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        brands = head[8 : max(16, int.from_bytes(head[:4], "big"))]
        if b"avif" in brands or b"avis" in brands:
            return "avif"
        if any(brand in brands for brand in (b"heic", b"heix", b"mif1", b"hevc")):
            return "heic"
    if not head:
        raise source.error("it is empty; is the copy complete?")
    if head[128:132] == b"DICM":
        raise source.error(f"it is a DICOM file, which Fiji and pydicom open; save it as {FORMATS}")
    for start, kind in STRANGERS:
        if head.startswith(start):
            raise source.error(f"it is {kind}; convert it to {FORMATS}")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:256].lower()
    if text.startswith((b"<!doctype html", b"<html")):
        raise source.error("it is a web page, not an image; download it again")
    if text.startswith((b"<svg", b"<?xml")) and b"<svg" in head.lower():
        raise source.error(f"it is an SVG drawing; convert it to {FORMATS}")
    raise source.error(f"it is no image of a known format; convert it to {FORMATS}")


def _without_magic(head: bytes) -> str | None:
    """Return the format of files whose first bytes are no magic: icons, cursors, TGA and XBM."""
    if head[:4] == b"\0\0\1\0" and any(head[4:6]) and _is_icon(head):
        return "ico"
    if head[:4] == b"\0\0\2\0" and any(head[4:6]) and _is_icon(head):
        return "cur"
    if head[4:6] in {b"\x11\xaf", b"\x12\xaf"} and head[14:16] in {b"\0\0", b"\3\0"}:
        return "fli"
    if head[20:24] == b"GIMP":
        return "gbr"
    if head[2048:2052] == b"PCD_":
        return "pcd"
    if _is_tga(head):
        return "tga"
    if re.match(rb"\s*(/\*[^*]*\*/\s*)?#define[ \t]+\S*_?width[ \t]+\d+", head):
        return "xbm"
    return None


def _is_icon(head: bytes) -> bool:
    """Whether the first entry of a directory of icons is one: its data lie behind the directory."""
    count = int.from_bytes(head[4:6], "little")
    size, offset = struct.unpack_from("<II", head.ljust(22, b"\0"), 14)
    return bool(size > 0 and offset >= 6 + 16 * count)


def _is_tga(head: bytes) -> bool:
    if len(head) < 18:
        return False
    _, mapped, kind, _, map_length, map_bits, _, _, width, height, bits, flags = struct.unpack(
        "<BBBHHBHHHHBB", head[:18]
    )
    known = kind in {1, 2, 3, 9, 10, 11} and mapped <= 1 and not flags & 0xC0
    if not (known and width and height):
        return False
    if kind in {1, 9}:
        return bool(mapped and map_length and map_bits in {15, 16, 24, 32} and bits in {8, 16})
    gray = kind in {3, 11}
    no_map = bool(mapped) or not (map_length or map_bits)
    return bool(no_map and bits in ({8, 16} if gray else {15, 16, 24, 32}))
