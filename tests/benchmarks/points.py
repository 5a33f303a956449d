"""Mean shift over points against scikit-learn, in one process: CPU seconds, medians, ratios.

Run ``python -m tests.benchmarks.points``; ``--whole`` lets scikit-learn climb from every point at
20,000 points too (many minutes), instead of from 200 of them and multiplying by 100.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from segment import MeanShift, estimate_bandwidth
from segment.points.densities import threads_of

BANDWIDTH = 1.0


def blobs(n: int, d: int) -> np.ndarray:
    """Return four unit Gaussians 6 apart."""
    rng = np.random.default_rng(0)
    centers = np.zeros((4, d))
    centers[1, 0] = centers[2, 1] = 6
    centers[3, :2] = 6
    return rng.normal(0, 1, (n, d)) + centers[np.arange(n) % 4]


def cpu(call: Callable[[], Any], repeat: int = 3) -> float:
    """Return the median CPU time of `call`, over all threads; wall time is not fair under load."""
    times = []
    for _ in range(repeat):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return statistics.median(times)


def flat(points: np.ndarray) -> Any:
    return MeanShift(BANDWIDTH, kernel="flat", tol=1e-3).fit(points)


def against_scikit_learn(whole: bool) -> None:
    from sklearn import cluster

    points = blobs(2_000, 2)
    ours = cpu(lambda: flat(points))
    theirs = cpu(lambda: cluster.MeanShift(bandwidth=BANDWIDTH).fit(points), 1)
    binned = cpu(lambda: cluster.MeanShift(bandwidth=BANDWIDTH, bin_seeding=True).fit(points), 1)
    report("2,000 2-D, flat, every point a seed", ours, theirs)
    report("2,000 2-D, theirs with bin_seeding", ours, binned)
    points = blobs(20_000, 2)
    ours = cpu(lambda: flat(points))
    step = 1 if whole else 100
    reference = cluster.MeanShift(bandwidth=BANDWIDTH, seeds=points[::step])
    report(
        "20,000 2-D, flat, every point a seed", ours, step * cpu(lambda: reference.fit(points), 1)
    )
    seconds = cpu(lambda: cluster.estimate_bandwidth(points[:5000]), 1)
    report("estimate_bandwidth, 5,000 2-D", cpu(lambda: estimate_bandwidth(points[:5000])), seconds)


def report(what: str, ours: float, theirs: float) -> None:
    print(
        f"{what:40s} {ours:8.3f} s  scikit-learn {theirs:9.2f} s  {theirs / ours:8.0f}x", flush=True
    )


def large() -> None:
    """Print time and memory of what is too much for scikit-learn, each in its own process."""
    for n, d, kernel, width in (
        (1_000_000, 2, "flat", 1.0),
        (1_000_000, 2, "gaussian", 0.5),
        (1_000_000, 2, "gaussian", 0.1),
        (200_000, 2, "epanechnikov", 1.0),
        (200_000, 3, "flat", 1.0),
        (200_000, 3, "gaussian", 1.0),
        (200_000, 3, "gaussian", 0.5),
        (200_000, 3, "gaussian", 0.25),
    ):
        call = f"python -m tests.benchmarks.points --one {n} {d} {kernel} {width}"
        subprocess.run([sys.executable, *call.split()[1:]], check=True)
    points = blobs(100_000, 2)
    print(f"estimate_bandwidth, 100,000 2-D: {cpu(lambda: estimate_bandwidth(points)):.2f} s")


def peak_memory() -> int:
    """Return the most memory this process has held, in bytes."""
    try:
        with open("/proc/self/status") as file:  # getrusage would count the parent's peak
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))
    except OSError:
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return kilobytes << (10 * (sys.platform == "linux"))


def one(n: int, d: int, kernel: str, width: float) -> None:
    """Cluster once; print time, and the peak of memory above that of a small fit."""
    model = MeanShift(width, kernel=kernel)
    model.fit(blobs(6_000, d))
    points = blobs(n, d)
    before = peak_memory()
    wall = time.perf_counter()
    seconds = cpu(lambda: model.fit(points), 1)
    wall = time.perf_counter() - wall
    peak = (peak_memory() - before) / n
    print(
        f"{n:,} {d}-D, {kernel}, {width:g}: {wall:.1f} s, {seconds:.1f} s CPU, "
        f"{peak:.0f} bytes a point, {len(model.cluster_centers_)} clusters",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--whole", action="store_true", help="time scikit-learn in full")
    parser.add_argument("--one", nargs=4, metavar=("N", "D", "KERNEL", "BANDWIDTH"))
    options = parser.parse_args()
    if options.one:
        n, d, kernel, width = options.one
        one(int(n), int(d), kernel, float(width))
        return
    print(f"CPU seconds over {threads_of(None)} threads")
    for kernel in ("flat", "gaussian"):  # compile first
        MeanShift(BANDWIDTH, kernel=kernel).fit(blobs(400, 2))
    against_scikit_learn(options.whole)
    large()


if __name__ == "__main__":
    main()
