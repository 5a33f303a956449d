"""Mean-shift filtering: every pixel climbs to the mode of its neighbourhood in space and colour."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike, NDArray

from segment.params import Bandwidth, MeanShiftOptions, RangeBandwidth
from segment.regions.checks import Picture
from segment.regions.climbing import Climb, climb
from segment.regions.features import pixels_from_features
from segment.regions.ranges import Range


def mean_shift_filter(
    image: ArrayLike | Picture,
    *,
    spatial_bandwidth: Bandwidth = 7.0,
    range_bandwidth: RangeBandwidth = 6.5,
    kernel: str = "flat",
    color_space: str = "luv",
    engine: str = "fast",
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
    value_range: Range | str | None = None,
    weights: ArrayLike | None = None,
    max_iter: int = 100,
    tol: float = 0.1,
    n_threads: int | None = None,
) -> NDArray[Any]:
    """Filter an image by mean shift: smooth inside regions, sharp between them.

    Each pixel starts at its own position and colour and moves to the weighted mean of the pixels
    about it until it rests on a mode of the joint density of position and colour, whose colour it
    then takes [1]_.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C), or segment.Image
        Gray, RGB, or with ``color_space="none"`` any bands. Bool, integer or float. Never written
        to.
    spatial_bandwidth : float or "auto"
        Radius of the window in pixels; for the Gaussian its standard deviation. "auto" takes what
        `estimate_bandwidths` chooses for the image.
    range_bandwidth : float, "auto", or sequence of a float a band
        Radius of the window in colour, in units of `color_space`; for the Gaussian its standard
        deviation. With ``color_space="none"`` it may be one a band: bands are then scaled to the
        largest, in which `tol` counts.
    kernel : {"flat", "epanechnikov", "gaussian"}
        Weights of the mean, the product of one kernel in space and one in colour. The density that
        is climbed is that of the kernel's shadow: "flat" climbs the Epanechnikov density,
        "epanechnikov" the biweight density, "gaussian" the Gaussian density. The Gaussian is cut
        off at three bandwidths.
    color_space : {"luv", "lab", "rgb", "none"}
        Where colours are compared: CIE Luv or Lab (L in 0..100), RGB in 0..255 whatever the dtype,
        or the bands as they are.
    engine : {"fast", "exact"}
        "exact" climbs from every pixel on its own. "fast" lets pixels of one small block and of
        nearly one colour climb together, and join trajectories that they meet: the same modes for
        almost all pixels, many times sooner, and the more so the larger the bandwidths.
    channel_axis : int or None
        Axis of the channels of a 3-D image.
    mask : array_like of bool, shape (H, W), optional
        False where pixels are ignored; they keep their value, as do those that a masked array
        hides, and those with a NaN or an infinite value.
    value_range : (float, float), "auto" or None
        Values that are black and white in the colour spaces. "auto" stretches from the 0.1th to the
        99.9th percentile. None takes what a `segment.Image` says, else the scale of the dtype, or
        of the bits that the values use: 12 bits in 16, say, with a warning.
    weights : array_like, shape (H, W), optional
        Weight of each pixel in the means, at least 0. Only ratios matter.
    max_iter : int
        Most steps of a pixel.
    tol : float
        A pixel rests when its step, in pixels and colour units together, is shorter.
    n_threads : int, optional
        Threads to use, every core by default. The result does not depend on it.

    Returns
    -------
    filtered : ndarray
        Same shape and dtype as the image.

    Raises
    ------
    InputError
        If the image or a parameter cannot be used.

    References
    ----------
    .. [1] D. Comaniciu and P. Meer, "Mean Shift: A Robust Approach Toward Feature Space Analysis",
       IEEE PAMI 24(5), 2002, section 4.1.
    """
    params = MeanShiftOptions(
        spatial_bandwidth=spatial_bandwidth,
        range_bandwidth=range_bandwidth,
        kernel=kernel,
        color_space=color_space,
        engine=engine,
        max_iter=max_iter,
        tol=tol,
    )
    return paint(
        climb(
            image,
            params,
            channel_axis=channel_axis,
            mask=mask,
            value_range=value_range,
            weights=weights,
            n_threads=n_threads,
        )
    )


def paint(climbed: Climb) -> NDArray[Any]:
    """Return the image with each pixel in the colour of its mode; see `mean_shift_filter`."""
    pixels = climbed.pixels
    filtered = pixels_from_features(climbed.modes.planes(), pixels, climbed.params.color_space)
    return pixels.like_input(filtered)
