"""``segment bandwidth``, and the word auto in place of a bandwidth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import segment
import segment.regions.features
from segment.cli import main
from segment.images import write_image


@pytest.fixture
def picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """A noisy picture a.png in the current folder."""
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(90, 160, (30, 50, 3)).astype(np.uint8)
    pixels[:, 25:] += 60
    write_image("a.png", pixels)
    return pixels


def run(*args: str) -> Result:
    return CliRunner().invoke(main.app, list(args))


def test_it_prints_what_the_api_estimates(picture: np.ndarray) -> None:
    spatial, color = segment.estimate_bandwidths(picture)
    result = run("bandwidth", "a.png")
    assert result.exit_code == 0, result.output
    first, *others = result.stdout.splitlines()
    assert first == f"a.png: --spatial-bandwidth {spatial:g} --range-bandwidth {color:g}"
    shares = [int(line.split()[-1][:-1]) for line in others if line.endswith("%")]
    assert sum(shares) == pytest.approx(100, abs=6)
    below = next(k for k, line in enumerate(others) if "range bandwidth" in line) - 2
    features = segment.regions.features.feature_planes(
        segment.regions.checks.check_image(picture, color_space="luv"), "luv"
    )
    step = round(spatial)
    apart = np.linalg.norm(features[:, :, step:] - features[:, :, :-step], axis=0)
    assert sum(shares[:below]) == pytest.approx(100 * (apart < color).mean(), abs=3)


def test_json_lines(picture: np.ndarray) -> None:
    result = run("bandwidth", "a.png", "a.png", "--json", "-c", "lab")
    facts = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(facts) == 2
    estimated = segment.estimate_bandwidths(picture, color_space="lab")
    assert (facts[0]["spatial_bandwidth"], facts[0]["range_bandwidth"]) == estimated


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (9, 1), (12, 12, 3)])
def test_pictures_of_one_color(picture: np.ndarray, shape: tuple[int, ...]) -> None:
    write_image("flat.png", np.full(shape, 9, np.uint8))
    result = run("bandwidth", "flat.png")
    assert result.exit_code == 0, result.output


def test_transparent_picture(picture: np.ndarray) -> None:
    write_image("void.png", picture, alpha=np.zeros(picture.shape[:2], np.uint8))
    assert run("bandwidth", "void.png").exit_code == 0


@pytest.mark.parametrize("command", ["image", "batch"])
def test_auto_is_taken_by_the_commands_that_segment(picture: np.ndarray, command: str) -> None:
    Path("in").mkdir()
    Path("a.png").rename("in/a.png")
    where = ["in/a.png", "-o", "out"] if command == "image" else ["in", "out"]
    result = run(command, *where, "-s", "auto", "--range-bandwidth", "auto")
    assert result.exit_code == 0, result.output
    params = json.loads(next(Path("out").rglob("a.json")).read_text())["params"]
    expected = segment.estimate_bandwidths(picture)
    assert (params["spatial_bandwidth"], params["range_bandwidth"]) == expected


def test_what_is_no_bandwidth_is_refused(picture: np.ndarray) -> None:
    result = run("image", "a.png", "-r", "automatic")
    assert result.exit_code == 2
    assert "'automatic' is neither a number nor 'auto'" in result.stderr
    result = run("bandwidth", "missing.png")
    assert result.exit_code == 1
    assert result.stderr.startswith("segment: ")


def test_a_range_bandwidth_a_band(picture: np.ndarray) -> None:
    options = ["-c", "none", "-s", "4", "--overwrite", "-o", "out", "--save", "json"]
    result = run("image", "a.png", "-r", "30,50,20", *options)
    assert result.exit_code == 0, result.output
    facts = json.loads(next(Path("out").glob("*.json")).read_text())
    assert facts["params"]["range_bandwidth"] == [30.0, 50.0, 20.0]
    wanted = segment.mean_shift(
        picture, color_space="none", spatial_bandwidth=4, range_bandwidth=(30, 50, 20)
    )
    assert facts["n_regions"] == wanted.n_regions
    for bad, words in [
        ("30,x", "'30,x' is not a number a band"),
        ("3,4", "has 2 numbers and the image 3 bands"),
    ]:
        result = run("image", "a.png", "-r", bad, *options)
        assert result.exit_code != 0
        assert words in " ".join(result.stderr.split())
    result = run("image", "a.png", "-r", "30,50,20", "--regions", "9", *options)
    assert result.exit_code == 0, result.output
    assert json.loads(next(Path("out").glob("*.json")).read_text())["n_regions"] == 9
