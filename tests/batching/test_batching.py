"""Batches that run: workers, crashes, resuming, Ctrl-C, a full disk, the contact sheet."""

from __future__ import annotations

import dataclasses
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

import segment
from segment.batching import BatchOptions, pool
from segment.batching.manifest import MANIFEST, read_manifest
from segment.batching.picture import Task, process
from segment.batching.plan import survey
from segment.batching.report import Progress
from segment.batching.sheet import write_sheet
from segment.errors import ExtraError, FileError, InputError, SegmentError
from segment.images import read_image, write_image
from segment.params import DEFAULT_KINDS
from segment.workflow import Recipe

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)
HOSTILE = ' "<img src=x onerror=alert(1)>&quot;\n.png'


def picture(path: Path, shape: tuple[int, ...] = (24, 32, 3)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = RNG.integers(0, 256, (2, 2, *shape[2:]), np.uint8)
    pixels = blocks.repeat(shape[0] // 2, axis=0).repeat(shape[1] // 2, axis=1)
    return write_image(path, pixels)


@pytest.fixture
def src(tmp_path: Path) -> Path:
    for name in ("a.png", "sub/b.tif", "sub/-c d.bmp"):
        picture(tmp_path / "src" / name)
    (tmp_path / "src" / "bad.jpg").write_bytes(b"no picture")
    return tmp_path / "src"


def task(src: Path, dst: Path, **changes: object) -> Task:
    options = BatchOptions()
    given = Task(str(src), str(dst), options.recipe, options.fingerprint())
    assert Task.from_dict(json.loads(json.dumps(given.as_dict()))) == given  # as it is sent
    return dataclasses.replace(given, **changes)  # type: ignore[arg-type]


def left_behind(folder: Path) -> list[Path]:
    return list(folder.rglob(".segment-*.tmp"))


# One picture.


def test_one_picture_becomes_its_outputs_and_a_line(src: Path, tmp_path: Path) -> None:
    asked: list[int] = []
    job = {"input": "sub/b.tif", "stem": "sub/b", "overwrite": False}
    entry = process(task(src, tmp_path / "dst"), job, asked.append)
    assert entry["status"] == "ok"
    assert entry["regions"] == read_image(tmp_path / "dst/sub/b.labels.png").pixels.max()
    assert set(entry["outputs"]) == set(DEFAULT_KINDS)
    assert all((tmp_path / "dst" / name).exists() for name in entry["outputs"].values())
    assert entry["size"] == (src / "sub/b.tif").stat().st_size
    assert asked[0] > 24 * 32
    json.dumps(entry)


def test_a_failure_is_a_line_too(src: Path, tmp_path: Path) -> None:
    job = {"input": "bad.jpg", "stem": "bad", "overwrite": False}
    entry = process(task(src, tmp_path / "dst"), job)
    assert entry["status"] == "failed"
    assert "bad.jpg" in entry["error"]
    assert entry["size"] == len(b"no picture")
    assert not (tmp_path / "dst").exists()


@pytest.mark.skipif(os.name == "nt", reason="pipes with names")
def test_a_pipe_named_like_a_picture_does_not_hang(src: Path, tmp_path: Path) -> None:
    os.mkfifo(src / "pipe.png")
    job = {"input": "pipe.png", "stem": "pipe", "overwrite": False}
    entry = process(task(src, tmp_path / "dst"), job)
    assert "it is a pipe" in entry["error"]


def test_an_unexpected_exception_is_a_failure(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr("segment.workflow.read_image", broken)
    entry = process(task(src, tmp_path), {"input": "a.png", "stem": "a", "overwrite": False})
    assert entry["error"] == "a.png: unexpected ZeroDivisionError: by zero; please report it"


# Whole runs.


def test_a_run_and_what_is_done_by_the_next(src: Path, tmp_path: Path) -> None:
    dst = tmp_path / "dst"
    seen: list[Progress] = []
    report = segment.batch(src, dst, jobs=2, report=True, progress=seen.append, min_size=5)
    assert (report.done, report.unchanged, report.ok) == (3, 0, False)
    assert [failure.input for failure in report.failures] == ["bad.jpg"]
    assert [progress.done for progress in seen] == [0, 1, 2, 3, 4]
    assert seen[-1].failed == 1
    outputs = {path.relative_to(dst).as_posix() for path in dst.rglob("*.labels.png")}
    assert outputs == {"a.labels.png", "sub/b.labels.png", "sub/-c d.labels.png"}
    assert report.index is not None
    assert report.index.exists()

    before = {path: path.stat().st_mtime_ns for path in dst.rglob("*.png")}
    picture(src / "bad2.png")
    (src / "bad.jpg").unlink()
    again = segment.batch(src, dst, jobs=1, report=True, min_size=5)
    assert (again.done, again.unchanged, again.ok) == (1, 3, True)
    assert all(path.stat().st_mtime_ns == when for path, when in before.items())
    nothing = segment.batch(src, dst, min_size=5)
    assert (nothing.done, nothing.unchanged) == (0, 4)


CRASHES = """
import os, signal
from segment.batching import picture
real = picture.process
def crash(task, job, ask=None):
    if "crash" in job["input"]:
        os.kill(os.getpid(), signal.SIGSEGV)
    return real(task, job, ask)
picture.process = crash
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_crashed_worker_is_named_and_replaced(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(src / "crash.png")
    monkeypatch.setattr(pool, "PROGRAM", f"exec({CRASHES!r}); {pool.PROGRAM}")
    report = segment.batch(src, tmp_path / "dst", jobs=1)
    assert report.done == 3
    errors = {failure.input: failure.error for failure in report.failures}
    assert "was ended by SIGSEGV" in errors["crash.png"]
    monkeypatch.undo()
    assert segment.batch(src, tmp_path / "dst", jobs=1, exclude=["bad.jpg"]).done == 1


def test_workers_that_cannot_start_end_the_run(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PROGRAM", "raise SystemExit('no such luck')")
    with pytest.raises(segment.SegmentError, match=r"cannot start the work: .*no such luck"):
        segment.batch(src, tmp_path / "dst", jobs=2)


def test_a_full_disk_stops_the_run(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = """
import errno
from segment.errors import FileError
from segment import exports
def save(*_, **__):
    error = FileError("cannot write x: the disk is full")
    error.errno = errno.ENOSPC
    raise error
exports.save = save
"""
    monkeypatch.setattr(pool, "PROGRAM", f"exec({full!r}); {pool.PROGRAM}")
    with pytest.raises(FileError, match=r"stopped after .* of 3 pictures: .*the disk is full"):
        segment.batch(src, tmp_path / "dst", jobs=1, exclude=["bad.jpg"])
    monkeypatch.undo()
    assert segment.batch(src, tmp_path / "dst", jobs=1, exclude=["bad.jpg"]).done == 3


def test_unknown_parameters_are_refused(src: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'bandwidth' is no option"):
        segment.batch(src, tmp_path / "dst", bandwidth=3)


# From the command line, with signals.


def start(src: Path, dst: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "segment", "batch", str(src), str(dst), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(condition: object, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.02)


def workers_of(dst: Path) -> list[int]:
    """Return the processes that have the batch's worker program in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes()
            parent = (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"batching.worker" in line and str(dst).encode() in parent:
            found.append(int(folder.name))
    return found


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of pictures that take a while; mark their workers by the environment."""
    monkeypatch.setenv("SEGMENT_TEST_DST", str(tmp_path / "dst"))
    folder = tmp_path / "slow"
    folder.mkdir()
    for i in range(30):
        write_image(folder / f"{i}.png", RNG.integers(0, 256, (600, 600, 3), np.uint8))
    return folder


def n_done(dst: Path) -> int:
    return sum(entry.get("status") == "ok" for entry in read_manifest(dst / MANIFEST).values())


def all_whole(dst: Path) -> bool:
    for path in dst.rglob("*.png"):
        read_image(path)
    for path in dst.rglob("*.json"):
        json.loads(path.read_text())
    return not left_behind(dst)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_it_and_a_kill_loses_nothing(slow: Path, tmp_path: Path) -> None:
    dst = tmp_path / "dst"
    run = start(slow, dst, "--jobs", "2", "--save", "labels,json")
    wait_for(lambda: n_done(dst) >= 2)
    second = start(slow, dst)
    assert "in use by another run" in second.communicate()[1]
    assert second.returncode == 1
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert n_done(dst) < 30
    assert "Traceback" not in err
    assert workers_of(dst) == []
    assert all_whole(dst)

    run = start(slow, dst, "--jobs", "2", "--save", "labels,json")
    before = n_done(dst)
    wait_for(lambda: n_done(dst) >= before + 2)
    run.kill()
    run.communicate()
    wait_for(lambda: workers_of(dst) == [], 10)
    assert all_whole(dst)
    done = n_done(dst)
    report = segment.batch(slow, dst, jobs=2, save=["labels", "json"])
    assert report.unchanged == done
    assert report.done == 30 - done
    assert report.ok


def test_the_command_says_what_failed(src: Path, tmp_path: Path) -> None:
    run = start(src, tmp_path / "dst", "--jobs", "1")
    out, err = run.communicate()
    assert run.returncode == 1
    assert out.startswith("3 done, 1 failed in ")
    assert err.strip().splitlines()[-1].startswith("segment: cannot read ")
    assert "bad.jpg" in err.strip().splitlines()[-1]
    assert "Traceback" not in err


# The contact sheet.


def test_the_sheet_is_safe_against_names_and_puts_failures_first(tmp_path: Path) -> None:
    src, dst = tmp_path / "src", tmp_path / "dst"
    picture(src / f"good{HOSTILE}")
    (src / f"bad{HOSTILE}").write_bytes(b"")
    dst.mkdir()
    given = task(src, dst, report=True)
    found = survey(src, dst, BatchOptions())
    lines = [
        process(given, {"input": job.input, "stem": job.stem, "overwrite": False})
        for job in found.jobs
    ]
    (dst / MANIFEST).write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = write_sheet(found, dst / MANIFEST).read_text()
    assert "<img src=x" not in text
    assert text.index('class="failed"') < text.index('class="ok"')
    assert text.count("data:image/jpeg;base64,") == 1
    assert "http:" not in text
    assert "https:" not in text
    assert "{{" not in text


def test_a_scheduler_needs_its_extra_or_an_answer(src: Path, tmp_path: Path) -> None:
    with pytest.raises((ExtraError, FileError)):
        segment.batch(src, tmp_path / "dst", scheduler="nonsense://here")


def test_more_processes_than_the_system_allows_are_one_error(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    def popen(*args: object, **kwargs: object) -> object:
        if len(started) == 2:
            raise OSError(errno.EMFILE, "Too many open files")
        started.append(real(*args, **kwargs))
        return started[-1]

    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", popen)
    with pytest.raises(SegmentError, match=r"cannot start 3 processes, only 2: .*fewer --jobs"):
        segment.batch(src, tmp_path / "dst", jobs=3)
    assert all(process.poll() is not None for process in started)


def test_a_manifest_from_elsewhere_cannot_break_or_enter_the_report(
    src: Path, tmp_path: Path
) -> None:
    dst = tmp_path / "dst"
    assert segment.batch(src, dst, save=["labels"], exclude=["bad*"], report=True, jobs=1).ok
    path = dst / MANIFEST
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    entry = next(line for line in lines if line["status"] == "ok")
    evil = "<script>alert(1)</script>"
    with path.open("a") as stream:
        for change in ({"regions": None}, {"width": evil}, {"notes": [evil, 3]}, {"notes": evil}):
            stream.write(json.dumps({**entry, **change}) + "\n")
        stream.write("[" * 200_000 + "\n")
    assert segment.batch(src, dst, save=["labels"], exclude=["bad*"], report=True, jobs=1).ok
    assert evil not in (dst / "index.html").read_text()


def test_a_large_file_is_refused_for_its_header_before_it_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src").mkdir()
    with (tmp_path / "src" / "a.png").open("wb") as stream:
        stream.truncate(1 << 33)
    monkeypatch.setattr("segment.batching.picture.digest", lambda _: pytest.fail("hashed"))
    task = Task(str(tmp_path / "src"), str(tmp_path), Recipe(), {})
    entry = process(task, {"input": "a.png", "stem": "a", "overwrite": False})
    assert entry["status"] == "failed"
