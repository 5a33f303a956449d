"""Warming up compiles all that later runs need; nothing less, at no second cost."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from segment import warmup
from segment.cli import main
from segment.warmup import helpers

ROOT = Path(__file__).parents[1]

# Runs in a process of its own, where nothing but the warm-up has loaded any kernel.
LATER_RUNS = """
import importlib, pkgutil
import numpy as np
from numba.core.dispatcher import Dispatcher
import segment, segment.kernels
from segment.params import COLOR_SPACES, ENGINES, KERNELS
from segment.warmup import units

def builds():
    found = set()
    for module in pkgutil.walk_packages(segment.kernels.__path__, "segment.kernels."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Dispatcher):
                found |= {(module.name, name, str(s)) for s in value.signatures}
    return found

for unit in units():
    for _, job in unit.runs:
        job()
before = builds()

rng = np.random.default_rng(1)
def run(bands, dtype, shape=(50, 70), **options):
    image = rng.uniform(0, 200, (*shape, bands) if bands else shape).astype(dtype)
    result = segment.mean_shift(image, range_bandwidth=30.0, **options)
    result.posterized, result.regions(), result.boundaries(), result.hierarchy().contours()
    result.hierarchy().cut(level=0.4)
    for name in ("min_size", "connectivity"):
        options.pop(name, None)
    segment.mean_shift_filter(image, **options)

for kernel in KERNELS:
    for space in COLOR_SPACES:
        for bands in (0, 1, 3):
            for bandwidth in (3.0, 7.0, 20.0):
                run(bands, "uint8", kernel=kernel, color_space=space, spatial_bandwidth=bandwidth)
        run(3, "uint16", kernel=kernel, color_space=space)
for dtype in ("bool", "uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"):
    for bands in (0, 2, 3, 4, 5, 7):
        run(bands, dtype, color_space="none", connectivity=2, n_threads=2)
for engine in ENGINES:
    for bands in (1, 2, 3, 4, 6):
        run(bands, "uint8", engine=engine, color_space="none", weights=rng.random((50, 70)))
    run(3, "uint8", engine=engine, mask=rng.random((50, 70)) < 0.8)
    for shape in ((1, 1), (1, 90), (90, 1), (9, 9), (200, 10), (10, 200), (200, 150)):
        run(3, "uint8", shape, engine=engine)
for kernel in KERNELS:
    for d, n in ((1, 50), (2, 50), (3, 50), (5, 50), (2, 20000)):
        points = rng.normal(size=(n, d))
        model = segment.MeanShift(bandwidth=1.0, kernel=kernel, bin_seeding=n > 50).fit(points)
        model.predict(points[:20]), model.score_samples(points[:20])
        segment.MeanShift(bandwidth=np.full(d, 1.0), kernel=kernel).fit(points[:40])
segment.MeanShift().fit(rng.normal(size=(80, 2)), sample_weight=rng.random(80))
segment.density(rng.normal(size=(80, 2)), 0.5, kernel="flat")
segment.palette(rng.integers(0, 255, (60, 70, 3)).astype(np.uint8))
new = sorted(builds() - before)
assert before
assert not new, new
"""


FIRST_UNITS = """
from segment.warmup.helpers import compile_units
from segment.warmup import cold, first_units
units = first_units(outlines=True)
assert cold(units) == units and len(units) == len(first_units()) + 1
assert compile_units(units, 2) > 0
assert cold(units) == []
"""

OTHER_UNITS = """
from segment.warmup.helpers import compile_units
from segment.warmup import usual_units
from segment.warmup import first_units
assert compile_units(usual_units()[len(first_units()):][:2], 2) > 0
"""

# Pictures of several kinds, by the command, in a process that must not compile anything.
FIRST_RUN = """
import sys
import numpy as np
import segment, skimage.data
from segment.compiling import watch_compilation
from typer.testing import CliRunner
from segment.cli import main
import cv2

folder, wanted = sys.argv[1:]
photo = skimage.data.coffee()[..., ::-1]
alpha = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
alpha[:40] = 0
pictures = {
    "gray": photo[..., 1], "deep": photo.astype(np.uint16) * 257,
} if wanted == "other" else {
    "color": photo, "alpha": alpha,
    "small": photo[:90, :120], "large": np.tile(photo, (3, 2, 1)),
    "larger": np.tile(photo, (4, 5, 1)),
}
begun = []
with watch_compilation(lambda: begun.append(name), lambda seconds: None):
    for name, picture in pictures.items():
        assert cv2.imwrite(f"{folder}/{name}.png", picture)
        kinds = ["--save", "labels,preview,posterized,overlay,json" + ",svg" * (name == "color")]
        result = CliRunner().invoke(
            main.app, ["image", f"{folder}/{name}.png", "-o", folder, *kinds]
        )
        assert result.exit_code == 0, result.output
assert not begun, begun
"""


def test_later_runs_find_everything_warm() -> None:
    result = subprocess.run(
        [sys.executable, "-c", LATER_RUNS],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr


def test_the_command_says_what_it_did() -> None:
    result = CliRunner().invoke(main.app, ["warmup"])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(("compiled in ", "everything was compiled already"))
    everything = CliRunner().invoke(main.app, ["warmup", "--all"])
    assert everything.stdout.startswith(("compiled in ", "everything was compiled already"))
    again = CliRunner().invoke(main.app, ["warmup"])
    assert again.stdout.startswith("everything was compiled already")
    assert CliRunner().invoke(main.app, ["warmup", "--quiet"]).output == ""


def test_a_first_run_is_compiled_by_several_processes_at_once(tmp_path: Path) -> None:
    """What they leave in the cache is all that the default command needs, and gray and 16 bits."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)}
    for program, wanted in (
        (FIRST_UNITS, ""), (FIRST_RUN, "color"), (OTHER_UNITS, ""), (FIRST_RUN, "other"),
    ):  # fmt: skip
        result = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path), wanted],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("forks", [False, helpers.FORKS])
def test_what_a_helper_cannot_do_is_done_here(forks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "FORKS", forks)
    done: list[str] = []
    units = [warmup.Unit(name, [(name, partial(done.append, name))]) for name in ("one", "two")]
    seen: list[tuple[int, int, str]] = []
    helpers.compile_units(units, 2, lambda *what: seen.append(what))  # no helper knows these
    assert done == ["one", "two"]
    assert seen == [(1, 2, "one"), (2, 2, "two")]


def test_helpers_are_new_processes_where_copies_do_not_stand_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(helpers, "FORKS", False)
    monkeypatch.setattr(helpers, "compile_unit", None)  # not here
    units = [unit for unit in warmup.units() if unit.name == "saving"] * 2
    assert helpers.compile_units(units, 2) >= 0


@pytest.mark.skipif(not helpers.FORKS, reason="helpers are no copies here")
def test_helpers_are_copies_of_this_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def compile_unit(unit: warmup.Unit) -> float:
        (tmp_path / f"{unit.name}-{os.getpid()}").touch()
        return 2.0

    monkeypatch.setattr(helpers, "compile_unit", compile_unit)
    assert helpers.compile_units(warmup.first_units(), 3) == 2.0 * len(warmup.first_units())
    done = [path.name.split("-") for path in tmp_path.iterdir()]
    assert sorted(name for name, _ in done) == sorted(one.name for one in warmup.first_units())
    assert str(os.getpid()) not in {process for _, process in done}


@pytest.mark.skipif(not helpers.FORKS, reason="helpers are no copies here")
def test_no_processes_are_left() -> None:
    before = children(os.getpid())
    units = [warmup.Unit(name, []) for name in ("one", "two")]
    helpers.compile_units(units, 2)
    assert children(os.getpid()) == before

    program = "from segment.warmup import helpers; import time; a = helpers._Helper(); "
    program += "b = helpers._Helper(); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        one.stdout.readline()
        copies = children(one.pid)
        assert len(copies) == 2
        one.kill()
    until = time.monotonic() + 30
    while any(is_running(copy) for copy in copies):
        assert time.monotonic() < until
        time.sleep(0.05)


def children(parent: int) -> set[int]:
    """Return the processes that a process has started."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found.add(int(folder.name))
    return found


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_every_run_has_a_name_of_its_own() -> None:
    names = [name for unit in warmup.units() for name, _ in unit.runs]
    assert len(set(names)) == len(names)
