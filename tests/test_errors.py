"""Bad input: one line that names the value, the reason and the remedy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import segment
from segment.threads import resolve_n_threads

RGB = np.full((4, 5, 3), 100, np.uint8)
GRAY = np.full((4, 5), 100, np.uint8)
KEEP = np.ones((4, 5), bool)


def floats(value: float, shape: tuple[int, ...] = (4, 5, 3)) -> Any:
    """An image of 0.5 with one other value."""
    image = np.full(shape, 0.5)
    image[1, 2] = value
    return image


# Image, other arguments, words of the message: value, reason, remedy.
BAD_IMAGES: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "empty": (np.zeros((0, 5, 3)), {}, ["(0, 5, 3)", "empty", "at least one pixel"]),
    "no channels": (np.zeros((4, 5, 0)), {}, ["(4, 5, 0)", "empty", "at least one pixel"]),
    "0-D": (np.float32(1), {}, ["()", "(H, W)"]),
    "1-D": (np.zeros(5), {}, ["(5,)", "(H, W)"]),
    "4-D": (np.zeros((2, 2, 2, 3)), {}, ["(2, 2, 2, 3)", "channel_axis"]),
    "text": (np.array([["a", "b"]]), {}, ["<U1", "convert"]),
    "complex": (RGB.astype(complex), {}, ["complex128", "convert"]),
    "objects": (np.array([[None, 1]]), {}, ["object", "convert"]),
    "dates": (np.zeros((2, 2), "M8[s]"), {}, ["datetime64", "convert"]),
    "channels first": (np.zeros((3, 40, 50), np.uint8), {}, ["(3, 40, 50)", "channel_axis=0"]),
    "RGBA": (np.zeros((4, 5, 4), np.uint8), {}, ["4 channels", "RGBA", "mask=image[..., 3] > 0"]),
    "gray, alpha": (np.zeros((4, 5, 2), np.uint8), {}, ["2 channels", "mask=image[..., 1] > 0"]),
    "many bands": (np.zeros((4, 5, 7)), {}, ["7 channels", "color_space='none'"]),
    "no axis": (RGB, {"channel_axis": None}, ["(4, 5, 3)", "channel_axis=None", "-1"]),
    "axis 3": (RGB, {"channel_axis": 3}, ["channel_axis=3", "(4, 5, 3)", "-3 to 2"]),
    "axis -4": (RGB, {"channel_axis": -4}, ["channel_axis=-4", "-3 to 2"]),
    "axis 1.0": (RGB, {"channel_axis": 1.0}, ["channel_axis=1.0", "not an integer"]),
    "axis True": (RGB, {"channel_axis": True}, ["channel_axis=True", "not an integer"]),
    "huge floats": (floats(1e20), {"color_space": "none"}, ["0.5 to 1e+20", "float32", "1e15"]),
    "a word for a range": (RGB, {"value_range": "full"}, ["'full'", "(0, 4095)", "'auto'"]),
    "a falling range": (RGB, {"value_range": (9, 1)}, ["(9, 1)", "does not rise", "'auto'"]),
    "a range of NaN": (RGB, {"value_range": (0, np.nan)}, ["nan", "not finite", "(0, 4095)"]),
    "mask's shape": (RGB, {"mask": KEEP.T}, ["(5, 4)", "(4, 5)", "one flag a pixel"]),
    "mask of channels": (RGB, {"mask": RGB > 0}, ["(4, 5, 3)", "(4, 5)", "one flag"]),
    "mask's dtype": (GRAY, {"mask": GRAY}, ["uint8", "bool", "mask > 0"]),
    "weights' shape": (RGB, {"weights": np.ones(4)}, ["(4,)", "(4, 5)", "one weight a pixel"]),
    "weights below 0": (RGB, {"weights": KEEP - 1.5}, ["negative", "0 to 1e15"]),
    "weights of NaN": (RGB, {"weights": KEEP * np.nan}, ["NaN", "0 to 1e15"]),
    "weights of text": (RGB, {"weights": KEEP.astype(str)}, ["<U5", "real numbers"]),
    "huge weights": (RGB, {"weights": KEEP * 1e20}, ["1e15"]),
}  # fmt: skip

BANDWIDTHS: list[tuple[Any, list[str]]] = [
    (0, ["=0 ", "above 0"]),
    (-3, ["=-3 ", "above 0"]),
    (float("nan"), ["=nan ", "finite"]),
    (float("inf"), ["=inf ", "finite"]),
    (True, ["=True", "bool", "number above 0"]),
    (np.True_, ["True", "bool", "number above 0"]),
    ("7", ["='7'", "str", "number above 0"]),
    (None, ["=None", "NoneType", "number above 0"]),
    (1j, ["=1j", "complex", "number above 0"]),
    (np.array([[7.0]]), ["ndarray", "number above 0"]),
    (1e30, ["=1e+30", "overflows float32", "1e-15 to 1e15"]),
    (1e-30, ["=1e-30", "float32", "1e-15 to 1e15"]),
]

BAD_PARAMETERS: list[tuple[str, Any, list[str]]] = [
    *(("spatial_bandwidth", value, words) for value, words in BANDWIDTHS),
    *(("range_bandwidth", value, words) for value, words in BANDWIDTHS),
    *(("tol", value, words) for value, words in BANDWIDTHS),
    ("range_bandwidth", [7.0], ["(7.0,)", "'luv' takes one for all", "color_space='none'"]),
    ("range_bandwidth", [], ["=[]", "is empty", "one a band"]),
    ("min_size", -1, ["=-1", "too small", ">= 0"]),
    ("min_size", 2.5, ["=2.5", "not a whole number", ">= 0"]),
    ("min_size", 20.0, ["=20.0", "not a whole number", ">= 0"]),
    ("min_size", True, ["=True", "not a whole number", ">= 0"]),
    ("min_size", "20", ["='20'", "not a whole number", ">= 0"]),
    ("max_iter", 0, ["=0", "too small", ">= 1"]),
    ("max_iter", 9.5, ["=9.5", "not a whole number", ">= 1"]),
    ("connectivity", 0, ["=0", "too small", ">= 1"]),
    ("connectivity", 4, ["=4", "1 (edges)", "2 (corners too)"]),
    ("connectivity", 1.0, ["=1.0", "not a whole number"]),
    ("kernel", "box", ["='box'", "unknown", "flat, epanechnikov, gaussian"]),
    ("kernel", 0, ["=0", "unknown", "flat, epanechnikov, gaussian"]),
    ("color_space", "hsv", ["='hsv'", "unknown", "luv, lab, rgb, none"]),
    ("color_space", None, ["=None", "unknown", "luv, lab, rgb, none"]),
    ("color_space", "LUV", ["='LUV'", "unknown", "luv, lab, rgb, none"]),
    ("n_threads", 0, ["=0", "at least 1", "None"]),
    ("n_threads", True, ["=True", "at least 1"]),
    ("n_threads", 2.0, ["=2.0", "at least 1"]),
]


def assert_message(error: BaseException, words: list[str]) -> None:
    """Assert one line that holds the words."""
    message = str(error)
    assert "\n" not in message
    assert len(message) < 250
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", BAD_IMAGES)
def test_bad_images(name: str) -> None:
    image, options, words = BAD_IMAGES[name]
    for function in (segment.mean_shift, segment.mean_shift_filter):
        with pytest.raises(segment.InputError) as caught:
            function(image, **options)
        assert_message(caught.value, words)


@pytest.mark.parametrize(("name", "value", "words"), BAD_PARAMETERS)
def test_bad_parameters(name: str, value: Any, words: list[str]) -> None:
    with pytest.raises(segment.InputError) as caught:
        segment.mean_shift(RGB, **{name: value})
    assert_message(caught.value, [name, *words])
    if name not in ("min_size", "connectivity"):
        with pytest.raises(segment.InputError) as caught:
            segment.mean_shift_filter(RGB, **{name: value})
        assert_message(caught.value, [name, *words])


def test_nothing_is_accepted_and_ignored() -> None:
    with pytest.raises(TypeError):
        segment.mean_shift(RGB, sigma=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        segment.mean_shift_filter(RGB, min_size=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        segment.mean_shift(RGB, 7, 6.5)  # type: ignore[misc]


def test_masked_values_are_not_judged() -> None:
    for value in (np.nan, 1e30, 255.0, -1.0):
        image = floats(value)
        keep = image[..., 0] == 0.5
        found = segment.mean_shift(image, mask=keep)
        assert found.n_regions == 1
        np.testing.assert_array_equal(found.labels, keep)
        np.testing.assert_allclose(found.colors, 0.5)


def test_errors_are_ours_and_pythons() -> None:
    for ours, python in [
        (segment.InputError, ValueError),
        (segment.FileError, OSError),
        (segment.ExtraError, ImportError),
    ]:
        assert issubclass(ours, segment.SegmentError)
        assert issubclass(ours, python)
    error = segment.ExtraError("Plotting", "plot")
    assert_message(error, ["Plotting", "'plot' extra", "pip install 'segment[plot]'"])


def test_threads_default_to_the_cores_of_this_process() -> None:
    assert resolve_n_threads(None) >= 1
    assert resolve_n_threads(np.int64(3)) == 3
