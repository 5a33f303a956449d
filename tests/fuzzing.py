"""Hostile inputs by the thousand: arrays, image files, saved hierarchies.

Run ``python -m tests.fuzzing KIND [-n COUNT] [--seed SEED]``, KIND one of arrays, files (bytes
changed at random), shapes (files changed by their structure), trees.
Each case is made from its own seed, which is printed when it fails; `tests/test_fuzzing.py` runs a
few of each.
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import OpenEXR
import pillow_heif
import tifffile
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image as PillowImage

import segment
import segment.images
from segment.errors import FileError, InputError
from tests.shaping import shaped

CORPUS = Path(__file__).parent.parent.parent / "shared" / "corpus"
LARGEST = 1 << 20  # pixels that a mutated header may ask for
DTYPES = ["?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "g"]
VALUES = [0, 1, -1, 127, 255, 256, 4095, 65535, 1e-30, 1e15, 1e16, 1e300, np.nan, np.inf, -np.inf]
SLOW = 120.0  # seconds: a few kernels may have to be compiled, all else takes a tenth of one
# What reading one file may take: seconds (CharLS needs 6 for a certain 139 bytes), and bytes of
# memory at its peak.
SECONDS, GROWTH = 20.0, 1 << 29


def one_line(error: Exception) -> str:
    """Assert that a refusal is one line."""
    assert len(str(error).splitlines()) == 1
    return "refused"


# Arrays.


def random_image(rng: Generator) -> NDArray[Any]:
    """An image of any dtype and layout, with values from everywhere."""
    dtype = np.dtype(rng.choice(DTYPES))
    shape = tuple(int(side) for side in rng.integers(1, 24, rng.choice([2, 2, 3])))
    if len(shape) == 3:
        shape = (*shape[:2], int(rng.choice([1, 2, 3, 3, 3, 4, 6])))
    with np.errstate(all="ignore"):
        scale = 10.0 ** rng.integers(-6, 9)
        offset = rng.choice([0.0, 0.0, 1.0, -5.0, 1e6, 1e12])
        image = (rng.normal(0, scale, shape) + offset).astype(dtype)
        if rng.random() < 0.3:
            image = rng.integers(0, rng.choice([2, 4, 256, 4096]), shape).astype(dtype)
        for _ in range(rng.integers(0, 4)):
            image.reshape(-1)[rng.integers(image.size)] = np.asarray(rng.choice(VALUES)).astype(
                dtype
            )
    if rng.random() < 0.2:
        image = np.asfortranarray(image)
    if rng.random() < 0.2:
        image = image[::-1, ::-1]
    if rng.random() < 0.1:
        image = image.astype(dtype.newbyteorder())
    if rng.random() < 0.1:
        return np.ma.array(image, mask=rng.random(image.shape) < 0.2)
    return image


def try_array(rng: Generator) -> str:
    """Segment a random image; return what came of it, or raise if it is not sound."""
    image = random_image(rng)
    before = np.array(image, copy=True)
    options: dict[str, Any] = {
        "color_space": str(rng.choice(["luv", "lab", "rgb", "none"])),
        "engine": str(rng.choice(["fast", "exact"])),
        "spatial_bandwidth": rng.choice([2.0, 4.0, 9.5]),
        "range_bandwidth": "auto" if rng.random() < 0.3 else 10.0 ** rng.integers(-2, 4),
        "min_size": int(rng.integers(0, 30)),
        "connectivity": int(rng.integers(1, 3)),
        "n_threads": 1,
    }
    if rng.random() < 0.3:
        options["mask"] = rng.random(image.shape[:2]) < rng.choice([0.0, 0.5, 0.9])
    if rng.random() < 0.2:
        options["value_range"] = "auto" if rng.random() < 0.5 else (0, 4095)
    try:
        found = segment.mean_shift(image, **options)
    except InputError as error:
        return one_line(error)
    check_segmentation(found, image, options.get("mask"))
    tree = found.hierarchy(n_threads=1)
    cut = tree.cut(n_regions=2)
    assert cut.n_regions <= max(2, found.n_regions)
    contours = tree.contours()
    assert np.isfinite(contours).all()
    np.testing.assert_array_equal(np.asarray(before), np.asarray(image))
    return "segmented"


def check_segmentation(found: segment.Segmentation, image: Any, mask: Any) -> None:
    """Assert what every segmentation promises."""
    labels, n = found.labels, found.n_regions
    values = np.ma.getdata(image).astype("f8" if image.dtype.kind == "f" else image.dtype)
    hidden = ~np.isfinite(np.ma.getdata(image)).reshape(*image.shape[:2], -1).all(axis=2)
    hidden |= np.ma.getmaskarray(image).reshape(*image.shape[:2], -1).any(axis=2)
    if mask is not None:
        hidden |= ~mask
    assert labels.dtype == np.int32
    assert np.array_equal(labels == 0, hidden)
    assert np.array_equal(np.unique(labels[~hidden]), np.arange(1, n + 1))
    assert np.isfinite(found.colors).all()
    assert found.posterized.shape == image.shape
    assert found.posterized.dtype == image.dtype.newbyteorder("=")
    assert values.shape == image.shape


# Files.


@cache
def seeds_of_files() -> list[bytes]:
    """Files to mutate: small ones of the corpus where it is, and one of each usual kind."""
    pixels = np.arange(3 * 12 * 15, dtype=np.uint8).reshape(12, 15, 3)
    files = []
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TGA", "PCX", "ICO", "PPM", "SGI", "DDS",
                 "JPEG2000", "AVIF", "QOI"):  # fmt: skip
        buffer = io.BytesIO()
        PillowImage.fromarray(pixels).save(buffer, kind)
        files.append(buffer.getvalue())
    for options in ({}, {"compression": "lzw"}, {"compression": "zlib", "predictor": 2},
                    {"tile": (16, 16)}, {"planarconfig": "separate"}):  # fmt: skip
        buffer = io.BytesIO()
        data = np.moveaxis(pixels, 2, 0) if "planarconfig" in options else pixels
        tifffile.imwrite(
            buffer, data, photometric="rgb", extratags=[(42113, "s", 0, "7", True)], **options
        )
        files.append(buffer.getvalue())
    files += [imagecodecs.jpegxl_encode(pixels), imagecodecs.jpegls_encode(pixels)]
    buffer = io.BytesIO()
    pillow_heif.from_pillow(PillowImage.fromarray(np.kron(pixels, np.ones((6, 6, 1), "u1")))).save(
        buffer
    )
    files.append(buffer.getvalue())
    with tempfile.NamedTemporaryFile(suffix=".exr") as stream:
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, {"RGBA": np.dstack([pixels, pixels]).astype("f2")[..., :4]}).write(
            stream.name
        )
        files.append(Path(stream.name).read_bytes())
    head = b"P7\nWIDTH 5\nHEIGHT 2\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n"
    files.append(head + bytes(30))
    small = [path for path in sorted((CORPUS / "good").glob("*")) if path.stat().st_size < 40_000]
    return files + [path.read_bytes() for path in small if path.suffix != ".csv"]


def mutated(data: bytes, rng: Generator) -> bytes:
    """Flip, cut, double, swap or overwrite parts of a file, early parts more often."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 6))):
        if not out:
            break
        at = int(rng.integers(len(out)) * rng.choice([0.05, 0.3, 1.0]))
        match int(rng.integers(6)):
            case 0:
                out[at] ^= 1 << int(rng.integers(8))
            case 1:
                out[at] = int(rng.choice([0, 1, 127, 128, 254, 255]))
            case 2:
                del out[at : at + int(rng.integers(1, 9))]
            case 3:
                out[at:at] = out[at : at + int(rng.integers(1, 40))]
            case 4:
                del out[max(at, 1) :]
            case 5:
                size = int(rng.choice([2, 4]))
                out[at : at + size] = int(rng.choice([0, 1, 2**15, 2**16 - 1])).to_bytes(4)[-size:]
    return bytes(out)


def try_file(rng: Generator) -> str:
    """Read a mutated image file; return what came of it."""
    files = seeds_of_files()
    return read(mutated(files[int(rng.integers(len(files)))], rng), rng)


def try_shape(rng: Generator) -> str:
    """Read an image file that was changed by its structure; return what came of it."""
    files = seeds_of_files()
    return read(shaped(files[int(rng.integers(len(files)))], rng), rng)


def read(data: bytes, rng: Generator) -> str:
    """Read a file of these bytes and assert that what comes of it is sound, soon, in little."""
    before, started = peak_memory(), time.process_time()
    try:
        return _read(data, rng)
    finally:
        assert time.process_time() - started < SECONDS
        assert peak_memory() - before < GROWTH


def peak_memory() -> int:
    """Return the most bytes of memory that this process has had."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _read(data: bytes, rng: Generator) -> str:
    page = int(rng.choice([0, 0, 0, 1]))
    with tempfile.NamedTemporaryFile() as stream:
        stream.write(data)
        stream.flush()
        try:
            segment.images.count_pages_or_one(stream.name)
            image = segment.read_image(
                stream.name, page=page, max_pixels=LARGEST, accept_damaged=bool(rng.integers(2))
            )
        except FileError as error:
            return one_line(error)
    height, width = image.shape
    assert 0 < height * width <= LARGEST
    assert image.mask is None or image.mask.shape == image.shape
    assert image.alpha is None or image.alpha.shape == image.shape
    return "read, damaged" if image.damaged else "read"


# Saved hierarchies.


@cache
def seed_of_trees() -> tuple[bytes, dict[str, Any]]:
    """A saved hierarchy, and its arrays."""
    rng = np.random.default_rng(0)
    image = np.kron(rng.integers(0, 256, (5, 6, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    keep = np.ones(image.shape[:2], bool)
    keep[:3, :5] = False
    data = (
        segment.mean_shift(image, mask=keep, range_bandwidth=4, min_size=4).hierarchy().to_bytes()
    )
    with np.load(io.BytesIO(data)) as file:
        return data, {name: file[name] for name in file.files}


def crafted(rng: Generator) -> bytes:
    """Return the file with some of its numbers changed, sound as an archive."""
    arrays = {name: value.copy() for name, value in seed_of_trees()[1].items()}
    for _ in range(int(rng.integers(1, 4))):
        name = str(rng.choice(["parents", "levels", "labels", "modes", "image", "mask"]))
        array = arrays[name]
        match int(rng.integers(4)):
            case 0 if array.size:
                wild = [-2, -1, 0, 1, 2, len(array), 2**31 - 1, np.nan, np.inf]
                with np.errstate(all="ignore"):
                    value = np.asarray(rng.choice(wild)).astype(array.dtype)
                array.reshape(-1)[rng.integers(array.size)] = value
            case 1 if array.size:
                i, j = rng.integers(array.size, size=2)
                flat = array.reshape(-1)
                flat[[i, j]] = flat[[j, i]]
            case 2:
                arrays[name] = array[: int(rng.integers(len(array) + 1))] if array.ndim else array
            case 3:
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    arrays[name] = array.astype(rng.choice(["i4", "f4", "u1", ">i4", "f8", "?"]))
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def try_tree(rng: Generator) -> str:
    """Load a mutated or crafted hierarchy, and use it; return what came of it."""
    data = mutated(seed_of_trees()[0], rng) if rng.random() < 0.5 else crafted(rng)
    with tempfile.NamedTemporaryFile(suffix=".npz") as stream:
        stream.write(data)
        stream.flush()
        try:
            tree = segment.Hierarchy.load(stream.name)
        except FileError as error:
            return one_line(error)
    assert tree.cut(n_regions=3).n_regions <= tree.n_leaves
    tree.cut(0.5).posterized  # noqa: B018
    tree.contours()
    tree.cut(0.3).regions()
    return "loaded"


KINDS: dict[str, Callable[[Generator], str]] = {
    "arrays": try_array,
    "files": try_file,
    "shapes": try_shape,
    "trees": try_tree,
}


def fuzz(kind: str, n: int, seed: int = 0) -> Counter[str]:
    """Try `n` cases of a kind and count what came of them; a case that fails names its seed."""
    outcomes: Counter[str] = Counter()
    for case in range(seed, seed + n):
        started = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                warnings.simplefilter("ignore", segment.InputWarning)
                outcomes[KINDS[kind](np.random.default_rng(case))] += 1
        except Exception as error:
            raise AssertionError(f"{kind}, seed {case}: {type(error).__name__}: {error}") from error
        seconds = time.perf_counter() - started
        if seconds > SLOW:
            outcomes["slow"] += 1
            print(f"{kind}, seed {case}: {seconds:.0f} s")
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("-n", type=int, default=1000, help="how many cases")
    parser.add_argument("--seed", type=int, default=0, help="of the first case")
    given = parser.parse_args()
    started = time.perf_counter()
    counts = fuzz(given.kind, given.n, given.seed)
    shown = ", ".join(f"{count:,} {outcome}" for outcome, count in counts.most_common())
    print(f"{given.kind}: {shown}, in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
