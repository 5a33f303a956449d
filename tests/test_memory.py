"""What would not fit into memory is refused before it is tried."""

from __future__ import annotations

import io
import struct
import threading
import tracemalloc
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from segment import memory
from segment.errors import FileError
from segment.images import read_image, write_image
from segment.params import Cut
from segment.workflow import Recipe, make

BLACK = np.zeros((40, 50, 3), np.uint8)


def test_free_memory_is_some() -> None:
    assert memory.free_memory() > 1e6


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little memory is free, and every picture worth a look at it."""
    monkeypatch.setattr(memory, "SMALL", 0)
    monkeypatch.setattr(memory, "free_memory", lambda: 1000.0)


def encoded(kind: str) -> bytes:
    """A picture of 2,000 pixels, of a kind of file."""
    stream = io.BytesIO()
    if kind.startswith("TIFF"):
        tile = {"tile": (16, 16)} if kind == "TIFF tiled" else {"rowsperstrip": 4}
        tifffile.imwrite(stream, BLACK, photometric="rgb", compression="zlib", **tile)
    elif kind == "JPEG XL":
        return bytes(imagecodecs.jpegxl_encode(BLACK))
    else:
        PillowImage.fromarray(BLACK).save(stream, kind)
    return stream.getvalue()


KINDS = ["PNG", "JPEG", "GIF", "WEBP", "JPEG2000", "AVIF", "BMP", "PPM", "TGA", "QOI"]


@pytest.mark.parametrize("kind", [*KINDS, "TIFF tiled", "TIFF striped", "JPEG XL"])
def test_what_does_not_fit_is_refused_before_it_is_decoded(
    tmp_path: Path, scarce: None, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(encoded(kind))

    def decoded(*args: object, **options: object) -> None:
        raise AssertionError("it was decoded")

    with monkeypatch.context() as patch:
        for name in ("pillow.load", "opencv.decode", "codecs.decode", "libtiff.decompress"):
            patch.setattr(f"segment.images.{name}", decoded)
        with pytest.raises(FileError, match=r"decoding .*a, 50 x 40 pixels, needs about .* free"):
            read_image(path)
        with pytest.raises(FileError, match=r"a, 50 x 40 pixels, needs about .* segment scene"):
            make(path, tmp_path / "a", Recipe(kinds=("labels",)), n_threads=1)
    assert read_image(path, max_pixels=2001).shape == (40, 50)  # who insists may try
    assert make(path, tmp_path / "a", Recipe(kinds=("labels",), max_pixels=2001), n_threads=1)


def test_a_gif_with_a_canvas_at_the_limit_is_refused_by_its_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = b"GIF89a" + struct.pack("<HHBBB", 16384, 16383, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00;"
    path = tmp_path / "a.gif"
    path.write_bytes(head + frame)
    monkeypatch.setattr(memory, "free_memory", lambda: 2e9)
    with pytest.raises(FileError, match=r"16384 x 16383 pixels, needs about .* of memory"):
        read_image(path)


def test_small_pictures_are_not_worth_a_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_image(tmp_path / "a.png", BLACK)
    monkeypatch.setattr(memory, "free_memory", lambda: 1000.0)
    assert read_image(path).shape == (40, 50)


@pytest.mark.parametrize("kinds", [("labels",), ("labels", "posterized", "overlay"), ("filtered",)])
@pytest.mark.parametrize("any_size", [True, False])
def test_the_forecast_holds_what_is_taken(
    tmp_path: Path, kinds: tuple[str, ...], any_size: bool
) -> None:
    """As NumPy counts it, which sees neither OpenCV's nor Pillow's: a lower bound of the peak."""
    side = 1200
    noise = np.random.default_rng(0).integers(0, 256, (side // 8, side // 8, 3), np.uint8)
    path = write_image(tmp_path / "a.png", np.kron(noise, np.ones((8, 8, 1), np.uint8)))
    recipe = Recipe(kinds=kinds, cut=Cut(0.5, any_size=any_size))
    make(path, tmp_path / "first", recipe, n_threads=1)  # compiled
    asked: list[float] = []
    tracemalloc.start()
    try:
        make(path, tmp_path / "second", recipe, n_threads=1, ask=asked.append)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(asked) == 1
    assert side**2 * 10 < peak < asked[0] < 4 * peak


def test_limits_of_process_and_container_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda which: (1 << 50, 1 << 50))
    assert (1 << 50) - (1 << 45) < min(memory._of_process()) < 1 << 50
    for name, content in (("max", "5000"), ("current", "3000"), ("stat", "a 1\ninactive_file 400")):
        (tmp_path / f"memory.{name}").write_text(content)
    names = memory.GROUP_FILES[""][1:]
    assert list(memory._of_group(tmp_path, *names)) == [2400.0]
    (tmp_path / "memory.max").write_text("max\n")
    assert list(memory._of_group(tmp_path, *names)) == []
    assert list(memory._of_group(tmp_path / "none", *names)) == []


def test_who_finds_the_memory_taken_waits() -> None:
    budget = memory.Budget(100)
    order, begun = [], threading.Event()

    def second() -> None:
        with budget.sharing() as take:
            begun.set()
            take(60)
            order.append("second")

    with budget.sharing() as take:
        take(1000)  # alone, more than there is
        thread = threading.Thread(target=second)
        thread.start()
        assert begun.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    with budget.sharing() as one, budget.sharing() as other:  # both fit
        one(50)
        other(50)
