"""Tables of points, and the commands that use them."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from segment import FileError, InputError, SegmentError
from segment.cli.main import app
from segment.points.tables import Table, read_table, rounded, write_centers, write_labelled


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
    np.testing.assert_array_equal(read_table(path, "y,2").points, [[2, 1], [4, 3]])
    with pytest.raises(InputError, match="column 'z' does not exist; choose among id, x, y"):
        read_table(path, "z")
    array = np.arange(6.0).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_table(tmp_path / "a.npy", "3").points, array[:, 2:])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("x,y\n", "no rows"),
        ("1,2\n3\n", "ragged: row 2 has 1 columns, not 2"),
        ("x,y\n1,2\n3,4,5\n", "ragged: row 3 has 3 columns, not 2"),
        ("x,y\n1,2\n\n1,red\n3,4\n", "'red' in row 4, column 'y'"),
        ("x,y\n1,2\n1,\n", "'' in row 3, column 'y'"),
        ("x,y\n1,2\n1,nan\n", "nan in row 3, column 'y'"),
        ('x,y\n"a\nb",2\nc,oops\nd,3\n', "'oops' in row 4, column 'y'"),
        ('x,y\n"a,2\n', "never closed"),
        ("a,b\nc,d\n", "'c' in row 2, column 'a'"),
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
        read_table(written(tmp_path, "1", "a.xlsx"))
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(FileError, match="is no regular file"):
        read_table(tmp_path / "pipe.csv")


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04" + b"garbage" * 20, "is no NPY file"),
        (b"\x93NUMPY", "is no NPY file"),
        (b"\x93NUMPY\x09\x09\x10\x00", "is no NPY file"),
        (npy("{"), "is no NPY file"),
        (npy("(" * 100), "is no NPY file"),
        (npy("{'descr': 'O', 'fortran_order': False, 'shape': (2, 2)}"), "no 2-D array of numbers"),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (9**9, 2)}"), "is no NPY file"),
        (
            npy(
                "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 2)}", b"12345678"
            ),
            "promises 2000000000000 numbers, which need 16000000000000 bytes, and 8 follow",
        ),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -4)}", b"0" * 64), "no 2-D"),
    ],
)
def test_crafted_npy_files(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(FileError, match=message) as caught:
        read_table(tmp_path / "a.npy")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_files_are_read_as_numpy_reads_them(tmp_path: Path, order: Any) -> None:
    for dtype in ("<f8", ">f4", "i2", "u1", "?"):
        array = np.array([[1, 0, 1], [0, 1, 1]], dtype=dtype, order=order)
        np.save(tmp_path / "a.npy", array)
        np.testing.assert_array_equal(read_table(tmp_path / "a.npy").points, array)


@pytest.mark.parametrize(
    ("text", "name", "names"),
    [
        ("x|y\n1.5|2\n3|4\n", "a.csv", "x y"),
        ("x;y\n1,5;2\n3;4\n", "a.csv", "x y"),
        ("x\ty\n1,5\t2\n3\t4\n", "a.txt", "x y"),
        ("1,5 2\n3 4\n", "a.txt", "x0 x1"),
        ("name,x,y\na,1.5,2\nb,3,4\n", "a.csv", "x y"),
        ("a,1.5,2\nb,3,4\n", "a.csv", "x1 x2"),
        ("x,y,why\n1.5,2,\n3,4,\n", "a.csv", "x y"),
        ("# made by hand\n# x y\n1.5 2\n3 4\n", "a.txt", "x y"),
        ('"x";"y"\n"1,5";"2"\n"3";"4"\n', "a.csv", "x y"),
        ('when,x,y\n"Mon, 1",1.5,2\n"Tue\nor so",3,4\n', "a.csv", "x y"),
        ("x, y\n1.5, 2\n3, 4\n", "a.csv", "x y"),
        (",x,y\na,1.5,2\nb,3,4\n", "a.csv", "x y"),
        ("\tx\ty\na\t1.5\t2\nb\t3\t4\n", "a.tsv", "x y"),
    ],
)
def test_tables_of_every_layout(tmp_path: Path, text: str, name: str, names: str) -> None:
    table = read_table(written(tmp_path, text, name))
    np.testing.assert_array_equal(table.points, [[1.5, 2], [3, 4]])
    assert " ".join(table.names) == names


def test_decimal_commas_text_and_old_encodings_are_said(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("Höhe;Ort\n1,5;A\n3,25;B\n".encode("cp1252"))
    table = read_table(path)
    np.testing.assert_array_equal(table.points, [[1.5], [3.25]])
    assert table.names == ("Höhe",)
    assert " / ".join(table.notes) == (
        "text is read as Windows-1252, not UTF-8 / numbers are read with decimal commas / "
        "column without numbers left out: Ort"
    )
    path.write_bytes("Höhe\n1,5\n3\n".encode("utf-16"))
    np.testing.assert_array_equal(read_table(path).points, [[1.5], [3]])


def test_a_nameless_column_that_counts_the_rows_is_left_out(tmp_path: Path) -> None:
    """Pandas and R write one; a column that does anything else is kept."""
    for first in (0, 1):
        rows = "\n".join(f"{first + k},{k * k},{-k}" for k in range(9))
        table = read_table(written(tmp_path, f",x,y\n{rows}\n", f"{first}.csv"))
        assert table.names == ("x", "y")
        np.testing.assert_array_equal(table.points[:, 1], -np.arange(9.0))
        assert any("counts the rows" in note for note in table.notes)
        chosen = read_table(tmp_path / f"{first}.csv", "1-2")
        assert chosen.points.shape == (9, 2)
    named = read_table(written(tmp_path, "n,x\n0,5\n1,6\n2,8\n", "named.csv"))
    assert named.names == ("n", "x")
    kept = read_table(written(tmp_path, ",x\n0,5\n1,6\n3,8\n", "kept.csv"))
    assert kept.points.shape == (3, 2)


@pytest.mark.parametrize("mark", [";", ",", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_separator_that_excel_names_is_no_row(tmp_path: Path, mark: str, end: str) -> None:
    lines = [f"sep={mark}", f"x{mark}y", f"1.5{mark}2", f"3{mark}4"]
    table = read_table(written(tmp_path, end.join(lines) + end))
    assert table.names == ("x", "y")
    np.testing.assert_array_equal(table.points, [[1.5, 2], [3, 4]])
    with pytest.raises(FileError, match="row 5"):
        read_table(written(tmp_path, end.join([*lines, f"oh{mark}1"]), "bad.csv"), "1-2")


def test_ranges_of_columns(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,2-3,d\n1,2,3,4\n5,6,7,8\n")
    for columns, names in (("2-4", "b 2-3 d"), ("3-", "2-3 d"), ("d,1", "d a"), ("2-3", "2-3")):
        assert read_table(path, columns).names == tuple(names.split())
    for columns in ("0-2", "3-2", "1-9", "x", "-", "1,,2", "99999999999999"):
        with pytest.raises(InputError, match="does not exist"):
            read_table(path, columns)
    with pytest.raises(InputError, match="'b' is chosen twice"):
        read_table(path, "b,1-2")
    twice = written(tmp_path, "a,a\n1,2\n", "twice.csv")
    with pytest.raises(InputError, match="2 columns are named 'a'; give numbers"):
        read_table(twice, "a")


@pytest.mark.parametrize(
    ("text", "name", "out", "first"),
    [
        ("t\n1\n2\n", "a.csv", "o.csv", "t,label"),
        ("1\n2\n", "a.txt", "o.csv", "x0,label"),
        ("x y\n1 2\n", "a.txt", "o.csv", "x,y,label"),
        ("x y\n1 2\n", "a.txt", "o.tsv", "x\ty\tlabel"),
        ("x;y\n1,5;2\n", "a.csv", "o.csv", "x;y;label"),
        ("x y\n1,5 2\n", "a.txt", "o.csv", "x;y;label"),
        ("x\ty\n1\t2\n", "a.tsv", "o.csv", "x,y,label"),
        ("Label,y\n1,2\n", "a.csv", "o.csv", "Label,y,label_2"),
        ("label,label_2\n1,2\n", "a.csv", "o.csv", "label,label_2,label_3"),
        ("label,y\na,2\n", "a.csv", "o.csv", "label,y,label_2"),
    ],
)
def test_what_is_written_reads_back(
    tmp_path: Path, text: str, name: str, out: str, first: str
) -> None:
    table = read_table(written(tmp_path, text, name))
    rows = len(table.points)
    write_labelled(tmp_path / out, table, np.zeros(rows, np.int64), overwrite=False)
    assert (tmp_path / out).read_text().splitlines()[0] == first
    columns = ",".join(table.names) if table.header else f"1-{len(table.names)}"
    np.testing.assert_array_equal(read_table(tmp_path / out, columns).points, table.points)
    centers = np.array([[1e-300, 0.1 + 0.2, 1.7e12 + 0.123][: len(table.names)]])
    write_centers(tmp_path / f"c{out[-4:]}", table, centers, np.array([rows]), overwrite=False)
    read = read_table(tmp_path / f"c{out[-4:]}")
    np.testing.assert_array_equal(read.points[:, 2:], centers)
    assert len({n.casefold() for n in read.names}) == len(read.names)


@pytest.mark.parametrize(
    ("value", "bandwidth", "text"),
    [
        (1.7e12 + 123.4, 1000.0, "1700000000123"),
        (4_512_345.678, 2.5, "4512345.68"),
        (-0.0001, 1.0, "0.00"),
        (3.14159e-300, 1e-301, "3.142e-300"),
        (2.5e300, 1e299, "2.50e+300"),
        (0.0, 1e-200, "0"),
    ],
)
def test_centres_are_shown_with_the_digits_of_the_bandwidth(
    value: float, bandwidth: float, text: str
) -> None:
    assert float(rounded(value, bandwidth)) == float(text)
    assert len(rounded(value, bandwidth)) <= len(text) + 1


def test_segment_points_of_standard_input_and_scaled(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spots = rng.normal(0, 0.05, (60, 2)) + np.array([[0, 0], [1, 1]]).repeat([40, 20], axis=0)
    spots[:, 1] = spots[:, 1] * 1e9 + 1e12
    rows = "".join(f"p{i};{x!r};{y!r}\n" for i, (x, y) in enumerate(spots.tolist()))
    with contextlib.chdir(tmp_path):
        done = CliRunner().invoke(
            app,
            ["points", "-", "--scale", "-b", "0.5", "-o", "o.csv"],
            input="n;x\x1b[31m;y\n" + rows,
        )
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("60 points, 2 clusters; gaussian kernel, bandwidth 0.")
    assert "column without numbers left out: n" in done.stderr
    assert "\x1b" not in done.stdout
    assert "x\\x1b[31m" in done.stdout
    labels = np.loadtxt(tmp_path / "o.csv", delimiter=";", skiprows=1, usecols=3)
    np.testing.assert_array_equal(labels, np.repeat([0, 1], [40, 20]))


def test_segment_points_demo_without_matplotlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segment.cli.points.has_matplotlib", lambda: False)
    done = command("points", "--demo", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "300 points, 4 clusters" in done.stdout
    assert "pip install 'segment[plot]'" in done.stderr
    assert not list(tmp_path.iterdir())
    asked = command("points", "--demo", "--plot", "a.png", cwd=tmp_path)
    assert asked.exit_code == 1
    assert "plotting needs the 'plot' extra" in asked.stderr


def test_mangled_tables_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    """Random damage to tables of every kind: an answer or a SegmentError, nothing else."""
    from tests.points.fuzz import damaged

    read, refused = 0, []
    for number, (name, data) in enumerate(damaged(seed=0, count=600)):
        path = tmp_path / f"{number}{name}"
        path.write_bytes(data)
        try:
            table = read_table(path)
        except SegmentError as error:
            refused.append(str(error))
            continue
        read += 1
        assert np.isfinite(table.points).all()
        assert table.points.shape[1] == len(table.names) > 0
        write_labelled(
            path.with_suffix(".out.csv"),
            table,
            np.zeros(len(table.points), np.int64),
            overwrite=True,
        )
    assert all(message.isprintable() and len(message) < 1000 for message in refused)
    assert min(read, len(refused)) > 30


def test_labels_stand_beside_the_rows_as_they_were(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "id,x\n007,1.50\nb,9\n"), "x")
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


def test_small_clusters_are_outliers_if_asked(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([[[40.0, 0], [0, 40]], rng.normal(0, 0.5, (100, 2))])
    np.savetxt(tmp_path / "a.csv", points, delimiter=",")
    alone = command("points", "a.csv", "-b", "2", cwd=tmp_path)
    assert "102 points, 3 clusters" in alone.stdout
    assert "2 of the clusters are one point each; --min-size 2" in alone.stderr
    done = command("points", "a.csv", "-b", "2", "--min-size", "2", "-o", "o.csv", cwd=tmp_path)
    assert "102 points, 1 cluster;" in done.stdout
    assert "2   2.0%  in clusters too small" in done.stdout
    assert not done.stderr
    rows = (tmp_path / "o.csv").read_text().splitlines()
    assert [row.rsplit(",", 1)[1] for row in rows[-102:]] == ["-1"] * 2 + ["0"] * 100
    wrong = command("points", "a.csv", "--min-size", "0", cwd=tmp_path)
    assert (wrong.exit_code, wrong.stderr.count("\n")) == (1, 1)
