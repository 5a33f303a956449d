"""What a set of points must be: the checks shared by clustering, bandwidths and densities."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.params import positive_number

Floats = NDArray[np.float64]

# Beyond, all distances are alike and a window holds one point or all of them.
MAX_FEATURES = 1000


class InputTypeError(InputError, TypeError):
    """An element is of a type that is no number."""


def as_points(X: ArrayLike, n_features: int | None = None, *, owner: str = "MeanShift") -> Floats:
    """Return `X` as a new C-contiguous float64 array (n_samples, n_features).

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Points, one per row.
    n_features : int, optional
        The number of features that `owner` was fitted with.
    owner : str
        Who expects it, for the message.

    Raises
    ------
    InputError
        If `X` is not 2-D, is empty, sparse or complex, or holds text, NaN or infinity.
    """
    if hasattr(X, "tocsr"):
        raise InputError("X is a sparse matrix, which is not supported; give X.toarray()")
    array = _as_floats(X)
    if array.ndim != 2:
        raise InputError(
            f"X has shape {array.shape}; points need 2 dimensions, (n_samples, n_features). "
            "Reshape your data: X.reshape(-1, 1) for one feature, X.reshape(1, -1) for one point"
        )
    n, d = array.shape
    if d == 0:
        raise InputError(
            f"X has 0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
        )
    if n == 0:
        raise InputError(f"X has 0 sample(s) (shape={array.shape}); give at least one point")
    if n_features is not None and d != n_features:
        raise InputError(
            f"X has {d} features, but {owner} is expecting {n_features} features as input"
        )
    if d > MAX_FEATURES:
        raise InputError(
            f"X has {d} features; mean shift is of no use beyond {MAX_FEATURES}: reduce them "
            "first, for instance by principal components"
        )
    if not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        what = "NaN" if np.isnan(array[row, column]) else "infinity (inf)"
        raise InputError(
            f"X holds {what} in row {row}, column {column}; remove such rows or fill them in"
        )
    if np.abs(array).max() > 1e150:
        raise InputError("X holds values above 1e150, whose squares overflow; rescale the features")
    return array


def _as_floats(X: ArrayLike) -> Floats:
    try:
        raw = np.asarray(X)
    except ValueError:
        raise InputError(
            "X is ragged: its rows differ in length; give rows of equal length"
        ) from None
    if raw.dtype.kind == "c":
        raise InputError("X is complex. Complex data not supported; give real features")
    if raw.dtype.kind in "mM":
        raise InputError(f"X is of dtype {raw.dtype}; convert dates and times to numbers first")
    try:
        return np.array(raw, dtype=np.float64, order="C")
    except TypeError as error:
        raise InputTypeError(
            f"X holds something that is no number ({error}): each argument must be a string or a "
            "number"
        ) from None
    except ValueError as error:
        raise InputError(f"X holds text ({error}); give columns of numbers only") from None


def as_weights(sample_weight: ArrayLike | None, n_samples: int) -> Floats:
    """Return `sample_weight` as n_samples numbers >= 0 that are not all zero; None means ones.

    Raises
    ------
    InputError
        If they are of another shape, negative, not finite, or all zero.
    """
    if sample_weight is None:
        return np.ones(n_samples)
    try:
        weights = np.array(sample_weight, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("sample_weight holds something that is no number") from None
    if weights.ndim == 0:
        weights = np.full(n_samples, float(weights))
    if weights.shape != (n_samples,):
        raise InputError(
            f"sample_weight has shape {weights.shape}; give one for each of {n_samples} points"
        )
    if not np.isfinite(weights).all() or weights.min() < 0:
        raise InputError("sample_weight must be finite and at least 0 everywhere")
    if not weights.any():
        raise InputError("sample_weight is zero everywhere; give at least one weight above zero")
    return weights


def as_bandwidth(bandwidth: object, n_features: int) -> float | Floats:
    """Return `bandwidth` as a positive float, or one for each feature.

    Raises
    ------
    InputError
        If it is neither a positive number nor `n_features` of them.
    """
    if isinstance(bandwidth, Real) or bandwidth is None:
        return positive_number("bandwidth", bandwidth)
    try:
        widths = np.array(bandwidth, dtype=np.float64)
    except (TypeError, ValueError):
        return positive_number("bandwidth", bandwidth)
    if widths.ndim == 0:
        return positive_number("bandwidth", float(widths))
    if widths.shape != (n_features,):
        raise InputError(
            f"bandwidth has shape {widths.shape} but the points have {n_features} features; give "
            "one number, or one for each feature"
        )
    for width in widths:
        positive_number("bandwidth", float(width))
    return widths


def ball_volume(d: int) -> float:
    """Return the volume of the unit ball in `d` dimensions."""
    return math.pow(math.pi, d / 2) / math.gamma(d / 2 + 1)


def scaled(points: Floats, bandwidth: float | Floats) -> tuple[Floats, float]:
    """Return points and one radius so that distances compare as with `bandwidth`.

    One bandwidth is not divided out: that would flip points that lie exactly on the sphere.
    """
    if isinstance(bandwidth, float):
        return points, bandwidth
    return np.ascontiguousarray(points / bandwidth), 1.0


def unscaled(points: Floats, bandwidth: float | Floats) -> Floats:
    """Undo `scaled`."""
    return points if isinstance(bandwidth, float) else points * bandwidth


def describe(value: Any) -> str:
    """Return a bandwidth as short text."""
    return f"{value:.6g}" if isinstance(value, float) else ", ".join(f"{v:.6g}" for v in value)
