"""The same batch on a Dask cluster, one of whose workers is killed midway."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import segment
from segment.batching import Progress
from segment.batching.cluster import _warm_hosts
from segment.batching.picture import Task
from segment.images import write_image
from segment.params import MeanShiftOptions
from segment.workflow import Recipe

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.filterwarnings("ignore")  # of Dask's own


def test_a_cluster_does_the_same_and_survives_a_dead_worker(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "src").mkdir()
    for i in range(12):
        write_image(tmp_path / "src" / f"{i}.png", rng.integers(0, 256, (60, 60, 3), np.uint8))
    (tmp_path / "src" / "bad.png").touch()
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as cluster:
        victims = [worker.pid for worker in cluster.workers.values()][:1]

        def kill(_: Progress) -> None:
            while victims:
                os.kill(victims.pop(), signal.SIGKILL)

        report = segment.batch(
            tmp_path / "src",
            tmp_path / "dst",
            scheduler=cluster.scheduler_address,
            progress=kill,
            save=["labels"],
        )
    assert not victims
    assert report.done == 12
    assert [failure.input for failure in report.failures] == ["bad.png"]
    here = segment.batch(
        tmp_path / "src", tmp_path / "here", jobs=1, save=["labels"], exclude=["bad.png"]
    )
    assert here.ok
    for i in range(12):
        name = f"{i}.labels.png"
        assert (tmp_path / "dst" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_when_a_worker_dies_while_it_compiles_another_of_its_host_does() -> None:
    class Client:
        workers: ClassVar = {"a:1": {"host": "a"}, "a:2": {"host": "a"}, "b:1": {"host": "b"}}
        asked: ClassVar[list[list[str]]] = []

        def scheduler_info(self, n_workers: int) -> dict[str, Any]:
            return {"workers": self.workers}

        def run(self, *_: object, workers: list[str], on_error: str) -> dict[str, None]:
            self.asked.append(workers)
            self.workers.pop("a:1", None)  # dies, at the latest now
            return dict.fromkeys(worker for worker in workers if worker in self.workers)

    client = Client()
    _warm_hosts(client, Task("", "", Recipe(MeanShiftOptions()), {}))
    assert client.asked == [["a:1", "b:1"], ["a:2"]]
