"""Plots of clustered points and densities, by matplotlib (the extra ``plot``).

Every function returns a `matplotlib.figure.Figure` that no global state holds on to; `to_png` turns
it into bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import ExtraError, InputError
from segment.points.checks import as_points
from segment.points.densities import Density

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Told apart by most readers with colour-vision deficiency (Okabe and Ito), then repeated.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800", "#5B5B5B")
ORPHAN = "#B0B0B0"
# More points than these hide each other: so many of them are drawn.
MAX_DRAWN = 20_000
MAX_PANELS = 6


def new_figure(width: float = 6.4, height: float = 5.2) -> Figure:
    """Return an empty figure, or raise ExtraError if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ExtraError("plotting", "plot") from None
    return Figure(figsize=(width, height), layout="constrained")


def to_png(figure: Figure, dpi: int = 120) -> bytes:
    """Return a figure as a PNG file."""
    stream = io.BytesIO()
    # Matplotlib's small products of finite numbers were once seen to warn of an overflow.
    with np.errstate(over="ignore", invalid="ignore"):
        figure.savefig(stream, format="png", dpi=dpi)
    return stream.getvalue()


def clusters(
    X: ArrayLike,
    labels: ArrayLike,
    centers: ArrayLike,
    *,
    density: Density | None = None,
    names: Sequence[str] | None = None,
) -> Figure:
    """Plot points in the colours of their clusters, with the centres.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Points: 1 feature gives a strip under the density, 2 a scatter plot, 3 one in space, more a
        panel for each pair of features (of the first 6). Of more than 20,000 an even selection is
        drawn.
    labels : array-like of shape (n_samples,)
        Cluster of each point; -1 is drawn gray.
    centers : array-like of shape (n_clusters, n_features)
        Centres, drawn as crosses.
    density : Density, optional
        Its contours are drawn under a scatter plot, its curve over a strip.
    names : sequence of str, optional
        Names of the features.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ExtraError
        If matplotlib is missing.
    InputError
        If the shapes do not go together.
    """
    points = as_points(X, owner="clusters")
    middle = as_points(centers, points.shape[1], owner="clusters")
    label = np.asarray(labels)
    n, d = points.shape
    if label.shape != (n,):
        raise InputError(f"labels has shape {label.shape}; give one for each of {n} points")
    if density is not None and len(density.axes) != d:
        raise InputError(f"density has {len(density.axes)} axes but the points have {d} features")
    axis_names = list(names) if names is not None else [f"x{j}" for j in range(d)]
    if n > MAX_DRAWN:  # at random: clusters may take turns from row to row
        drawn = np.sort(np.random.default_rng(0).choice(n, MAX_DRAWN, replace=False))
        points, label = points[drawn], label[drawn]
    color = _colors(label)
    if d == 1:
        return _strip(points[:, 0], color, middle[:, 0], density, axis_names[0])
    if d == 2:
        return _scatter(points, color, middle, density, axis_names)
    if d == 3:
        return _scatter_3d(points, color, middle, axis_names)
    return _panels(points, color, middle, axis_names)


def surface(density: Density, *, names: Sequence[str] = ("x0", "x1")) -> Figure:
    """Plot a density of two features as a surface, with its contour plot beside it."""
    x, y, values = _two_features(density)
    figure = new_figure(11.5, 4.8)
    axes: Any = figure.add_subplot(1, 2, 1, projection="3d")
    axes.plot_surface(x, y, values, cmap="viridis", rcount=100, ccount=100, linewidth=0)
    axes.set_zlim(0, float(values.max()) * 1.02)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.set_zlabel("density", labelpad=8)
    axes.set_box_aspect(None, zoom=0.86)
    _draw_contours(figure, figure.add_subplot(1, 2, 2), density, names)
    return figure


def contours(density: Density, *, names: Sequence[str] = ("x0", "x1")) -> Figure:
    """Plot a density of two features as filled contours."""
    figure = new_figure()
    _draw_contours(figure, figure.add_subplot(), density, names)
    return figure


def _draw_contours(figure: Figure, axes: Any, density: Density, names: Sequence[str]) -> None:
    x, y, values = _two_features(density)
    filled = axes.contourf(x, y, values, levels=14, cmap="viridis")
    axes.contour(x, y, values, levels=14, colors="white", linewidths=0.4, alpha=0.6)
    figure.colorbar(filled, ax=axes, label="density")
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.set_aspect("equal", adjustable="box")


def _two_features(
    density: Density,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    if len(density.axes) != 2:
        raise InputError(
            f"the density has {len(density.axes)} axes; a surface needs 2: choose columns"
        )
    x, y = np.meshgrid(*density.axes, indexing="ij")
    return x, y, density.values


def _colors(labels: NDArray[Any]) -> NDArray[np.str_]:
    wheel = np.array([*COLORS, ORPHAN])
    return np.where(labels < 0, ORPHAN, wheel[labels % len(COLORS)])


def _size(n: int) -> float:
    """Return an area of the dots at which `n` of them still show the shape of a cluster."""
    return float(np.clip(6000 / n, 1.5, 28))


def _cross(axes: Any, *coordinates: NDArray[np.float64]) -> None:
    """Draw the centres: black crosses on white ones, to be seen on any ground."""
    axes.scatter(
        *coordinates, marker="X", s=110, c="black", edgecolors="white", linewidths=1.2, zorder=5
    )


def _strip(
    x: NDArray[np.float64],
    color: NDArray[np.str_],
    centers: NDArray[np.float64],
    density: Density | None,
    name: str,
) -> Figure:
    figure = new_figure(6.4, 3.6)
    axes = figure.add_subplot()
    top = 1.0
    if density is not None:
        axes.plot(density.axes[0], density.values, color="#404040", lw=1.2)
        axes.set_ylabel("density")
        top = float(density.values.max())
    else:
        axes.set_yticks([])
    # An even spread below the axis, so that neighbours do not hide each other.
    height = -top * (0.05 + 0.15 * (np.arange(len(x)) * 0.618034 % 1))
    axes.scatter(x, height, c=color, s=_size(len(x)), linewidths=0)
    _cross(axes, centers, np.full(len(centers), -top * 0.125))
    axes.set_xlabel(name)
    return figure


def _scatter(
    points: NDArray[np.float64],
    color: NDArray[np.str_],
    centers: NDArray[np.float64],
    density: Density | None,
    names: Sequence[str],
) -> Figure:
    figure = new_figure()
    axes = figure.add_subplot()
    if density is not None:
        x, y, values = _two_features(density)
        axes.contour(x, y, values, levels=12, cmap="Greys", linewidths=0.8, alpha=0.8, zorder=0)
    axes.scatter(points[:, 0], points[:, 1], c=color, s=_size(len(points)), linewidths=0)
    _cross(axes, centers[:, 0], centers[:, 1])
    # The contours reach farther than the points; the view keeps to these.
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.12 * np.maximum(high - low, 1e-9 + 1e-9 * np.abs(high))
    axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
    axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    return figure


def _scatter_3d(
    points: NDArray[np.float64],
    color: NDArray[np.str_],
    centers: NDArray[np.float64],
    names: Sequence[str],
) -> Figure:
    figure = new_figure(6.8, 6.0)
    axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
    axes.scatter(*points.T, c=color, s=_size(len(points)), depthshade=True, linewidths=0)
    _cross(axes, *centers.T)
    axes.set_xlabel(names[0])
    axes.set_ylabel(names[1])
    axes.set_zlabel(names[2])
    axes.set_box_aspect(None, zoom=0.88)
    return figure


def _panels(
    points: NDArray[np.float64],
    color: NDArray[np.str_],
    centers: NDArray[np.float64],
    names: Sequence[str],
) -> Figure:
    d = min(points.shape[1], MAX_PANELS)
    figure = new_figure(2.0 * d, 2.0 * d)
    grid: Any = figure.subplots(d, d, squeeze=False)
    for row in range(d):
        for column in range(d):
            axes = grid[row][column]
            axes.tick_params(labelsize=7)
            if row == column:
                axes.hist(points[:, row], bins=30, color="#808080")
                axes.set_yticks([])
            else:
                size = _size(len(points)) / 2
                axes.scatter(points[:, column], points[:, row], c=color, s=size, linewidths=0)
                axes.scatter(centers[:, column], centers[:, row], marker="X", s=36, c="black",
                             edgecolors="white", linewidths=0.8)  # fmt: skip
            if row == d - 1:
                axes.set_xlabel(names[column])
            if column == 0:
                axes.set_ylabel(names[row])
    return figure
