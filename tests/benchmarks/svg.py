"""Posterized pictures as SVG: bytes and time, against potrace and vtracer where they are installed.

    python -m tests.benchmarks.svg [--images FOLDER] [--count 3] [--regions 60,300]

All get the same flat colours. potrace traces one mask a colour, the largest first, as drawing
programs do that call it; vtracer every colour as it is, without dropping specks. Bytes are also
given compressed, as web servers send them; seconds are of the processor.
"""

from __future__ import annotations

import gzip
import importlib.util
import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import segment
from segment.shapes.svg import to_svg
from tests.benchmarks._measure import parser, photographs, table


def with_potrace(flat: NDArray[Any]) -> str:
    """One layer a colour, without headers."""
    values = flat.astype(np.int64) @ [65536, 256, 1]
    colors, counts = np.unique(values, return_counts=True)
    layers = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mask.pgm")
        for color in colors[np.argsort(-counts)].tolist():
            cv2.imwrite(str(path), np.where(values == color, 0, 255).astype(np.uint8))
            command = ["potrace", "--svg", "--flat", str(path), "--output", "-"]
            drawn = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            traced = " ".join(re.findall(r' d="([^"]*)"', drawn)).replace("\n", " ")
            layers.append(f'<path fill="#{color:06x}" d="{traced}"/>')
    return "".join(layers)


def with_vtracer(flat: NDArray[Any]) -> str:
    import vtracer

    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "flat.png"), Path(folder, "flat.svg")
        cv2.imwrite(str(source), flat[..., ::-1])
        vtracer.convert_image_to_svg_py(
            str(source), str(made), filter_speckle=0, color_precision=8, layer_difference=0
        )
        return made.read_text()


def seconds() -> float:
    """Of the processor, in this process and those that it has started."""
    return time.process_time() + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


def main() -> None:
    options = parser(__doc__ or "")
    options.set_defaults(count=3)
    options.add_argument("--regions", default="60,300")
    chosen = options.parse_args()
    rows = []
    peers: dict[str, Callable[[NDArray[Any]], str]] = {}
    if shutil.which("potrace"):
        peers["potrace"] = with_potrace
    if importlib.util.find_spec("vtracer"):
        peers["vtracer"] = with_vtracer
    for photo in photographs(chosen.images, chosen.count):
        tree = segment.hierarchy(photo)
        for n in map(int, chosen.regions.split(",")):
            found = tree.cut(n_regions=n)
            flat = np.ascontiguousarray(found.posterized)
            labels, colors = found.labels, np.rint(found.colors).astype(np.uint8)
            jobs: dict[str, Callable[[], str]] = {
                "segment": lambda labels=labels, colors=colors, photo=photo: to_svg(
                    labels, colors, image=photo
                ),
                **{name: lambda f=f, flat=flat: f(flat) for name, f in peers.items()},
            }
            row: list[Any] = [f"{photo.shape[1]}x{photo.shape[0]}", found.n_regions]
            for job in jobs.values():
                job()
                start = seconds()
                text = job().encode()
                spent = seconds() - start
                row += [len(text) / 1000, len(gzip.compress(text)) / 1000, spent]
            rows.append(row)
    head = ["picture", "regions"]
    for name in ("segment", *peers):
        head += [f"{name}: kB", "compressed", "seconds"]
    print(table(head, rows))


if __name__ == "__main__":
    main()
