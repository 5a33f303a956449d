"""Every format but TIFF: Pillow decodes, OpenCV where Pillow would lose depth."""

from __future__ import annotations

import contextlib
import importlib
import io
import math
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from segment.images import opencv, png
from segment.images.color import cmyk_to_rgb, to_srgb
from segment.images.damage import Damage, NoSuchPage, words
from segment.images.picture import Image, Pixels
from segment.images.source import Source

# Classes and not PIL.Image.open: no other plugin gets to see the data, and Pillow's own pixel
# limit, a global of the process, stays as the user has set it.
PLUGINS = {
    "png": ("PngImagePlugin", "PngImageFile"),
    "jpeg": ("JpegImagePlugin", "JpegImageFile"),
    "gif": ("GifImagePlugin", "GifImageFile"),
    "bmp": ("BmpImagePlugin", "BmpImageFile"),
    "pnm": ("PpmImagePlugin", "PpmImageFile"),
    "webp": ("WebPImagePlugin", "WebPImageFile"),
    "jp2": ("Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "avif": ("AvifImagePlugin", "AvifImageFile"),
}
ORIENTATION = 0x0112
Check = Callable[[int, int, int], None]


def decode(source: Source, page: int, check: Check) -> Image:
    """Decode one picture of a file that is no TIFF.

    Parameters
    ----------
    source : Source
        The open file.
    page : int
        Frame of an animation, from 0.
    check : callable
        Called with (width, height, bytes a pixel) before memory is taken; raises if too large.

    Raises
    ------
    Damage
        If the data is cut short or corrupt.
    """
    if source.format == "png":
        return _decode_png(source, page, check)
    if source.format == "pnm":
        return _decode_pnm(source, check)
    data = source.read_all()
    if source.format == "webp":
        check(*_webp_size(data), 4)
    picture = _open(source.format, data)
    width, height = picture.size
    check(width, height, 4)
    frames = _n_frames(picture)
    if page:
        _seek(picture, page, frames)
    image = Image(pixels=np.empty((0, 0)), n_pages=frames)
    depth = _depth(source.format, data)
    try:
        if depth > 8 and picture.mode != "I;16" and page == 0:
            pixels, alpha = _decode_deep(data, depth)
        else:
            pixels, alpha = _load(picture)
    except Damage as damage:
        damage.image = _salvage(source.format, data, picture, image)
        raise
    except UnsupportedByPillow:
        pixels, alpha = opencv.decode(data)
    return _finished(replace(image, pixels=pixels, alpha=alpha), picture)


def count(source: Source) -> int:
    """Return the number of frames."""
    if source.format in {"gif", "webp", "avif", "jpeg"}:
        return _n_frames(_open(source.format, source.read_all()))
    if source.format == "png":
        try:
            return png.read_png(source.read_all()).n_frames
        except ValueError as error:
            raise Damage(str(error)) from error
    return 1


def _decode_deep(data: bytes, depth: int) -> tuple[Pixels, Pixels | None]:
    """Decode JPEG 2000 or AVIF of more than 8 bits, with white at 65,535 whatever the depth."""
    try:
        pixels, alpha = opencv.decode(data)
    except ValueError as error:
        raise Damage(str(error)) from error
    return _to_full_scale(pixels, depth), None if alpha is None else _to_full_scale(alpha, depth)


def _to_full_scale(values: Pixels, depth: int) -> Pixels:
    if values.dtype != np.uint16 or depth >= 16:
        return values
    white = 2**depth - 1
    scaled = np.minimum(values, white).astype(np.uint32) * 65535 // white
    return np.asarray(scaled, np.uint16)


class UnsupportedByPillow(Exception):
    """A sound file of a kind that Pillow does not know."""


def _open(format_: str, data: bytes) -> Any:
    module, name = PLUGINS[format_]
    plugin = getattr(importlib.import_module(f"PIL.{module}"), name)
    try:
        return plugin(io.BytesIO(data))
    except MemoryError:
        raise
    except Exception as error:
        if "nsupported" in str(error) and format_ == "bmp":
            return _BmpHeader(data)
        raise Damage(words(error)) from error


class _BmpHeader:
    """Stands in for a Pillow image whose BMP variant only OpenCV decodes."""

    mode = ""
    n_frames = 1

    def __init__(self, data: bytes) -> None:
        width, height = struct.unpack_from("<ii", data, 18)
        self.size = (abs(width), abs(height))
        self.info: dict[str, Any] = {}

    def getexif(self) -> dict[int, Any]:
        return {}

    def load(self) -> None:
        raise UnsupportedByPillow


def _n_frames(picture: Any) -> int:
    try:
        return int(getattr(picture, "n_frames", 1))
    except Exception:
        return 1


def _seek(picture: Any, page: int, frames: int) -> None:
    if page >= frames:
        raise NoSuchPage(page, frames)
    try:
        picture.seek(page)
    except Exception as error:
        raise Damage(f"frame {page} cannot be reached ({error})") from error


def _load(picture: Any) -> tuple[Pixels, Pixels | None]:
    try:
        picture.load()
    except (UnsupportedByPillow, MemoryError):
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, IndexError, ...
        raise Damage(words(error)) from error
    return _arrays(picture)


def _salvage(format_: str, data: bytes, picture: Any, image: Image) -> Image | None:
    """Return what was decoded before the damage."""
    try:
        if format_ == "jpeg":
            # With an end of its own the file is decoded to that end, and gray from there on.
            pixels, alpha = _load(_open(format_, data + b"\xff\xd9"))
        else:
            picture.tile = []  # nothing more to decode: keep what there is
            pixels, alpha = _arrays(picture)
        return _finished(replace(image, pixels=pixels, alpha=alpha, damaged=True), picture)
    except Exception:
        return None


def _arrays(picture: Any) -> tuple[Pixels, Pixels | None]:
    """Return a loaded Pillow image as (pixels, alpha)."""
    mode = picture.mode
    transparent = picture.info.get("transparency")
    if mode == "1":
        bits = np.asarray(picture, np.uint8) * np.uint8(255)
        return bits, _keyed_alpha(bits, transparent)
    if mode in {"P", "PA"}:
        with_alpha = mode == "PA" or transparent is not None
        picture = picture.convert("RGBA" if with_alpha else "RGB")
        mode, transparent = picture.mode, None
    if mode in {"LAB", "YCbCr", "RGBX", "RGBa", "La", "HSV"}:
        picture = picture.convert({"RGBa": "RGBA", "La": "LA"}.get(mode, "RGB"))
        mode = picture.mode
    array = np.asarray(picture)
    if mode.startswith("I;16"):
        array = array.astype(np.uint16, copy=False)
    if mode in {"LA", "RGBA"}:
        pixels = array[..., 0] if mode == "LA" else array[..., :3]
        return np.ascontiguousarray(pixels), np.ascontiguousarray(array[..., -1])
    return np.ascontiguousarray(array), _keyed_alpha(array, transparent)


def _keyed_alpha(array: Pixels, key: Any) -> Pixels | None:
    """Return the alpha of an image in which one colour means transparent."""
    if key is None or isinstance(key, bytes):
        return None
    same = array == np.asarray(key)
    same = same.all(axis=2) if array.ndim == 3 else same
    return np.where(same, 0, np.iinfo(array.dtype).max).astype(array.dtype)


def _finished(image: Image, picture: Any) -> Image:
    """Apply the colour profile and the orientation, and keep the resolution."""
    notes = list(image.notes)
    pixels, icc = image.pixels, picture.info.get("icc_profile")
    if icc:
        if image.value_range is not None:  # profiles are for the whole scale
            pixels = _to_full_scale(pixels, round(math.log2(image.value_range[1] + 1)))
            image = replace(image, value_range=None)
        pixels, icc, note = to_srgb(pixels, icc)
        notes += [note] if note else []
    if pixels.ndim == 3 and pixels.shape[2] == 4:  # CMYK without a profile of its own
        pixels, icc = cmyk_to_rgb(pixels), None
    image = replace(
        image,
        pixels=pixels,
        icc=icc or None,
        resolution=image.resolution or _resolution(picture.info.get("dpi")),
        notes=tuple(notes),
    )
    return image.upright(_orientation(picture))


def _orientation(picture: Any) -> int:
    try:
        value = picture.getexif().get(ORIENTATION, 1)
    except Exception:  # damaged EXIF does not make the picture unreadable
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _resolution(dpi: Any) -> tuple[float, float] | None:
    try:
        x, y = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    good = math.isfinite(x) and math.isfinite(y) and x > 1 and y > 1
    return (x, y) if good else None


def _decode_png(source: Source, page: int, check: Check) -> Image:
    data = source.read_all()
    try:
        parts = png.read_png(data)
    except ValueError as error:
        raise Damage(str(error)) from error
    check(parts.width, parts.height, max(1, parts.depth // 8) * 4)
    image = Image(np.empty((0, 0)), resolution=parts.resolution, n_pages=parts.n_frames)
    try:
        picture = _open("png", parts.picture if page == 0 else data)
    except Damage as damage:
        raise Damage(parts.damage or str(damage)) from damage
    if page:
        _seek(picture, page, parts.n_frames)
    picture.info.pop("icc_profile", None)
    if parts.icc:
        picture.info["icc_profile"] = parts.icc
    # Also where there is none: asked for EXIF, Pillow decodes a PNG to look behind its pixels.
    picture.info["exif"] = b"Exif\0\0" + (parts.exif or b"")
    _rescale_key(picture, parts)
    try:
        if parts.damage:
            raise Damage(parts.damage)
        if page == 0 and parts.depth == 16 and parts.color_type in {2, 4, 6}:
            pixels, alpha = _decode_deep_png(parts)
        else:
            pixels, alpha = _load(picture)
    except Damage as damage:
        with contextlib.suppress(Exception):
            picture.load()
        damage.image = _salvage("png", data, picture, image)
        raise
    # The standard has them spread over all 16 bits; many cameras leave them where they were.
    if parts.white is not None and pixels.dtype == np.uint16 and pixels.max() <= parts.white:
        image = replace(image, value_range=(0.0, float(parts.white)))
    return _finished(replace(image, pixels=pixels, alpha=alpha), picture)


def _decode_deep_png(parts: png.Png) -> tuple[Pixels, Pixels | None]:
    try:
        pixels, alpha = opencv.decode(parts.picture)
    except ValueError as error:
        raise Damage(str(error)) from error
    if parts.color_type == 4 and pixels.ndim == 3:  # OpenCV spreads gray over three channels
        pixels = np.ascontiguousarray(pixels[..., 0])
    return pixels, alpha


def _rescale_key(picture: Any, parts: png.Png) -> None:
    # Pillow scales 2- and 4-bit gray to 8 bits, but not the transparent gray.
    key = picture.info.get("transparency")
    if parts.color_type == 0 and parts.depth in {2, 4} and isinstance(key, int):
        picture.info["transparency"] = key * 255 // (2**parts.depth - 1)


def _decode_pnm(source: Source, check: Check) -> Image:
    data = source.read_all()
    kind, width, height, maximum, start = _pnm_header(data)
    check(width, height, 12 if maximum is None else 6)
    image = Image(np.empty((0, 0)))
    if maximum is None:
        try:
            pixels, _ = opencv.decode(data)
        except ValueError as error:
            raise Damage(str(error)) from error
        return replace(image, pixels=pixels)
    if kind in {b"P3", b"P6"} and maximum > 255:
        return replace(image, pixels=_deep_ppm(data, kind, width, height, maximum, start))
    picture = _open("pnm", data)
    try:
        pixels, _ = _load(picture)
    except Damage as damage:
        damage.image = _salvage("pnm", data, picture, image)
        raise
    if pixels.dtype == np.int32:  # gray of more than 8 bits, scaled to 65,535 by Pillow
        pixels = pixels.astype(np.uint16)
    return replace(image, pixels=pixels)


def _pnm_header(data: bytes) -> tuple[bytes, int, int, int | None, int]:
    """Return (kind, width, height, maximum, start of the data); no maximum for PFM."""
    kind, position = data[:2], 2
    values: list[int] = []
    wanted = 2 if kind in {b"P1", b"P4", b"Pf", b"PF"} else 3
    while len(values) < wanted:
        while data[position : position + 1].isspace():
            position += 1
        if data[position : position + 1] == b"#":
            end = data.find(b"\n", position)
            position = len(data) if end < 0 else end + 1
            continue
        end = position
        while data[end : end + 1].isdigit() and end - position < 11:
            end += 1
        if end == position:
            raise Damage("the header is damaged")
        values.append(int(data[position:end]))
        position = end
    maximum = 1 if kind in {b"P1", b"P4"} else None if wanted == 2 else values[2]
    if maximum is not None and not 0 < maximum < 65536:
        raise Damage(f"a maximum of {maximum} is not between 1 and 65535")
    return kind, values[0], values[1], maximum, position + 1


def _deep_ppm(
    data: bytes, kind: bytes, width: int, height: int, maximum: int, start: int
) -> Pixels:
    count = width * height * 3
    if kind == b"P6":
        values = np.frombuffer(data[start : start + 2 * count], ">u2")
    else:
        try:
            values = np.array(data[start:].split()[:count], np.uint32)
        except (ValueError, OverflowError) as error:
            raise Damage(str(error)) from error
    if values.size < count:
        raise Damage(f"{count - values.size} of {count} values are missing")
    scaled = np.minimum(values.astype(np.uint32) * 65535 // maximum, 65535)
    return scaled.astype(np.uint16).reshape(height, width, 3)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) of a WebP file, whose decoder allocates before it can be asked."""
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise Damage("the header is damaged")


def _depth(format_: str, data: bytes) -> int:
    """Return the bits a sample, for the formats that have more than 8 and a header to tell."""
    if format_ not in {"avif", "jp2"}:
        return 8
    if format_ == "avif":
        at = data.find(b"av1C")
        flags = data[at + 6] if 0 <= at < len(data) - 7 else 0
        return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0 or at + 42 > len(data):
        return 8
    (components,) = struct.unpack_from(">H", data, at + 40)
    depths = data[at + 42 : at + 42 + 3 * components : 3]
    return max(((depth & 0x7F) + 1 for depth in depths), default=8)
