"""--nodata, --mask and --value-range of the commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from segment.batching import batch
from segment.images import read_image

HIDDEN = np.zeros((40, 60), bool)
HIDDEN[:8] = True


def run(*args: Any, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segment", *map(str, args)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nodata")
    values = np.full(HIDDEN.shape, 100, np.int16)
    values[:, 30:] = 3000
    values[HIDDEN] = -7
    (folder / "in").mkdir()
    tifffile.imwrite(folder / "in" / "a.tif", values)
    tifffile.imwrite(folder / "mask.tif", (~HIDDEN).astype(np.uint8))
    return folder


@pytest.mark.parametrize("options", [["--nodata", "-7"], ["--mask", "mask.tif"]])
def test_image_leaves_pixels_out(folder: Path, options: list[str]) -> None:
    out = f"out{options[0]}"
    done = run("image", "in/a.tif", *options, "-o", out, "--save", "labels", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    labels = read_image(folder / out / "a.labels.png").pixels
    assert ((labels == 0) == HIDDEN).all()
    facts = json.loads(done.stdout)
    assert facts["n_regions"] == 2
    assert "--value-range settles it" in done.stderr
    assert any("white is taken to be 4095" in note for note in facts["notes"])


def test_a_range_given_leaves_nothing_to_say(folder: Path) -> None:
    options = ["--nodata=-7", "--value-range", "-100,4000", "-o", "quiet", "--save", "labels"]
    done = run("image", "in/a.tif", *options, cwd=folder)
    assert "settles" not in done.stderr
    assert "2 regions" in done.stdout


def test_bandwidth_and_palette_leave_pixels_out(folder: Path) -> None:
    plain, without = (
        run("bandwidth", "in/a.tif", *options, "--json", cwd=folder).stdout
        for options in ([], ["--nodata", "-7", "--value-range", "0,4095"])
    )
    assert json.loads(plain)["contrast"] != json.loads(without)["contrast"]
    masked = run("palette", "in/a.tif", "--mask", "mask.tif", "--value-range", "0,4000", cwd=folder)
    shares = [line.split()[1] for line in masked.stdout.splitlines()]
    assert shares == ["50.0%", "50.0%"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--nodata", "black"], "'black' is no number; give one such as -9999"),
        (["--value-range", "9,1"], "'9,1' is no range that rises; give two numbers such as 0,4095"),
        (["--value-range", "9"], "'9' is no range"),
    ],
)
def test_wrong_values_are_wrong_usage(folder: Path, options: list[str], words: str) -> None:
    done = run("image", "in/a.tif", *options, cwd=folder)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())


def test_a_batch_is_done_again_when_they_change(folder: Path) -> None:
    options: dict[str, Any] = {"save": ["labels"], "jobs": 1, "n_threads": 1}
    first = batch(folder / "in", folder / "done", nodata=-7, value_range=(0, 4000), **options)
    assert first.ok
    assert first.done == 1
    same = batch(folder / "in", folder / "done", nodata=-7, value_range=(0, 4000), **options)
    assert (same.done, same.unchanged) == (0, 1)
    other = batch(
        folder / "in", folder / "done", mask=folder / "mask.tif", value_range="auto", **options
    )
    assert (other.done, other.unchanged) == (1, 0)
    labels = read_image(folder / "done" / "a.labels.png").pixels
    assert ((labels == 0) == HIDDEN).all()


def test_every_odd_range_has_its_word_also_in_batch(tmp_path: Path) -> None:
    """Slivers of a scale, offsets and dark values: words tell, or what is to be seen is parted."""
    slope = np.linspace(0, 1, 60) ** 2 + np.indices((40, 60)).sum(axis=0) % 2 * 0.01
    odd = {
        "low12": (slope * 900).astype(np.uint16),
        "lower12": (slope * 150).astype(np.uint16),
        "dark16": (slope * 6000).astype(np.uint16),
        "sliver16": (slope * 300 + 30000).astype(np.uint16),
        "signed": (slope * 3000 - 1000).astype(np.int16),
        "float12": (slope * 4095).astype(np.float32),
        "tiny": (slope * 1e-3).astype(np.float32),
        "kelvin": (slope * 20 + 280).astype(np.float32),
        "dark8": (slope * 12).astype(np.uint8),
    }
    (tmp_path / "in").mkdir()
    for name, values in odd.items():
        tifffile.imwrite(tmp_path / "in" / f"{name}.tif", values)
    said = run("batch", "in", "out", "--save", "labels", cwd=tmp_path).stderr
    assert all(f"{name}.tif: " in said for name in odd), said
    for name in odd:
        done = run("image", f"in/{name}.tif", "-o", "one", "--save", "labels", cwd=tmp_path)
        assert "value-range" in done.stderr, name


def test_batch_takes_each_picture_its_mask(tmp_path: Path) -> None:
    for name, part in (("in/a.tif", np.s_[:8]), ("in/sub/a.tif", np.s_[:, :9])):
        values, mask = np.full((40, 60), 100, np.uint8), np.ones((40, 60), np.uint8)
        values[:, 30:] = 200
        mask[part] = 0
        for place, array in ((tmp_path / name, values), (tmp_path / f"masks{name[2:]}", mask)):
            place.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(place, array)
    tifffile.imwrite(tmp_path / "in" / "b.tif", values)
    done = run("batch", "in", "out", "--mask", "masks", "--save", "labels", cwd=tmp_path)
    assert done.returncode == 1
    assert "masks has no masks of" in done.stderr
    for name, part in (("out/a.labels.png", np.s_[:8]), ("out/sub/a.labels.png", np.s_[:, :9])):
        hidden = read_image(tmp_path / name).pixels == 0
        assert hidden[part].all()
        assert hidden.sum() == hidden[part].size
    again = run("batch", "in", "out", "--mask", "masks", "--save", "labels", cwd=tmp_path)
    assert "0 done" in again.stdout + again.stderr
    tifffile.imwrite(tmp_path / "masks" / "a.tif", np.ones((40, 60), np.uint8))
    run("batch", "in", "out", "--mask", "masks", "--save", "labels", cwd=tmp_path)
    assert (read_image(tmp_path / "out/a.labels.png").pixels > 0).all()
