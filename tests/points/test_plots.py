"""Plots: what is drawn, not how it looks."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from segment import ExtraError, InputError, density
from segment.points import plots


@pytest.mark.parametrize(("d", "axes"), [(1, 1), (2, 1), (3, 1), (4, 16), (9, 36)])
def test_clusters_of_any_number_of_features(d: int, axes: int) -> None:
    points = np.random.default_rng(0).normal(size=(50, d))
    labels = np.arange(50) % 3 - 1
    figure = plots.clusters(points, labels, points[:2])
    assert len(figure.axes) == axes
    assert plots.to_png(figure, dpi=40).startswith(b"\x89PNG")


def test_points_keep_the_colours_of_their_clusters() -> None:
    from matplotlib.colors import to_rgba

    points = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
    figure = plots.clusters(points, [0, 1, -1], points[:1], density=density(points, 0.5, grid=10))
    dots = figure.axes[0].collections
    drawn = next(c for c in dots if len(c.get_offsets()) == 3)
    expected = [to_rgba(c) for c in (plots.COLORS[0], plots.COLORS[1], plots.ORPHAN)]
    np.testing.assert_allclose(drawn.get_facecolors(), expected)


def test_of_many_points_all_clusters_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clusters that take turns from row to row, and fewer points drawn than there are."""
    monkeypatch.setattr(plots, "MAX_DRAWN", 100)
    labels = np.arange(1000) % 10
    points = np.stack((labels, np.arange(1000.0)), axis=1)
    figure = plots.clusters(points, labels, points[:1])
    drawn = next(c for c in figure.axes[0].collections if len(c.get_offsets()) == 100)
    assert set(drawn.get_offsets()[:, 0]) == set(range(10))


def test_surface_and_contours_of_two_features() -> None:
    points = np.random.default_rng(0).normal(size=(50, 2))
    values = density(points, 0.5, grid=20)
    for figure in (plots.surface(values), plots.contours(values, names=("a", "b"))):
        assert plots.to_png(figure, dpi=40).startswith(b"\x89PNG")
    with pytest.raises(InputError, match="1 axes"):
        plots.surface(density(points[:, :1], 0.5, grid=20))


def test_misuse(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.zeros((3, 2))
    with pytest.raises(InputError, match="labels has shape"):
        plots.clusters(points, [0], points)
    with pytest.raises(InputError, match="density has 1 axes"):
        plots.clusters(points, [0] * 3, points, density=density(points[:, :1] + [[0], [1], [2]], 1))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ExtraError, match="'plot' extra"):
        plots.clusters(points, [0] * 3, points)
