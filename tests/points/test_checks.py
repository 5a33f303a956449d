"""What may be a set of points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from segment import InputError, MeanShift, density, estimate_bandwidth

FILL = -9999.0


@pytest.fixture
def masked() -> Any:
    """Points of which a mask hides one value of row 2."""
    points = np.random.default_rng(0).normal(size=(20, 2))
    points[2, 1] = FILL
    return np.ma.masked_equal(points, FILL)


@pytest.mark.parametrize(
    "use",
    [
        estimate_bandwidth,
        lambda X: MeanShift(bandwidth=2.0).fit(X),
        lambda X: MeanShift(bandwidth=2.0).fit(np.asarray(X)).predict(X),
        lambda X: density(X, bandwidth=1.0),
    ],
)
def test_hidden_values_never_become_points(use: Callable[[Any], Any], masked: Any) -> None:
    with pytest.raises(
        InputError, match=r"1 hidden value\(s\), the first at \(2, 1\).*compress_rows"
    ):
        use(masked)
    use(np.ma.compress_rows(masked))  # the remedy


def test_a_masked_array_that_hides_nothing_is_an_array() -> None:
    points = np.random.default_rng(0).normal(size=(20, 2))
    assert estimate_bandwidth(np.ma.array(points)) == estimate_bandwidth(points)
