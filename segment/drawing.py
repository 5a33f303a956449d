"""Pictures of a segmentation: outlines over the image, label colours, pictures side by side.

Every function takes and returns arrays; pictures are (H, W, 3) uint8, RGB.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from segment.errors import InputError
from segment.kernels.arrays import look_up
from segment.kernels.regions import adjacency, coloring

Picture = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.integer]

OUTLINE = (255, 232, 64)  # yellow: rare in photographs, and light on dark ground
NAMED = {
    "black": "#000", "white": "#fff", "red": "#f00", "green": "#0f0", "blue": "#00f",
    "yellow": "#ff0", "cyan": "#0ff", "magenta": "#f0f", "orange": "#ff8000", "gray": "#808080",
}  # fmt: skip
PAPER = 255  # masked pixels fade into it

# Colours of labels. Any two differ by 18 in CIEDE2000, where 2 can just be told apart.
DISTINCT = (
    (9, 186, 228), (181, 46, 88), (81, 108, 0), (255, 191, 129), (228, 190, 249), (133, 237, 152),
    (64, 95, 179), (150, 82, 11), (20, 110, 112), (248, 122, 120), (162, 166, 52), (170, 104, 185),
    (0, 159, 110), (134, 155, 247), (31, 240, 229), (167, 133, 98), (218, 218, 169),
)  # fmt: skip

_SHADOW_OPACITY = 0.5
_MARGIN = 8  # pixels beyond the frame, where the ends of lines are cut off
_BITS = 4  # of a fraction of a pixel, where lines are drawn

_STRIP_ROWS = 256
_SAMPLES = 250_000  # pixels looked at to find the range of values to show


def to_rgb(
    pixels: npt.NDArray[np.generic],
    mask: npt.NDArray[np.bool_] | None = None,
    *,
    like: npt.NDArray[np.generic] | None = None,
    value_range: tuple[float, float] | None = None,
) -> Picture:
    """Return an image of any depth and number of bands as a picture to look at.

    Parameters
    ----------
    pixels : (H, W) or (H, W, C) array
        One or two bands are shown as gray (the first), three and more as RGB (the first three).
        uint8 is shown as it is, bool as black and white; anything else is stretched from its 0.1th
        to its 99.9th percentile, because 16-bit files rarely use their whole range.
    mask : (H, W) bool array, optional
        Pixels that are False fade into white.
    like : array, optional
        The image whose range is stretched, so that two pictures can be compared; `pixels` itself
        if None.
    value_range : (float, float), optional
        The values to show as black and white, in place of all that.

    Returns
    -------
    (H, W, 3) uint8 array
        A new array.

    Raises
    ------
    InputError
        If `pixels` is neither 2-D nor 3-D.
    """
    bands = _visible_bands(pixels)
    if value_range is None and bands.dtype == np.uint8:
        shown = bands.astype(np.uint8)
    elif value_range is None and bands.dtype == np.bool_:
        shown = bands.astype(np.uint8) * np.uint8(255)
    else:
        shown = _stretch(
            bands, *(value_range or shown_range(pixels if like is None else like, mask))
        )
    picture: Picture = np.repeat(shown, 3, axis=2) if shown.shape[2] == 1 else shown
    if mask is not None:
        faded = picture[~mask].astype(np.uint16)
        picture[~mask] = (faded + 5 * PAPER) // 6
    return picture


def _visible_bands(pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    if pixels.ndim not in (2, 3):
        raise InputError(f"a picture has 2 or 3 dimensions, not {pixels.ndim}; pass (H, W, C)")
    bands = pixels[..., None] if pixels.ndim == 2 else pixels
    return bands[..., :3] if bands.shape[2] >= 3 else bands[..., :1]


def shown_range(
    pixels: npt.NDArray[np.generic], mask: npt.NDArray[np.bool_] | None = None
) -> tuple[float, float]:
    """Return the values that `to_rgb` shows as black and white."""
    bands = _visible_bands(pixels)
    if bands.dtype in (np.uint8, np.bool_):
        return 0.0, 1.0 if bands.dtype == np.bool_ else 255.0
    step = max(1, math.isqrt(bands.shape[0] * bands.shape[1] // _SAMPLES))
    sample = bands[::step, ::step].astype(np.float64)
    if mask is not None:
        sample = sample[mask[::step, ::step]]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 1.0
    low, high = np.percentile(sample, [0.1, 99.9])
    return float(low), float(high)


def _stretch(bands: npt.NDArray[np.generic], low: float, high: float) -> Picture:
    out = np.empty(bands.shape, np.uint8)
    for top in range(0, len(bands), _STRIP_ROWS):
        part = bands[top : top + _STRIP_ROWS].astype(np.float64)
        part = np.nan_to_num((part - low) * (255 / (high - low or 1.0)), nan=0.0)
        out[top : top + _STRIP_ROWS] = np.clip(np.rint(part), 0, 255)
    return out


def overlay(
    picture: Picture,
    labels: Labels,
    *,
    color: Sequence[int] = OUTLINE,
    width: float | None = None,
) -> Picture:
    """Draw the outlines of the regions over a picture.

    The lines are smooth and of even width, with a soft shadow that sets them off light ground.

    Parameters
    ----------
    picture : (H, W, 3) uint8 array
        See `to_rgb`.
    labels : (H, W) int array
        Label map.
    color : three ints
        Colour of the lines, RGB.
    width : float, optional
        Width of a line, in pixels, rounded; None draws 1 pixel up to 1,200 pixels a side and grows
        with the picture from there, so that lines stay visible when a large picture is fitted to a
        screen.

    Returns
    -------
    (H, W, 3) uint8 array
        A new array.

    Raises
    ------
    InputError
        If the shapes do not match.
    """
    if picture.shape != (*labels.shape, 3) or picture.dtype != np.uint8:
        raise InputError(
            f"a picture of shape {picture.shape} and type {picture.dtype} does not fit labels of "
            f"shape {labels.shape}; pass to_rgb(image)"
        )
    thickness = max(1, round(max(labels.shape) / 1200 if width is None else width))
    lines = smooth_outlines(labels)
    out = picture.copy()
    if not lines:
        return out
    line, shadow = _coverage(lines, labels.shape, thickness)
    for top in range(0, len(labels), _STRIP_ROWS):
        rows = slice(top, top + _STRIP_ROWS)
        near = shadow[rows] > 0
        opaque = line[rows][near, None] / np.float32(255)
        dark = shadow[rows][near, None] * np.float32(_SHADOW_OPACITY / 255)
        drawn = picture[rows][near] * (1 - dark)
        drawn += (np.asarray(color, np.float32) - drawn) * opaque
        out[rows][near] = np.rint(drawn)
    return out


def parse_color(text: str) -> tuple[int, int, int]:
    """Return a colour's red, green and blue.

    Parameters
    ----------
    text : str
        ``"#ff8000"``, ``"#f80"``, ``"255,128,0"``, or one of `NAMED`.

    Raises
    ------
    InputError
        If it is none of these.
    """
    word = text.strip().lower()
    word = NAMED.get(word, word)
    digits = word.removeprefix("#")
    if word.startswith("#") and len(digits) in (3, 6) and not set(digits) - set("0123456789abcdef"):
        size = len(digits) // 3
        red, green, blue = (int((digits[k * size : (k + 1) * size] * 2)[:2], 16) for k in range(3))
        return red, green, blue
    parts = word.split(",")
    if len(parts) == 3 and all(part.strip().isdecimal() and int(part) < 256 for part in parts):
        red, green, blue = map(int, parts)
        return red, green, blue
    raise InputError(
        f"{text!r} is no colour; give one such as #ff8000, 255,128,0 or {', '.join(NAMED)}"
    )


def smooth_outlines(labels: Labels) -> list[npt.NDArray[np.float64]]:
    """Return the lines between regions, without the steps that the pixels make in them.

    Each stretch between two junctions is smoothed on its own: three times, every point moves to the
    mean of itself and its two neighbours, weighted 2 : 1 : 1; junctions stay.

    Parameters
    ----------
    labels : (H, W) int array
        Label map; the lines around masked pixels are included, the frame of the picture is not.

    Returns
    -------
    list of (n, 2) float64 arrays
        Points x, y; pixel (0, 0) covers 0..1 in both.
    """
    from segment.shapes.graph import trace_whole

    arcs, _ = trace_whole(np.ascontiguousarray(labels, np.int32))
    arcs = arcs.take(np.asarray((arcs.sides >= 0).all(axis=1)))
    if not len(arcs):
        return []
    points, offsets = unit_steps(arcs.points, arcs.offsets)
    first, last = offsets[:-1], offsets[1:] - 1
    before = np.maximum(np.arange(len(points)) - 1, 0)
    after = np.minimum(np.arange(len(points)) + 1, len(points) - 1)
    loop, line = arcs.closed, ~arcs.closed
    # A loop ends with its first point; the ends of a line have no neighbours but themselves.
    before[first[loop]], after[last[loop]] = last[loop] - 1, first[loop] + 1
    for ends in (first[line], last[line]):
        before[ends] = after[ends] = ends
    for _ in range(3):
        points = (2 * points + points[before] + points[after]) / 4
    return np.split(points, offsets[1:-1])


def unit_steps(
    points: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Put a point at every corner of a pixel on polylines that run along the pixels' edges."""
    steps = np.diff(points, axis=0, append=points[-1:])
    steps[offsets[1:] - 1] = 0  # from the end of a line to the beginning of the next
    count = np.abs(steps).sum(axis=1)
    count[offsets[1:] - 1] = 1
    ends = np.cumsum(count)
    within = np.arange(ends[-1]) - np.repeat(ends - count, count)
    along = np.repeat(np.sign(steps), count, axis=0) * within[:, None]
    return np.repeat(points, count, axis=0) + along.astype(np.float64), np.append(
        0, ends[offsets[1:] - 1]
    )


def _coverage(
    lines: Sequence[npt.NDArray[np.float64]], shape: tuple[int, ...], thickness: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return how much of each pixel the lines and their shadows cover, from 0 to 255."""
    import cv2

    # OpenCV counts from the middle of a pixel. A line one pixel wide lies on the pixels right of
    # and below the border, or it would be half as strong on two.
    shift = 0.0 if thickness % 2 else 0.5
    fixed = [
        np.rint((over_the_edge(points, shape) + _MARGIN - shift) * 2**_BITS).astype(np.int32)
        for points in lines
    ]
    size = (shape[0] + 2 * _MARGIN, shape[1] + 2 * _MARGIN)
    line, shadow = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
    # What is asked to be 3 wide and more, OpenCV draws one pixel wider.
    thickness -= thickness > 2
    cv2.polylines(line, fixed, False, 255, thickness, cv2.LINE_AA, _BITS)
    cv2.polylines(shadow, fixed, False, 255, thickness + 1, cv2.LINE_AA, _BITS)
    shadow = np.asarray(cv2.GaussianBlur(shadow, (0, 0), 0.6 + 0.2 * thickness))
    inside = (slice(_MARGIN, -_MARGIN), slice(_MARGIN, -_MARGIN))
    return line[inside], shadow[inside]


def over_the_edge(
    points: npt.NDArray[np.float64], shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """Go on beyond the frame with a line that ends there, so that it is as wide there as inside."""
    size = np.array(shape[1::-1], np.float64)
    parts = [points]
    for place, end in ((0, points[0]), (2, points[-1])):
        outward = np.where(end <= 0, -_MARGIN, 0) + np.where(end >= size, _MARGIN, 0)
        if outward.any():
            parts.insert(place, end[None] + outward)
    return np.concatenate(parts) if len(parts) > 1 else points


def label_colors(labels: Labels) -> npt.NDArray[np.uint8]:
    """Return a colour for each label, so that neighbours never look alike.

    Parameters
    ----------
    labels : (H, W) int array
        Labels from 0, at most a few more than there are pixels.

    Returns
    -------
    (n + 1, 3) uint8 array
        RGB: black for 0; for 1..n those of `DISTINCT`, of which two neighbours never share one.
    """
    n = int(labels.max(initial=0))
    # The kernel is compiled for arrays that may be written to, and writes to none.
    pairs = adjacency.touching(np.require(labels, np.int32, ("C", "W")), n)[0]
    chosen = coloring.color_regions(pairs, n, len(DISTINCT))
    colors: npt.NDArray[np.uint8] = np.asarray(DISTINCT, np.uint8)[chosen]
    colors[0] = 0
    return colors


def preview(labels: Labels) -> Picture:
    """Return the label map in colours (see `label_colors`); masked pixels are black.

    Parameters
    ----------
    labels : (H, W) int array
        Labels from 0, at most a few more than there are pixels.

    Returns
    -------
    (H, W, 3) uint8 array
    """
    return look_up(label_colors(labels), labels)


def fitted(picture: Picture, side: int) -> Picture:
    """Return a picture whose longer side is at most `side` pixels."""
    import cv2

    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def contact_sheet(
    pictures: Sequence[Picture], *, columns: int = 3, gap: int = 8, paper: int = PAPER
) -> Picture:
    """Put pictures side by side, in rows of `columns`, centred in cells of equal size.

    Parameters
    ----------
    pictures : sequence of (H, W, 3) uint8 arrays
        Their sizes may differ.
    columns : int
        Pictures in a row.
    gap : int
        Pixels between pictures.
    paper : int
        Gray value between pictures, 0 to 255.

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    InputError
        If there is no picture.
    """
    if not pictures:
        raise InputError("a contact sheet needs at least one picture; pass some")
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)
    sheet = np.full(shape, paper, np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        top = row * (height + gap) + (height - picture.shape[0]) // 2
        left = column * (width + gap) + (width - picture.shape[1]) // 2
        sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return sheet
