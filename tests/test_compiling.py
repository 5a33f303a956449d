"""Kernels are compiled once, and mean the same where they are not compiled at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

import segment
from segment.kernels import jit
from segment.kernels.regions import cells, color, exact, labels, window
from segment.params import ENGINES, KERNELS

ROOT = Path(__file__).parent.parent
CHANNELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)

# Prints the kernels that a second process had to compile.
SECOND_RUN = """
import numpy as np, segment
from numba.core.dispatcher import Dispatcher
from segment.kernels.regions import cells, color, exact, fast, labels, measuring, window
for engine in ("fast", "exact"):
    image = np.zeros((20, 30, 3), np.uint8)
    found = segment.mean_shift(image, spatial_bandwidth=8, engine=engine)
    found.posterized, found.regions()
kernels = {
    function
    for module in (cells, color, exact, fast, labels, measuring, window)
    for function in vars(module).values()
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


def signatures() -> dict[str, int]:
    """How many signatures each kernel has been compiled for in this process."""
    modules: list[Any] = [cells, color, exact, labels, window]
    return {
        f"{module.__name__}.{name}": len(function.signatures)
        for module in modules
        for name, function in vars(module).items()
        if hasattr(function, "signatures")
    }


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
    before = signatures()
    assert any(before.values())
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


def test_kernels_are_compiled_in_memory_where_nothing_can_be_cached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(function: Any) -> Any:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(jit, "SharedCache", refuse)

    def double(x: int) -> int:
        return 2 * x

    assert jit.kernel()(double)(4) == 8


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
