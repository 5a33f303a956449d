"""What the samples of a TIFF mean: gray, palette, inks, Lab, alpha and further bands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.images.color import cmyk_to_rgb, to_srgb
from segment.images.icc import srgb_from_lab
from segment.images.nodata import hide_nodata
from segment.images.picture import Image, Pixels
from segment.images.source import Source
from segment.images.tifflayout import Layout
from segment.regions.arrays import Nodata

MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, MASK, SEPARATED, YCBCR, LAB = 0, 1, 2, 3, 4, 5, 6, 8
ICC_LAB = 9
COLORS = {
    MIN_IS_WHITE: 1,
    MIN_IS_BLACK: 1,
    RGB: 3,
    PALETTE: 1,
    MASK: 1,
    SEPARATED: 4,
    LAB: 3,
    ICC_LAB: 3,
}
ASSOCIATED, UNASSOCIATED = 1, 2
INK_SET, CMYK = 332, 1


def colored(
    image: Image,
    samples: Pixels,
    photometric: int,
    layout: Layout,
    page: Any,
    source: Source,
    nodata: Nodata | None = None,
) -> Image:
    """Return `image` with the pixels and alpha that the samples (H, W, n) stand for."""
    n_colors = min(COLORS.get(photometric, samples.shape[2]), samples.shape[2])
    kinds = [int(kind) for kind in page.extrasamples or ()]
    colors, alpha, kind = _split(samples, n_colors, kinds)
    notes = list(image.notes)
    if nodata is not None:
        image, note = hide_nodata(image, colors, nodata)
        if photometric not in {MIN_IS_BLACK, RGB}:
            image = replace(image, nodata=None)  # values become others
        notes += note
    full = _full_scale(layout, colors)
    value_range = said_range(page, colors, image.hidden) if full is None else (0.0, float(full))
    if photometric == MIN_IS_WHITE and colors.dtype.kind != "f":
        colors = ~colors if full is None else full - colors
        value_range = value_range if full is not None else None
    elif photometric == PALETTE:
        colors, value_range = _expanded(colors, page, source), None
    elif photometric in {LAB, ICC_LAB}:
        colors, value_range = _from_lab(colors, photometric, source), None
    elif photometric not in COLORS:
        notes.append(f"its photometric interpretation {photometric} is taken for plain bands")
    if full is not None and photometric not in {PALETTE, LAB, ICC_LAB}:
        managed = page.iccprofile or photometric == SEPARATED or kind == ASSOCIATED
        if layout.bits < 8 or (layout.bits < 16 and managed):
            colors = _to_full_scale(colors, int(full))
            alpha = None if alpha is None else _to_full_scale(alpha, int(full))
            value_range = None
    if alpha is not None and kind == ASSOCIATED:
        colors = unpremultiplied(colors, alpha)
    pixels, icc, note_ = _managed(colors, photometric, page)
    if pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return replace(
        image,
        pixels=np.ascontiguousarray(pixels),
        alpha=None if alpha is None else np.ascontiguousarray(alpha),
        icc=icc,
        value_range=value_range,
        n_colors=3 if photometric == RGB and colors.shape[2] > 3 else None,
        notes=(*notes, note_) if note_ else tuple(notes),
    )


def _to_full_scale(values: Pixels, white: int) -> Pixels:
    """Return values of 0..white at the scale of their dtype."""
    top = int(np.iinfo(values.dtype).max)
    if top == white:
        return values
    if top % white == 0:
        return np.asarray(values * values.dtype.type(top // white))
    return np.asarray((values * (top / white)).round().astype(values.dtype))


def said_range(
    page: Any, colors: Pixels, hidden: NDArray[np.bool_] | None
) -> tuple[float, float] | None:
    """Return the range that the tags for the smallest and the largest sample tell, if they can be.

    They are heeded beyond 8 bits, where no pixel contradicts them.
    """
    low, high = (_extreme(page, *codes) for codes in ((340, 280), (341, 281)))
    colors = colors if hidden is None else colors[~hidden]
    if high is None or colors.dtype.itemsize == 1 or not colors.size:
        return None
    low = 0.0 if low is None or colors.dtype.kind == "u" else low
    own = 1.0 if colors.dtype.kind == "f" else float(np.iinfo(colors.dtype).max)
    if not low < high or (low, high) == (0.0, own):
        return None
    if not (colors.min() >= low and colors.max() <= high):  # NaN contradicts, too
        return None
    return low, high


def _extreme(page: Any, *codes: int) -> float | None:
    """Return the value of the first of these tags that there is, the same for all samples."""
    for code in codes:
        if code in page.tags:
            values = np.atleast_1d(np.asarray(page.tags[code].value)).ravel()
            if values.dtype.kind in "iuf" and values.size and np.isfinite(values).all():
                return float(values.min() if code in {340, 280} else values.max())
    return None


def _split(
    samples: Pixels, n_colors: int, kinds: list[int]
) -> tuple[Pixels, Pixels | None, int | None]:
    """Part the alpha channel from colours and further bands, which stay together."""
    n_extra = samples.shape[2] - n_colors
    kinds = (kinds + [0] * n_extra)[:n_extra]
    for i, kind in enumerate(kinds):
        if kind in {ASSOCIATED, UNASSOCIATED}:
            at = n_colors + i
            return np.delete(samples, at, axis=2), samples[..., at], kind
    return samples, None, None


def _full_scale(layout: Layout, colors: Pixels) -> Any:
    """Return white, where the bits are fewer than those of the dtype; else None."""
    if layout.kind != "u" or layout.bits == 8 * colors.itemsize:
        return None
    return colors.dtype.type(2**layout.bits - 1)


def _expanded(indices: Pixels, page: Any, source: Source) -> Pixels:
    table = page.colormap
    if table is None or table.ndim != 2 or table.shape[0] != 3:
        raise source.error("it has palette indices but no palette; copy it again")
    if table.dtype.itemsize > 1 and table.max() > 255:  # some writers store 8 bits in the 16
        table = table >> 8
    index = np.minimum(indices[..., 0], table.shape[1] - 1)
    colors = np.asarray(table.T.astype(np.uint8)[index])
    return np.concatenate([colors, indices[..., 1:].astype(np.uint8)], axis=2)


def _from_lab(colors: Pixels, photometric: int, source: Source) -> Pixels:
    """Return CIE Lab (a and b signed) or ICC Lab (with an offset) as RGB in the same depth."""
    if colors.dtype.itemsize > 2 or colors.dtype.kind not in "iu" or colors.shape[2] != 3:
        raise source.error(f"it is Lab of {colors.dtype}; convert it to RGB, or to 8 bits")
    if colors.dtype.itemsize == 2 or photometric == ICC_LAB:
        unsigned = colors.view(f"u{colors.dtype.itemsize}")
        top, unit = float(np.iinfo(unsigned.dtype).max), 2.0 ** (8 * colors.dtype.itemsize - 8)
        lab = unsigned.astype(np.float64)
        lab[..., 0] *= 100 / top
        lab[..., 1:] /= unit
        lab[..., 1:] -= 128 if photometric == ICC_LAB else 256 * (lab[..., 1:] >= 128)
        return np.asarray(np.rint(srgb_from_lab(lab) * top).astype(unsigned.dtype))
    from PIL import Image as PillowImage

    height, width = colors.shape[:2]
    picture = PillowImage.frombytes("LAB", (width, height), colors.tobytes(), "raw", "LAB")
    return np.asarray(picture.convert("RGB"))


def unpremultiplied(colors: Pixels, alpha: Pixels) -> Pixels:
    """Return colours (H, W, C) that were multiplied by their opacity as they were before."""
    if colors.dtype.kind == "i":
        return colors
    top = 1.0 if colors.dtype.kind == "f" else float(np.iinfo(colors.dtype).max)
    with np.errstate(divide="ignore", invalid="ignore"):
        plain = np.where(
            alpha[..., None] > 0, colors * (top / alpha[..., None].astype(np.float64)), 0
        )
    if colors.dtype.kind == "f":
        return plain.astype(colors.dtype)
    return np.minimum(plain.round(), top).astype(colors.dtype)


def _managed(
    colors: Pixels, photometric: int, page: Any
) -> tuple[Pixels, bytes | None, str | None]:
    """Apply the ICC profile; turn CMYK into RGB with or without one."""
    icc = page.iccprofile if isinstance(page.iccprofile, bytes) else None
    inks = photometric == SEPARATED and colors.shape[2] == 4 and _is_cmyk(page)
    if photometric in {LAB, ICC_LAB}:
        icc = None
    if icc and colors.shape[2] in {1, 3, 4} and (inks or colors.shape[2] != 4):
        pixels, icc, note = to_srgb(colors[..., 0] if colors.shape[2] == 1 else colors, icc)
        pixels = pixels if pixels.ndim == 3 else pixels[..., None]
        if pixels.shape[2] != 4:
            return pixels, icc, note
    if inks:
        return cmyk_to_rgb(colors), None, None
    return colors, icc, None


def _is_cmyk(page: Any) -> bool:
    return INK_SET not in page.tags or page.tags[INK_SET].value == CMYK
