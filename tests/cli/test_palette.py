"""``segment palette``: colours of several pictures, as lines and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from segment.cli import main
from segment.images import read_image, write_image


@pytest.fixture
def flag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture a.png in the current folder: a quarter blue, the rest orange."""
    monkeypatch.chdir(tmp_path)
    pixels = np.full((40, 40, 3), (240, 130, 20), np.uint8)
    pixels[:, :10] = (20, 40, 200)
    write_image("a.png", pixels)


def run(*args: str) -> Result:
    return CliRunner().invoke(main.app, ["palette", *args])


def test_one_picture_is_lines_of_colours(flag: None) -> None:
    result = run("a.png", "-o", "strip.png")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "#f08214   75.0%  240 130  20", "#1428c8   25.0%   20  40 200"
    ]  # fmt: skip
    strip = read_image("strip.png").pixels
    assert strip[0, 0].tolist() == [240, 130, 20]
    assert strip[0, -1].tolist() == [20, 40, 200]


def test_several_pictures_have_their_names_above(flag: None) -> None:
    write_image("b.png", np.zeros((9, 9, 3), np.uint8))
    result = run("a.png", "missing.png", "b.png")
    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.endswith(":")] == [
        "a.png:", "b.png:"
    ]  # fmt: skip
    assert "missing.png: no such file" in result.stderr


def test_json_is_one_object_a_picture(flag: None) -> None:
    write_image("b.png", np.zeros((9, 9, 3), np.uint8))
    result = run("a.png", "b.png", "--json")
    first, second = map(json.loads, result.stdout.splitlines())
    assert first == {"input": "a.png", "colors": ["#f08214", "#1428c8"], "shares": [0.75, 0.25]}
    assert second == {"input": "b.png", "colors": ["#000000"], "shares": [1.0]}


def test_one_strip_is_of_one_picture(flag: None) -> None:
    result = run("a.png", "a.png", "-o", "strip.png")
    assert result.exit_code == 2
    assert "-o strip.png is one picture, and 2 are given" in result.stderr
    assert not Path("strip.png").exists()
