"""`mean_shift`: the promises about its labels, and what a `Segmentation` tells."""

from __future__ import annotations

import doctest
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from skimage.measure import regionprops_table

import segment
import segment.regions.filtering
import segment.regions.segmenting
from tests.naive import regions as naive
from tests.pictures import noise, photograph

DTYPES = [bool, "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"]


def check_labels(
    found: segment.Segmentation, keep: NDArray[np.bool_], min_size: int, connectivity: int = 1
) -> None:
    """Assert what every label map promises."""
    labels, n = found.labels, found.n_regions
    assert labels.dtype == np.int32
    assert labels.shape == keep.shape
    np.testing.assert_array_equal(labels == 0, ~keep)
    numbers, first = np.unique(labels[keep], return_index=True)
    assert numbers.tolist() == list(range(1, n + 1))
    assert (np.diff(first) > 0).all()  # in raster order
    structure = ndimage.generate_binary_structure(2, connectivity)
    islands, _ = ndimage.label(keep, structure)
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        inside = labels[box] == number
        assert ndimage.label(inside, structure)[1] == 1, f"region {number} is in pieces"
        island = islands[box][inside][0]
        assert inside.sum() >= min(min_size, (islands == island).sum())


@pytest.mark.parametrize("connectivity", [1, 2])
@pytest.mark.parametrize("min_size", [0, 1, 20, 500])
def test_regions_are_connected_and_large_enough(min_size: int, connectivity: int) -> None:
    options = {"min_size": min_size, "connectivity": connectivity}
    for image in (photograph(90, 110), noise((40, 50, 3))):
        found = segment.mean_shift(image, **options)
        check_labels(found, np.ones(image.shape[:2], bool), **options)
        keep = noise(image.shape[:2], 1) > 128
        check_labels(segment.mean_shift(image, mask=keep, **options), keep, **options)
    assert found.n_regions >= (1 if min_size else 1000)


def test_threads_do_not_matter() -> None:
    image = np.concatenate([photograph(90, 110), noise((90, 30, 3))], axis=1)
    image = np.concatenate([image, image[::-1]])
    first = segment.mean_shift(image, n_threads=1)
    for n_threads in (2, 3, None):
        other = segment.mean_shift(image, n_threads=n_threads)
        np.testing.assert_array_equal(other.labels, first.labels)
        np.testing.assert_array_equal(other.modes, first.modes)
        np.testing.assert_array_equal(other.posterized, first.posterized)


def test_dtype_does_not_matter() -> None:
    image = photograph(90, 110)
    expected = segment.mean_shift(image)
    for dtype in ("u2", "u4", "u8"):
        ratio = np.iinfo(dtype).max // 255
        other = segment.mean_shift(image.astype(dtype) * ratio)
        np.testing.assert_array_equal(other.labels, expected.labels)
        assert other.posterized.dtype == dtype
        near = np.rint(other.posterized.astype(float) / ratio)
        np.testing.assert_allclose(near, expected.posterized, atol=1)
    for dtype in ("f4", "f8"):
        other = segment.mean_shift(image.astype(dtype) / 255)
        np.testing.assert_array_equal(other.labels, expected.labels)
        np.testing.assert_allclose(other.colors * 255, expected.colors, atol=1e-4)


def test_layout_does_not_matter_and_inputs_are_not_written_to() -> None:
    image = photograph(90, 110)
    expected = segment.mean_shift(image)
    read_only = image.copy()
    read_only.flags.writeable = False
    wide = image.astype("u2") * 257
    layouts = {
        "Fortran order": (np.asfortranarray(image), {}),
        "negative strides": (image[::-1, ::-1].copy()[::-1, ::-1], {}),
        "read-only": (read_only, {}),
        "byte-swapped": (wide.astype(wide.dtype.newbyteorder("S")), {}),
        "channels first": (np.moveaxis(image, -1, 0).copy(), {"channel_axis": 0}),
        "channels in the middle": (np.moveaxis(image, -1, 1), {"channel_axis": 1}),
    }
    for name, (other, options) in layouts.items():
        before = other.copy()
        found = segment.mean_shift(other, **options)
        np.testing.assert_array_equal(found.labels, expected.labels, err_msg=name)
        assert found.posterized.shape == other.shape
        found.regions()
        segment.mean_shift_filter(other, **options)
        np.testing.assert_array_equal(other, before, err_msg=name)


def test_masks_and_weights_are_not_written_to() -> None:
    image = photograph(90, 110)
    keep, weights = noise(image.shape[:2]) > 99, noise(image.shape[:2], 1).astype(float)
    for array in (image, keep, weights):
        array.flags.writeable = False
    found = segment.mean_shift(image, mask=keep, weights=weights)
    check_labels(found, keep, 20)


def test_weights_of_zero_hide_pixels_from_the_means() -> None:
    image = np.full((20, 20, 3), 100, np.uint8)
    image[5, 5] = 104
    weights = np.ones((20, 20))
    weights[5, 5] = 0
    options: dict[str, Any] = {"color_space": "none", "range_bandwidth": 10}
    modes = segment.mean_shift(image, weights=weights, **options).modes
    assert modes[0, 2] == 100
    assert segment.mean_shift(image, **options).modes[0, 2] > 100


@pytest.mark.parametrize("color_space", ["luv", "lab", "rgb", "none"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_constant_image_is_one_region(dtype: Any, color_space: str) -> None:
    value = 1 if np.dtype(dtype).kind in "bf" else np.iinfo(dtype).max
    for shape in [(1, 1), (1, 9), (9, 1), (6, 7, 1), (6, 7, 3), (6, 7)]:
        image = np.full(shape, value, dtype)
        found = segment.mean_shift(image, color_space=color_space)
        assert found.n_regions == 1
        assert (found.labels == 1).all()
        assert found.posterized.dtype == image.dtype
        np.testing.assert_allclose(found.posterized.astype(float), image.astype(float))
        assert not found.boundaries().any()


def test_all_masked() -> None:
    image = photograph(90, 110)
    found = segment.mean_shift(image, mask=np.zeros(image.shape[:2], bool))
    assert found.n_regions == 0
    assert not found.labels.any()
    assert not found.posterized.any()
    assert found.colors.shape == (0, 3)
    assert found.modes.shape == (0, 5)
    assert all(len(column) == 0 for column in found.regions().values())


def test_bandwidths_beyond_the_image() -> None:
    image = photograph(90, 110)[:20, :30]
    with pytest.warns(segment.InputWarning, match="all is one region"):
        found = segment.mean_shift(image, spatial_bandwidth=1e5, range_bandwidth=1e5)
    assert found.n_regions == 1


def test_two_halves() -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    image[:, 25:] = 200
    found = segment.mean_shift(image, engine="exact")
    np.testing.assert_array_equal(found.labels, np.where(image[..., 0] > 0, 2, 1))
    np.testing.assert_array_equal(found.posterized, image)
    np.testing.assert_array_equal(found.colors, [[0, 0, 0], [200, 200, 200]])
    np.testing.assert_allclose(found.modes[:, 0], 14.5, atol=0.2)
    np.testing.assert_allclose(found.modes[:, 2], [0, 80.6], atol=0.5)  # L of gray 200


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 1), (30, 40, 3), (30, 40, 5)])
def test_posterized_is_the_mean_of_each_region(shape: tuple[int, ...]) -> None:
    image = noise(shape)
    keep = noise(shape[:2], 1) > 20
    found = segment.mean_shift(
        image, color_space="none", range_bandwidth=40, spatial_bandwidth=3, mask=keep
    )
    assert found.n_regions > 3
    assert found.posterized.shape == shape
    assert found.posterized.dtype == image.dtype
    assert (found.posterized[~keep] == 0).all()
    for k in range(1, found.n_regions + 1):
        pixels = image[found.labels == k].reshape(-1, found.colors.shape[1])
        np.testing.assert_allclose(found.colors[k - 1], pixels.mean(axis=0))
        flat = found.posterized[found.labels == k].reshape(pixels.shape)
        np.testing.assert_array_equal(flat, np.rint(found.colors[k - 1]) + 0 * flat)


def test_boundaries() -> None:
    image = photograph(90, 110)
    found = segment.mean_shift(image, mask=noise(image.shape[:2]) > 5)
    np.testing.assert_array_equal(found.boundaries(), naive.boundaries(found.labels))
    assert found.boundaries().any()


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8", "i8"])
@pytest.mark.parametrize("n_bands", [None, 1, 3, 5])
def test_table_of_regions_agrees_with_scikit_image(n_bands: int | None, dtype: str) -> None:
    shape = (40, 60) if n_bands is None else (40, 60, n_bands)
    smooth = ndimage.gaussian_filter(noise(shape).astype(float), (1, 1, 0)[: len(shape)])
    image = (smooth * (1 if dtype == "u1" else 100)).astype(dtype)
    keep = noise((40, 60), 2) > 10
    found = segment.mean_shift(
        image, color_space="none", range_bandwidth=0.6 * image.std(), spatial_bandwidth=3,
        mask=keep, min_size=5,
    )  # fmt: skip
    assert found.n_regions > 10
    table = found.regions()
    bands = image.astype(float).reshape(40, 60, -1)
    names = ("label", "area", "centroid", "bbox", "perimeter", "intensity_mean", "intensity_std")
    expected = regionprops_table(found.labels, bands, properties=names)
    expected = {
        name.replace("intensity_mean", "mean").replace("intensity_std", "std"): column
        for name, column in expected.items()
    }
    if "mean" in expected:  # scikit-image numbers bands only where there are several
        expected |= {f"{name}-0": expected.pop(name) for name in ("mean", "std")}
    assert set(table) == set(expected)
    for name, column in table.items():
        np.testing.assert_allclose(column, expected[name], rtol=1e-9, atol=1e-6, err_msg=name)


def test_standard_deviation_far_from_zero() -> None:
    image = np.array([[1e9, 1e9 + 1], [1e9 + 2, 1e9 + 3]])
    with pytest.warns(segment.InputWarning, match="one region"):
        table = segment.mean_shift(image, color_space="none", range_bandwidth=1e6).regions()
    np.testing.assert_allclose(table["std-0"], np.std([0, 1, 2, 3]))


def test_parameters_are_kept_and_the_result_is_frozen() -> None:
    found = segment.mean_shift(photograph()[:30, :30], spatial_bandwidth=3, kernel="gaussian")
    assert found.params.spatial_bandwidth == 3.0
    assert found.params.kernel == "gaussian"
    again = segment.mean_shift(photograph()[:30, :30], **found.params.as_dict())
    np.testing.assert_array_equal(again.labels, found.labels)
    with pytest.raises(AttributeError):
        found.labels = found.labels  # type: ignore[misc]


@pytest.mark.parametrize("module", [segment.regions.segmenting, segment.regions.filtering])
def test_examples_of_the_docstrings(module: Any) -> None:
    assert doctest.testmod(module).failed == 0
