"""Colour management: whatever an ICC profile says, pixels leave as sRGB."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np

from segment.images.picture import Pixels

PROBE = np.linspace(0, 255, 6).round().astype(np.uint8)
NEAR = 2  # 8-bit levels: profiles this close to sRGB are sRGB


def to_srgb(pixels: Pixels, icc: bytes) -> tuple[Pixels, bytes | None, str | None]:
    """Convert gray, RGB or CMYK pixels by an embedded ICC profile.

    Parameters
    ----------
    pixels : ndarray, (H, W) or (H, W, C)
        Gray or RGB, uint8 or uint16; CMYK, uint8.
    icc : bytes
        The profile.

    Returns
    -------
    pixels : ndarray
        In sRGB, in the same dtype.
    icc : bytes or None
        The profile that still describes them: None after a conversion.
    note : str or None
        Why they were not converted, if they were not.
    """
    from PIL import ImageCms

    gray = pixels.ndim == 2
    channels = 1 if gray else pixels.shape[2]
    space = {1: "L", 3: "RGB", 4: "CMYK"}.get(channels)
    if space is None or pixels.dtype not in (np.uint8, np.uint16):
        return pixels, icc, f"its ICC profile is not applied to {pixels.dtype} pixels"
    try:
        if gray:
            curve = _gray_curve(icc)
            if _near(curve, np.arange(256)):
                return pixels, icc, None
            return _through(curve, pixels), None, None
        if space == "RGB" and _is_srgb(icc):
            return pixels, icc, None
        if pixels.dtype == np.uint8:
            return _transform(pixels, icc, space), None, None
        if space == "RGB":
            from segment.images.icc import matrix_profile

            profile = matrix_profile(icc)
            if profile is not None:
                return profile.to_srgb(pixels), None, None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return pixels, None, "its ICC profile is damaged and not applied"
    return pixels, icc, "its ICC profile is not applied: it is no matrix profile, the pixels 16-bit"


@functools.lru_cache(maxsize=8)
def _transformer(icc: bytes, space: str) -> Any:
    from PIL import ImageCms

    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        space,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _transform(pixels: Pixels, icc: bytes, space: str) -> Pixels:
    from PIL import Image

    picture = Image.fromarray(pixels, space)
    return np.asarray(_transformer(icc, space).apply(picture))


@functools.lru_cache(maxsize=8)
def _is_srgb(icc: bytes) -> bool:
    cube = np.stack(np.meshgrid(PROBE, PROBE, PROBE), axis=-1).reshape(1, -1, 3)
    return _near(_transform(cube, icc, "RGB"), cube)


@functools.lru_cache(maxsize=8)
def _gray_curve(icc: bytes) -> Pixels:
    ramp = np.arange(256, dtype=np.uint8)[None]
    curve: Pixels = _transform(ramp, icc, "L")[0, :, 1]
    return curve


def _through(curve: Pixels, pixels: Pixels) -> Pixels:
    if pixels.dtype == np.uint8:
        return np.asarray(curve[pixels])
    fine = np.interp(np.arange(65536) / 257, np.arange(256), curve.astype(float)) * 257
    table = fine.round().astype(np.uint16)
    return np.asarray(table[pixels])


def _near(a: Pixels, b: Pixels) -> bool:
    return bool(np.abs(a.astype(int) - b.astype(int)).max() <= NEAR)


def cmyk_to_rgb(pixels: Pixels) -> Pixels:
    """Convert (H, W, 4) CMYK, 0 for no ink, to RGB by the naive rule that viewers use."""
    if pixels.dtype == np.uint8:
        from PIL import Image as PillowImage

        return np.asarray(PillowImage.fromarray(pixels, "CMYK").convert("RGB"))
    full = 1.0 if pixels.dtype.kind == "f" else float(np.iinfo(pixels.dtype).max)
    light = 1 - np.clip(pixels.astype(np.float64) / full, 0, 1)
    rgb = light[..., :3] * light[..., 3:] * full
    return (rgb if pixels.dtype.kind == "f" else rgb.round()).astype(pixels.dtype)
