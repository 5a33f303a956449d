"""The palette of an image: its colours alone, clustered by mean shift."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.clustering import MeanShift
from segment.errors import InputError
from segment.features import Pixels, check_image, feature_planes, pixels_from_features
from segment.params import choice, positive_number, whole_number

COLOR_SPACES = ("lab", "luv", "rgb")

Floats = NDArray[np.float64]

# Colours closer than bandwidth / CELLS along each axis are gathered before they are clustered.
CELLS = 2


def palette(
    image: ArrayLike,
    *,
    bandwidth: float = 5.0,
    n_colors: int | None = None,
    color_space: str = "lab",
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
    n_jobs: int | None = None,
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Find the main colours of an image, and how much of it each takes.

    Parameters
    ----------
    image : array-like, shape (H, W) or (H, W, 3)
        Gray or RGB, of any dtype at its scale.
    bandwidth : float, default=5
        Standard deviation of the Gaussian kernel in colour units: larger gives fewer colours.
    n_colors : int, optional
        Keep at most so many colours, those with the largest shares.
    color_space : {"lab", "luv", "rgb"}, default="lab"
        Where colours are compared: CIE Lab or Luv (L from 0 to 100), or RGB (0 to 255).
    channel_axis : int or None, default=-1
        Axis of the channels of a 3-D image.
    mask : array-like of bool, shape (H, W), optional
        False where a pixel is to be ignored.
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
    larger share join it. A photograph takes a few seconds; half the bandwidth, ten times as long.
    """
    choice("color_space", color_space, COLOR_SPACES)
    width = positive_number("bandwidth", bandwidth)
    if n_colors is not None:
        n_colors = whole_number("n_colors", n_colors, minimum=1)
    pixels = check_image(image, color_space=color_space, channel_axis=channel_axis, mask=mask)
    colors, counts = _gathered(pixels, color_space, width / CELLS)
    found = MeanShift(width, tol=1e-3, n_jobs=n_jobs).fit(colors, sample_weight=counts)
    shares = (
        np.bincount(found.labels_, counts, minlength=len(found.cluster_centers_)) / counts.sum()
    )
    modes, shares = _joined(found.cluster_centers_, shares, width)
    return _as_pixels(modes[:n_colors], pixels, color_space), shares[:n_colors]


def _gathered(
    pixels: Pixels, color_space: str, side: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean colour and the number of pixels in each occupied cell of colour space."""
    planes = feature_planes(pixels, color_space).reshape(pixels.values.shape[2], -1)
    colors = planes[:, np.isfinite(planes[0])].T.astype(np.float64)
    if not len(colors):
        raise InputError("the mask hides every pixel; there is no colour to find")
    index = np.floor((colors - colors.min(axis=0)) / side).astype(np.int64)
    key = np.zeros(len(colors), np.int64)
    for j in range(colors.shape[1]):
        key = key * (index[:, j].max() + 1) + index[:, j]
    _, cell, count = np.unique(key, return_inverse=True, return_counts=True)
    means = [np.bincount(cell, colors[:, j]) / count for j in range(colors.shape[1])]
    return np.stack(means, axis=1), count.astype(np.float64)


def _joined(modes: Floats, shares: Floats, width: float) -> tuple[Floats, Floats]:
    """Let each mode join the nearest of larger share within `width`; sort by falling share."""
    order = np.argsort(-shares, kind="stable")
    modes, shares = modes[order], shares[order]
    kept: list[int] = []
    for i in range(len(modes)):
        away = np.linalg.norm(modes[kept] - modes[i], axis=1)
        if kept and away.min() <= width:
            shares[kept[int(away.argmin())]] += shares[i]
        else:
            kept.append(i)
    order = np.array(kept)[np.argsort(-shares[kept], kind="stable")]
    return modes[order], shares[order]


def _as_pixels(modes: NDArray[np.float64], pixels: Pixels, color_space: str) -> NDArray[Any]:
    """Return colours (n, bands) as pixels in the dtype of the image."""
    row = np.empty((1, len(modes), modes.shape[1]), pixels.values.dtype)
    features = modes.T.astype(np.float32)[:, None]
    plain = Pixels(row, None, pixels.gray, pixels.channel_axis)
    colors: NDArray[Any] = pixels_from_features(features, plain, color_space)[0]
    return colors[:, 0] if pixels.gray else colors
