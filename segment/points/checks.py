"""What a set of points must be: the checks shared by clustering, bandwidths and densities."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError

Floats = NDArray[np.float64]
Names = NDArray[np.object_]

# Beyond, all distances are alike and a window holds one point or all of them.
MAX_FEATURES = 1000
# In bandwidths: squares of larger numbers, and their sums, overflow.
MAX_REACH = 1e150
SMALLEST, LARGEST = 1e-300, 1e300


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
        If `X` is not 2-D, is empty, sparse or complex, or holds text, NaN, infinity or what a mask
        hides.
    """
    if hasattr(X, "tocsr"):
        raise InputError("X is a sparse matrix, which is not supported; give X.toarray()")
    array = _as_floats(X)
    if array.ndim != 2:
        raise InputError(
            f"X has shape {array.shape}; points need 2 dimensions, (n_samples, n_features). "
            "Reshape your data: X.reshape(-1, 1) for one feature, X.reshape(1, -1) for one point"
        )
    _refuse_hidden(X)
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
    return array


def feature_names(X: Any) -> Names | None:
    """Return the names of a DataFrame's columns if all are text, else None, as scikit-learn does.

    Raises
    ------
    InputTypeError
        If some names are text and others are not.
    """
    columns = getattr(X, "columns", None)
    if columns is None or not hasattr(X, "shape") or callable(columns):
        return None
    names = np.empty(len(columns), dtype=object)
    names[:] = list(columns)
    kinds = sorted({type(name).__qualname__ for name in names})
    if "str" not in kinds:
        return None
    if len(kinds) > 1:
        raise InputTypeError(
            f"X has column names of the types {', '.join(kinds)}. Feature names are only supported "
            "if all input features have string names; set X.columns = X.columns.astype(str)"
        )
    return names


def check_feature_names(fitted: Names | None, X: Any, owner: str) -> None:
    """Compare the column names of `X` with those that `owner` was fitted with.

    Raises
    ------
    InputError
        If both have names, and these differ or stand in another order. Where one of the two has
        none there is a UserWarning, as scikit-learn has it.
    """
    names = feature_names(X)
    if fitted is None or names is None:
        if names is not None:
            warnings.warn(
                f"X has feature names, but {owner} was fitted without feature names", stacklevel=3
            )
        elif fitted is not None:
            warnings.warn(
                f"X does not have valid feature names, but {owner} was fitted with feature names",
                stacklevel=3,
            )
        return
    if len(names) == len(fitted) and (names == fitted).all():
        return
    first = "The feature names should match those that were passed during fit"
    for others, ours, what in (
        (names, fitted, "unseen at fit time"),
        (fitted, names, "seen at fit time, yet now missing"),
    ):
        if odd := [str(name) for name in others if name not in set(ours)]:
            more = ", ..." if len(odd) > 5 else ""
            raise InputError(f"{first}. Feature names {what}: {', '.join(odd[:5])}{more}")
    raise InputError(
        f"{first}. Feature names must be in the same order as they were in fit; give "
        "X[model.feature_names_in_]"
    )


def _refuse_hidden(X: ArrayLike) -> None:
    """A masked array becomes an array with its fill values as points: never without a word."""
    if not np.ma.isMaskedArray(X):
        return
    hidden = np.argwhere(np.ma.getmaskarray(X))
    if len(hidden):
        raise InputError(
            f"X is a masked array with {len(hidden)} hidden value(s), the first at "
            f"{tuple(hidden[0].tolist())}; leave such rows out: np.ma.compress_rows(X)"
        )


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

    What a masked array hides weighs nothing.

    Raises
    ------
    InputError
        If they are of another shape, negative, not finite, or all zero.
    """
    if sample_weight is None:
        return np.ones(n_samples)
    try:
        weights = np.array(np.ma.getdata(sample_weight), dtype=np.float64)
        if np.ma.isMaskedArray(sample_weight):
            weights[np.ma.getmaskarray(sample_weight)] = 0.0
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
        return _one_bandwidth(bandwidth)
    try:
        widths = np.array(bandwidth, dtype=np.float64)
    except (TypeError, ValueError):
        return _one_bandwidth(bandwidth)
    if widths.ndim == 0:
        return _one_bandwidth(float(widths))
    if widths.shape != (n_features,):
        raise InputError(
            f"bandwidth has shape {widths.shape} but the points have {n_features} features; give "
            "one number, or one for each feature"
        )
    for width in widths:
        _one_bandwidth(float(width))
    return widths


def _one_bandwidth(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(
            f"bandwidth={value!r} is of type {type(value).__name__}; give a number above 0"
        )
    number = float(value)
    if not math.isfinite(number) or number <= 0:
        raise InputError(
            f"bandwidth={number:g} must be finite and above 0; give a number such as 7"
        )
    if not SMALLEST <= number <= LARGEST:
        raise InputError(
            f"bandwidth={number:g} is beyond {SMALLEST:g} to {LARGEST:g}; rescale the features"
        )
    return number


def log_ball_volume(d: int) -> float:
    """Return the logarithm of the volume of the unit ball in `d` dimensions."""
    return d / 2 * math.log(math.pi) - math.lgamma(d / 2 + 1)


@dataclass(frozen=True)
class Frame:
    """The coordinates in which points are climbed: squares neither overflow nor lose digits.

    One bandwidth is not divided out, which would flip points that lie exactly on the sphere: the
    unit is the power of two below it, and dividing by that is exact. An offset is subtracted only
    where that is exact too, among values of one sign that are within a factor of 2.
    """

    origin: Floats  # (d,)
    unit: float | Floats
    radius: float  # the bandwidth in these coordinates

    @classmethod
    def over(cls, points: Floats, bandwidth: float | Floats) -> Frame:
        """Return the frame for points and a bandwidth, or one for each feature."""
        low, high = points.min(axis=0), points.max(axis=0)
        beside = ((low > 0) & (high / 2 <= low)) | ((high < 0) & (low / 2 >= high))
        origin = np.where(beside, low, 0.0)
        if not isinstance(bandwidth, float):
            return cls(origin, bandwidth, 1.0)
        unit = math.ldexp(1.0, math.frexp(bandwidth)[1] - 1)
        return cls(origin, unit, bandwidth / unit)

    def into(self, points: Floats) -> Floats:
        """Return points in these coordinates.

        Raises
        ------
        InputError
            If they are so many bandwidths away that squares overflow.
        """
        with np.errstate(over="ignore", under="ignore"):
            moved = np.ascontiguousarray((points - self.origin) / self.unit)
        if not np.abs(moved).max() <= MAX_REACH:
            raise InputError(
                f"X holds values beyond {MAX_REACH:g} bandwidths, whose squares overflow; give a "
                "larger bandwidth, or rescale the features"
            )
        return moved

    def back(self, moved: Floats) -> Floats:
        """Undo `into`."""
        return np.asarray(moved * self.unit + self.origin)


def describe(value: Any) -> str:
    """Return a bandwidth as short text."""
    return f"{value:.6g}" if isinstance(value, float) else ", ".join(f"{v:.6g}" for v in value)
