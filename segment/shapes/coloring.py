"""A few colours in place of those of all regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from segment.errors import InputError
from segment.params import whole_number

MOST = 999  # colours that a sheet can number
STEPS = 50  # of k-means, which hardly needs ten


@dataclass(frozen=True)
class Palette:
    """Colours by number, and which each region has.

    Attributes
    ----------
    colors : ndarray, shape (k, 3), uint8
    index : ndarray, shape (n,), int64
        Colour of each region, from 0.
    """

    colors: NDArray[np.uint8]
    index: NDArray[np.int64]


def recolored(
    labels: NDArray[Any], colors: NDArray[np.uint8], palette: int | Sequence[str]
) -> tuple[NDArray[np.int32], NDArray[np.uint8], Palette]:
    """Give regions the colours of a palette; neighbours of one colour become one region.

    Returns
    -------
    labels : ndarray, shape (H, W), int32
        1..n, each region 4-connected.
    colors : ndarray, shape (n, 3), uint8
    palette : Palette
        Of the new regions.
    """
    from skimage import measure

    area = np.bincount(labels.ravel(), minlength=len(colors) + 1)[1:]
    wanted, nearest = choose_palette(colors, area, palette)
    painted = np.append(0, nearest + 1)[labels]
    components: Any = measure.label  # which has no types
    joined = components(painted, connectivity=1, background=0).astype(np.int32)
    _, first = np.unique(joined, return_index=True)
    index = painted.ravel()[first[joined.ravel()[first] > 0]] - 1
    return joined, wanted[index], Palette(wanted, index.astype(np.int64))


def choose_palette(
    colors: NDArray[np.uint8], area: NDArray[np.int64], palette: int | Sequence[str]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the colours of a palette, and the nearest of them (in CIE Lab) to each colour.

    Raises
    ------
    InputError
        If `palette` is neither a number nor a list of colours.
    """
    from skimage.color import lab2rgb, rgb2lab

    wanted = check_palette(palette)
    points = rgb2lab(colors.reshape(1, -1, 3))[0].reshape(-1, 3)
    if isinstance(wanted, int):
        centers = _cluster(points, area.astype(np.float64), wanted)
        wanted = np.rint(lab2rgb(centers[None])[0] * 255).astype(np.uint8)
    else:
        centers = rgb2lab(wanted[None])[0]
    return wanted, _nearest(points, centers)


def _nearest(points: NDArray[Any], centers: NDArray[Any]) -> NDArray[np.int64]:
    """Return which of the centres is nearest to each point."""
    if not len(points):
        return np.zeros(0, np.int64)
    found: NDArray[np.int64] = cKDTree(centers).query(points)[1]
    return found


def check_palette(palette: int | Sequence[str]) -> int | NDArray[np.uint8]:
    """Return a palette as a number of colours, or as colours (k, 3).

    Raises
    ------
    InputError
        If it is neither a number from 1 to 999 nor a list of so many colours.
    """
    if isinstance(palette, int | np.integer):
        n = whole_number("palette", palette, minimum=1)
        if n > MOST:
            raise InputError(f"palette={n} is more than {MOST} colours; give fewer")
        return n
    wanted = np.array([parse_color(text) for text in palette], np.uint8).reshape(-1, 3)
    if not 1 <= len(wanted) <= MOST:
        raise InputError(f"the palette has {len(wanted)} colours; give 1 to {MOST}")
    return wanted


def _cluster(points: NDArray[Any], weights: NDArray[Any], n: int) -> NDArray[Any]:
    """Return `n` colours, or as many as there are, by k-means from the farthest points; dark first.

    Nothing is drawn by lot, so that the numbers stay the same.
    """
    chosen = [int(weights.argmax())] if len(points) else []
    away = ((points - points[chosen[0]]) ** 2).sum(axis=1) if chosen else np.empty(0)
    while chosen and len(chosen) < n and away.max() > 0:
        chosen.append(int((away * np.sqrt(weights)).argmax()))
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    centers = points[chosen].reshape(-1, 3)
    before = np.empty(0, np.int64)
    for _ in range(STEPS if chosen else 0):
        nearest = _nearest(points, centers)
        if np.array_equal(nearest, before):
            break
        before = nearest
        total = np.bincount(nearest, weights, minlength=len(centers))
        for j in range(3):
            sums = np.bincount(nearest, weights * points[:, j], minlength=len(centers))
            centers[:, j] = np.where(total > 0, sums / np.maximum(total, 1), centers[:, j])
    return centers[np.lexsort(centers.T[::-1])]


def parse_color(text: str) -> tuple[int, int, int]:
    """Return a colour, written ``#rgb``, ``#rrggbb`` or as CSS names it, as three bytes."""
    from skimage.color import color_dict

    digits = text.removeprefix("#")
    if text.startswith("#") and len(digits) == 3:
        digits = "".join(2 * digit for digit in digits)
    try:
        if text.startswith("#") and len(digits) == 6:
            red, green, blue = bytes.fromhex(digits)
        else:
            red, green, blue = (round(255 * share) for share in color_dict[text.lower()])
    except (KeyError, ValueError):
        raise InputError(
            f"{text!r} is no colour; write one such as #aa3300, or a name such as navy"
        ) from None
    return red, green, blue


def hex_color(color: Sequence[int], *, short: bool = True) -> str:
    """Return a colour as text, in three digits where that says all.

    >>> hex_color((170, 51, 0))
    '#a30'
    """
    text = bytes(color).hex()
    if short and all(text[k] == text[k + 1] for k in (0, 2, 4)):
        text = text[::2]
    return f"#{text}"
