"""The palette of an image: its colours alone, clustered by mean shift."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.params import choice, positive_number, whole_number
from segment.points.clustering import MeanShift
from segment.regions.checks import Picture, Pixels, check_image
from segment.regions.features import feature_planes, pixels_from_features
from segment.regions.ranges import Range

COLOR_SPACES = ("lab", "luv", "rgb")

Floats = NDArray[np.float64]

# Bandwidths tried one after the other, in units of Lab, until so many colours have such a share.
LADDER = (5.0, 3.0, 2.0)
ENOUGH, SIZABLE = 5, 0.01
# Pixels looked at.
MOST_PIXELS = 1_000_000
# Colours of a smaller share join the nearest.
LEAST = 0.001
# Colours closer than bandwidth / CELLS along each axis are gathered before they are clustered.
CELLS = 2
# Steps end at so many bandwidths: 8-bit colours are no finer.
TOL = 3e-3


def palette(
    image: ArrayLike | Picture,
    *,
    bandwidth: float | None = None,
    n_colors: int | None = None,
    color_space: str = "lab",
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
    value_range: Range | str | None = None,
    n_jobs: int | None = None,
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Find the main colours of an image, and how much of it each takes.

    Parameters
    ----------
    image : array-like, shape (H, W) or (H, W, 3), or segment.Image
        Gray or RGB, of any dtype at its scale.
    bandwidth : float, optional
        Standard deviation of the Gaussian kernel in colour units: larger gives fewer colours. None
        takes the largest of 5, 3 and 2 (in RGB 2.55 times as much) at which 5 colours
        take 1% of the pixels each, or else the last: low contrast needs a narrow kernel.
    n_colors : int, optional
        Keep at most so many colours, those with the largest shares.
    color_space : {"lab", "luv", "rgb"}, default="lab"
        Where colours are compared: CIE Lab or Luv (L from 0 to 100), or RGB (0 to 255).
    channel_axis : int or None, default=-1
        Axis of the channels of a 3-D image.
    mask : array-like of bool, shape (H, W), optional
        False where a pixel is to be ignored.
    value_range : (float, float), "auto" or None
        Black and white, as for `mean_shift`.
    n_jobs : int, optional
        Threads; None or -1 means every core. The result is the same on any number.

    Returns
    -------
    colors : ndarray, shape (n, 3), or (n,) for gray; dtype of the image
        The modes of the colour density, in the image's colours, by falling share.
    shares : ndarray of shape (n,), float64
        Share of the pixels that climb to each colour. They add up to 1 unless `n_colors` cuts.

    Raises
    ------
    InputError
        If the image or a parameter cannot be used.

    Notes
    -----
    Pixels are gathered into cells half a bandwidth wide, each counting as one point at the
    mean of its pixels with their number as its weight. Modes within one bandwidth of a mode of
    larger share join it, and those with less than 0.1% of the pixels the nearest. Of more than
    a million pixels a million are looked at. It takes a few tenths of a second.
    """
    choice("color_space", color_space, COLOR_SPACES)
    scale = 2.55 if color_space == "rgb" else 1.0
    widths = tuple(width * scale for width in LADDER)
    if bandwidth is not None:
        widths = (positive_number("bandwidth", bandwidth),)
    if n_colors is not None:
        n_colors = whole_number("n_colors", n_colors, minimum=1)
    pixels = check_image(
        image,
        color_space=color_space,
        channel_axis=channel_axis,
        mask=mask,
        value_range=value_range,
    )
    colors = _colors(pixels, color_space)
    colors, counts = _gathered(colors, np.ones(len(colors)), widths[-1] / CELLS)
    for width in widths:
        modes, shares = _clustered(colors, counts, width, n_jobs)
        if np.count_nonzero(shares >= SIZABLE) >= ENOUGH:
            break
    return _as_pixels(modes[:n_colors], pixels, color_space), shares[:n_colors]


def _colors(pixels: Pixels, color_space: str) -> Floats:
    """Return the colours (n, bands) of the pixels that are not masked, or of evenly many."""
    planes = feature_planes(pixels, color_space).reshape(pixels.values.shape[2], -1)
    seen = np.flatnonzero(np.isfinite(planes[0]))
    if not len(seen):
        raise InputError("the mask hides every pixel; there is no colour to find")
    if len(seen) > MOST_PIXELS:  # one from each stretch: even steps could follow a pattern
        stretch = np.arange(MOST_PIXELS) + np.random.default_rng(0).random(MOST_PIXELS)
        seen = seen[(stretch * (len(seen) / MOST_PIXELS)).astype(np.int64)]
    return planes[:, seen].T.astype(np.float64)


def _clustered(
    colors: Floats, counts: Floats, width: float, n_jobs: int | None
) -> tuple[Floats, Floats]:
    """Return the modes of `colors` (n, bands), and the share that each takes."""
    colors, counts = _gathered(colors, counts, width / CELLS)
    found = MeanShift(width, tol=TOL, n_jobs=n_jobs).fit(colors, sample_weight=counts)
    shares = np.bincount(found.labels_, counts, minlength=len(found.cluster_centers_))
    return _joined(found.cluster_centers_, shares / counts.sum(), width)


def _gathered(colors: Floats, counts: Floats, side: float) -> tuple[Floats, Floats]:
    """Return mean colour and count of each occupied cell of colour space."""
    index = np.floor((colors - colors.min(axis=0)) / side).astype(np.int64)
    key = np.zeros(len(colors), np.int64)
    for j in range(colors.shape[1]):
        key = key * (index[:, j].max() + 1) + index[:, j]
    _, cell = np.unique(key, return_inverse=True)
    total = np.bincount(cell, counts).astype(np.float64)
    sums = [np.bincount(cell, counts * colors[:, j]) for j in range(colors.shape[1])]
    return np.stack(sums, axis=1) / total[:, None], total


def _joined(modes: Floats, shares: Floats, width: float) -> tuple[Floats, Floats]:
    """Let each mode join the nearest of larger share; sort by falling share.

    It must be within `width`, unless the mode's own share is below `LEAST`.
    """
    order = np.argsort(-shares, kind="stable")
    modes, shares = modes[order], shares[order]
    alone = shares.copy()
    kept: list[int] = []
    for i in range(len(modes)):
        away = np.linalg.norm(modes[kept] - modes[i], axis=1)
        if kept and (away.min() <= width or alone[i] < LEAST):
            shares[kept[int(away.argmin())]] += shares[i]
        else:
            kept.append(i)
    order = np.array(kept)[np.argsort(-shares[kept], kind="stable")]
    return modes[order], shares[order]


def _as_pixels(modes: NDArray[np.float64], pixels: Pixels, color_space: str) -> NDArray[Any]:
    """Return colours (n, bands) as pixels in the dtype of the image."""
    row = np.empty((1, len(modes), modes.shape[1]), pixels.values.dtype)
    features = modes.T.astype(np.float32)[:, None]
    plain = replace(pixels, values=row, mask=None)
    colors: NDArray[Any] = pixels_from_features(features, plain, color_space)[0]
    return colors[:, 0] if pixels.gray else colors
