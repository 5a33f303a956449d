"""A run that was stopped goes on: killed, interrupted, out of space, on other options."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import segment
from segment.scenes import Progress
from segment.scenes import run as runs
from segment.scenes import work as works
from segment.scenes.store import Store, scratch_folder
from tests.scenes.conftest import BANDWIDTHS, read_raster, write_raster

Whole = Callable[..., NDArray[np.int32]]

PROGRAM = """
import sys, time, segment
from segment.scenes import work as works
do = works.do_tile
def slow(work, k, part):
    done = do(work, k, part)
    time.sleep(0.2)
    return done
works.do_tile = slow
segment.scene(sys.argv[1], sys.argv[2], tile=1, jobs=1, spatial_bandwidth=3, range_bandwidth=8)
"""


class StoppedError(Exception):
    pass


def stop_after(n: int) -> Callable[[Progress], None]:
    def watch(progress: Progress) -> None:
        if progress.stage == "climbing" and progress.done >= n:
            raise StoppedError

    return watch


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the tiles that are done from now on."""
    done: list[int] = []
    real = works.do_tile

    def do_tile(work: Any, k: int, part: Any) -> Any:
        done.append(k)
        return real(work, k, part)

    monkeypatch.setattr(works, "do_tile", do_tile)
    return done


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_killed_at_any_moment(
    raster: Path, tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    dst = tmp_path / "dst.tif"
    folder = scratch_folder(dst, None)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(raster), str(dst)])
    deadline = time.monotonic() + 60
    while len(list(folder.glob("*.tile"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not dst.exists()
    kept = len(list(folder.glob("*.tile")))
    assert kept >= 2
    report = segment.scene(raster, dst, tile=1, **BANDWIDTHS)
    assert report.reused == kept
    np.testing.assert_array_equal(read_raster(dst), whole(photograph))
    assert not folder.exists()


def test_finished_tiles_are_not_done_again(
    raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dst = tmp_path / "dst.tif"
    with pytest.raises(StoppedError):
        segment.scene(raster, dst, tile=1, jobs=1, progress=stop_after(3), **BANDWIDTHS)
    assert not dst.exists()
    done = counting(monkeypatch)
    # Without a tile's size, with other jobs and another smallest region: the same tiles.
    report = segment.scene(raster, dst, jobs=2, min_size=50, **BANDWIDTHS)
    assert report.reused == 3
    assert len(done) == report.n_tiles - 3
    assert any("going on: 3 of" in note for note in report.notes)
    expected = segment.mean_shift(segment.read_image(raster).pixels, min_size=50, **BANDWIDTHS)
    np.testing.assert_array_equal(read_raster(dst), expected.labels)


@pytest.mark.parametrize("change", ["input", "parameter", "bands", "tile"])
def test_what_has_changed_starts_anew_and_says_so(
    change: str, raster: Path, tmp_path: Path, photograph: NDArray[np.uint8]
) -> None:
    dst, options = tmp_path / "dst.tif", {"tile": 1, **BANDWIDTHS}
    with pytest.raises(StoppedError):
        segment.scene(raster, dst, jobs=1, progress=stop_after(2), **options)
    if change == "input":
        write_raster(raster, photograph[::-1])
    else:
        options |= {"parameter": {"tol": 0.2}, "bands": {"bands": (3, 2, 1)}, "tile": {"tile": 90}}[
            change
        ]
    report = segment.scene(raster, dst, **options)
    assert report.reused == 0
    word = {"parameter": "tol", "tile": "tile"}.get(change, "source")
    assert f"starting anew: {word} changed since the last run" in report.notes


def test_a_damaged_tile_of_an_earlier_run_is_done_again(
    raster: Path, tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    dst = tmp_path / "dst.tif"
    with pytest.raises(StoppedError):
        segment.scene(raster, dst, tile=1, jobs=1, progress=stop_after(4), **BANDWIDTHS)
    tiles = sorted(scratch_folder(dst, None).glob("*.tile"))
    data = bytearray(tiles[0].read_bytes())
    data[-5] ^= 1
    tiles[0].write_bytes(data)
    tiles[1].write_bytes(tiles[1].read_bytes()[:-1])
    tiles[2].write_bytes(b"")
    report = segment.scene(raster, dst, tile=1, **BANDWIDTHS)
    assert report.reused == 1
    np.testing.assert_array_equal(read_raster(dst), whole(photograph))


def test_killed_between_two_names(
    raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dst, table = tmp_path / "dst.tif", tmp_path / "t.csv"
    real = runs.publish

    def publish(path: Path) -> None:
        if path == dst:
            raise StoppedError
        real(path)

    with monkeypatch.context() as patch:
        patch.setattr(runs, "publish", publish)
        with pytest.raises(StoppedError):
            segment.scene(raster, dst, table=table, **BANDWIDTHS)
    assert table.exists()
    assert not dst.exists()
    assert segment.scene(raster, dst, table=table, **BANDWIDTHS).reused == 1
    assert dst.exists()


def test_a_full_disk_keeps_what_is_done(
    raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dst = tmp_path / "dst.tif"
    real, saved = Store.save, []

    def save(self: Store, key: str, arrays: Any) -> int:
        if len(saved) == 2:
            from segment.files import file_error

            raise file_error(self.folder, OSError(28, "No space left on device"), "write to")
        saved.append(key)
        return real(self, key, arrays)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "save", save)
        with pytest.raises(segment.FileError) as caught:
            segment.scene(raster, dst, tile=1, jobs=1, **BANDWIDTHS)
    message = str(caught.value)
    assert message.startswith("stopped after 2 of ")
    assert "the disk is full" in message
    assert "running the same again goes on from there" in message
    assert segment.scene(raster, dst, tile=1, **BANDWIDTHS).reused == 2


def test_an_error_while_writing_leaves_no_part(
    raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise segment.FileError("no")

    with monkeypatch.context() as patch:
        patch.setattr("segment.scenes.statistics.Statistics.add", fail)
        with pytest.raises(segment.FileError, match="no"):
            segment.scene(raster, tmp_path / "dst.tif", table=tmp_path / "t.csv", **BANDWIDTHS)
    assert {path.suffix for path in tmp_path.iterdir()} == {".tif", ".segment-scene"}
    assert len(list(tmp_path.glob("*.tif"))) == 1


def test_two_runs_at_once(raster: Path, tmp_path: Path) -> None:
    dst = tmp_path / "dst.tif"
    program = (
        "import sys; from pathlib import Path; from segment.scenes.store import hold\n"
        "with hold(Path(sys.argv[1])):\n    print('held', flush=True); input()"
    )
    folder = scratch_folder(dst, None)
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    try:
        with pytest.raises(segment.FileError, match=f"in use by another run .process {other.pid}"):
            segment.scene(raster, dst, **BANDWIDTHS)
    finally:
        other.communicate("\n")
    assert segment.scene(raster, dst, **BANDWIDTHS).n_regions > 1


def test_scratch_elsewhere(raster: Path, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    with pytest.raises(StoppedError):
        segment.scene(
            raster, tmp_path / "dst.tif", scratch=tmp_path / "scratch", tile=1, jobs=1,
            progress=stop_after(1), **BANDWIDTHS,
        )  # fmt: skip
    (folder,) = (tmp_path / "scratch").iterdir()
    assert json.loads((folder / "scene.json").read_text())["fingerprint"]["tile"] > 1
    segment.scene(raster, tmp_path / "dst.tif", scratch=tmp_path / "scratch", **BANDWIDTHS)
    assert not list((tmp_path / "scratch").iterdir())


def test_scratch_that_holds_something_else(raster: Path, tmp_path: Path) -> None:
    folder = scratch_folder(tmp_path / "dst.tif", None)
    folder.mkdir()
    (folder / "thesis.doc").touch()
    with pytest.raises(segment.FileError, match=r"it holds thesis\.doc, which is not ours"):
        segment.scene(raster, tmp_path / "dst.tif", **BANDWIDTHS)
    assert (folder / "thesis.doc").exists()
