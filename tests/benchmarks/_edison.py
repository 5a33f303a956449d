"""EDISON, the reference code of mean-shift segmentation, in a worker process of its own.

It comes as `pymeanshift` from PyPI and needs numpy < 2, hence another interpreter: make an
environment with ``pip install "numpy<2" pymeanshift`` and name its Python with --edison-python or
in EDISON_PYTHON. This file is both the client, imported by the benchmarks, and the worker, run by
that interpreter; requests and answers are lines of JSON, arrays are .npy files.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Edison:
    """A worker that segments one image at a time and measures itself.

    Raises
    ------
    OSError
        If the interpreter does not start or cannot import pymeanshift.
    """

    def __init__(self, python: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._worker = subprocess.Popen(
            [python, __file__, self._folder.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self._answer() != "ready":
            raise OSError(f"{python} cannot import pymeanshift")

    def segment(
        self, image: Any, spatial: float, ranged: float, min_size: int, speedup: str
    ) -> tuple[float, Any, Any]:
        """Segment uint8 RGB at speed-up "no", "medium" or "high".

        Returns processor seconds, colours and labels.
        """
        np.save(Path(self._folder.name, "image.npy"), image)
        assert self._worker.stdin is not None
        request = [round(spatial), ranged, min_size, speedup]
        print(json.dumps(request), file=self._worker.stdin, flush=True)
        seconds = self._answer()
        colors, labels = (
            np.load(Path(self._folder.name, f"{k}.npy")) for k in ("colors", "labels")
        )
        return seconds, colors, labels

    def job(
        self, image: Any, spatial: float, ranged: float, min_size: int, speedup: str
    ) -> Callable[[], float]:
        """Return a function that segments and returns the seconds."""
        return lambda: self.segment(image, spatial, ranged, min_size, speedup)[0]

    def _answer(self) -> Any:
        assert self._worker.stdout is not None
        line = self._worker.stdout.readline()
        return json.loads(line) if line else None

    def close(self) -> None:
        """End the worker."""
        assert self._worker.stdin is not None
        self._worker.stdin.close()
        self._worker.wait()
        self._folder.cleanup()


def start(python: str | None) -> Edison | None:
    """Start a worker, or say in one line why there is none."""
    if not python:
        print("EDISON is left out: name a Python that has pymeanshift with --edison-python")
        return None
    try:
        return Edison(python)
    except OSError as error:
        print(f"EDISON is left out: {error}")
        return None


def _serve(folder: Path) -> None:
    import pymeanshift  # type: ignore[import-not-found, unused-ignore]

    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        spatial, ranged, min_size, speedup = json.loads(line)
        image = np.load(folder / "image.npy")
        level = getattr(pymeanshift, f"SPEEDUP_{speedup.upper()}")
        begin = time.process_time()
        colors, labels, _ = pymeanshift.segment(image, spatial, ranged, min_size, level)
        seconds = time.process_time() - begin
        np.save(folder / "colors.npy", colors)
        np.save(folder / "labels.npy", labels)
        print(json.dumps(seconds), flush=True)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
