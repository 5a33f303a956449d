"""Seconds of compiling before the first picture: ``python -m tests.benchmarks.compiling``.

Each unit of the warm-up is compiled into a cache of its own, then what the commands begin with, by
as many processes as they take, into one. Seconds are those of the processor, all processes
together, but for the column that says otherwise. On a busy machine only these mean anything.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from segment.warmup import first_units, usual_units

ROOT = Path(__file__).parents[2]

# Does some units, and prints how many kernels it has compiled.
UNITS = """
import sys
from numba.core import event
from segment import warmup

class Counter(event.Listener):
    n = 0
    def on_start(self, what): self.n += 1
    def on_end(self, what): pass

counter = Counter()
with event.install_listener("numba:compile", counter):
    for unit in warmup.units():
        if unit.name in sys.argv[1:]:
            for _, run in unit.runs:
                run()
print(counter.n)
"""


class Cost(NamedTuple):
    builds: str
    processor: float
    wall: float


def cost(*arguments: str) -> Cost:
    """Return what an interpreter costs that finds nothing compiled."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        printed = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip
        wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(printed.strip() if printed.strip().isdigit() else "", processor, wall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", action="store_true", help="each unit by itself, too")
    print(f"{'':44}{'builds':>8}{'seconds':>10}{'wall':>8}")
    names = [unit.name for unit in first_units(outlines=True)]
    commands: dict[str, tuple[str, ...]] = {}
    if parser.parse_args().units:
        others = [unit.name for unit in usual_units() if unit.name not in names]
        commands |= {f"  {name}": ("-c", UNITS, name) for name in (*names, *others)}
    first = [unit.name for unit in first_units()]
    commands["colour photographs, one process"] = ("-c", UNITS, *first)
    commands["the same and drawings, one process"] = ("-c", UNITS, *names)
    with tempfile.TemporaryDirectory() as folder:
        image = ("-m", "segment", "image", "images/coffee.png", "-o", folder, "--overwrite")
        commands["segment image"] = image
        commands["segment image --save svg"] = (*image, "--save", "svg")
        commands["segment warmup"] = ("-m", "segment", "warmup")
        for name, arguments in commands.items():
            found = cost(*arguments)
            print(
                f"{name:44}{found.builds:>8}{found.processor:>10.1f}{found.wall:>8.1f}", flush=True
            )


if __name__ == "__main__":
    main()
