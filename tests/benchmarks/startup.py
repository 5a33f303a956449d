"""Seconds from the shell prompt to an answer: ``python -m tests.benchmarks.startup``.

Medians over fresh processes, warm: everything is compiled and the files are in memory.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS = 7


def seconds(*args: str) -> tuple[float, str]:
    """Return how long a fresh interpreter took, and what it printed."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *args], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return time.perf_counter() - started, done.stdout


def median(*args: str) -> float:
    seconds(*args)
    return statistics.median(seconds(*args)[0] for _ in range(RUNS))


def outside_computation(picture: str) -> float:
    """Return the median time that `segment image` spends on everything but segmenting."""
    rest = []
    with tempfile.TemporaryDirectory() as folder:
        command = ("-m", "segment", "image", picture, "-o", folder, "--overwrite", "--json")
        for _ in range(RUNS + 1):
            wall, printed = seconds(*command)
            rest.append(wall - json.loads(printed)["seconds"]["segment"])
    return statistics.median(rest[1:])


def main() -> None:
    rows = [
        ("python -c pass", median("-c", "pass"), None),
        ("import segment", median("-c", "import segment"), 0.1),
        ("segment --help", median("-m", "segment", "--help"), 0.3),
        ("segment image images/coffee.png,", None, None),
        ("    all but segmenting", outside_computation("images/coffee.png"), 1.5),
    ]
    print(f"{'':36}{'seconds':>8}{'goal':>8}")
    for name, value, goal in rows:
        shown = f"{value:8.3f}" if value is not None else ""
        print(f"{name:36}{shown}{f'{goal:8.1f}' if goal else ''}")


if __name__ == "__main__":
    main()
