"""The parameters of a scene: what is asked for, settled by what the scene is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.errors import InputError
from segment.params import LEAF_BANDWIDTHS, MeanShiftParams
from segment.regions.checks import CIE, Origin, find_origin, is_achromatic
from segment.regions.ranges import Range, check_range, dtype_range
from segment.scenes.forecast import find_scaling
from segment.scenes.options import SIDE, SceneOptions
from segment.scenes.readers import ahead
from segment.scenes.sources import Source
from segment.scenes.tiles import Window, blocks, sample_windows
from segment.scenes.work import Scaling, scaled

# Values of 16 bits that differ by this much are no more than 256 times as large.
SURE = 256
DEFAULTS = MeanShiftParams()


class Settled(NamedTuple):
    """What a scene is segmented with.

    Attributes
    ----------
    params : MeanShiftParams
    value_range : (float, float) or None
        Black and white, where bands are colours.
    scaling : tuple of (float, float), one a band, or None
        What becomes 0, and how much becomes 100.
    origin : tuple of a number a band, or None
        What bands count from.
    achromatic : bool
        Whether three bands are one gray, thrice.
    corner : tuple of two int
        The first row and column with a value.
    """

    params: MeanShiftParams
    value_range: Range | None = None
    scaling: Scaling | None = None
    origin: Origin | None = None
    achromatic: bool = False
    corner: tuple[int, int] = (0, 0)


def settle(options: SceneOptions, source: Source) -> Settled:
    """Return the parameters of a run.

    Raises
    ------
    InputError
        If a parameter is wrong, or does not fit the scene.
    """
    layout = source.layout
    known = MeanShiftParams().as_dict()
    for name in options.params:
        if name not in known:
            raise InputError(f"{name!r} is no option of scene; choose from {', '.join(known)}")
    given = dict(options.params)
    space = given.setdefault(
        "color_space", "luv" if layout.is_picture and not options.scale else "none"
    )
    spatial, color = LEAF_BANDWIDTHS
    if (
        "spatial_bandwidth" in given
        or options.range_bandwidth is not None
        or not options.cut.wanted
    ):
        spatial, color = DEFAULTS.spatial_bandwidth, DEFAULTS.radius
    given.setdefault("spatial_bandwidth", spatial)
    if given["spatial_bandwidth"] == "auto" or options.range_bandwidth == "auto":
        raise InputError(
            "the bandwidth 'auto' looks at a whole picture; give a number, such as one that "
            "segment bandwidth finds for a part of the scene"
        )
    bandwidth: object = options.range_bandwidth
    if bandwidth is None:
        if space == "none" and not options.scale:
            raise InputError(
                f"range_bandwidth is missing: {layout.name} is compared in its own units "
                f"({layout.dtype}, {len(layout.bands)} bands); give one, or scale=True"
            )
        bandwidth = color
    scaling = None
    if options.scale:
        if space != "none":
            raise InputError(
                f"scale=True and color_space={space!r} do not go together; drop one of them"
            )
        scaling = find_scaling(source)
    params = MeanShiftParams(**given, range_bandwidth=bandwidth)  # type: ignore[arg-type]
    corner = scene_corner(source)
    if space == "none":
        origin = scene_origin(source, scaling, options.n_jobs)
        return Settled(params, scaling=scaling, origin=origin, corner=corner)
    if len(layout.bands) not in (1, 3):
        raise InputError(
            f"color_space={space!r} takes 1 or 3 bands and {layout.name} has "
            f"{len(layout.bands)}; choose some with bands, or give color_space='none'"
        )
    wanted = check_range(options.value_range)
    if isinstance(wanted, str):
        raise InputError(f"value_range={wanted!r} looks at a whole picture; give LOW,HIGH")
    achromatic = space in CIE and scene_is_achromatic(source, options.n_jobs)
    return Settled(
        params, wanted or dtype_range(layout.dtype), achromatic=achromatic, corner=corner
    )


def scene_corner(source: Source) -> tuple[int, int]:
    """Return the first row and the first column in which the scene has a value, or 0 and 0.

    The grid of the engine begins there, as in `mean_shift`. Strips are read until one has a value.
    """
    layout = source.layout
    if not layout.masked:
        return 0, 0
    firsts = []
    for axis, length in enumerate((layout.height, layout.width)):
        step = max(layout.block[axis], 1)
        for begin in range(0, length, step):
            n = min(step, length - begin)
            strip = (
                Window(begin, 0, n, layout.width)
                if axis == 0
                else Window(0, begin, layout.height, n)
            )
            there = [_first_value(source, part, axis) for part in blocks(strip, SIDE, SIDE)]
            found = [first for first in there if first is not None]
            if found:
                firsts.append(min(found))
                break
        else:
            return 0, 0
    return firsts[0], firsts[1]


def _first_value(source: Source, window: Window, axis: int) -> int | None:
    """Return the first row (axis 0) or column of a window in which there is a value, if any is."""
    valid = source.read(window).valid
    begin = window[axis]
    if valid is None:
        return begin
    lines = np.flatnonzero(valid.any(axis=1 - axis))
    return begin + int(lines[0]) if len(lines) else None


def scene_is_achromatic(source: Source, n_threads: int) -> bool:
    """Whether `is_achromatic` holds of the whole scene; a sample shows it of most that are not."""
    layout = source.layout

    def gray(window: Window) -> bool:
        part = source.read(window)
        return is_achromatic(part.values, part.valid)

    whole = Window(0, 0, layout.height, layout.width)
    return len(layout.bands) == 3 and all(
        found
        for windows in (
            sample_windows(layout.height, layout.width, 128, 8),
            list(blocks(whole, SIDE, SIDE)),
        )
        for _, found in ahead(gray, windows, n_threads)
    )


def scene_origin(source: Source, scaling: Scaling | None, n_threads: int) -> Origin | None:
    """Return what bands count from, as `find_origin` says of the whole scene.

    It looks at the least and the largest value of each band, so all pixels are read, unless a
    sample shows that it will not matter.
    """
    layout = source.layout
    if layout.dtype.kind == "b" or layout.dtype == np.uint8:
        return None
    lows: list[NDArray[Any]] = []
    highs: list[NDArray[Any]] = []

    def ends(window: Window) -> tuple[NDArray[Any], NDArray[Any]] | None:
        part = source.read(window)
        inside = part.values.reshape(-1, part.values.shape[2])
        if part.valid is not None:
            inside = inside[part.valid.ravel()]
        if not len(inside):
            return None
        inside = scaled(inside, scaling)
        return inside.min(axis=0), inside.max(axis=0)

    def look(windows: list[Window]) -> None:
        for _, found in ahead(ends, windows, n_threads):
            if found is not None:
                lows.append(found[0])
                highs.append(found[1])

    look(sample_windows(layout.height, layout.width, 128, 8))
    if layout.dtype.itemsize == 2 and layout.dtype.kind in "iu" and scaling is None and lows:
        spans = np.max(highs, axis=0).astype(np.int64) - np.min(lows, axis=0)
        if (spans >= SURE).all():
            return None
    whole = Window(0, 0, layout.height, layout.width)
    look(list(blocks(whole, SIDE, SIDE)))
    if not lows:
        return None
    return find_origin(np.stack([np.min(lows, axis=0), np.max(highs, axis=0)])[:, None], None)
