"""The same scene on a Dask cluster: workers are killed, are slow, or all gone."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import segment
from segment.scenes import Progress
from segment.scenes.codebooks import Codebooks
from segment.scenes.cutting import CuesTask
from segment.scenes.opening import open_source
from segment.scenes.options import SceneOptions
from segment.scenes.parameters import settle
from segment.scenes.readers import TileReader
from segment.scenes.store import Store
from segment.scenes.tiles import Tiles, Window
from segment.scenes.work import Work
from tests.scenes.conftest import BANDWIDTHS, read_raster

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask's own

Whole = Callable[..., NDArray[np.int32]]


@pytest.fixture(scope="module")
def cluster() -> Any:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def test_a_worker_is_killed_midway(
    cluster: Any, raster: Path, tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    victims = [worker.pid for worker in cluster.workers.values()][:1]

    def kill(progress: Progress) -> None:
        if victims and progress.done:
            os.kill(victims.pop(), signal.SIGKILL)

    report = segment.scene(
        raster, tmp_path / "dst.tif", tile=1, scheduler=cluster.scheduler_address, progress=kill,
        **BANDWIDTHS,
    )  # fmt: skip
    assert not victims
    assert report.n_tiles > 4
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), whole(photograph))


def test_regions_of_the_hierarchy(cluster: Any, raster: Path, tmp_path: Path) -> None:
    options = {"n_regions": 9, "tile": 1, **BANDWIDTHS}
    segment.scene(raster, tmp_path / "a.tif", scheduler=cluster.scheduler_address, **options)
    segment.scene(raster, tmp_path / "b.tif", **options)
    found = read_raster(tmp_path / "a.tif")
    assert found.max() == 9
    np.testing.assert_array_equal(found, read_raster(tmp_path / "b.tif"))


@pytest.mark.parametrize("lazy", [False, True])
def test_cues_are_found_by_workers(
    cluster: Any,
    raster: Path,
    tmp_path: Path,
    photograph: NDArray[np.uint8],
    monkeypatch: pytest.MonkeyPatch,
    lazy: bool,
) -> None:
    import dask.array

    monkeypatch.setattr("segment.scenes.options.DESCRIBED", 64)
    options = {"n_regions": 9, "tile": 1, **BANDWIDTHS}
    scene = dask.array.from_array(photograph, chunks=(50, 60, 3)) if lazy else raster
    segment.scene(scene, tmp_path / "b.tif", **options)
    monkeypatch.setattr(CuesTask, "do", None)  # in this process
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        segment.scene(scene, tmp_path / "a.tif", client=client, **options)
    np.testing.assert_array_equal(*(read_raster(tmp_path / f"{k}.tif") for k in "ab"))


def test_dask_arrays_by_a_client(
    cluster: Any, tmp_path: Path, photograph: NDArray[np.uint8], whole: Whole
) -> None:
    import dask.array

    array = dask.array.from_array(photograph, chunks=(50, 60, 3)).map_blocks(lambda x: 255 - x)
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        segment.scene(array, tmp_path / "dst.tif", tile=1, client=client, **BANDWIDTHS)
    np.testing.assert_array_equal(read_raster(tmp_path / "dst.tif"), whole(255 - photograph))


def test_the_scheduler_is_gone(raster: Path, tmp_path: Path) -> None:
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, silence_logs=50
    )

    def leave(progress: Progress) -> None:
        if progress.done == 2:
            cluster.close()

    with pytest.raises(segment.FileError, match="running the same again goes on from there"):
        segment.scene(
            raster, tmp_path / "dst.tif", tile=1, scheduler=cluster.scheduler_address,
            progress=leave, **BANDWIDTHS,
        )  # fmt: skip
    assert not (tmp_path / "dst.tif").exists()
    assert segment.scene(raster, tmp_path / "dst.tif", tile=1, **BANDWIDTHS).reused >= 2


def test_workers_that_do_not_see_the_scratch(
    cluster: Any, raster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segment.scenes.cluster._is_folder", lambda _: False)
    with pytest.raises(segment.FileError, match="that all machines share"):
        segment.scene(
            raster, tmp_path / "dst.tif", scheduler=cluster.scheduler_address, **BANDWIDTHS
        )


def test_only_small_things_travel(raster: Path, tmp_path: Path) -> None:
    source = open_source(raster)
    settled = settle(SceneOptions(tmp_path / "dst.tif", {}), source)
    work = Work(source, tiles=Tiles(150, 190, 48, 30), folder=tmp_path, **settled._asdict())
    assert len(pickle.dumps(work)) < 4000
    tables = {k: np.zeros(2000, np.uint32) for k in range(len(work.tiles))}
    labels = TileReader(Store(tmp_path), work.tiles, "labels", np.uint32, tables=tables)
    books = Codebooks(*np.zeros((5, 2, 3), np.float32))
    task = CuesTask("cues", Window(0, 0, 48, 40), Window(0, 0, 60, 60), labels, books)
    assert len(pickle.dumps(task)) > 8000 * len(work.tiles)
    # The window is in the first tile, and touches the one below.
    assert len(pickle.dumps(task.packed())) < 8000 * 2 + 4000
