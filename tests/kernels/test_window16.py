"""The 16-bit window against its twin in NumPy, and against the naive window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from segment.kernels.regions import window, window16
from tests.naive import regions as naive

F = np.float32


class Layout:
    """Planes (C, H, W) of whole numbers in 16 bits, padded, and the window's parameters."""

    def __init__(self, values: NDArray[Any], keep: NDArray[np.bool_], hs: float, hr: float) -> None:
        self.scale = window16.window_scale16(hs, hr, 100, 50)
        assert self.scale > 0
        self.pad = int(np.ceil(hs)) + 1
        around = ((0, 0), (self.pad, self.pad), (self.pad, self.pad + window16.LANES16))
        shorts = np.where(keep, np.rint(values * self.scale), window16.MISSING).astype(np.int16)
        self.shorts = shorts
        self.planes = np.pad(shorts, around, constant_values=window16.MISSING)
        self.discs = window16.make_discs(hs, hr, self.scale, len(values))
        self.bands = window.band_tuple_of(len(values))

    def sums(self, y: float, x: float, center: NDArray[np.int16]) -> NDArray[np.float32]:
        """Sums over the window about a position and a colour."""
        row, column = round(y), round(x)
        sums = window16.window_sums16(
            self.planes, self.bands, self.discs, row + self.pad, column + self.pad,
            F(F(y) - F(row)), F(F(x) - F(column)), center,
        )  # fmt: skip
        return np.array(sums)

    def plain(self, y: float, x: float, center: NDArray[np.int16]) -> NDArray[np.float32]:
        """What the twin in NumPy makes of it; `y` and `x` are whole sixteenths."""
        row, column = round(y), round(x)
        at = (row + self.pad) * self.planes.shape[2] + column + self.pad
        places = [round((u - round(u)) * 16) + 8 for u in (y, x)]
        sums = window16._plain_sums16(self.planes, self.bands, self.discs, center, at, *places)
        return np.array(sums) - sums[0] * np.array([0, y - row, x - column, *[0] * len(center)], F)


def somewhere(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[float, float]:
    """A position in an image where a disc can be centred."""
    y, x = np.rint(rng.random(2) * (np.array(shape) - 1) * window16.PLACES) / window16.PLACES
    return float(y), float(x)


SIZES = [(0.4, 6.5), (1.5, 3), (4.5, 6.5), (7, 6.5), (15.2, 8), (33, 12), (150, 20)]


@pytest.mark.parametrize("n_bands", [1, 3])
@pytest.mark.parametrize(("hs", "hr"), SIZES)
def test_clear_cases_agree_with_the_naive_window(hs: float, hr: float, n_bands: int) -> None:
    rng = np.random.default_rng(n_bands)
    shape = (25, 41)
    # Colours that are clearly within the radius of the centre, or clearly beyond it.
    direction = rng.normal(0, 1, (n_bands, *shape))
    direction /= np.linalg.norm(direction, axis=0)
    away = np.where(rng.random(shape) < 0.6, rng.random(shape) * 0.98, 1.02 + rng.random(shape))
    keep = rng.random(shape) > 0.1
    middle = rng.uniform(-5, 5, n_bands)
    layout = Layout(middle[:, None, None] + direction * away * hr, keep, hs, hr)
    center = np.rint(middle * layout.scale).astype(np.int16)
    features = np.moveaxis(layout.shorts.astype(float), 0, -1)
    for _ in range(10):
        y, x = somewhere(rng, shape)
        # Lengths in units of the planes throughout; positions enter only by their own radius.
        expected, margin = naive.window_sums(
            features, keep, np.ones(shape), "flat", hs, hr * layout.scale, np.array([y, x, *center])
        )
        assert margin > 1e-7
        found = layout.sums(y, x, center)
        assert found[0] == expected[0]
        np.testing.assert_allclose(
            found[1:3], expected[1:3], atol=1e-5 * max(hs, 1) * max(found[0], 1)
        )
        np.testing.assert_array_equal(found[3:], expected[3:].astype(F))


@pytest.mark.parametrize("n_bands", [1, 3])
@pytest.mark.parametrize(("hs", "hr"), SIZES)
def test_every_case_agrees_with_the_twin_in_numpy(hs: float, hr: float, n_bands: int) -> None:
    rng = np.random.default_rng(7 * n_bands)
    shape = (20, 37)
    layout = Layout(rng.normal(0, hr, (n_bands, *shape)), rng.random(shape) > 0.1, hs, hr)
    for _ in range(10):
        y, x = somewhere(rng, shape)
        center = rng.normal(0, 0.4 * hr * layout.scale, n_bands).astype(np.int16)
        found, expected = layout.sums(y, x, center), layout.plain(y, x, center)
        assert found[0] == expected[0]
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(hs, 1) * max(found[0], 1))
        np.testing.assert_array_equal(found[3:], expected[3:])


@pytest.mark.parametrize("hs", [1, 2, 5, 6.5, 7, 10, 13, 25])
def test_pixels_on_the_circle_are_outside(hs: float) -> None:
    layout = Layout(np.zeros((1, 61, 61)), np.ones((61, 61), bool), hs, 6.5)
    y, x = np.mgrid[-30:31, -30:31]
    expected = [(y**2 + x**2 < hs**2).sum(), 0, 0, 0]
    np.testing.assert_array_equal(layout.sums(30, 30, np.zeros(1, np.int16)), expected)


def test_sums_do_not_overflow() -> None:
    """A tall window of colours at its very edge, all on one side of the centre."""
    for hs, hr in [(7, 6.5), (150, 6.5), (400, 30)]:
        layout = Layout(np.full((1, 900, 3), 0.985 * hr), np.ones((900, 3), bool), hs, hr)
        found = layout.sums(450, 1, np.zeros(1, np.int16))
        assert found[0] == 3 * (2 * hs - 1)
        assert found[1] == 0
        np.testing.assert_allclose(found[3], found[0] * np.rint(0.985 * hr * layout.scale))


def test_the_largest_differences_saturate_outside_the_window() -> None:
    values = np.array([[[-50, 50, 0, 49.9]], [[50, -50, 0, -50]]])
    layout = Layout(values, np.ones((1, 4), bool), 7, 6.5)
    for k in range(4):
        center = layout.shorts[:, 0, k].copy()
        expected = naive.window_sums(
            np.moveaxis(layout.shorts.astype(float), 0, -1), np.ones((1, 4), bool), np.ones((1, 4)),
            "flat", 7, 6.5 * layout.scale, np.array([0, k, *center]),
        )[0]  # fmt: skip
        np.testing.assert_array_equal(layout.sums(0, k, center), expected)


@pytest.mark.parametrize("hr", [0.01, 0.1, 1, 6.5, 30, 200])
@pytest.mark.parametrize("hs", [0.5, 7, 100, 1000])
def test_units_fit_into_16_bits_or_are_refused(hs: float, hr: float) -> None:
    span, first_span = 130, 50
    scale = window16.window_scale16(hs, hr, span, first_span)
    if scale == 0:
        assert hr < 5 or hr > 30  # what people use fits
        return
    discs = window16.make_discs(hs, hr, scale, 3)
    assert span * scale < 2**15
    assert (first_span + hr) * scale < 2**15  # no pixel is close to what is missing
    assert 700 <= hr * scale <= 1641
    assert discs.flush >= 2
    assert discs.flush * hr * scale < 2**15
    assert 25 < discs.limit < 2**15


def test_the_disc_is_drawn_about_the_nearest_sixteenth() -> None:
    layout = Layout(np.zeros((1, 21, 21)), np.ones((21, 21), bool), 5.5, 6.5)
    center = np.zeros(1, np.int16)
    found, expected = layout.sums(10.26, 9.49, center), layout.sums(10.25, 9.5, center)
    assert found[0] == expected[0]
    # The sums are relative to the centre all the same.
    moved = expected[0] * np.array([-0.01, 0.01])
    np.testing.assert_allclose(found[1:3], expected[1:3] + moved, atol=1e-3)
