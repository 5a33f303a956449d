"""What would not fit into memory is refused before it is tried."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segment import memory
from segment.errors import FileError
from segment.images import read_image, reading, write_image
from segment.workflow import Recipe, make


def test_free_memory_is_some() -> None:
    assert memory.free_memory() > 1e6


def test_decoding_beyond_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_image(tmp_path / "a.png", np.zeros((40, 50, 3), np.uint8))
    monkeypatch.setattr(memory, "free_memory", lambda: 1000.0)
    assert read_image(path).shape == (40, 50)  # too small to be worth a look
    monkeypatch.setattr(reading, "SMALL", 100)
    with pytest.raises(FileError, match=r"decoding .*a\.png, 50 x 40 pixels, needs about"):
        read_image(path)
    assert read_image(path, max_pixels=2001).shape == (40, 50)


def test_segmenting_beyond_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_image(tmp_path / "a.png", np.zeros((40, 50, 3), np.uint8))
    monkeypatch.setattr(memory, "free_memory", lambda: 30_000.0)
    monkeypatch.setattr("segment.workflow.LARGE", 100)
    with pytest.raises(FileError, match=r"50 x 40 pixels, needs about .* segment scene"):
        make(path, tmp_path / "a", Recipe(kinds=("labels",)), n_threads=1)
    make(path, tmp_path / "a", Recipe(kinds=("labels",), max_pixels=2001), n_threads=1)
    assert (tmp_path / "a.labels.png").exists()
