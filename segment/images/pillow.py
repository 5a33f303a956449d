"""What Pillow decodes, plugin by plugin: pixels, alpha, profile, orientation, resolution."""

from __future__ import annotations

import importlib
import io
import math
import struct
from dataclasses import replace
from typing import Any

import numpy as np

from segment.images.color import cmyk_to_rgb, to_srgb
from segment.images.damage import Damage, NoSuchPage, words
from segment.images.picture import Image, Pixels

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
    "blp": ("BlpImagePlugin", "BlpImageFile"),
    "cur": ("CurImagePlugin", "CurImageFile"),
    "dcx": ("DcxImagePlugin", "DcxImageFile"),
    "fli": ("FliImagePlugin", "FliImageFile"),
    "ftex": ("FtexImagePlugin", "FtexImageFile"),
    "gbr": ("GbrImagePlugin", "GbrImageFile"),
    "pcd": ("PcdImagePlugin", "PcdImageFile"),
    "pixar": ("PixarImagePlugin", "PixarImageFile"),
    "dds": ("DdsImagePlugin", "DdsImageFile"),
    "fits": ("FitsImagePlugin", "FitsImageFile"),
    "icns": ("IcnsImagePlugin", "IcnsImageFile"),
    "ico": ("IcoImagePlugin", "IcoImageFile"),
    "im": ("ImImagePlugin", "ImImageFile"),
    "msp": ("MspImagePlugin", "MspImageFile"),
    "pcx": ("PcxImagePlugin", "PcxImageFile"),
    "psd": ("PsdImagePlugin", "PsdImageFile"),
    "qoi": ("QoiImagePlugin", "QoiImageFile"),
    "sgi": ("SgiImagePlugin", "SgiImageFile"),
    "sun": ("SunImagePlugin", "SunImageFile"),
    "tga": ("TgaImagePlugin", "TgaImageFile"),
    "xbm": ("XbmImagePlugin", "XbmImageFile"),
    "xpm": ("XpmImagePlugin", "XpmImageFile"),
}
ORIENTATION = 0x0112
STRIP_ROWS = 256


class UnsupportedByPillow(Exception):
    """A sound file of a kind that Pillow does not know."""


def open_with(format_: str, data: bytes) -> Any:
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


def n_frames(picture: Any) -> int:
    if (
        getattr(picture, "format", None) == "PSD"
    ):  # its layers, of which the file holds the whole picture, too
        return 1
    try:
        return int(getattr(picture, "n_frames", 1))
    except Exception:
        return 1


def seek(picture: Any, page: int, frames: int) -> None:
    if page >= frames:
        raise NoSuchPage(page, frames)
    try:
        picture.seek(page)
    except Exception as error:
        raise Damage(f"frame {page} cannot be reached ({error})") from error


def load(picture: Any) -> tuple[Pixels, Pixels | None]:
    try:
        picture.load()
    except (UnsupportedByPillow, MemoryError):
        raise
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, IndexError, ...
        raise Damage(words(error)) from error
    return _arrays(picture)


def salvage(format_: str, data: bytes, picture: Any, image: Image) -> Image | None:
    """Return what was decoded before the damage."""
    try:
        if format_ == "jpeg":
            # With an end of its own the file is decoded to that end, and gray from there on.
            pixels, alpha = load(open_with(format_, data + b"\xff\xd9"))
        else:
            picture.tile = []  # nothing more to decode: keep what there is
            pixels, alpha = _arrays(picture)
        return finished(replace(image, pixels=pixels, alpha=alpha, damaged=True), picture)
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
    array = _array(picture)
    if mode.startswith("I;16"):
        array = array.astype(np.uint16, copy=False)
    if mode in {"LA", "RGBA"}:
        pixels = array[..., 0] if mode == "LA" else array[..., :3]
        return np.ascontiguousarray(pixels), np.ascontiguousarray(array[..., -1])
    return np.ascontiguousarray(array), _keyed_alpha(array, transparent)


def _array(picture: Any) -> Pixels:
    """Return the pixels of a loaded Pillow image; strip by strip, since each is copied twice."""
    width, height = picture.size
    first = np.asarray(picture.crop((0, 0, width, 1)))
    out = np.empty((height, *first.shape[1:]), first.dtype)
    for top in range(0, height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, height)
        out[top:bottom] = np.asarray(picture.crop((0, top, width, bottom)))
    return out


def _keyed_alpha(array: Pixels, key: Any) -> Pixels | None:
    """Return the alpha of an image in which one colour means transparent."""
    if key is None or isinstance(key, bytes):
        return None
    same = array == np.asarray(key)
    same = same.all(axis=2) if array.ndim == 3 else same
    return np.where(same, 0, np.iinfo(array.dtype).max).astype(array.dtype)


def to_full_scale(values: Pixels, depth: int) -> Pixels:
    if values.dtype != np.uint16 or depth >= 16:
        return values
    white = 2**depth - 1
    scaled = np.minimum(values, white).astype(np.uint32) * 65535 // white
    return np.asarray(scaled, np.uint16)


def finished(image: Image, picture: Any) -> Image:
    """Apply the colour profile and the orientation, and keep the resolution."""
    notes = list(image.notes)
    pixels, icc = image.pixels, picture.info.get("icc_profile")
    if icc:
        if image.value_range is not None:  # profiles are for the whole scale
            pixels = to_full_scale(pixels, round(math.log2(image.value_range[1] + 1)))
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
