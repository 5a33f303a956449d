"""Bandwidths chosen from the image: by its size, its contrast and its noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.params import AUTO, COLOR_SPACES, MeanShiftOptions, MeanShiftParams, choice
from segment.regions.checks import Picture, Pixels, check_image
from segment.regions.features import feature_planes
from segment.regions.ranges import Range

# The spatial bandwidth is this many pixels on a 481 x 321 photograph, and grows with the side.
REFERENCE_BANDWIDTH, REFERENCE_PIXELS = 7.0, 481 * 321
REFERENCE_MIN_SIZE = 20  # the smallest region there; it is the same share of other pictures
# Range bandwidth a unit of contrast.
CONTRAST_SHARE = 0.5
# Below this nothing can be seen, in units of the colour spaces.
LEAST_RANGE = 1.0
# Noise is measured on at most about so many squares of 2 x 2 pixels.
SQUARES = 1 << 18
MEDIAN_TO_DEVIATION = 0.6745  # median absolute value of a standard normal variable


@dataclass(frozen=True)
class Estimate:
    """Bandwidths, and what they were chosen by.

    Attributes
    ----------
    spatial, range : float
        Bandwidths for `mean_shift`.
    contrast, noise : float
        Standard deviations over the image and from pixel to pixel, all features together.
    """

    spatial: float
    range: float
    contrast: float
    noise: float


def estimate_bandwidths(
    image: ArrayLike | Picture,
    *,
    color_space: str = "luv",
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
    value_range: Range | str | None = None,
) -> tuple[float, float]:
    """Choose bandwidths for an image; ``mean_shift(image, spatial_bandwidth="auto")`` uses them.

    The spatial bandwidth is 7 pixels on a 481 x 321 image and grows with the side of the image. The
    range bandwidth is ``hypot(0.5 * contrast, noise)``: the standard deviation of the features over
    the image, less the noise, and that of the noise, from the median of the differences in squares
    of 2 x 2 pixels [1]_. So pictures that differ in size, exposure, depth or noise give regions
    alike. The share was chosen by the agreement with people on BSDS500 training images.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C), or segment.Image
        As for `mean_shift`.
    color_space : {"luv", "lab", "rgb", "none"}
        Space that the range bandwidth is for.
    channel_axis : int or None
        Axis of the channels in a 3-D image.
    mask : array_like of bool, shape (H, W), optional
        False where pixels are ignored.
    value_range : (float, float), "auto" or None
        Black and white, as for `mean_shift`.

    Returns
    -------
    spatial_bandwidth, range_bandwidth : float
        Pixels, and units of the colour space.

    Raises
    ------
    InputError
        If the image or the mask cannot be used.

    References
    ----------
    .. [1] D. Donoho and I. Johnstone, "Ideal Spatial Adaptation by Wavelet Shrinkage", Biometrika
       81(3), 1994.
    """
    space = choice("color_space", color_space, COLOR_SPACES)
    pixels = check_image(
        image,
        color_space=space,
        channel_axis=channel_axis,
        mask=mask,
        value_range=value_range,
    )
    found = estimate(pixels, space)
    return found.spatial, found.range


def estimate(pixels: Pixels, color_space: str) -> Estimate:
    """Choose bandwidths for a checked image: for the box that its mask leaves."""
    pixels = pixels.part(pixels.box)
    planes = feature_planes(pixels, color_space)
    inside = np.isfinite(planes[0])
    kept = planes[:, inside].astype(np.float64)
    height, width = inside.shape
    spatial = REFERENCE_BANDWIDTH * math.sqrt(height * width / REFERENCE_PIXELS)
    noise = math.sqrt(sum(measure_noise(plane) ** 2 for plane in planes))
    total = float(kept.var(axis=1).sum()) if kept.size else 0.0
    contrast = math.sqrt(max(total - noise**2, 0.0))
    color = math.hypot(CONTRAST_SHARE * contrast, noise)
    if color_space != "none":
        color = max(color, LEAST_RANGE)
    elif color == 0:
        color = 1.0  # one value all over: any bandwidth will do
    return Estimate(rounded(max(spatial, 1.0)), rounded(color), contrast, noise)


def resolve_bandwidths(options: MeanShiftOptions, pixels: Pixels) -> MeanShiftParams:
    """Return the parameters of a run, with "auto" replaced by the choice for this image.

    For ``kernel="gaussian"`` it is halved: a flat disc has half its radius as standard deviation.
    """
    spatial, color = options.spatial_bandwidth, options.range_bandwidth
    height, width = pixels.part(pixels.box).values.shape[:2]
    usual = max(round(REFERENCE_MIN_SIZE * height * width / REFERENCE_PIXELS), 1)
    size = usual if options.min_size == AUTO else options.min_size
    if spatial != AUTO and color != AUTO:
        return options.resolved(spatial, color, size)
    found = estimate(pixels, options.color_space)
    share = 0.5 if options.kernel == "gaussian" else 1.0
    return options.resolved(
        share * found.spatial if spatial == AUTO else spatial,
        share * found.range if color == AUTO else color,
        size,
    )


def measure_noise(plane: NDArray[Any], mask: NDArray[np.bool_] | None = None) -> float:
    """Return the standard deviation of the noise in one band.

    Squares of 2 x 2 pixels that touch a masked pixel, or one without a finite value, are left out.
    """
    height, width = (2 * (side // 2) for side in plane.shape)
    step = 2 * max(1, math.isqrt(height * width // 4 // SQUARES))
    places = [np.s_[dy:height:step, dx:width:step] for dy in (0, 1) for dx in (0, 1)]
    corners = [plane[place].astype(np.float64) for place in places]
    whole = np.logical_and.reduce([np.isfinite(corner) for corner in corners])
    if mask is not None:
        whole &= np.logical_and.reduce([mask[place] for place in places])
    a, b, c, d = (corner[whole] for corner in corners)
    if not a.size:
        return 0.0
    return float(np.median(np.abs(a - b - c + d)) / 2 / MEDIAN_TO_DEVIATION)


def rounded(value: float) -> float:
    """Three digits: as many as mean anything, and fit to be written down."""
    return float(f"{value:.3g}")
