"""Stacks in a batch, what is said of them, and what systems leave beside pictures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from segment.batching import batch
from segment.errors import InputError
from segment.images import count_pages, read_image, write_image

SHADES = [20, 90, 160, 230]
OPTIONS: dict[str, Any] = {"save": ["labels", "posterized"], "jobs": 1, "n_threads": 1}


def page(shade: int) -> Any:
    pixels = np.full((24, 30), shade, np.uint8)
    pixels[:, 15:] = 255 - shade
    return pixels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / ".hidden").mkdir(parents=True)
    with tifffile.TiffWriter(tmp_path / "in" / "stack.tif") as tiff:
        for shade in SHADES:
            tiff.write(page(shade), contiguous=False)
            tiff.write(page(shade)[::2, ::2], subfiletype=1)  # an overview
    frames = [PillowImage.fromarray(page(shade)) for shade in SHADES[:2]]
    frames[0].save(tmp_path / "in" / "film.gif", save_all=True, append_images=frames[1:])
    write_image(tmp_path / "in" / "one.png", page(90))
    write_image(tmp_path / "in" / ".hidden" / "x.png", page(90))
    for name in ("._one.png", "Thumbs.db", ".DS_Store", "desktop.ini"):
        (tmp_path / "in" / name).write_bytes(b"\0\5\x16\7")
    return tmp_path


def test_every_page_is_done_once(folder: Path) -> None:
    done = batch(folder / "in", folder / "out", page="all", **OPTIONS)
    assert done.ok
    assert done.done == 7
    assert done.notes == {}
    names = sorted(path.name for path in (folder / "out").glob("*.labels.png"))
    stems = ["film-0", "film-1", "one", "stack-0", "stack-1", "stack-2", "stack-3"]
    assert names == [f"{stem}.labels.png" for stem in stems]
    for number, shade in enumerate(SHADES):
        flat = read_image(folder / "out" / f"stack-{number}.posterized.tif").pixels
        np.testing.assert_array_equal(flat, page(shade))
    again = batch(folder / "in", folder / "out", page="all", **OPTIONS)
    assert (again.done, again.unchanged) == (0, 7)
    (folder / "out" / "stack-2.labels.png").unlink()
    again = batch(folder / "in", folder / "out", page="all", **OPTIONS)
    assert (again.done, again.unchanged) == (1, 6)


def test_what_is_left_out_is_said(folder: Path) -> None:
    done = batch(folder / "in", folder / "out", **OPTIONS)
    assert done.done == 3
    assert done.notes == {
        "first of 4 pages; the others are not read": ("stack.tif",),
        "first of 2 frames; the others are not read": ("film.gif",),
    }
    command = [sys.executable, "-m", "segment", "batch", folder / "in", folder / "other"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "stack.tif: first of 4 pages; the others are not read" in shown


def test_litter_is_passed_by_and_listed(folder: Path) -> None:
    litter = {".DS_Store", "._one.png", "Thumbs.db", "desktop.ini", ".hidden/"}
    done = batch(folder / "in", folder / "out", include=["*"], **OPTIONS)
    assert done.ok
    assert set(done.litter) == litter
    command = [sys.executable, "-m", "segment", "batch", folder / "in", folder / "out2", "--json"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert set(json.loads(shown.splitlines()[-1])["litter"]) == litter


def test_numbers_do_not_meet_names(folder: Path) -> None:
    write_image(folder / "in" / "stack-1.png", page(90))
    done = batch(folder / "in", folder / "out", page="all", **OPTIONS)
    assert done.ok
    assert len(list((folder / "out").glob("*.labels.png"))) == 8


def test_a_broken_stack_fails_alone(folder: Path) -> None:
    (folder / "in" / "bad.tif").write_bytes(b"II*\0\xff\xff\xff\xff")
    done = batch(folder / "in", folder / "out", page="all", **OPTIONS)
    assert [failure.input for failure in done.failures] == ["bad.tif"]
    assert done.done == 7


def test_pages_are_counted_without_overviews(folder: Path) -> None:
    counts = {name: count_pages(folder / "in" / name) for name in ("stack.tif", "film.gif")}
    assert counts == {"stack.tif": 4, "film.gif": 2}
    assert count_pages(folder / "in" / "one.png") == 1


@pytest.mark.parametrize("bad", ["every", -1, 1.5])
def test_a_page_is_a_number_or_all(folder: Path, bad: Any) -> None:
    with pytest.raises(InputError, match="page="):
        batch(folder / "in", folder / "out", page=bad)


def test_image_takes_every_page(folder: Path) -> None:
    command = [sys.executable, "-m", "segment", "image", "in/stack.tif", "in/one.png"]
    command += ["--page", "all", "--save", "labels", "-o", "out", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    facts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [fact["page"] for fact in facts] == [0, 1, 2, 3, 0]
    assert done.stderr.count("not read") == 0
    assert {path.name for path in (folder / "out").iterdir()} == {
        *(f"stack-{number}.labels.png" for number in range(4)), "one.labels.png"
    }  # fmt: skip
    refused = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "exist; add --overwrite" in refused.stderr
