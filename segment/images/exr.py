"""OpenEXR, the floats of renderers and composites, which the extra `codecs` reads."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from segment.images.damage import Damage, words
from segment.images.picture import Image, Pixels
from segment.images.quiet import no_stderr
from segment.images.source import Source
from segment.images.tiffcolor import unpremultiplied

DEEP, MANY_PARTS = 0x800, 0x1000  # flags behind the magic number
ITEMSIZE = 4
MOST = 5  # channels that a note lists


def decode(source: Source, check: Callable[[int, int, int, int], None]) -> Image:
    """Decode an OpenEXR file; parameters and errors as in `raster.decode`.

    Taken are the channels R, G, B and A, or Y and A; where there are neither, all, by name.
    """
    data = source.read_all()
    flags = int.from_bytes(data[4:8], "little")
    if flags & DEEP:
        raise source.error("its pixels are deep, of many samples each; flatten it first")
    try:
        import Imath
        import OpenEXR
    except ImportError:
        raise source.needs_codecs("it is OpenEXR") from None
    try:
        with no_stderr():
            file = OpenEXR.InputFile(io.BytesIO(data))
            header = file.header()
            found, window = dict(header["channels"]), header["dataWindow"]
    except Exception as error:  # the decoder fails on hostile data in more ways than it documents
        raise Damage(words(error)) from error
    width, height = window.max.x - window.min.x + 1, window.max.y - window.min.y + 1
    if any((channel.xSampling, channel.ySampling) != (1, 1) for channel in found.values()):
        raise source.error("its channels differ in size; convert it to RGB of full size")
    names, left_out = chosen(sorted(found))
    check(width, height, ITEMSIZE * len(names), len(names))
    whole = all(found[name].type.v == Imath.PixelType.UINT for name in names)
    kind, dtype = (Imath.PixelType.UINT, "u4") if whole else (Imath.PixelType.FLOAT, "f4")
    try:
        with no_stderr():
            planes = file.channels(names, Imath.PixelType(kind))
        pixels = np.stack([_plane(plane, dtype, height, width) for plane in planes], axis=2)
    except Exception as error:
        raise Damage(words(error)) from error
    notes = [f"its channels {', '.join(left_out[:MOST])} are not read"] if left_out else []
    notes += ["first of several parts; the others are not read"] if flags & MANY_PARTS else []
    return replace(_image(pixels, names), notes=tuple(notes))


def chosen(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return which channels are the picture, and which are left out.

    >>> chosen(["A", "B", "G", "R", "Z"])
    (['R', 'G', 'B', 'A'], ['Z'])
    >>> chosen(["depth.Z", "depth.ZBack"])
    (['depth.Z', 'depth.ZBack'], [])
    """
    for colors in (["R", "G", "B"], ["Y"]):
        if set(colors) <= set(names):
            taken = colors + ["A"] * ("A" in names)
            return taken, [name for name in names if name not in taken]
    return list(names), []


def _plane(data: Any, dtype: str, height: int, width: int) -> Pixels:
    return np.frombuffer(data, dtype).reshape(height, width)


def _image(pixels: Pixels, names: Sequence[str]) -> Image:
    alpha = None
    if len(names) > 1 and names[-1] == "A":
        alpha = pixels[..., -1].copy()
        # Colours are held multiplied by their opacity.
        pixels = unpremultiplied(pixels[..., :-1], alpha)
    return Image(pixels[..., 0].copy() if pixels.shape[2] == 1 else pixels, alpha)
