"""Images to feature planes and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import skimage.color
from numpy.typing import NDArray

from segment.regions.checks import check_image
from segment.regions.features import feature_planes, pixels_from_features, to_dtype

ORACLE = {"luv": skimage.color.rgb2luv, "lab": skimage.color.rgb2lab}
INTEGERS = [np.dtype(f"{kind}{size}") for kind in "iu" for size in (1, 2, 4, 8)]


def features(image: Any, color_space: str = "luv", **options: Any) -> NDArray[np.float32]:
    """Features (C, H, W) of an image."""
    return feature_planes(check_image(image, color_space=color_space, **options), color_space)


def cube(n: int) -> NDArray[np.uint8]:
    """The RGB cube in n steps a side, as an image that holds black, white and the primaries."""
    steps = np.linspace(0, 255, n).astype(np.uint8)
    colors = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1)
    return colors.reshape(n, n * n, 3)


@pytest.mark.parametrize("space", ["luv", "lab"])
def test_color_agrees_with_scikit_image(space: str) -> None:
    image = cube(18)
    expected = np.moveaxis(ORACLE[space](image.astype(float) / 255), -1, 0)
    np.testing.assert_allclose(features(image, space), expected, atol=5e-4)


@pytest.mark.parametrize("space", ["luv", "lab"])
def test_gray_is_the_lightness_of_equal_channels(space: str) -> None:
    gray = np.arange(256, dtype=np.uint8).reshape(8, 32)
    lightness = features(gray, space)
    assert lightness.shape == (1, 8, 32)
    expected = ORACLE[space](np.repeat(gray[..., None], 3, axis=2).astype(float) / 255)[..., 0]
    np.testing.assert_allclose(lightness[0], expected, atol=5e-4)
    assert (np.diff(lightness.ravel()) > 0).all()


def test_rgb_is_the_image_at_the_scale_of_8_bits() -> None:
    image = cube(5)
    np.testing.assert_allclose(
        features(image, "rgb"), np.moveaxis(image, -1, 0).astype(float), rtol=1e-6
    )


@pytest.mark.parametrize("space", ["luv", "lab", "rgb"])
def test_equal_fractions_are_equal_features_whatever_the_dtype(space: str) -> None:
    image = cube(9)
    expected = features(image, space)
    for dtype in ("u2", "u4", "u8"):
        ratio = np.iinfo(dtype).max // 255
        np.testing.assert_array_equal(features(image.astype(dtype) * ratio, space), expected)
    for dtype in ("f4", "f8"):
        np.testing.assert_array_equal(features(image.astype(dtype) / 255, space), expected)


@pytest.mark.parametrize("space", ["luv", "lab", "rgb"])
@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 3)])
def test_black_and_white_are_equal_in_every_dtype(space: str, shape: tuple[int, ...]) -> None:
    flags = np.random.default_rng(0).random(shape) < 0.5
    expected = features(flags, space)
    for dtype in INTEGERS:
        image = flags.astype(dtype) * dtype.type(np.iinfo(dtype).max)
        np.testing.assert_array_equal(features(image, space), expected)
    for size in (2, 4, 8):
        np.testing.assert_array_equal(features(flags.astype(f"f{size}"), space), expected)


@pytest.mark.parametrize("dtype", [bool, *INTEGERS, "f2", "f4", "f8"])
def test_none_takes_values_as_they_are(dtype: Any) -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 100, (5, 6, 7)).astype(dtype)
    planes = features(image, "none")
    assert planes.dtype == np.float32
    np.testing.assert_array_equal(planes, np.moveaxis(image, -1, 0).astype(np.float32))
    if np.dtype(dtype).kind in "if":
        np.testing.assert_array_equal(features(-image, "none"), -planes)


def layouts(image: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The same image laid out in every way NumPy knows."""
    read_only = image.copy()
    read_only.flags.writeable = False
    return {
        "Fortran order": np.asfortranarray(image),
        "negative strides": image[::-1, ::-1].copy()[::-1, ::-1],
        "every other pixel": np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)[::2, ::2],
        "read-only": read_only,
        "byte-swapped": image.astype(image.dtype.newbyteorder("S")),
    }


@pytest.mark.parametrize("space", ["luv", "rgb", "none"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(5, 8), (5, 8, 3)])
def test_layout_does_not_matter(shape: tuple[int, ...], dtype: str, space: str) -> None:
    image = np.random.default_rng(2).random(shape)
    image = (image * (1 if dtype[0] == "f" else np.iinfo(dtype).max)).astype(dtype)
    expected = features(image, space)
    for name, other in layouts(image).items():
        before = other.copy()
        np.testing.assert_array_equal(features(other, space), expected, err_msg=name)
        np.testing.assert_array_equal(other, before, err_msg=name)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_channel_axis(axis: int) -> None:
    image = cube(3)
    moved = np.moveaxis(image, -1, axis)
    for space in ("luv", "none"):
        np.testing.assert_array_equal(
            features(moved, space, channel_axis=axis), features(image, space)
        )
    pixels = check_image(moved, color_space="luv", channel_axis=axis)
    np.testing.assert_array_equal(pixels.like_input(pixels.values), moved)


def test_padding_and_masked_pixels_are_infinite() -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)
    keep = rng.random((5, 6)) > 0.4
    pixels = check_image(image, color_space="luv", mask=keep)
    planes = feature_planes(pixels, "luv", pad=2, pad_right=8)
    assert planes.shape[:2] == (3, 9)
    assert planes.shape[2] >= 18
    inside = np.zeros(planes.shape[1:], bool)
    inside[2:7, 2:8] = keep
    np.testing.assert_array_equal(planes == np.inf, np.broadcast_to(~inside, planes.shape))
    np.testing.assert_array_equal(planes[:, inside], features(image)[:, keep])


@pytest.mark.parametrize("space", ["luv", "lab", "rgb", "none"])
def test_threads_and_chunks_do_not_matter(space: str) -> None:
    image = np.random.default_rng(4).integers(0, 256, (300, 257, 3), dtype=np.uint8)
    pixels = check_image(image, color_space=space)
    whole = feature_planes(pixels, space, n_threads=1)
    np.testing.assert_array_equal(feature_planes(pixels, space, n_threads=3), whole)
    rows = [features(image[i : i + 1], space) for i in range(0, 300, 60)]
    np.testing.assert_array_equal(np.concatenate(rows, axis=1), whole[:, ::60])


@pytest.mark.parametrize("space", ["luv", "lab", "rgb", "none"])
@pytest.mark.parametrize("dtype", [bool, *INTEGERS, "f2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(7, 9), (7, 9, 3)])
def test_features_come_back_as_the_pixels_they_were(
    shape: tuple[int, ...], dtype: Any, space: str
) -> None:
    dtype = np.dtype(dtype)
    values = np.random.default_rng(5).random(shape)
    if dtype.kind in "iu":
        values = np.rint(values * min(np.iinfo(dtype).max, 2**53))
    image = (values > 0.5) if dtype.kind == "b" else values.astype(dtype)
    keep = np.random.default_rng(6).random(shape[:2]) > 0.2
    top = 1 if dtype.kind in "bf" else np.iinfo(dtype).max
    pixels = check_image(image, color_space=space, mask=keep, value_range=(0, top))
    back = pixels.like_input(pixels_from_features(feature_planes(pixels, space), pixels, space))
    assert back.dtype == dtype
    assert back.shape == shape
    # Planes are float32, and L is linear in Y near black: one part in 1e5 of full scale is lost.
    scale = 1 if dtype.kind in "bf" else float(np.iinfo(dtype).max)
    np.testing.assert_allclose(
        back.astype(float), image.astype(float), rtol=0, atol=max(1e-5 * scale, 1e-5)
    )
    np.testing.assert_array_equal(back[~keep], image[~keep])
    if dtype.kind in "b" or dtype.itemsize == 1:
        np.testing.assert_array_equal(back, image)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_to_dtype_rounds_and_clips(dtype: np.dtype[Any]) -> None:
    info = np.iinfo(dtype)
    values = np.array([-1e30, float(info.min), 0.49, 0.51, 1.5, 2.5, 99.7, 1e30])
    found = to_dtype(values, dtype)
    assert found.dtype == dtype
    assert found[1:-1].tolist() == [info.min, 0, 1, 2, 2, 100]
    assert found[0] == info.min
    assert int(found[-1]) > info.max - 2**12


def test_to_dtype_of_flags_and_floats() -> None:
    assert to_dtype(np.array([0.2, 0.5, 0.8]), np.dtype(bool)).tolist() == [False, True, True]
    assert to_dtype(np.array([0.25, -3]), np.dtype("f2")).tolist() == [0.25, -3]
