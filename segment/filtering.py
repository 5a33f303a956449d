"""Mean-shift filtering: every pixel climbs to the mode of its neighbourhood in space and colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.features import FloatArray, Pixels, check_image, feature_planes, pixels_from_features
from segment.kernels import lattice, window
from segment.params import KERNELS, MeanShiftParams
from segment.threads import bands, resolve_n_threads, run

ROWS_OF_JOB = 8


@dataclass(frozen=True, slots=True)
class Modes:
    """Where the pixels of an image climbed to.

    Attributes
    ----------
    owner : ndarray, shape (H, W), int32
        Row of `table` of each pixel; -1 where masked.
    table : ndarray, shape (n, 2 + C), float32
        Row, column and features of each mode.
    """

    owner: NDArray[np.int32]
    table: FloatArray

    def planes(self) -> FloatArray:
        """Return the features of each pixel's mode, float32 (C, H, W); 0 where masked."""
        features = self.table[:, 2:].T
        out = np.empty((len(features), *self.owner.shape), np.float32)
        hidden = self.owner < 0
        for band, values in zip(out, features, strict=True):
            np.take(values, self.owner, out=band, mode="clip")
            band[hidden] = 0
        return out


def check_weights(weights: ArrayLike | None, shape: tuple[int, ...]) -> FloatArray | None:
    """Return per-pixel weights as float32, or raise InputError if they cannot be used."""
    if weights is None:
        return None
    values = np.asarray(weights)
    if values.shape != shape:
        raise InputError(
            f"weights has shape {values.shape} and the image {shape}; give one weight a pixel"
        )
    if values.dtype.kind not in "biuf":
        raise InputError(f"weights has dtype {values.dtype}; give real numbers of at least 0")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1e15:
        raise InputError("weights has values that are negative, NaN or above 1e15; give 0 to 1e15")
    return values.astype(np.float32)


def find_modes(
    pixels: Pixels, params: MeanShiftParams, weights: FloatArray | None, n_threads: int
) -> Modes:
    """Climb from every pixel to its mode."""
    kind = KERNELS.index(params.kernel)
    extent = sum(pixels.values.shape[:2])
    pad = window.window_reach(kind, params.spatial_bandwidth, extent) + 1
    planes = feature_planes(
        pixels, params.color_space, pad=pad, pad_right=window.LANES, n_threads=n_threads
    )
    n_bands, (height, width) = len(planes), pixels.values.shape[:2]
    padded_weights = None
    if weights is not None:
        padded_weights = np.pad(weights, ((pad, pad), (pad, pad + window.LANES)))
    table = np.zeros((height, width, 2 + n_bands), np.float32)

    def climb(rows: tuple[int, int]) -> None:
        lattice.climb_rows(
            kind,
            planes,
            padded_weights,
            window.static_bands(n_bands),
            window.window_shape(kind, params.spatial_bandwidth, params.range_bandwidth, extent),
            params.max_iter,
            np.float32(params.tol**2),
            pad,
            *rows,
            table,
        )

    run(climb, bands(height, ROWS_OF_JOB), n_threads)
    owner = np.arange(height * width, dtype=np.int32).reshape(height, width)
    if pixels.mask is not None:
        owner[~pixels.mask] = -1
    return Modes(owner, table.reshape(height * width, 2 + n_bands))


def mean_shift_filter(
    image: ArrayLike,
    *,
    spatial_bandwidth: float = 7.0,
    range_bandwidth: float = 6.5,
    kernel: str = "flat",
    color_space: str = "luv",
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
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
    image : array_like, shape (H, W) or (H, W, C)
        Gray, RGB, or with ``color_space="none"`` any bands. Bool, integer or float; the dtype
        decides the scale, and floats must lie in 0..1 for the colour spaces. Never written to.
    spatial_bandwidth : float
        Radius of the window in pixels; for the Gaussian its standard deviation.
    range_bandwidth : float
        Radius of the window in colour, in units of `color_space`; for the Gaussian its standard
        deviation.
    kernel : {"flat", "epanechnikov", "gaussian"}
        Weights of the mean, the product of one kernel in space and one in colour. The density that
        is climbed is that of the kernel's shadow: "flat" climbs the Epanechnikov density,
        "epanechnikov" the biweight density, "gaussian" the Gaussian density. The Gaussian is cut
        off at three bandwidths.
    color_space : {"luv", "lab", "rgb", "none"}
        Where colours are compared: CIE Luv or Lab (L in 0..100), RGB in 0..255 whatever the dtype,
        or the bands as they are.
    channel_axis : int or None
        Axis of the channels of a 3-D image.
    mask : array_like of bool, shape (H, W), optional
        False where pixels are ignored; they keep their value.
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
    params = MeanShiftParams(
        spatial_bandwidth=spatial_bandwidth,
        range_bandwidth=range_bandwidth,
        kernel=kernel,
        color_space=color_space,
        max_iter=max_iter,
        tol=tol,
    )
    threads = resolve_n_threads(n_threads)
    pixels = check_image(
        image, color_space=params.color_space, channel_axis=channel_axis, mask=mask
    )
    pixel_weights = check_weights(weights, pixels.values.shape[:2])
    modes = find_modes(pixels, params, pixel_weights, threads)
    filtered = pixels_from_features(modes.planes(), pixels, params.color_space)
    return pixels.like_input(filtered)
