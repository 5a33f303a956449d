"""The hierarchy of an image of any size: leaves sought at a reference size, drawn at its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.kernels.arrays import Float32Array
from segment.kernels.regions import details as detail_kernels
from segment.kernels.regions import labels as kernels
from segment.notices import say
from segment.params import LEAF_BANDWIDTHS, MeanShiftParams, whole_number
from segment.regions import details, limits, pyramid
from segment.regions.appearance import TYPICAL_SPREAD
from segment.regions.bandwidths import REFERENCE_PIXELS, rounded
from segment.regions.checks import Picture, Pixels, check_image
from segment.regions.doubts import deviations, doubts
from segment.regions.engines import Modes, find_modes
from segment.regions.features import absolute_modes, feature_planes
from segment.regions.hierarchy import Hierarchy, build_hierarchy
from segment.regions.labelling import Labels, label_modes
from segment.regions.ranges import Range
from segment.regions.segmentation import Segmentation
from segment.threads import resolve_n_threads

# Nothing is fused that was kept apart at the reference size.
NEVER = 1e-15
# Leaves that most photographs have at the reference size.
SURE_LEAVES = 600


@dataclass(frozen=True)
class Leaves:
    """Leaves of a hierarchy.

    Attributes
    ----------
    segmentation : Segmentation
        The leaves, at the image's own size.
    seen : Pixels, optional
        The box that its mask leaves at its reference size, by which leaves are to be merged, where
        that is known.
    sought : ndarray, shape (h, w), int32, optional
        The leaves as they were found in `seen`, before their borders were brought up.
    tones : ndarray, shape (n, C), float32, optional
        Values, as in `seen`, of the leaves that it does not show; NaN of others.
    """

    segmentation: Segmentation
    seen: Pixels | None = None
    sought: NDArray[np.int32] | None = None
    tones: Float32Array | None = None

    def merge(self, n_threads: int | None = None) -> Hierarchy:
        """Return their hierarchy."""
        return build_hierarchy(self.segmentation, n_threads, self.seen, self.sought, self.tones)


def hierarchy(
    image: ArrayLike | Picture,
    *,
    channel_axis: int | None = -1,
    color_space: str = "luv",
    mask: ArrayLike | None = None,
    value_range: Range | str | None = None,
    n_leaves: int | None = None,
    n_threads: int | None = None,
) -> Hierarchy:
    """Return the regions of an image at every scale; ``segment image`` does so.

    The picture is looked at as people look at it, whatever number of pixels it has: larger ones are
    averaged down to 0.15 megapixels, cut into small regions there by mean shift, and the borders of
    these are found again in the picture itself, to the pixel. What stands out from such a region,
    but is too small or thin for that size, is a region of its own. Regions merge two by two, by how
    they differ and, in colour or gray, by where people would draw a border: a small network has
    learned that from photographs, see `segment.regions.affinities`.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C), or segment.Image
        Gray, RGB, or with ``color_space="none"`` any bands, as for `segment.mean_shift`.
    channel_axis : int or None
        Axis of the channels in a 3-D image.
    color_space : {"luv", "lab", "rgb", "none"}
        Space in which colours are compared.
    mask : array_like of bool, shape (H, W), optional
        False where pixels are ignored: they get label 0 and touch no average.
    value_range : (float, float), "auto" or None
        Black and white, as for `segment.mean_shift`.
    n_leaves : int, optional
        About how many leaves there should be at least: for more than some hundreds, a larger
        picture is averaged down less. By default what people see when they look at the whole.
    n_threads : int, optional
        Threads to use, every core by default. The result does not depend on it.

    Returns
    -------
    hierarchy : Hierarchy
        ``hierarchy.cut(level)`` and ``hierarchy.cut(n_regions=...)`` are its segmentations.

    Raises
    ------
    InputError
        If the image or the mask cannot be used, or `n_leaves` is no number of leaves.

    Examples
    --------
    >>> import numpy as np, segment
    >>> image = np.zeros((400, 600, 3), np.uint8)
    >>> image[:, 300:] = 200
    >>> segment.hierarchy(image).cut(n_regions=2).labels[0, [0, 299, 300, 599]]
    array([1, 1, 2, 2], dtype=int32)
    """
    spatial, color = LEAF_BANDWIDTHS
    params = MeanShiftParams(
        spatial_bandwidth=spatial, range_bandwidth=color, color_space=color_space
    )
    pixels = check_image(
        image,
        color_space=params.color_space,
        channel_axis=channel_axis,
        mask=mask,
        value_range=value_range,
    )
    least = 1 if n_leaves is None else whole_number("n_leaves", n_leaves, minimum=1)
    leaves = find_leaves(pixels, params, n_threads, least)
    for doubt in doubts(leaves.segmentation.n_regions, pixels, leaves.segmentation.params):
        say(doubt)
    return leaves.merge(n_threads)


def find_leaves(
    pixels: Pixels, params: MeanShiftParams, n_threads: int | None = None, n_leaves: int = 1
) -> Leaves:
    """Find the leaves of an image.

    Parameters
    ----------
    pixels : Pixels
        The image.
    params : MeanShiftParams
        Bandwidths at the reference size; the spatial bandwidth of the result is in the image's own
        pixels, as `min_size` is. For bands in their own units the range bandwidth is one for bands
        that vary as the colours of photographs do, and is scaled to how much these vary.
    n_threads : int, optional
        Threads to use, every core by default; the result does not depend on it.
    n_leaves : int
        How many there should be at least.
    """
    if not pixels.is_tight:
        inside = find_leaves(pixels.part(pixels.box), params, n_threads, n_leaves)
        return replace(inside, segmentation=_placed(inside.segmentation, pixels))
    n_pixels = REFERENCE_PIXELS * max(n_leaves / SURE_LEAVES, 1.0)
    threads = resolve_n_threads(n_threads)
    height, width = shape = pixels.values.shape[:2]
    if isinstance(params.range_bandwidth, tuple):
        raise InputError(
            f"range_bandwidth={params.range_bandwidth} has a number a band and a hierarchy takes "
            "one for all; give one, or neither a level nor a number of regions"
        )
    if params.color_space == "none":
        share = float(np.linalg.norm(deviations(pixels))) / TYPICAL_SPREAD
        if share > 0:
            params = replace(params, range_bandwidth=rounded(params.range_bandwidth * share))
    if pyramid.reference_shape(height, width, n_pixels) == shape:
        found = _small_regions(pixels, params, threads)
        modes = absolute_modes(found.modes, pixels)
        return Leaves(Segmentation(found.labels, modes, params, pixels), pixels)
    levels, offsets = pyramid.averaged(pixels, params.color_space, threads, n_pixels)
    seen = pyramid.as_pixels(levels[-1], pixels, params.color_space)
    ratio = np.array(shape) / seen.values.shape[:2]
    at_reference = replace(params, min_size=_reference_min_size(params.min_size, ratio.prod()))
    found = _small_regions(seen, at_reference, threads)
    own = replace(
        params, spatial_bandwidth=rounded(params.spatial_bandwidth * float(np.sqrt(ratio.prod())))
    )
    found = Labels(found.labels, absolute_modes(found.modes, seen))
    drawn = _drawn(found, levels, seen, own, threads)
    if offsets is not None:
        drawn.modes[:, 2:] = drawn.modes[:, 2:] + offsets
    number = np.zeros(len(found.modes) + 1, np.int32)
    # Of several pieces of one leaf the first has its number.
    number[drawn.sources[::-1]] = np.arange(len(drawn.modes), 0, -1)
    number[0] = 0
    leaves = Segmentation(drawn.labels, drawn.modes, own, pixels)
    return Leaves(leaves, seen, number[found.labels], drawn.tones)


class _Drawn(NamedTuple):
    """Leaves at some level of a picture.

    Attributes
    ----------
    labels, modes
        As in `Labels`.
    tones : ndarray, shape (n, C), float32
        See `Leaves`.
    sources : ndarray, shape (n,), int32
        What each was when it was found, 1..m; 0 for details.
    """

    labels: NDArray[np.int32]
    modes: Float32Array
    tones: Float32Array
    sources: NDArray[np.int32]


def _placed(leaves: Segmentation, pixels: Pixels) -> Segmentation:
    """Return the leaves of the box that a mask leaves as those of the image."""
    box = pixels.box
    labels = np.zeros(pixels.values.shape[:2], np.int32)
    labels[box] = leaves._labels
    modes = leaves.modes.copy()
    modes[:, :2] += np.array([box[0].start, box[1].start], modes.dtype)
    return Segmentation(labels, modes, leaves.params, pixels)


def _small_regions(pixels: Pixels, params: MeanShiftParams, n_threads: int) -> Labels:
    """Return the regions of a picture at its own size, by the rule of leaves."""
    modes = find_modes(pixels, params, None, n_threads)
    return label_modes(modes, params, n_threads, limits.LEAVES)


def _drawn(
    found: Labels,
    levels: Sequence[pyramid.Level],
    seen: Pixels,
    params: MeanShiftParams,
    n_threads: int,
) -> _Drawn:
    """Bring leaves up to the first of the levels, and part details from them on the way."""
    deviation = pyramid.spread(levels[-1])
    middle = details.sought_at(levels)
    level = levels[middle].plain()
    labels, border = pyramid.bring_up(
        found.labels, [level, *levels[middle + 1 :]], deviation, params.connectivity, n_threads
    )
    modes = _moved(found.modes, found.labels.shape, level.shape)
    places, new = details.part_details(
        labels, len(modes), level, border, deviation, params.min_size, n_threads
    )
    picture = pyramid.as_pixels(pyramid.Level(new[:, None]), seen, params.color_space)
    tones = np.concatenate(
        [np.full((len(modes), level.n_bands), np.nan, np.float32), picture.values[:, 0]]
    )
    sources = np.concatenate([np.arange(1, len(modes) + 1), np.zeros(len(new))]).astype(np.int32)
    if len(new):
        features = feature_planes(picture, params.color_space)[:, :, 0].T
        modes = np.concatenate([modes, np.hstack([places, features])])
    drawn = _tidied(_Drawn(labels, modes, tones, sources), params, True, n_threads)

    labels, _ = pyramid.bring_up(
        drawn.labels, levels[: middle + 1], deviation, params.connectivity, n_threads
    )
    modes = _moved(drawn.modes, level.shape, levels[0].shape)
    masked = seen.mask is not None
    return _tidied(drawn._replace(labels=labels, modes=modes), params, masked, n_threads)


def _moved(modes: Float32Array, old: tuple[int, ...], new: tuple[int, ...]) -> Float32Array:
    """Return the same modes in a picture of another shape."""
    ratio = np.array(new, np.float32) / np.array(old, np.float32)
    moved = modes.copy()
    moved[:, :2] = (modes[:, :2] + np.float32(0.5)) * ratio - np.float32(0.5)
    return moved


def _reference_min_size(min_size: int, ratio: float) -> int:
    """Return the smallest leaf at the reference size: the usual one, or what is asked for."""
    usual = MeanShiftParams().min_size
    return min_size if min_size <= usual else max(usual, math.ceil(min_size / ratio))


def _tidied(drawn: _Drawn, params: MeanShiftParams, in_pieces: bool, n_threads: int) -> _Drawn:
    """Number regions by their first pixels, make each of one piece, and join what is too small."""
    labels, modes, tones, sources = drawn
    number = np.empty(len(modes) + 1, np.int32)
    areas = np.empty(len(modes) + 1, np.int64)
    n = kernels.number_in_order(labels, number, areas)
    there = np.flatnonzero(number[1:])  # what is mostly masked may have no pixel of its own
    order = np.empty(n, np.intp)
    order[number[1:][there] - 1] = there
    modes, tones, sources = modes[order], tones[order], sources[order]
    if not in_pieces and (areas[1 : n + 1] >= params.min_size).all():
        return _Drawn(labels, modes, tones, sources)
    owner = labels - np.int32(1)
    never = replace(params, range_bandwidth=NEVER)
    labels, modes = label_modes(Modes(owner, modes), never, n_threads)
    origin = np.empty(len(modes) + 1, np.int32)
    detail_kernels.origins(labels, owner, origin)
    return _Drawn(labels, modes, tones[origin[1:]], sources[origin[1:]])
