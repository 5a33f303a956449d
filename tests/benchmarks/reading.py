"""Reading against the decoders' own time; and every file of a corpus, one process each.

    python -m tests.benchmarks.reading [--corpus FOLDER]

A ratio is the median over turns of the time of `segment.read_image` by the time that the decoder
takes from bytes in memory to an array. FOLDER has subfolders ``good`` and ``bad`` with a
``manifest.csv`` each; `segment image` is run on every file under 4 GiB of memory and 60 s.
"""

from __future__ import annotations

import argparse
import csv
import io
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import tifffile
from PIL import Image as PillowImage

from segment.images import read_image, write_image

ROOT = Path(__file__).parents[2]
LIMIT = 4 << 30
SECONDS = 60
TURNS = 9


def with_pillow(data: bytes) -> np.ndarray:
    return np.asarray(PillowImage.open(io.BytesIO(data)))


def with_opencv(data: bytes) -> np.ndarray:
    import cv2

    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def with_tifffile(data: bytes) -> np.ndarray:
    return tifffile.imread(io.BytesIO(data))


def pillow(pixels: np.ndarray, format_: str, **options: object) -> bytes:
    stream = io.BytesIO()
    PillowImage.fromarray(pixels).save(stream, format_, **options)
    return stream.getvalue()


def files(folder: Path) -> dict[str, tuple[bytes, Callable[[bytes], np.ndarray]]]:
    """Return a photograph of 2 MP in many formats, and the decoder of each."""
    photo = read_image(ROOT / "images" / "coffee.png").pixels
    photo = np.ascontiguousarray(np.tile(photo, (3, 3, 1))[:1200, :1800])
    deep = photo.astype(np.uint16) * 257
    tiff = {"none": {}, "deflate": {"compression": "zlib"}, "tiles": {"tile": (256, 256)}}
    made: dict[str, tuple[bytes, Callable[[bytes], np.ndarray]]] = {
        "JPEG": (pillow(photo, "JPEG", quality=90), with_pillow),
        "JPEG progressive": (pillow(photo, "JPEG", progressive=True), with_pillow),
        "PNG": (pillow(photo, "PNG"), with_pillow),
        "PNG gray": (pillow(photo[..., 0].copy(), "PNG"), with_pillow),
        "PNG 16-bit": (write_image(folder / "x.png", deep).read_bytes(), with_opencv),
        "WebP": (pillow(photo, "WEBP"), with_pillow),
        "BMP": (pillow(photo, "BMP"), with_pillow),
        "PPM": (pillow(photo, "PPM"), with_pillow),
        "JPEG 2000": (pillow(photo, "JPEG2000", quality_layers=[20]), with_pillow),
        "AVIF": (pillow(photo, "AVIF"), with_pillow),
        "TIFF LZW": (pillow(photo, "TIFF", compression="tiff_lzw"), with_pillow),
    }
    for name, options in tiff.items():
        stream = io.BytesIO()
        tifffile.imwrite(stream, photo, photometric="rgb", **options)
        made[f"TIFF {name}"] = (stream.getvalue(), with_tifffile)
    return made


def seconds(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def ratios(folder: Path) -> None:
    print(f"{'1800x1200':18}{'decoder, ms':>12}{'times the decoder':>20}")
    for name, (data, decoder) in files(folder).items():
        path = folder / "picture"
        path.write_bytes(data)
        turns = [
            (seconds(lambda: decoder(data)), seconds(lambda: read_image(path)))  # noqa: B023
            for _ in range(TURNS)
        ]
        own, ratio = median(a for a, _ in turns), median(b / a for a, b in turns)
        print(f"{name:18}{1000 * own:12.1f}{ratio:20.2f}")


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))


def verdict(path: Path, row: dict[str, str], out: Path) -> str | None:
    """Run `segment image` on one file and return what is wrong with how it ended, if anything."""
    try:
        run = subprocess.run(
            [sys.executable, "-m", "segment", "image", "--output", out, "--save", "labels", path],
            capture_output=True,
            timeout=SECONDS,
            preexec_fn=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"takes more than {SECONDS} s"
    said = run.stderr.decode("utf-8", "replace").splitlines()
    written = list(out.glob("*"))
    for file in written:
        file.unlink()
    expected = row["expected"]
    if run.returncode == 1:
        # What is read and cannot be segmented, such as values of 1e38, is none of reading.
        if "error" not in expected and any("cannot read" in line for line in said):
            return f"is refused: {said}"
        if len(said) != 1 or path.name not in said[0] or written:
            return f"is refused wrongly: {said}, {written}"
        return None
    if run.returncode != 0:
        return f"ends with {run.returncode}: {said[-1:]}"
    if expected == "error" or (expected == "error_or_warn" and not said):
        return "is taken in silence"
    if not written:
        return "has no output"
    return None


def corpus(folder: Path, out: Path) -> int:
    """Run over a corpus, print what is wrong, and return how many files it is with."""
    wrong = total = 0
    for kind in ("good", "bad"):
        with (folder / kind / "manifest.csv").open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                total += 1
                said = verdict(folder / kind / row["file"], row, out)
                if said is not None:
                    wrong += 1
                    print(f"{kind}/{row['file']} ({row['expected']}) {said}", flush=True)
    print(f"{total - wrong} of {total} files end as they should")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, help="folder with good/ and bad/")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if chosen.corpus is None:
            ratios(Path(scratch))
        else:
            sys.exit(corpus(chosen.corpus, Path(scratch)) > 0)


if __name__ == "__main__":
    main()
