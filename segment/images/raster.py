"""Every format but TIFF: Pillow decodes, OpenCV where Pillow would lose depth."""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from segment.images import codecs, exr, gif, heic, netpbm, opencv, pillow, png
from segment.images.damage import Damage
from segment.images.picture import Image, Pixels
from segment.images.source import Source

Check = Callable[[int, int, int, int], None]
# Bands of Pillow's modes, palettes expanded; of all others four are expected.
BANDS = {"1": 1, "L": 1, "I;16": 1, "LA": 2, "P": 3, "RGB": 3}
PNG_BANDS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


def decode(source: Source, page: int, check: Check) -> Image:
    """Decode one picture of a file that is no TIFF.

    Parameters
    ----------
    source : Source
        The open file.
    page : int
        Frame of an animation, from 0.
    check : callable
        Called with (width, height, bytes a pixel, bands) before memory is taken; raises if that is
        too large.

    Raises
    ------
    Damage
        If the data is cut short or corrupt.
    """
    if source.format == "png":
        return _decode_png(source, page, check)
    if source.format == "pnm":
        return _decode_pnm(source, check)
    if source.format == "hdr":
        return _decode_hdr(source, check)
    if source.format == "farbfeld":
        return _decode_farbfeld(source, check)
    if source.format == "heic":
        return heic.decode(source, check)
    if source.format == "exr":
        return exr.decode(source, check)
    data = source.read_all()
    rare = codecs.size(source.format, data)
    if rare is not None:
        check(rare[0], rare[1], 8, 4)
        pixels, alpha = codecs.decode(source, data)
        white = (0.0, 2.0 ** rare[2] - 1) if rare[2] < 16 and pixels.dtype == np.uint16 else None
        return Image(pixels, alpha, value_range=white)
    if source.format == "webp":
        check(*_webp_size(data), 4, 4)
    if source.format == "gif":
        check(*gif.canvas(data, page), 4, 4)
    picture = pillow.open_with(source.format, data)
    depth = _depth(source.format, data)
    bands = BANDS.get(picture.mode, 4)
    width, height = picture.size
    check(width, height, bands * (2 if depth > 8 or picture.mode == "I;16" else 1), bands)
    frames = pillow.n_frames(picture)
    if page:
        pillow.seek(picture, page, frames)
    image = Image(pixels=np.empty((0, 0)), n_pages=frames)
    try:
        if depth > 8 and picture.mode != "I;16" and page == 0:
            pixels, alpha = _decode_deep(data, depth)
        else:
            pixels, alpha = pillow.load(picture)
    except Damage as damage:
        damage.image = pillow.salvage(source.format, data, picture, image)
        raise
    except pillow.UnsupportedByPillow:
        pixels, alpha = opencv.decode(data)
    return pillow.finished(replace(image, pixels=pixels, alpha=alpha), picture)


def count(source: Source) -> int:
    """Return the number of frames."""
    if source.format == "gif":
        return max(1, sum(1 for _ in gif.frames(source.read_all())))
    if source.format in {"webp", "avif", "jpeg", "dcx", "fli"}:
        return pillow.n_frames(pillow.open_with(source.format, source.read_all()))
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
    return pillow.to_full_scale(pixels, depth), None if alpha is None else pillow.to_full_scale(
        alpha, depth
    )


def _decode_png(source: Source, page: int, check: Check) -> Image:
    data = source.read_all()
    try:
        parts = png.read_png(data)
    except ValueError as error:
        raise Damage(str(error)) from error
    bands = PNG_BANDS.get(parts.color_type, 4)
    check(parts.width, parts.height, max(1, parts.depth // 8) * bands, bands)
    image = Image(np.empty((0, 0)), resolution=parts.resolution, n_pages=parts.n_frames)
    try:
        picture = pillow.open_with("png", parts.picture if page == 0 else data)
        width, height = picture.size
        check(width, height, max(1, parts.depth // 8) * bands, bands)
    except Damage as damage:
        raise Damage(parts.damage or str(damage)) from damage
    if page:
        pillow.seek(picture, page, parts.n_frames)
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
            pixels, alpha = pillow.load(picture)
    except Damage as damage:
        with contextlib.suppress(Exception):
            picture.load()
        damage.image = pillow.salvage("png", data, picture, image)
        raise
    # The standard has them spread over all 16 bits; many cameras leave them where they were.
    if parts.white is not None and pixels.dtype == np.uint16 and pixels.max() <= parts.white:
        image = replace(image, value_range=(0.0, float(parts.white)))
    return pillow.finished(replace(image, pixels=pixels, alpha=alpha), picture)


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
    image = Image(np.empty((0, 0)))
    if data[:2] == b"P7":
        pam = netpbm.pam_header(data)
        check(pam.width, pam.height, pam.depth * (2 if pam.maximum > 255 else 1), pam.depth)
        pixels, alpha = netpbm.decode_pam(data, pam)
        return replace(image, pixels=pixels, alpha=alpha)
    kind, width, height, maximum, start = netpbm.header(data)
    bands = 1 if kind in {b"P1", b"P2", b"P4", b"P5", b"Pf"} else 3
    check(width, height, bands * (4 if maximum is None else 2 if maximum > 255 else 1), bands)
    if maximum is None:
        return replace(image, pixels=_by_opencv(data)[0])
    if kind in {b"P3", b"P6"} and maximum > 255:
        pixels = netpbm.deep_ppm(data, kind, width, height, maximum, start)
        return replace(image, pixels=pixels)
    picture = pillow.open_with("pnm", data)
    try:
        pixels, _ = pillow.load(picture)
    except Damage as damage:
        damage.image = pillow.salvage("pnm", data, picture, image)
        raise
    if pixels.dtype == np.int32:  # gray of more than 8 bits, scaled to 65,535 by Pillow
        pixels = pixels.astype(np.uint16)
    return replace(image, pixels=pixels)


def _decode_farbfeld(source: Source, check: Check) -> Image:
    data = source.read_all()
    if len(data) < 16:
        raise Damage("the header is damaged")
    width, height = struct.unpack_from(">II", data, 8)
    check(width, height, 8, 4)
    return Image(*netpbm.decode_farbfeld(data, width, height))


def _by_opencv(data: bytes) -> tuple[Pixels, Pixels | None]:
    try:
        return opencv.decode(data)
    except ValueError as error:
        raise Damage(str(error)) from error


def _decode_hdr(source: Source, check: Check) -> Image:
    """Radiance: linear light in floats."""
    data = source.read_all()
    sized = re.search(rb"\n[-+]([XY]) +(\d{1,9}) +[-+][XY] +(\d{1,9})\n", data[:65536])
    if sized is None:
        raise Damage("the header is damaged")
    first, second = int(sized[2]), int(sized[3])
    width, height = (second, first) if sized[1] == b"Y" else (first, second)
    check(width, height, 12, 3)
    pixels, _ = _by_opencv(data)
    return Image(pixels)


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
