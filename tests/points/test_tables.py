"""Tables of points, and the commands that use them."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from segment import FileError, InputError
from segment.cli.main import app
from segment.points.tables import Table, read_table, write_centers, write_labelled


def written(folder: Path, text: str, name: str = "points.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "name", "names"),
    [
        ("1,2\n3,4\n", "a.csv", ("x0", "x1")),
        ("width,height\n1,2\n3,4\n", "a.csv", ("width", "height")),
        ("﻿w;h\r\n1;2\r\n\r\n3;4\r\n", "a.csv", ("w", "h")),
        ("w\th\n1\t2\n3\t4", "a.tsv", ("w", "h")),
        ("1 2\n3   4\n", "a.txt", ("x0", "x1")),
        ('"a,b",c\n1,2\n3,4\n', "a.csv", ("a,b", "c")),
    ],
)
def test_points_with_and_without_header(
    tmp_path: Path, text: str, name: str, names: tuple[str, ...]
) -> None:
    table = read_table(written(tmp_path, text, name))
    np.testing.assert_array_equal(table.points, [[1, 2], [3, 4]])
    assert table.names == names


def test_columns_by_name_and_number(tmp_path: Path) -> None:
    path = written(tmp_path, "id,x,y\na,1,2\nb,3,4\n")
    np.testing.assert_array_equal(read_table(path, ["y", "2"]).points, [[2, 1], [4, 3]])
    with pytest.raises(InputError, match="column 'z' does not exist; choose among id, x, y"):
        read_table(path, ["z"])
    array = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_table(tmp_path / "a.npy", ["3"]).points, array[:, 2:])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("x,y\n", "no rows"),
        ("1,2\n3\n", "ragged: row 2 has 1 columns, not 2"),
        ("x,y\n1,2\n3,4,5\n", "ragged: row 3 has 3 columns, not 2"),
        ("x,y\n1,red\n", "'red' in row 2, column 'y'"),
        ("x,y\n1,\n", "'' in row 2, column 'y'"),
    ],
)
def test_bad_tables(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FileError, match=re.escape(message)) as caught:
        read_table(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_bad_files(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe1,2")
    with pytest.raises(FileError, match="UTF-8"):
        read_table(tmp_path / "a.csv")
    with pytest.raises(FileError, match="no NPY file"):
        read_table(written(tmp_path, "1,2", "a.npy"))
    np.save(tmp_path / "b.npy", np.zeros(3))
    with pytest.raises(FileError, match="no 2-D array"):
        read_table(tmp_path / "b.npy")
    with pytest.raises(FileError, match=r"\.csv, \.tsv, \.txt, \.npy"):
        read_table(tmp_path / "a.xlsx")


def test_labels_stand_beside_the_rows_as_they_were(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "id,x\n007,1.50\nb,9\n"), ["x"])
    write_labelled(tmp_path / "out.csv", table, np.array([0, -1]), overwrite=False)
    assert (tmp_path / "out.csv").read_text() == "id,x,label\n007,1.50,0\nb,9,-1\n"
    write_centers(tmp_path / "c.csv", table, np.array([[1.5]]), np.array([2]), overwrite=False)
    assert (tmp_path / "c.csv").read_text() == "label,points,x\n0,2,1.5\n"
    with pytest.raises(FileError, match="exists"):
        write_labelled(tmp_path / "out.csv", table, np.array([0, 1]), overwrite=False)
    plain = Table(np.array([[1.0, 2.0]]), ("x0", "x1"))
    write_labelled(tmp_path / "p.csv", plain, np.array([0]), overwrite=False)
    assert (tmp_path / "p.csv").read_text() == "x0,x1,label\n1,2,0\n"


def command(*args: object, cwd: Path) -> Any:
    with contextlib.chdir(cwd):
        return CliRunner().invoke(app, [str(arg) for arg in args])


def test_segment_points(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spots = rng.normal(0, 0.3, (60, 2)) + np.array([[0, 0], [3, 3]]).repeat([40, 20], axis=0)
    rows = "\n".join(f"{x:.4f},{y:.4f}" for x, y in spots)
    path = written(tmp_path, f"x,y\n{rows}\n")
    done = command(
        "points", path, "-b", 0.5, "-o", "out/l.csv", "--plot", "p.png", "--surface", "s.png",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("60 points, 2 clusters; gaussian kernel, bandwidth 0.5\n")
    assert re.search(r"^ +0 +40  66\.7% ", done.stdout, re.MULTILINE)
    labels = np.loadtxt(tmp_path / "out" / "l.csv", delimiter=",", skiprows=1, usecols=2)
    np.testing.assert_array_equal(labels, np.repeat([0, 1], [40, 20]))
    centers = np.loadtxt(tmp_path / "out" / "l.centers.csv", delimiter=",", skiprows=1)
    np.testing.assert_allclose(centers[:, 2:], [[0, 0], [3, 3]], atol=0.2)
    for name in ("p.png", "s.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    again = command("points", path, "--plot", tmp_path / "p.png", cwd=tmp_path)
    assert again.exit_code == 1
    assert "exists" in again.stderr


def test_segment_points_demo(tmp_path: Path) -> None:
    done = command("points", "--demo", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert sum("->" in line for line in lines) == 301
    assert "300 points, 4 clusters; gaussian kernel, bandwidth 0.5" in lines
    assert (tmp_path / "outputs" / "points-demo.png").exists()


def test_what_segment_points_refuses(tmp_path: Path) -> None:
    path = written(tmp_path, "1,2\n3,4\n")
    for args, code, text in (
        ((), 2, "give either FILE or --demo"),
        ((path, "-b", "wide"), 1, "--bandwidth 'wide'"),
        ((path, "-b", "1,2,3"), 1, "the points have 2 features"),
        ((path, "-b", "0"), 1, "above 0"),
        ((path, "--plot", "a.jpg"), 1, "written as PNG"),
        ((path, "-o", "a.xls"), 1, "CSV or TSV"),
        ((path, "-b", "1", "-c", "1", "--surface", "a.png"), 1, "--surface draws 2 columns"),
    ):
        done = command("points", *args, cwd=tmp_path)
        assert done.exit_code == code, done.stderr
        assert text in done.stderr
        assert "Traceback" not in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["points.csv"]


def test_segment_palette(tmp_path: Path) -> None:
    from segment import read_image, write_image

    image = np.zeros((20, 30, 3), np.uint8)
    image[:, :24] = (0, 128, 255)
    write_image(tmp_path / "two.png", image)
    done = command("palette", tmp_path / "two.png", "-o", tmp_path / "p.png", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        "#0080ff   80.0%    0 128 255",
        "#000000   20.0%    0   0   0",
    ]
    assert read_image(tmp_path / "p.png").pixels.shape == (160, 960, 3)
