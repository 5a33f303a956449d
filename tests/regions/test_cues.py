"""Cues of regions that were found at the reference size and drawn at a larger one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from segment.regions.checks import Pixels, check_image
from segment.regions.cues import region_cues
from tests.pictures import landscape


def looked_at() -> tuple[Pixels, Any]:
    """A picture, and its regions: twelve boxes and a disc."""
    image = landscape()
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    boxes = 4 * (3 * y // image.shape[0]) + 4 * x // image.shape[1] + 1
    disc = (y - image.shape[0] / 2) ** 2 + (x - image.shape[1] / 2) ** 2 < 100
    return check_image(image, color_space="luv"), np.where(disc, 13, boxes).astype(np.int32)


@pytest.mark.parametrize("times", [2, 3])
def test_cues_are_those_at_the_reference_size(times: int) -> None:
    pixels, labels = looked_at()
    large = labels.repeat(times, 0).repeat(times, 1)
    expected = region_cues(pixels, "luv", labels, 13, 1)
    found = region_cues(pixels, "luv", large, 13, 1, labels)
    for name in ("counts", "areas", "pairs", "lengths", "boundaries"):
        assert np.allclose(getattr(found, name)[1:], getattr(expected, name)[1:], rtol=1e-5)
    assert found.first_texture == expected.first_texture


def test_frayed_borders_are_no_longer_than_where_they_were_sought() -> None:
    pixels, labels = looked_at()
    large = labels.repeat(4, 0).repeat(4, 1)
    frayed = large.copy()
    column = int(np.flatnonzero(np.diff(large[0]))[0])
    frayed[0 : large.shape[0] // 3 : 2, column] = large[0, column + 1]
    expected = region_cues(pixels, "luv", large, 13, 1, labels)
    found = region_cues(pixels, "luv", frayed, 13, 1, labels)
    assert np.array_equal(found.lengths, expected.lengths)
    assert np.allclose(found.boundaries, expected.boundaries)
    coarse = region_cues(pixels, "luv", frayed, 13, 1)
    assert coarse.lengths[0] > 1.5 * found.lengths[0]


def test_what_was_not_sought_is_measured_where_it_is_drawn() -> None:
    pixels, labels = looked_at()
    large = labels.repeat(2, 0).repeat(2, 1)
    large[5:25, 5:25] = 14
    found = region_cues(pixels, "luv", large, 14, 1, labels)
    drawn = region_cues(pixels, "luv", large, 14, 1)
    assert np.array_equal(found.pairs, drawn.pairs)
    assert found.areas[14] == 100
    assert np.array_equal(found.counts[14], drawn.counts[14])
    contact = np.flatnonzero((found.pairs == [1, 14]).all(axis=1))
    assert found.lengths[contact] == drawn.lengths[contact] == 40
    assert np.array_equal(found.boundaries[contact], drawn.boundaries[contact])
    # The palette of what it was parted from stays, and its area becomes smaller.
    before = region_cues(pixels, "luv", labels, 13, 1)
    assert found.areas[1] == before.areas[1] - 100
    shares = before.counts[1] / before.areas[1]
    assert np.allclose(found.counts[1] / found.areas[1], shares, rtol=1e-5)
