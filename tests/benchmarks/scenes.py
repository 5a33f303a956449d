"""Scenes against `mean_shift` in memory, Orfeo LSMS and pyshepseg, by processor time.

    python -m tests.benchmarks.scenes --megapixels 16
    python -m tests.benchmarks.scenes --megapixels 4 --orfeo --pyshepseg PATH/TO/CHECKOUT
    python -m tests.benchmarks.scenes --megapixels 100 --memory 4GB --outputs --level 0.5

The scene is the photographs of ``images/`` (or those given), mirrored until the area is covered.
Each run is a process of its own, whose processor time and largest memory the system counts; times
of compilation and start are taken out by a run on a small part.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import segment

IMAGES = Path(__file__).parents[2] / "images"
STRIP = 512


def make_scene(path: Path, side: int, photographs: list[Path]) -> Path:
    """Write a square raster of mirrored photographs."""
    import rasterio
    from rasterio.windows import Window

    pictures = [np.asarray(segment.read_image(name).pixels)[..., :3] for name in photographs]
    height = min(len(picture) for picture in pictures)
    row: NDArray[Any] = np.concatenate([picture[:height] for picture in pictures], axis=1)
    row = np.concatenate([row, row[:, ::-1]], axis=1)
    row = np.tile(row, (1, -(-side // row.shape[1]), 1))[:, :side]
    profile = {
        "driver": "GTiff", "height": side, "width": side, "count": 3, "dtype": "uint8",
        "tiled": True, "compress": "zstd", "bigtiff": "if_safer", "interleave": "pixel",
        "crs": "EPSG:32633", "transform": rasterio.Affine(0.5, 0, 5e5, 0, -0.5, 5e6),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        for top in range(0, side, STRIP):
            rows = np.arange(top, min(top + STRIP, side))
            turn, place = rows // height % 2, rows % height
            strip = row[np.where(turn == 0, place, height - 1 - place)]
            file.write(np.moveaxis(strip, -1, 0), window=Window(0, top, side, len(rows)))
    return path


def timed(*command: str | Path, **environment: str) -> tuple[float, float, str]:
    """Run a command; return its processor seconds, largest memory in MB, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = [str(part) for part in command]
    ended = subprocess.run(
        program, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        sys.exit(f"{' '.join(program)}\n{ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, after.ru_maxrss / 1024, ended.stdout


IN_MEMORY = """
import json, resource, sys, numpy as np, rasterio, segment
with rasterio.open(sys.argv[1]) as file:
    pixels = np.ascontiguousarray(np.moveaxis(file.read(), 0, -1))
options = json.loads(sys.argv[2])
segment.mean_shift(pixels, **options)
"""
TILED = """
import json, sys, segment
report = segment.scene(sys.argv[1], sys.argv[2], overwrite=True, **json.loads(sys.argv[3]))
print(json.dumps({"n_regions": report.n_regions, "seconds": report.seconds}))
"""
SHEPHERD = """
import json, sys, warnings, numpy as np, rasterio
sys.path.insert(0, sys.argv[2])
from pyshepseg import shepseg
with rasterio.open(sys.argv[1]) as file:
    pixels = file.read()
found = shepseg.doShepherdSegmentation(pixels, minSegmentSize=int(sys.argv[3]))
print(int(found.segimg.max()))
"""


class Bench:
    def __init__(self, folder: Path, scene: Path, small: Path, n_pixels: int) -> None:
        self.folder, self.scene, self.small, self.n_pixels = folder, scene, small, n_pixels

    def net(self, name: str, *command: str | Path, at: int) -> float:
        """Print and return ns a pixel of a program, less what it takes on a small scene."""
        start, _, _ = timed(*command[:at], self.small, *command[at + 1 :])
        seconds, memory, printed = timed(*command)
        per_pixel = (seconds - start) / self.n_pixels * 1e9
        print(f"{name:34}{per_pixel:9.0f} ns a pixel {memory:8.0f} MB  {printed.strip()[:200]}")
        return per_pixel


def orfeo(bench: Bench, spatial: float, color: float, min_size: int) -> tuple[float, float]:
    """Return ns a pixel of LSMS, without and with vectors."""
    paths = {name: bench.folder / f"{name}.tif" for name in ("smooth", "place", "parts", "labels")}
    radii = ["-spatialr", str(int(spatial)), "-ranger", str(color)]
    steps = {
        "MeanShiftSmoothing": [
            "-in", bench.scene, "-fout", paths["smooth"], "-foutpos", paths["place"], *radii,
            "-modesearch", "0",
        ],
        "LSMSSegmentation": [
            "-in", paths["smooth"], "-inpos", paths["place"], "-out", paths["parts"], "uint32",
            *radii, "-minsize", "0", "-tilesizex", "1024", "-tilesizey", "1024",
        ],
        "LSMSSmallRegionsMerging": [
            "-in", paths["smooth"], "-inseg", paths["parts"], "-out", paths["labels"], "uint32",
            "-minsize", str(min_size),
        ],
        "LSMSVectorization": [
            "-in", bench.scene, "-inseg", paths["labels"], "-out", bench.folder / "orfeo.shp",
        ],
    }  # fmt: skip
    total = 0.0
    for name, arguments in steps.items():
        seconds, memory, _ = timed(f"otbcli_{name}", *arguments)
        total += seconds
        print(f"  {name:32}{seconds / bench.n_pixels * 1e9:9.0f} ns a pixel {memory:8.0f} MB")
        if name == "LSMSSmallRegionsMerging":
            labels = total
    return labels / bench.n_pixels * 1e9, total / bench.n_pixels * 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--megapixels", type=float, default=4)
    parser.add_argument("--photographs", type=Path, nargs="*", default=[IMAGES / "coffee.png"])
    parser.add_argument("-s", type=float, default=7.0)
    parser.add_argument("-r", type=float, default=6.5)
    parser.add_argument("-m", type=int, default=50)
    parser.add_argument("--color-space", default="luv")
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--outputs", action="store_true", help="outlines and table too")
    parser.add_argument("--level", type=float, help="cut the hierarchy at this level too")
    parser.add_argument("--no-memory-run", action="store_true", help="leave mean_shift out")
    parser.add_argument("--orfeo", action="store_true")
    parser.add_argument("--pyshepseg", type=Path, help="a checkout of pyshepseg")
    parser.add_argument("--folder", type=Path, help="where to work, on a disk with room")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        side = round((given.megapixels * 1e6) ** 0.5)
        scene = make_scene(folder / "scene.tif", side, given.photographs)
        small = make_scene(folder / "small.tif", 256, given.photographs)
        bench = Bench(folder, scene, small, side**2)
        options = {
            "spatial_bandwidth": given.s, "range_bandwidth": given.r, "min_size": given.m,
            "color_space": given.color_space,
        }  # fmt: skip
        tiled = {**options, "memory": given.memory, "tile": 2048}
        python = sys.executable
        ours = bench.net(
            "scene, labels", python, "-c", TILED, scene, folder / "l.tif", json.dumps(tiled), at=3
        )
        if given.level is not None:
            text = json.dumps({**tiled, "level": given.level})
            bench.net(
                f"scene, level {given.level}", python, "-c", TILED, scene, folder / "l.tif", text,
                at=3,
            )  # fmt: skip
        everything = None
        if given.outputs or given.orfeo:
            more = {"vector": str(folder / "v.gpkg"), "table": str(folder / "t.csv")}
            text = json.dumps({**tiled, **more})
            everything = bench.net(
                "scene, labels, outlines, table", python, "-c", TILED, scene, folder / "l.tif",
                text, at=3,
            )  # fmt: skip
        if not given.no_memory_run:
            text = json.dumps(options)
            whole = bench.net("mean_shift in memory", python, "-c", IN_MEMORY, scene, text, at=3)
            print(f"{'scene / mean_shift':34}{ours / whole:9.2f}")
        if given.orfeo and shutil.which("otbcli_LSMSSegmentation"):
            labels, vectors = orfeo(bench, given.s, given.r, given.m)
            print(f"{'Orfeo LSMS / scene, labels':34}{labels / ours:9.1f}")
            assert everything is not None
            print(f"{'Orfeo LSMS / scene, outlines':34}{vectors / everything:9.1f}")
        if given.pyshepseg is not None:
            other = bench.net(
                "pyshepseg", python, "-c", SHEPHERD, scene, given.pyshepseg, str(given.m), at=3
            )
            print(f"{'pyshepseg / scene, labels':34}{other / ours:9.1f}")


if __name__ == "__main__":
    main()
