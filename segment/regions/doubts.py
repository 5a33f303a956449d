"""Results that mean little, though nothing failed: one region of a picture in which much is seen,
a bandwidth far from what the bands vary by, bands of unlike units."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segment.params import MeanShiftParams
from segment.regions.bandwidths import measure_noise
from segment.regions.checks import Pixels
from segment.regions.features import feature_planes

# A spread that people just see, in units of the colour spaces (in Lab: Mahy et al., 1994).
VISIBLE = 2.3
# Noise alone spreads so many deviations wide, from the 1st to the 99th percentile, or less.
NOISE_SPREAD = 6.0
# A range bandwidth of so small a share of the noise joins no pixel with its neighbour.
NOISE_SHARE = 0.1
# Bands whose deviations differ so much do not both count.
UNLIKE = 100.0
SAMPLES = 1 << 18


def doubts(n_regions: int, pixels: Pixels, params: MeanShiftParams) -> Iterator[str]:
    """Yield what should be known about a segmentation that few would want.

    Parameters
    ----------
    n_regions : int
        Regions found.
    pixels : Pixels
        The image.
    params : MeanShiftParams
        The parameters, with numbers for bandwidths.
    """
    if n_regions == 1 and (word := one_region(pixels, params)):
        yield word
    if params.color_space == "none":
        yield from units(pixels, params)


def one_region(pixels: Pixels, params: MeanShiftParams) -> str | None:
    """Return a word if one region covers a picture in which more is to be seen."""
    spread = visible_spread(pixels, params)
    if not spread:
        return None
    space = params.color_space
    return (
        f"all is one region, though the values spread over {spread:.3g} (units of {space}): a "
        f"smaller range_bandwidth than {params.radius:g}, such as 'auto', may part it"
        + ("" if space == "none" else "; so may value_range 'auto'")
    )


def visible_spread(pixels: Pixels, params: MeanShiftParams) -> float:
    """Return how far values spread from the 1st to the 99th percentile; 0 if that is not seen."""
    # At its full scale, what 8 bits hide from the eye is hidden; deeper images may use a sliver.
    sure = params.color_space != "none" and pixels.values.dtype.itemsize == 1
    spread = 0.0
    for plane in feature_planes(pixels, params.color_space):
        seen = plane[np.isfinite(plane)]
        low, high = np.percentile(seen[:: max(1, seen.size // SAMPLES)], (1, 99))
        if high - low > max(NOISE_SPREAD * measure_noise(plane), VISIBLE if sure else 0.0):
            spread = max(spread, float(high - low))
    return spread


def units(pixels: Pixels, params: MeanShiftParams) -> Iterator[str]:
    """Yield what is odd about bands in their own units."""
    spreads = deviations(pixels)
    varying = spreads[spreads > 0]
    own = isinstance(params.range_bandwidth, tuple)
    if not own and varying.size > 1 and varying.max() > UNLIKE * varying.min():
        yield (
            f"band {int(np.argmax(spreads))} varies by {varying.max():.3g} and band "
            f"{int(np.flatnonzero(spreads == varying.min())[0])} by {varying.min():.3g}, which "
            "then counts for nothing; scale the bands to like units"
        )
    bands = np.moveaxis(pixels.values, -1, 0)
    factors = pixels.factors or [1.0] * len(bands)
    noise = math.hypot(
        *(f * measure_noise(band, pixels.mask) for f, band in zip(factors, bands, strict=True))
    )
    if params.radius < NOISE_SHARE * noise:
        yield (
            f"range_bandwidth {params.radius:g} is far below the noise of the values, "
            f"{noise:.3g}: regions follow the noise; 'auto' chooses one that fits"
        )


def deviations(pixels: Pixels) -> NDArray[np.float64]:
    """Return the standard deviation of each band over the pixels that are not masked."""
    step = max(1, math.isqrt(pixels.values.shape[0] * pixels.values.shape[1] // SAMPLES))
    sample = pixels.values[::step, ::step]
    if pixels.mask is None:
        flat = sample.reshape(-1, sample.shape[2])
    else:
        flat = sample[pixels.mask[::step, ::step]]
    if not len(flat):
        return np.zeros(pixels.values.shape[2])
    # Differences from one pixel: offsets of any size cancel.
    first = flat[0]
    with np.errstate(over="ignore"):
        moved = [
            (b.astype(np.float64) - float(o)).std() for b, o in zip(flat.T, first, strict=True)
        ]
    return np.asarray(moved)
