"""`mean_shift`: climb, label, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from segment.notices import say
from segment.params import (
    Bandwidth,
    MeanShiftOptions,
    MinSize,
    RangeBandwidth,
)
from segment.regions.checks import Picture
from segment.regions.climbing import Climb, climb
from segment.regions.doubts import doubts
from segment.regions.features import absolute_modes
from segment.regions.labelling import label
from segment.regions.ranges import Range
from segment.regions.segmentation import Segmentation

if TYPE_CHECKING:
    pass


def mean_shift(
    image: ArrayLike | Picture,
    *,
    spatial_bandwidth: Bandwidth = 7.0,
    range_bandwidth: RangeBandwidth = 6.5,
    min_size: MinSize = 20,
    kernel: str = "flat",
    color_space: str = "luv",
    engine: str = "fast",
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
    value_range: Range | str | None = None,
    weights: ArrayLike | None = None,
    connectivity: int = 1,
    max_iter: int = 100,
    tol: float = 0.1,
    n_threads: int | None = None,
) -> Segmentation:
    """Cut an image into regions by mean shift.

    The image is filtered as by `mean_shift_filter`. Neighbouring pixels whose modes differ by less
    than a fifth of the range bandwidth (twice that with the fast engine; in CIE spaces 3.2 units at
    most) form components; neighbouring components whose mean modes differ by less than half of it
    are fused, with everything they touch in turn; what is then below `min_size` joins the neighbour
    of nearest colour [1]_ [2]_. In one band, where chance alone makes neighbouring modes alike,
    only pixels of one mode (a fiftieth of the bandwidth) form components; what is below `min_size`
    joins others first of all, and then those that differ by less than 1.5 bandwidths (a third where
    one has 20 pixels, the whole from 400 on) are fused, the nearest first, as long as the means of
    what has grown differ by less than two.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C), or segment.Image
        Gray, RGB, or with ``color_space="none"`` any bands. Bool, integer or float. Never written
        to; do not change it while the result is in use.
    spatial_bandwidth, range_bandwidth, kernel, color_space, engine, channel_axis, max_iter, tol
        As in `mean_shift_filter`.
    min_size : int or "auto"
        Smallest region in pixels; "auto" is 20 at 481 x 321, and grows with the image. Only a part
        of the image that is smaller and cut off by the mask stays smaller.
    mask : array_like of bool, shape (H, W), optional
        False where pixels are ignored: they get label 0, as do those that a masked array hides,
        and those with a NaN or an infinite value.
    value_range : (float, float), "auto" or None
        Values that are black and white in the colour spaces. "auto" stretches from the 0.1th to the
        99.9th percentile. None takes what a `segment.Image` says, else the scale of the dtype, or
        of the bits that the values use: 12 bits in 16, say, with a warning.
    weights : array_like, shape (H, W), optional
        Weight of each pixel in the means, at least 0, such as 1 minus an edge confidence [2]_.
    connectivity : {1, 2}
        Whether pixels that touch at an edge (1) or also at a corner (2) are neighbours.
    n_threads : int, optional
        Threads to use, every core by default. The result does not depend on it.

    Returns
    -------
    segmentation : Segmentation
        Labels, colours, the posterized image, boundaries and a table of regions.

    Raises
    ------
    InputError
        If the image or a parameter cannot be used.

    References
    ----------
    .. [1] D. Comaniciu and P. Meer, "Mean Shift: A Robust Approach Toward Feature Space Analysis",
       IEEE PAMI 24(5), 2002, section 4.2.
    .. [2] C. Christoudias, B. Georgescu and P. Meer, "Synergism in Low Level Vision", ICPR 2002.

    Examples
    --------
    >>> import numpy as np, segment
    >>> image = np.zeros((40, 60, 3), np.uint8)
    >>> image[:, 30:] = 255
    >>> segment.mean_shift(image).n_regions
    2
    """
    params = MeanShiftOptions(
        spatial_bandwidth=spatial_bandwidth,
        range_bandwidth=range_bandwidth,
        min_size=min_size,
        kernel=kernel,
        color_space=color_space,
        engine=engine,
        connectivity=connectivity,
        max_iter=max_iter,
        tol=tol,
    )
    found = climb(
        image,
        params,
        channel_axis=channel_axis,
        mask=mask,
        value_range=value_range,
        weights=weights,
        n_threads=n_threads,
    )
    return segmentation_of(found, n_threads=n_threads)


def segmentation_of(
    climbed: Climb, *, min_size: int | None = None, n_threads: int | None = None
) -> Segmentation:
    """Return the regions of an image whose pixels have climbed; parameters as in `label`.

    What few would want is said: one region of a picture in which much is seen, say.
    """
    params = climbed.params if min_size is None else replace(climbed.params, min_size=min_size)
    labels, modes = label(climbed, min_size=min_size, n_threads=n_threads)
    for doubt in doubts(len(modes), climbed.pixels, params):
        say(doubt)
    return Segmentation(labels, absolute_modes(modes, climbed.pixels), params, climbed.pixels)
