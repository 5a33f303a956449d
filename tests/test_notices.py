"""Warnings of libraries that are silenced, on threads that come and go in any order."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import segment
from segment.notices import no_warnings


class Chatter(UserWarning):
    pass


def test_categories_apart() -> None:
    with no_warnings(Chatter):
        warnings.warn("not heard", Chatter, stacklevel=1)
        with pytest.raises(UserWarning, match="heard"):
            warnings.warn("heard", stacklevel=1)
    with pytest.raises(Chatter):
        warnings.warn("heard again", Chatter, stacklevel=1)


def test_threads_that_leave_in_any_order() -> None:
    before = warnings.filters
    first, second, third = no_warnings(Chatter), no_warnings(), no_warnings(Chatter)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    third.__enter__()
    warnings.warn("not heard", stacklevel=1)
    second.__exit__(None, None, None)
    warnings.warn("not heard", Chatter, stacklevel=1)
    third.__exit__(None, None, None)
    assert warnings.filters is before


def test_a_library_restores_filters_while_a_file_is_opened() -> None:
    with no_warnings(Chatter):
        library, opening = warnings.catch_warnings(), no_warnings(Chatter)
        library.__enter__()
        opening.__enter__()
        library.__exit__(None, None, None)
        warnings.warn("not heard", Chatter, stacklevel=1)
        opening.__exit__(None, None, None)


def test_a_scene_runs_inside(tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    src = tmp_path / "src.tif"
    with no_warnings(rasterio.errors.NotGeoreferencedWarning):
        form = {"driver": "GTiff", "height": 40, "width": 60, "count": 3, "dtype": "uint8"}
        with rasterio.open(src, "w", **form) as file:
            file.write(np.random.default_rng(0).integers(0, 256, (3, 40, 60), np.uint8))
    seen: list[bool] = []

    def watch(_: segment.Progress) -> None:
        silent = ("ignore", None, rasterio.errors.NotGeoreferencedWarning, None, 0)
        seen.append(silent in warnings.filters)

    segment.scene(src, tmp_path / "dst.tif", progress=watch)
    assert seen
    assert all(seen)
