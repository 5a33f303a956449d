"""The same batch on a Dask cluster, one of whose workers is killed midway."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import segment
from segment.batching import Progress
from segment.batching.cluster import _warm_hosts
from segment.batching.picture import Task
from segment.errors import FileError
from segment.images import write_image
from segment.notices import listening
from segment.params import MeanShiftOptions
from segment.workflow import Recipe

ROOT = Path(__file__).parents[2]

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


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes], Any]]:
    """A scheduler in a process of its own: its address, the process, and what starts a worker."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    started: list[subprocess.Popen[bytes]] = []

    def start(what: str, *args: str) -> subprocess.Popen[bytes]:
        code = f"from distributed.cli.dask_{what} import main; main()"
        command = [sys.executable, "-c", code, *args, "--no-dashboard"]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=tmp_path, env=env))
        return started[-1]

    def worker() -> subprocess.Popen[bytes]:
        return start("worker", address, "--nthreads", "1", "--no-nanny")

    process = start("scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2])
    with distributed.Client(address, timeout="60s"):
        pass
    yield address, process, worker
    for each in started:
        each.kill()
        each.wait()


def pictures(folder: Path, n: int) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(n):
        write_image(folder / f"{i}.png", rng.integers(0, 256, (40, 40, 3), np.uint8))
    return folder


def test_a_scheduler_that_goes_is_one_error_and_what_is_done_is_kept(
    tmp_path: Path, scheduler: Any
) -> None:
    address, process, worker = scheduler
    worker()
    with distributed.Client(address) as client:
        client.wait_for_workers(1, timeout="60s")
    src = pictures(tmp_path / "src", 12)

    def kill(progress: Progress) -> None:
        if progress.done == 2:
            process.kill()

    with pytest.raises(FileError, match=r"is gone .* running the same again goes on"):
        segment.batch(src, tmp_path / "dst", scheduler=address, progress=kill, save=["labels"])
    report = segment.batch(src, tmp_path / "dst", jobs=1, save=["labels"])
    assert report.ok
    assert report.unchanged >= 2


def test_without_any_worker_it_says_so_and_goes_on_with_the_next(
    tmp_path: Path, scheduler: Any
) -> None:
    address, _, worker = scheduler
    src = pictures(tmp_path / "src", 6)
    with pytest.raises(FileError, match="has no workers"):
        segment.batch(src, tmp_path / "dst", scheduler=address, save=["labels"])
    first = worker()
    with distributed.Client(address) as client:
        client.wait_for_workers(1, timeout="60s")
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        worker()

    def kill(progress: Progress) -> None:
        if progress.done == 1:
            first.kill()

    with listening(hear):
        report = segment.batch(
            src, tmp_path / "dst", scheduler=address, progress=kill, save=["labels"]
        )
    assert report.ok
    assert report.done == 6
    assert said == ["every worker of the cluster is gone; waiting for another"]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "tcp://"])
def test_a_scheduler_that_is_not_there(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segment.clusters.TIMEOUT", "1s")
    src = pictures(tmp_path / "src", 1)
    with pytest.raises(FileError, match=r"cannot reach the scheduler .*is it running"):
        segment.batch(src, tmp_path / "dst", scheduler=address)
