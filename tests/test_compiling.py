"""Kernels are compiled once, and mean the same where they are not compiled at all."""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba.core.compiler import Flags

import segment
import segment.kernels
from segment.kernels import compiler, jit
from segment.params import ENGINES, KERNELS

ROOT = Path(__file__).parent.parent
CHANNELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)

# Prints the kernels that a second process had to compile.
SECOND_RUN = """
import importlib, pkgutil
import numpy as np, segment, segment.kernels
from numba.core.dispatcher import Dispatcher
for engine in ("fast", "exact"):
    image = np.zeros((20, 30, 3), np.uint8)
    found = segment.mean_shift(image, spatial_bandwidth=8, engine=engine)
    found.posterized, found.regions()
kernels = {
    function
    for module in pkgutil.walk_packages(segment.kernels.__path__, "segment.kernels.")
    for function in vars(importlib.import_module(module.name)).values()
    if isinstance(function, Dispatcher)
}
print(*(k.__name__ for k in kernels if k.stats.cache_misses))
print(sum(sum(k.stats.cache_hits.values()) for k in kernels))
"""

# Prints labels of every kernel and several images, to be compared with and without the JIT.
TINY_RUN = """
import itertools, numpy as np, segment
rng = np.random.default_rng(0)
y, x = np.indices((7, 9))
image = ((x > 4) * 90 + rng.integers(0, 30, (3, 7, 9))).transpose(1, 2, 0).astype(np.uint8)
keep = rng.random((7, 9)) > 0.2
for kernel, engine in itertools.product(("flat", "epanechnikov", "gaussian"), ("fast", "exact")):
    for space, picture in [("luv", image), ("lab", image), ("luv", image[..., 0]), ("none", image)]:
        found = segment.mean_shift(
            picture, kernel=kernel, color_space=space, mask=keep, min_size=3, connectivity=2,
            spatial_bandwidth=2.5, range_bandwidth=9, n_threads=1, engine=engine,
            weights=1.0 + keep if engine == "exact" else None,
        )
        print(found.labels.tolist(), found.posterized.tolist(), found.regions()["area"].tolist())
"""


def python(*arguments: str, **environment: str) -> str:
    """Run another interpreter in the root of the repository; return what it prints."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment, cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def signatures() -> set[tuple[str, str, str]]:
    """What every kernel of the package has been compiled for in this process."""
    found = set()
    for module in pkgutil.walk_packages(segment.kernels.__path__, "segment.kernels."):
        for name, function in vars(importlib.import_module(module.name)).items():
            found |= {(module.name, name, str(s)) for s in getattr(function, "signatures", ())}
    return found


def layouts(array: Any) -> Iterator[Any]:
    """Yield an array in every way in which it may lie in memory, and read-only."""
    yield np.ascontiguousarray(array)
    yield np.asfortranarray(array)
    yield np.repeat(array, 2, axis=0)[::2]
    yield array[::-1][::-1]
    yield array.astype(array.dtype.newbyteorder())
    fixed = array.copy()
    fixed.flags.writeable = False
    yield fixed


jit_only = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="tests the JIT")


@jit_only
@pytest.mark.filterwarnings("ignore::segment.errors.InputWarning")  # noise, and its bandwidth
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_compiles_again_for_other_scalars_and_layouts(engine: str) -> None:
    read_only = CHANNELS.copy()
    read_only.flags.writeable = False

    def use(image: Any, **options: Any) -> None:
        found = segment.mean_shift(image, engine=engine, **options)
        assert found.posterized.shape == image.shape
        assert found.regions()["area"].sum() == found.labels.size

    use(np.tile(CHANNELS, (10, 1, 1)))
    use(CHANNELS, color_space="none")
    for name in ("flat", "gaussian"):  # on 16-bit planes and on float32 ones
        use(np.sort(CHANNELS, axis=1), kernel=name)  # slopes, whose regions fuse
    before = signatures()
    assert before
    for spatial, ranged, size, steps in [
        (8, 7, 30, 50),
        (np.float32(8), np.float64(6.5), np.int64(3), np.uint8(9)),
    ]:
        use(
            CHANNELS, spatial_bandwidth=spatial, range_bandwidth=ranged, min_size=size,
            max_iter=steps, tol=1, connectivity=np.int32(2), n_threads=2,
        )  # fmt: skip
    use(read_only)
    use(np.asfortranarray(CHANNELS))
    use(np.moveaxis(CHANNELS, -1, 0).copy(), channel_axis=0)
    use(np.moveaxis(CHANNELS, -1, 1), channel_axis=1)
    use(CHANNELS[::-1, ::-1])
    for tiles in [(1, 10), (10, 1), (10, 10)]:
        use(np.tile(CHANNELS, (*tiles, 1)))
    for name in KERNELS:
        use(CHANNELS, kernel=name)
    for space in ("rgb", "none"):
        use(CHANNELS, color_space=space)
    assert signatures() == before


@jit_only
@pytest.mark.filterwarnings("ignore::segment.errors.InputWarning")
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_nothing_compiles_again_for_a_picture_of_another_size_or_layout(dtype: str) -> None:
    def use(image: Any, mask: Any = None) -> None:
        tree = segment.hierarchy(image, mask=mask, n_threads=2)
        found = tree.cut(n_regions=3)
        assert found.regions(("perimeter",))["area"].sum() == (found.labels > 0).sum()
        assert tree.contours().shape == found.overlay().shape[:2] == found.preview().shape[:2]

    white = 1 if dtype == "float32" else np.iinfo(dtype).max
    image = (CHANNELS.repeat(25, axis=0).repeat(20, axis=1) * (white / 255)).astype(dtype)
    use(image)
    use(np.resize(image, (900, 700, 3)))  # is halved on the way to its reference size
    before = signatures()
    for k, other in enumerate(layouts(image)):
        use(other, mask=np.ones(image.shape[:2], bool) if k % 2 else None)
    for shape in ((430, 590), (900, 700), (800, 600)):
        use(np.resize(image, (*shape, 3)))
    assert signatures() == before


@jit_only
def test_nothing_compiles_again_for_other_outlines() -> None:
    labels = np.arange(48).reshape(6, 8).repeat(5, axis=0).repeat(5, axis=1) % 7
    image = np.zeros((*labels.shape, 3), np.uint8)

    def use(labels: Any) -> None:
        segment.polygons(labels)
        segment.polygons(labels, tolerance=1.0)
        segment.polygons(labels, smooth=True, image=image[: len(labels), : labels.shape[1]])

    use(labels.astype(np.int32))
    before = signatures()
    for dtype in ("uint8", "uint16", "int32", "uint32", "int64"):
        for other in layouts(labels.astype(dtype)):
            use(other)
    use(labels[:9, :11])
    assert signatures() == before


@jit_only
@pytest.mark.parametrize("kernel", KERNELS)
def test_nothing_compiles_again_for_other_points(kernel: str) -> None:
    points = np.random.default_rng(0).normal(size=(300, 2))

    def use(points: Any, bandwidth: Any = 1.0) -> None:
        model = segment.MeanShift(bandwidth=bandwidth, kernel=kernel, n_jobs=1).fit(points)
        model.predict(points)
        model.score_samples(points)

    use(points)
    before = signatures()
    for other in layouts(points):
        use(other)
    for dtype in ("float32", "int64", "uint8"):
        use((points * 9 + 40).astype(dtype), 9)
    use(points[:50], np.float32(1))
    assert signatures() == before


@jit_only
def test_a_second_process_compiles_nothing() -> None:
    python("-c", SECOND_RUN)
    compiled, cached = python("-c", SECOND_RUN).split("\n")[:2]
    assert compiled == ""
    assert int(cached) >= 10


def test_the_same_labels_without_the_jit() -> None:
    compiled = python("-c", TINY_RUN)
    assert compiled.count("\n") == 24
    plain = python("-W", "ignore::RuntimeWarning", "-c", TINY_RUN, NUMBA_DISABLE_JIT="1")
    assert plain == compiled


@jit_only
def test_flags_compare_as_those_of_numba() -> None:
    plain, quick, other = Flags(), compiler.QuickFlags(), compiler.QuickFlags()
    assert quick == plain == quick == other
    assert hash(quick) == hash(plain)
    other.nrt = quick.nrt  # the default, but said
    assert quick == other == plain
    other.nrt = not quick.nrt
    assert quick != other
    assert hash(quick.copy()) == hash(other)


@jit_only
def test_kernels_are_optimized() -> None:
    def add_up(n: int) -> int:
        total = 0
        for k in range(n):
            total += k
        return total

    compiled: Any = numba.njit(pipeline_class=compiler.KernelCompiler)(add_up)
    assert compiled(10) == 45
    assert "mul" in next(iter(compiled.inspect_llvm().values()))  # the loop has become a formula


def test_kernels_are_compiled_in_memory_where_nothing_can_be_cached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(function: Any) -> Any:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(jit, "SharedCache", refuse)

    def double(x: int) -> int:
        return 2 * x

    assert jit.kernel()(double)(4) == 8


@jit_only
@pytest.mark.parametrize("full", ["disk", "lock"])
def test_what_cannot_be_cached_is_compiled_all_the_same(
    full: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    saved: list[object] = []

    def save(_: object, signature: object, data: object) -> None:
        saved.append(signature)
        raise OSError(errno.ENOSPC, "No space left on device")

    def triple(x: int) -> int:
        return 3 * x

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(jit.FunctionCache, "save_overload", save)
    if full == "lock":
        monkeypatch.setattr(jit, "PATIENCE", 0.05)
        held = jit.FileError("in use by another run")
        monkeypatch.setattr(jit, "locked", lambda *_: (_ for _ in ()).throw(held))
    assert jit.kernel()(triple)(4) == 12
    assert len(saved) == (full == "disk")


# Compiles one kernel for some types of numbers, all of which are then to be found in the cache.
ADDING = """
import sys
import numpy as np
from segment.kernels.regions import labels
for name in sys.argv[1:]:
    out = np.zeros(3, name)
    labels.count_pixels(np.array([[1, 2]], np.int32), out)
    assert out.tolist() == [0, 1, 1], (name, out)
print(sum(labels.count_pixels.stats.cache_misses.values()))
"""


@jit_only
def test_processes_may_add_to_one_cache_at_once(tmp_path: Path) -> None:
    names = ["int64", "int32", "float64", "float32", "uint16", "int16"]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    some = [
        subprocess.Popen(
            [sys.executable, "-c", ADDING, *names[k:], *names[:k]], env=environment, cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        for k in (0, 3)
    ]  # fmt: skip
    assert [process.wait() for process in some] == [0, 0]
    assert python("-c", ADDING, *names, NUMBA_CACHE_DIR=str(tmp_path)).strip() == "0"


# Calls a kernel that calls another one; prints which of them had to be compiled, and of which
# there is machine code.
LISTING = """
import numpy as np
from numba.core import event
from numba.core.codegen import JITCodeLibrary
from segment.kernels.regions.refining import list_border

compiled, made = [], []
class Listener(event.Listener):
    def on_start(self, what):
        kernel = what.data["dispatcher"].py_func
        compiled.extend([kernel.__name__] * kernel.__module__.startswith("segment"))
    def on_end(self, what): pass

def note(library, make=JITCodeLibrary._finalize_specific):
    made.extend(name for name in ("list_border", "_mark_line") if library.name.endswith(name))
    make(library)

JITCodeLibrary._finalize_specific = note
labels = np.array([[1, 1, 2, 2, 2]], np.int32)
found, border = np.empty(labels.size, np.int64), np.empty(labels.shape, bool)
with event.install_listener("numba:compile", Listener()):
    n = list_border(labels, 0, len(labels), found, border)
print(found[:n].tolist(), *compiled, "|", *made)
"""


@jit_only
def test_kernels_call_kernels_of_any_types() -> None:
    @jit.kernel(bare=True)
    def halved(x: Any, y: Any) -> Any:
        return x / y

    @jit.kernel(bare=True)
    def quarter_of(x: Any) -> Any:
        return halved(halved(x, jit.ZERO + 2), 2.0)

    for x in (10, 10.0, np.float32(10), np.uint8(10)):
        assert quarter_of(x) == 2.5
    inner: Any = halved
    assert inner.signatures == []  # nothing that Python could call
    assert halved(3, 2) == 1.5
    assert [str(one) for one in inner.signatures] == ["(int64, int64)"]
    assert quarter_of(np.int16(6)) == 1.5


@jit_only
def test_kernels_call_what_another_process_has_compiled(tmp_path: Path) -> None:
    used = python("-c", LISTING, NUMBA_CACHE_DIR=str(tmp_path))
    assert used == "[1, 2] list_border _mark_line | list_border\n"
    (index,) = tmp_path.rglob("refining.list_border-*.nbi")
    index.unlink()
    again = python("-c", LISTING, NUMBA_CACHE_DIR=str(tmp_path))
    assert again == "[1, 2] list_border | list_border\n"
