"""Results of a scene that mean little, though nothing failed, told from a sample of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from segment.regions.checks import Pixels, check_image
from segment.regions.doubts import units, visible_spread
from segment.scenes.forecast import Density
from segment.scenes.tiles import sample_windows
from segment.scenes.work import Work

SAMPLES, SIDE = 8, 128  # windows each way, and their pixels
CRUMBS = 0.25  # regions a pixel beyond which hardly anything was joined
FEW = 1000  # pixels of which nothing can be said


def sample(work: Work) -> Pixels | None:
    """Return windows of a scene as one picture; None if nothing in them has a value."""
    layout, params = work.source.layout, work.params
    windows = sample_windows(layout.height, layout.width, SIDE, SAMPLES)
    parts = [work.source.read(window) for window in windows]
    seen = np.concatenate(
        [
            np.ones(part.values.shape[:2], bool) if part.valid is None else part.valid
            for part in parts
        ]
    )
    if not seen.any():
        return None
    pixels = check_image(
        work.climbing(np.concatenate([part.values for part in parts])),
        color_space=params.color_space,
        mask=seen,
        value_range=work.value_range,
    )
    return replace(pixels, origin=work.origin, achromatic=False).scaled_to(params)


def doubts_before(work: Work, per_pixel: Density) -> Iterator[str]:
    """Yield what should be known before the work is begun."""
    if work.source.layout.n_pixels < FEW:
        return
    pixels = sample(work)
    if pixels is None:
        return
    if work.params.color_space == "none":
        yield from units(pixels, work.params)
    if per_pixel.regions > CRUMBS:
        yield (
            f"in samples of the scene a region has {1 / per_pixel.regions:.2g} pixels: a larger "
            f"range_bandwidth than {work.params.radius:g}, or min_size than "
            f"{work.params.min_size}, joins more"
        )


def doubts_after(work: Work, n_regions: int) -> Iterator[str]:
    """Yield what should be known of the regions found."""
    if n_regions != 1 or work.source.layout.n_pixels < FEW:
        return
    pixels = sample(work)
    spread = 0.0 if pixels is None else visible_spread(pixels, work.params)
    if spread:
        yield (
            f"all is one region, though the values spread over {spread:.3g} (units of "
            f"{work.params.color_space}): a smaller range_bandwidth than {work.params.radius:g} "
            "may part it"
        )
