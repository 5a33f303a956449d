"""Pixels climb to their modes: the stage `climb`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from segment.errors import InputError
from segment.kernels.arrays import Float32Array
from segment.params import MeanShiftOptions, MeanShiftParams
from segment.regions.arrays import as_array
from segment.regions.bandwidths import resolve_bandwidths
from segment.regions.checks import Origin, Picture, Pixels, check_image
from segment.regions.engines import Modes, Window, find_modes
from segment.regions.ranges import Range
from segment.threads import resolve_n_threads


@dataclass(frozen=True, slots=True)
class Climb:
    """An image whose pixels have climbed: what labels and filtered pictures are made of.

    Attributes
    ----------
    pixels : Pixels
        The image, checked.
    params : MeanShiftParams
        The parameters of the run.
    modes : Modes
        Where each pixel has climbed to.
    """

    pixels: Pixels
    params: MeanShiftParams
    modes: Modes


def climb(
    image: ArrayLike | Picture,
    params: MeanShiftOptions,
    *,
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
    value_range: Range | str | None = None,
    weights: ArrayLike | None = None,
    n_threads: int | None = None,
) -> Climb:
    """Check an image, choose bandwidths that are "auto", and climb from every pixel to its mode.

    Parameters
    ----------
    image, channel_axis, mask, value_range, weights, n_threads
        As in `segment.mean_shift`.
    params : MeanShiftOptions
        What is wanted; `min_size` and `connectivity` are kept for labelling.

    Raises
    ------
    InputError
        If the image, the mask or the weights cannot be used.
    """
    threads = resolve_n_threads(n_threads)
    pixels = check_image(
        image,
        color_space=params.color_space,
        channel_axis=channel_axis,
        mask=mask,
        value_range=value_range,
    )
    chosen = resolve_bandwidths(params, pixels)
    pixels = pixels.scaled_to(chosen)
    pixel_weights = check_weights(weights, pixels.values.shape[:2])
    return Climb(pixels, chosen, find_modes(pixels, chosen, pixel_weights, threads))


def climb_window(
    image: ArrayLike,
    params: MeanShiftParams,
    rows: tuple[int, int],
    columns: tuple[int, int],
    *,
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    value_range: Range | str | None = None,
    origin: Origin | None = None,
    n_threads: int | None = None,
) -> Climb:
    """Climb from the pixels of a window of an image that is itself a part of a larger one.

    The modes are those of the larger image, to the last bit, if the part goes on around the window
    as far as `fields.reach` says (or to where the image ends), and the window begins and ends on
    the grid that it names (or where the image ends).

    Parameters
    ----------
    image, channel_axis, mask, weights, value_range, n_threads
        As in `segment.mean_shift`: the window and what surrounds it.
    params : MeanShiftParams
        The parameters of the run, numbers all.
    rows, columns : tuple of two int
        Where the window lies in `image`: first, and one past the last.
    origin : tuple of a number a band, optional
        With ``color_space="none"``, what `find_origin` found for the larger image; else 0.

    Returns
    -------
    climb : Climb
        Of the window: its pixels and modes; rows and columns count from its first pixel.

    Raises
    ------
    InputError
        If the image, the mask or the weights cannot be used.
    """
    threads = resolve_n_threads(n_threads)
    pixels = check_image(
        image,
        color_space=params.color_space,
        channel_axis=channel_axis,
        mask=mask,
        value_range=value_range,
    )
    pixels = replace(pixels, origin=origin, achromatic=False).scaled_to(params)
    pixel_weights = check_weights(weights, pixels.values.shape[:2])
    part = Window(*rows, *columns)
    modes = find_modes(pixels, params, pixel_weights, threads, part)
    return Climb(part.of(pixels), params, modes)


def check_weights(weights: ArrayLike | None, shape: tuple[int, ...]) -> Float32Array | None:
    """Return per-pixel weights as float32, or raise InputError if they cannot be used."""
    if weights is None:
        return None
    hides = np.ma.isMaskedArray(weights)
    values = np.ma.filled(weights, 0) if hides else as_array("weights", weights)
    if values.shape != shape:
        raise InputError(
            f"weights has shape {values.shape} and the image {shape}; give one weight a pixel"
        )
    if values.dtype.kind not in "biuf":
        raise InputError(f"weights has dtype {values.dtype}; give real numbers of at least 0")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1e15:
        raise InputError("weights has values that are negative, NaN or above 1e15; give 0 to 1e15")
    first = values.flat[0]
    if first > 0 and (values == first).all():
        return None  # only ratios matter, so these are none
    return values.astype(np.float32)
