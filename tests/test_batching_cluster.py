"""The same batch on a Dask cluster, one of whose workers is killed midway."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

import segment
from segment.batching import Progress
from segment.images import write_image

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
