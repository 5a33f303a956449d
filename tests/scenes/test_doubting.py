"""Scenes that make one region, or crumbs: a warning, a note, and no word where all is well."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import segment
from tests.scenes.conftest import BANDWIDTHS, write_raster


def test_all_is_one_region(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    with pytest.warns(segment.InputWarning, match="smaller range_bandwidth than 300 may part it"):
        report = segment.scene(
            photograph, tmp_path / "dst.tif", spatial_bandwidth=3, range_bandwidth=300
        )
    assert report.n_regions == 1
    assert len(report.doubts) == 1
    assert report.doubts[0] in report.notes


def test_hardly_anything_is_joined(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 60_000, (80, 90, 3), np.uint16)
    given = {"spatial_bandwidth": 3, "range_bandwidth": 20}
    with pytest.warns(segment.InputWarning) as caught:
        segment.scene(noise, tmp_path / "a.tif", min_size=0, **given)
    texts = [str(each.message) for each in caught]
    assert any(text.startswith("in samples of the scene a region has 1 pixels") for text in texts)
    assert any("far below the noise" in text for text in texts)


def test_bands_of_unlike_units(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    bands = photograph * np.array([1, 250, 1], np.uint16)
    src = write_raster(tmp_path / "src.tif", bands)
    with pytest.warns(segment.InputWarning, match="counts for nothing"):
        segment.scene(src, tmp_path / "dst.tif", spatial_bandwidth=3, range_bandwidth=900)
    report = segment.scene(src, tmp_path / "b.tif", spatial_bandwidth=3, scale=True)
    assert report.doubts == ()


def test_no_word_where_all_is_well(tmp_path: Path, photograph: NDArray[np.uint8]) -> None:
    flat = np.full_like(photograph, 90)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert segment.scene(flat, tmp_path / "a.tif", **BANDWIDTHS).n_regions == 1
        assert segment.scene(photograph, tmp_path / "b.tif", **BANDWIDTHS).n_regions > 1
        one = segment.scene(photograph, tmp_path / "c.tif", n_regions=1, **BANDWIDTHS)
        assert one.n_regions == 1  # as wished
