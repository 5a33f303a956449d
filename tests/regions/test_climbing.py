"""The fast engine: what it promises, and how close it comes to the exact one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

import segment
from segment.errors import InputError
from segment.params import ENGINES, KERNELS, MeanShiftParams
from segment.regions.checks import Pixels, check_image
from segment.regions.climbing import climb_window
from segment.regions.engines import Modes, find_modes
from segment.regions.fields import reach
from tests.pictures import photograph


def modes(image: Any, mask: Any = None, weights: Any = None, n: int = 1, **options: Any) -> Modes:
    """Modes of an image."""
    params = MeanShiftParams(**options)
    return find_modes(
        check_image(image, color_space=params.color_space, mask=mask), params, weights, n
    )


def by_pixel(found: Modes) -> NDArray[np.float32]:
    """Modes (H, W, 2 + C), infinite where masked."""
    out = found.table[np.maximum(found.owner, 0)]
    out[found.owner < 0] = np.inf
    return out


def share_within(image: Any, units: float, **options: Any) -> float:
    """Share of pixels whose colour is within some units of the exact engine's."""
    fast = by_pixel(modes(image, **options))[..., 2:]
    exact = by_pixel(modes(image, engine="exact", **options))[..., 2:]
    kept = np.isfinite(exact[..., 0])
    np.testing.assert_array_equal(np.isfinite(fast[..., 0]), kept)
    return float((np.linalg.norm(fast[kept] - exact[kept], axis=-1) < units).mean())


@pytest.mark.parametrize(
    ("spatial", "ranged"), [(2, 6.5), (7, 6.5), (16, 8), (9.5, 3), (32, 12)], ids=str
)
def test_most_colors_are_those_of_the_exact_engine(spatial: float, ranged: float) -> None:
    sizes = {"spatial_bandwidth": spatial, "range_bandwidth": ranged}
    assert share_within(photograph(), 0.5 * ranged, **sizes) > 0.9
    assert share_within(photograph(), 0.15 * ranged, **sizes) > 0.75


@pytest.mark.parametrize("kernel", KERNELS[1:])
def test_other_kernels(kernel: str) -> None:
    options = {"kernel": kernel, "spatial_bandwidth": 4, "range_bandwidth": 5}
    assert share_within(photograph()[:70, :80], 2.5, **options) > 0.9


def test_masks_and_weights() -> None:
    rng = np.random.default_rng(0)
    image, keep = photograph(), rng.random((150, 170)) > 0.3
    keep[40:90, 50:100] = False
    assert share_within(image, 3, mask=keep) > 0.85
    weights = ndimage.gaussian_filter(rng.random((150, 170)), 2).astype(np.float32)
    assert share_within(image, 3, mask=keep, weights=weights) > 0.85


@pytest.mark.parametrize("color_space", ["luv", "lab", "rgb", "none"])
def test_color_spaces(color_space: str) -> None:
    options: dict[str, Any] = {"color_space": color_space, "range_bandwidth": 12}
    assert share_within(photograph()[:90, :90], 6, **options) > 0.9


@pytest.mark.parametrize("n_bands", [None, 5])
def test_gray_and_bands(n_bands: int | None) -> None:
    gray = photograph()[..., 1].astype(np.float32)
    image = gray if n_bands is None else np.stack([gray + k for k in range(n_bands)], axis=-1)
    options: dict[str, Any] = {"color_space": "none", "range_bandwidth": 15 * (n_bands or 1) ** 0.5}
    assert share_within(image, 5 * (n_bands or 1) ** 0.5, **options) > 0.9
    if n_bands is None:
        assert share_within(photograph()[..., 1], 3) > 0.9  # 16 bits


def test_threads_do_not_matter() -> None:
    image = np.concatenate([photograph(), photograph()[::-1]], axis=1)
    first = modes(image, spatial_bandwidth=4)
    for n in (2, 3):
        other = modes(image, spatial_bandwidth=4, n=n)
        np.testing.assert_array_equal(other.owner, first.owner)
        np.testing.assert_array_equal(other.table, first.table)


@pytest.mark.parametrize("options", [
    {"spatial_bandwidth": 1.5},
    {"spatial_bandwidth": 3, "kernel": "gaussian"},
    {"spatial_bandwidth": 3, "kernel": "epanechnikov", "color_space": "lab"},
    {"spatial_bandwidth": 4.5},
    {"spatial_bandwidth": 4.5, "color_space": "none"},
    {"spatial_bandwidth": 3, "engine": "exact", "max_iter": 8},
], ids=str)  # fmt: skip
def test_a_window_has_the_modes_of_the_whole(options: dict[str, Any]) -> None:
    params = MeanShiftParams(**options)
    margin, grid = reach(params)
    rng = np.random.default_rng(0)
    far = grid * -(-(margin + 3) // grid)  # the window begins beyond its margin
    side = 2 * grid if grid > 1 else 9
    shape = (far + side + margin + 5, far + side + 4)  # and ends near the right end
    ramp = 0.4 * np.add.outer(*map(np.arange, shape))[..., None] % 200
    image = (ramp + rng.integers(0, 30, (*shape, 3))).astype(np.uint8)
    whole = by_pixel(modes(image, **options))
    assert np.ptp(whole[..., 0] - np.indices(shape)[0]) > 2  # they move

    for top, left in [(far, far), (0, far), (far, 0), (0, 0)]:
        bottom, right = top + side, left + side if left == 0 else shape[1]
        first, begin = max(top - margin, 0), max(left - margin, 0)
        part = image[first : bottom + margin, begin : right + margin]
        rows, columns = (top - first, bottom - first), (left - begin, right - begin)
        found = climb_window(part, params, rows, columns, n_threads=2)
        expected = whole[top:bottom, left:right] - np.array([top, left, 0, 0, 0], np.float32)
        np.testing.assert_array_equal(by_pixel(found.modes), expected)
        np.testing.assert_array_equal(found.pixels.values, image[top:bottom, left:right])

    changed = rng.integers(0, 256, image.shape, dtype=np.uint8)
    around = slice(far - margin, far + side + margin), slice(far - margin, None)
    changed[around] = image[around]
    other = by_pixel(modes(changed, **options))
    inside = slice(far, far + side), slice(far, None)
    np.testing.assert_array_equal(other[inside], whole[inside])
    assert (other != whole).any()


def test_the_table_of_modes() -> None:
    image = photograph()[:60, :60]
    found = modes(image)
    assert found.owner.min() == 0
    assert found.owner.max() < len(found.table)
    assert len(found.table) < image[..., 0].size / 4
    assert found.table[:, :2].min() >= 0
    assert found.table[:, :2].max() <= 59
    planes = found.planes()
    np.testing.assert_array_equal(np.moveaxis(planes, 0, -1), by_pixel(found)[..., 2:])


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 3), (2, 70)])
def test_thin_images(shape: tuple[int, int]) -> None:
    image = photograph()[: shape[0], : shape[1]]
    if max(shape) > 40:
        assert share_within(image, 3) > 0.8
    constant = np.full((*shape, 3), 77, np.uint8)
    np.testing.assert_array_equal(segment.mean_shift_filter(constant), constant)


def test_all_masked_and_islands() -> None:
    image = photograph()
    nothing = modes(image, mask=np.zeros(image.shape[:2], bool))
    assert (nothing.owner == -1).all()
    assert nothing.table.shape == (0, 5)
    islands = np.zeros(image.shape[:2], bool)
    islands[::9, ::9] = True
    found = segment.mean_shift_filter(image, mask=islands, spatial_bandwidth=4)
    assert (abs(found.astype(int) - image) <= 1).all()  # nobody has a neighbour in reach


def test_noise_where_every_pixel_is_a_cell() -> None:
    image = np.random.default_rng(0).integers(0, 256, (70, 80, 3), dtype=np.uint8)
    assert share_within(image, 3) > 0.8
    found = segment.mean_shift(image, range_bandwidth=0.5, min_size=0)
    assert found.n_regions > 0.9 * 70 * 80


@pytest.mark.parametrize("value", [1, 0.25, 7])
def test_weights_that_are_all_one_are_none(value: float) -> None:
    image = photograph()
    plain = by_pixel(modes(image))
    weights = np.full(image.shape[:2], value)
    found = segment.mean_shift(image, weights=weights)
    np.testing.assert_array_equal(found.labels, segment.mean_shift(image).labels)
    assert (by_pixel(modes(image, weights=np.float32(image[..., 0]))) != plain).any()


@pytest.mark.parametrize("engine", ENGINES)
def test_more_pixels_than_32_bits_can_number_are_refused(engine: str) -> None:
    values = np.broadcast_to(np.uint8(0), (2**16, 2**15, 1))  # takes no memory
    pixels = Pixels(values, None, True, -1)
    with pytest.raises(InputError, match=r"2,147,483,648 pixels .* 2,147,483,647 .* segment.scene"):
        find_modes(pixels, MeanShiftParams(engine=engine), None, 1)
