"""``segment image``: files in, files out, and what is said about it."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import segment
import segment.workflow
from segment.cli import main
from segment.images import read_image, write_image

ROOT = Path(__file__).parents[2]
DEFAULT_OUTPUTS = [
    "a.json", "a.labels.png", "a.overlay.png", "a.posterized.png", "a.preview.png"
]  # fmt: skip


def halves(dtype: type = np.uint8, shape: tuple[int, ...] = (24, 30, 3)) -> np.ndarray:
    top = 1.0 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    pixels = np.full(shape, 0.2 * top)
    pixels[:, shape[1] // 2 :] = 0.8 * top
    return pixels.astype(dtype)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a picture a.png; the current one."""
    monkeypatch.chdir(tmp_path)
    write_image("a.png", halves())
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(main.app, ["image", *args])


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def refused(result: Result, *words: str) -> None:
    """Check that there was one line on stderr with these words, and exit code 1."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("segment: ")
    assert result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert word in result.stderr


def misused(result: Result, *words: str) -> None:
    """Check that the usage was found wrong, with these words, and exit code 2."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Usage: segment image")
    for word in words:
        assert word in result.stderr


# what is written and said


def test_one_line_and_the_promised_files(folder: Path) -> None:
    result = run("a.png")
    assert result.exit_code == 0, result.output
    assert written(folder / "outputs") == DEFAULT_OUTPUTS
    assert result.stdout.count("\n") == 1
    assert result.stdout.startswith("a.png: 2 regions, 30x24, ")
    assert "outputs/a.{labels.png,posterized.png,overlay.png,preview.png,json}" in result.stdout


def test_labels_are_those_of_the_api(folder: Path) -> None:
    noisy = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    write_image("b.png", noisy)
    options = {
        "spatial_bandwidth": 4.0,
        "range_bandwidth": 20.0,
        "min_size": 9,
        "kernel": "epanechnikov",
        "color_space": "lab",
        "engine": "exact",
        "connectivity": 2,
        "max_iter": 30,
        "tol": 0.5,
    }
    args = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    result = run("b.png", "--save", "all", *args)
    assert result.exit_code == 0, result.output
    expected = segment.mean_shift(noisy, **options)
    out = folder / "outputs"
    assert expected.n_regions > 2
    assert np.array_equal(read_image(out / "b.labels.png").pixels, expected.labels)
    assert np.array_equal(read_image(out / "b.posterized.png").pixels, expected.posterized)
    del options["min_size"], options["connectivity"]
    filtered = segment.mean_shift_filter(noisy, **options)
    assert np.array_equal(read_image(out / "b.filtered.png").pixels, filtered)


@pytest.mark.parametrize("short", ["-s9", "-r30", "-m60", "-kgaussian", "-crgb", "-t1"])
def test_short_forms_are_understood(folder: Path, short: str) -> None:
    long = {"s": "spatial_bandwidth", "r": "range_bandwidth", "m": "min_size"}
    long |= {"k": "kernel", "c": "color_space"}
    assert run("a.png", short).exit_code == 0
    params = json.loads((folder / "outputs/a.json").read_text())["params"]
    if short[1] != "t":
        assert str(params[long[short[1]]]).removesuffix(".0") == short[2:]


@pytest.mark.parametrize(
    ("dtype", "shape"),
    [(np.uint8, (24, 30)), (np.uint16, (24, 30, 3)), (np.float32, (24, 30))],
)
def test_other_depths(folder: Path, dtype: type, shape: tuple[int, ...]) -> None:
    write_image("b.tif", halves(dtype, shape))
    result = run("b.tif")
    assert result.exit_code == 0, result.output
    back = read_image(folder / "outputs/b.posterized.tif").pixels
    assert (back.dtype, back.shape) == (dtype, shape)


def test_many_bands_in_their_own_units(folder: Path) -> None:
    write_image("b.tif", halves(np.uint16, (24, 30, 5)))
    refused(run("b.tif"), "b.tif: image", "--color-space none")
    result = run("b.tif", "--color-space", "none", "-r", "2000", "--save", "all")
    assert result.exit_code == 0, result.output
    assert read_image(folder / "outputs/b.posterized.tif").pixels.shape == (24, 30, 5)


def test_transparent_pixels_get_label_0(folder: Path) -> None:
    alpha = np.full((24, 30), 255, np.uint8)
    alpha[:, 10:20] = 0
    write_image("b.png", halves(), alpha=alpha)
    assert run("b.png").exit_code == 0
    labels = read_image(folder / "outputs/b.labels.png").pixels
    assert np.array_equal(labels == 0, alpha == 0)
    assert len(np.unique(labels)) == 3


def test_json_is_one_object_a_picture(folder: Path) -> None:
    write_image("b.png", halves())
    result = run("a.png", "b.png", "--json")
    facts = [json.loads(line) for line in result.stdout.splitlines()]
    assert [fact["input"] for fact in facts] == ["a.png", "b.png"]
    assert facts[0]["n_regions"] == 2
    assert set(facts[0]["seconds"]) == {"read", "segment", "merge", "save"}
    for path in facts[0]["outputs"].values():
        assert Path(path).exists()


def test_json_holds_the_table_of_regions_where_that_is_saved(folder: Path) -> None:
    result = run("a.png", "--json", "--save", "regions", "--properties", "solidity")
    found = json.loads(result.stdout)["regions"]
    labels = segment.read_image("a.png").pixels
    table = segment.mean_shift(labels).regions(("solidity",))
    assert [row["label"] for row in found] == [1, 2]
    assert [list(row) for row in found] == [list(table)] * 2
    assert [row["area"] for row in found] == table["area"].tolist()
    refused = run("a.png", "--save", "labels", "--properties", "solidity,extent")
    assert "--properties solidity,extent goes with regions" in refused.stderr


def test_quiet_says_nothing(folder: Path) -> None:
    result = run("a.png", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert written(folder / "outputs") == DEFAULT_OUTPUTS


def test_one_bad_picture_does_not_stop_the_others(folder: Path) -> None:
    write_image("b.png", halves())
    result = run("a.png", "missing.png", "b.png")
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["a.png", "b.png"]
    assert result.stderr.count("\n") == 1
    assert "missing.png" in result.stderr


def test_odd_file_names(folder: Path) -> None:
    names = ["with space.png", "new\nline.png", "-dash.png", "ünï.png", "x" * 251 + ".png"]
    if sys.platform == "linux":
        names.append(os.fsdecode(b"not-\xff-utf8.png"))
    for name in names:
        write_image(name, halves())
    result = run("--", *names)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == len(names)
    assert len(written(folder / "outputs")) == 5 * len(names)


def test_standard_input_to_standard_output(folder: Path) -> None:
    command = [sys.executable, "-m", "segment", "image", "-", "-o", "-", "--save", "labels"]
    data = Path("a.png").read_bytes()
    result = subprocess.run(
        command, input=data, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert result.returncode == 0, result.stderr
    Path("labels.png").write_bytes(result.stdout)
    assert read_image("labels.png").pixels.max() == 2
    assert written(folder) == ["a.png", "labels.png"]


# what is refused, before anything is computed


@pytest.fixture
def no_computing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        pytest.fail("computed before checking")

    monkeypatch.setattr("segment.images.read_image", fail)


@pytest.mark.usefixtures("no_computing")
class TestRefusals:
    def test_existing_outputs(self, folder: Path) -> None:
        target = folder / "outputs" / "a.labels.tif"
        target.parent.mkdir()
        target.touch()
        refused(run("a.png"), "a.labels.tif", "--overwrite")
        assert written(folder / "outputs") == ["a.labels.tif"]

    def test_an_input_as_output(self, folder: Path) -> None:
        Path("a.overlay.png").touch()
        refused(run("a.png", "a.overlay.png", "-o", ".", "--overwrite"), "is an input")

    def test_a_file_in_place_of_the_folder(self, folder: Path) -> None:
        Path("taken").write_text("kept")
        refused(run("a.png", "-o", "taken"), "taken", "it is a file")
        refused(run("a.png", "-o", "taken/sub"), "taken/sub")
        assert Path("taken").read_text() == "kept"

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_cannot_be_written(self, folder: Path) -> None:
        Path("locked").mkdir(mode=0o500)
        refused(run("a.png", "-o", "locked"), "locked", "permission denied")

    @pytest.mark.parametrize(
        "args",
        [
            ["--spatial-bandwidth", "0"],
            ["--spatial-bandwidth", "-1"],
            ["--range-bandwidth", "nan"],
            ["--range-bandwidth", "inf"],
            ["--min-size", "-1"],
            ["--kernel", "cubic"],
            ["--color-space", "hsv"],
            ["--engine", "slow"],
            ["--connectivity", "3"],
            ["--max-iter", "0"],
            ["--tol", "0"],
            ["--n-threads", "0"],
            ["--save", "labels,pdf"],
        ],
    )
    def test_values_that_mean_nothing(self, folder: Path, args: list[str]) -> None:
        value = args[1].removeprefix("labels,")
        option = "" if args[0] == "--save" else args[0]
        misused(run("a.png", *args), value, option)
        assert written(folder) == ["a.png"]

    @pytest.mark.parametrize(
        "args",
        [["--spatial-bandwidth", "wide"], ["--min-size", "2.5"], ["--page", "x"], ["--foo"], []],
    )
    def test_wrong_usage(self, folder: Path, args: list[str]) -> None:
        result = run("a.png", *args) if args else run()
        assert result.exit_code == 2
        assert "Usage" in result.stderr
        assert written(folder) == ["a.png"]

    @pytest.mark.parametrize(
        "args", [["a.png", "-o", "-"], ["a.png", "b.png", "-o", "-", "--save", "labels"]]
    )
    def test_more_than_one_file_to_standard_output(self, folder: Path, args: list[str]) -> None:
        misused(run(*args), "-o -", "give one IMAGE and one kind")

    def test_two_things_to_standard_output(self, folder: Path) -> None:
        misused(run("a.png", "-o", "-", "--save", "labels", "--json"), "--json and -o -")

    def test_two_answers_for_what_exists(self, folder: Path) -> None:
        misused(run("a.png", "--overwrite", "--on-exists", "skip"), "--on-exists skip")
        misused(run("a.png", "--on-exists", "ask"), "--on-exists ask", "error, skip, overwrite")


# what cannot be read


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n"])
def test_files_that_are_no_images(folder: Path, content: bytes) -> None:
    Path("bad.png").write_bytes(content)
    refused(run("bad.png"), "bad.png")
    assert written(folder / "outputs") == []


def test_missing_files(folder: Path) -> None:
    refused(run("missing.png"), "missing.png", "no such file")


def test_a_file_that_may_not_be_read_does_not_stop_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image("b.png", halves())
    opened = os.open

    def refusing(path: str, *args: int, **kwargs: int) -> int:
        if os.fspath(path) == "a.png":
            raise PermissionError(errno.EACCES, "permission denied", path)
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(os, "open", refusing)
    monkeypatch.setattr(os, "access", lambda path, mode, **_: os.fspath(path) != "a.png")
    result = run("a.png", "b.png")
    assert result.exit_code == 1
    assert result.stdout.startswith("b.png: 2 regions")


def test_one_picture_without_memory_does_not_stop_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image("b.png", halves())
    made = segment.workflow.make

    def hungry(source: Path, *args: object, **kwargs: object) -> object:
        if source.name == "a.png":
            raise MemoryError
        return made(source, *args, **kwargs)

    monkeypatch.setattr("segment.workflow.make", hungry)
    result = run("a.png", "b.png")
    assert result.exit_code == 1
    assert result.stdout.startswith("b.png: 2 regions")
    assert result.stderr == (
        "segment: a.png: out of memory; use a smaller picture, or fewer --jobs\n"
    )


# which files, under which names


def test_pictures_of_one_name_keep_more_of_it(folder: Path) -> None:
    for name in ("a.bmp", "sub/a.png"):
        Path(name).parent.mkdir(exist_ok=True)
        write_image(name, halves())
    result = run("a.png", "a.bmp", "sub/a.png", "a.png", "--save", "labels")
    assert result.exit_code == 0, result.output
    assert written(folder / "outputs") == [
        "a.bmp.labels.png",
        "sub-a.png.labels.png",
        f"{folder.name}-a.png.labels.png",
    ]


def test_one_file_can_be_named(folder: Path) -> None:
    result = run("a.png", "--save", "overlay", "-o", "new/outlined.png")
    assert result.exit_code == 0, result.output
    assert result.stdout.endswith(" -> new/outlined.png\n")
    assert run("a.png", "--save", "overlay", "-o", "b.json").exit_code == 2
    misused(run("a.png", "-o", "new/b.png"), "new/b.png names one file, not 5 of 1")
    refused(run("a.png", "--save", "overlay", "-o", "new/outlined.png"), "exists", "--overwrite")
    assert written(folder / "new") == ["outlined.png"]
    assert read_image("new/outlined.png").pixels.shape == (24, 30, 3)


def test_outlines_have_the_colour_and_width_asked_for(folder: Path) -> None:
    args = ("a.png", "--save", "overlay", "--outline-color", "red", "-o")
    assert run(*args, "thin.png").exit_code == run(*args, "b.png", "--outline-width", "5").exit_code
    thin, wide = (
        np.ptp(read_image(name).pixels.astype(int), axis=2) > 128 for name in ("thin.png", "b.png")
    )
    assert 0 < thin.sum() < wide.sum() / 2
    misused(run(*args, "c.png", "--outline-width", "0"), "--outline-width 0")
    misused(run("a.png", "--outline-color", "reddish"), "'reddish' is no colour")
    misused(run("a.png", "--save", "labels", "--outline-width", "2"), "goes with overlay or sheet")


def test_the_table_has_the_columns_asked_for(folder: Path) -> None:
    args = ("a.png", "--save", "regions", "-o", "a.csv", "--properties")
    assert run(*args, "solidity, extent").exit_code == 0
    header, *rows = Path("a.csv").read_text().splitlines()
    assert header.endswith(",perimeter,solidity,extent")
    assert len(rows) == 2
    result = run(*args, "roundness", "--overwrite")
    assert result.exit_code == 1
    assert "--properties roundness is unknown" in result.stderr


def test_an_overlay_keeps_alpha(folder: Path) -> None:
    alpha = np.full((24, 30), 200, np.uint8)
    alpha[:6] = 0
    write_image("b.png", halves(), alpha=alpha)
    assert run("b.png", "--save", "overlay", "-o", "out.png").exit_code == 0
    found = read_image("out.png")
    assert np.array_equal(found.alpha, alpha)
    assert np.array_equal(found.pixels[0, :9], halves()[0, :9])  # not faded under it


def test_of_a_folder_its_pictures_are_taken(folder: Path) -> None:
    Path("in/deep").mkdir(parents=True)
    for name in ("in/b.png", "in/deep/c.png"):
        write_image(name, halves())
    Path("in/notes.txt").touch()
    result = run("in", "a.png", "--save", "labels")
    assert result.exit_code == 0, result.output
    assert written(folder / "outputs") == ["a.labels.png", "b.labels.png"]
    refused(run("in/deep/.."), "exist", "--on-exists skip")
    Path("empty").mkdir()
    refused(run("empty"), "no pictures in empty", "segment batch")


def test_what_is_done_can_be_left_out(folder: Path) -> None:
    assert run("a.png", "--save", "labels").exit_code == 0
    before = Path("outputs/a.labels.png").stat()
    write_image("b.png", halves())
    result = run("a.png", "b.png", "--save", "labels", "--on-exists", "skip")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("b.png: ")
    assert "a.png: left out" in result.stderr
    assert Path("outputs/a.labels.png").stat() == before


def test_what_is_not_done_yet_is_made(folder: Path) -> None:
    """As after a run that was killed while it saved: files are whole, but not all there."""
    kinds = ("--save", "labels,overlay,svg,json")
    assert run("a.png", *kinds).exit_code == 0
    whole = {path.name: path.read_bytes() for path in Path("outputs").iterdir()}
    before = Path("outputs/a.labels.png").stat()
    Path("outputs/a.overlay.png").unlink()
    Path("outputs/a.json").unlink()
    Path("outputs/a.svg").write_bytes(b"")
    result = run("a.png", *kinds, "--on-exists", "skip")
    assert result.exit_code == 0, result.output
    assert "a.{labels.png,overlay.png,svg,json}" in result.stdout
    assert Path("outputs/a.labels.png").stat() == before
    again = {path.name: path.read_bytes() for path in Path("outputs").iterdir()}
    assert again.keys() == whole.keys()
    for name in ("a.overlay.png", "a.svg"):
        assert again[name] == whole[name]
    facts = [json.loads(files["a.json"]) for files in (whole, again)]
    assert facts[0]["outputs"] == facts[1]["outputs"]
    assert "a.png: left out" in run("a.png", *kinds, "--on-exists", "skip").stderr


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_a_killed_run_is_completed(folder: Path) -> None:
    """Killed before its second file gets its name."""
    program = """
import os, signal
from segment.exports import writers
writers.write_overlay = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from segment.__main__ import run
run()
"""
    options = ("image", "a.png", "--save", "labels,overlay")
    killed = subprocess.run(
        [sys.executable, "-c", program, *options], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert killed.returncode == -signal.SIGKILL
    assert written(folder / "outputs") == ["a.labels.png"]
    result = run(*options[1:], "--on-exists", "skip")
    assert result.exit_code == 0, result.output
    assert written(folder / "outputs") == ["a.labels.png", "a.overlay.png"]


def test_several_at_a_time_give_the_same_in_the_same_order(folder: Path) -> None:
    names = [f"{k}.png" for k in range(6)]
    rng = np.random.default_rng(0)
    for name in names:
        write_image(name, rng.integers(0, 255, (30, 40, 3), np.uint8))
    Path("3.png").write_bytes(b"broken")
    run("0.png", "--json", "-o", "first")  # may compile, and then says so
    one, two = (run(*names, "--json", "-o", f"by{n}", "--jobs", str(n)) for n in (1, 3))
    assert one.exit_code == two.exit_code == 1
    assert one.stderr == two.stderr
    facts = [[json.loads(line) for line in r.stdout.splitlines()] for r in (one, two)]
    assert [f["input"] for f in facts[0]] == [f["input"] for f in facts[1]]
    assert len(facts[0]) == 5
    for name in written(folder / "by1"):
        if not name.endswith(".json"):
            assert Path("by1", name).read_bytes() == Path("by3", name).read_bytes()


def test_words_wait_for_the_turn_of_their_picture(folder: Path) -> None:
    write_image("large.png", np.random.default_rng(0).integers(0, 255, (600, 800, 3), np.uint8))
    Path("broken.png").write_bytes(b"broken")  # is refused long before large.png is done
    run("a.png", "-o", "first")  # may compile, and then says so
    printed = run("large.png", "broken.png", "a.png", "--jobs", "3").output.splitlines()
    names = [
        name
        for line in printed
        for name in ("large", "broken", "a")
        if f" {name}.png" in f" {line}"
    ]
    assert names == ["large", "large", "broken", "a"], printed  # first a word about large.png


def test_the_time_that_is_printed_is_the_sum_of_the_stages(folder: Path) -> None:
    result = run("a.png", "-v")
    first, second = result.stdout.splitlines()
    printed = float(first.split(", ")[2].split(" s")[0])
    parts = [float(part.split()[1]) for part in second.split(", ")]
    assert second.split()[0] == "read"
    assert abs(sum(parts) - printed) <= 0.01 * len(parts)


def test_too_many_pixels(folder: Path) -> None:
    refused(run("a.png", "--max-pixels", "100"), "a.png", "--max-pixels")


def test_a_truncated_file_is_taken_only_when_told(folder: Path) -> None:
    data = (ROOT / "images" / "chelsea.png").read_bytes()
    Path("cut.png").write_bytes(data[: len(data) * 2 // 3])
    refused(run("cut.png"), "cut.png", "--accept-damaged")
    result = run("cut.png", "--accept-damaged")
    assert result.exit_code == 0
    assert "cut.png: it is damaged" in result.stderr


# the smallest and the emptiest


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 40), (40, 1, 3)])
def test_tiny_pictures(folder: Path, shape: tuple[int, ...]) -> None:
    write_image("tiny.png", np.full(shape, 99, np.uint8))
    result = run("tiny.png", "--save", "all")
    assert result.exit_code == 0, result.output
    assert "tiny.png: 1 region, " in result.stdout


def test_a_picture_that_is_transparent_all_over(folder: Path) -> None:
    write_image("void.png", halves(), alpha=np.zeros((24, 30), np.uint8))
    result = run("void.png", "--save", "all")
    assert result.exit_code == 0, result.output
    assert "void.png: 0 regions, " in result.stdout
    assert not read_image("outputs/void.labels.png").pixels.any()


# while it works


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_run_leaves_nothing_half_done(folder: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1200, 3)).astype(np.uint8)
    write_image("big.png", noise)
    process = subprocess.Popen(
        [sys.executable, "-m", "segment", "image", "big.png", "-s", "40", "-r", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    deadline = time.monotonic() + 60
    while not Path("outputs").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stdout == ""
    assert "Traceback" not in stderr
    assert written(folder / "outputs") == []


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_progress_is_live_on_a_terminal_and_leaves_stdout_alone(folder: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "segment", "image", "a.png"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    stdout, _ = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 0
    assert b"a.png: " in shown
    assert b"\x1b[" in shown
    assert stdout.startswith("a.png: 2 regions")
    assert "\x1b" not in stdout
