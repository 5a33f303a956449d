"""Pictures: what is drawn, where, and that it can be seen."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.segmentation import relabel_sequential, watershed

from segment.drawing import (
    DISTINCT,
    contact_sheet,
    overlay,
    parse_color,
    preview,
    smooth_outlines,
    to_rgb,
    unit_steps,
)
from segment.errors import InputError


@pytest.fixture
def halves():
    """Two regions side by side, 40x60, that meet between columns 29 and 30."""
    labels = np.ones((40, 60), np.int32)
    labels[:, 30:] = 2
    return labels


def blank(shape: tuple[int, int], gray: int) -> np.ndarray:
    return np.full((*shape, 3), gray, np.uint8)


def lightness(picture: np.ndarray) -> np.ndarray:
    return picture @ np.array([0.299, 0.587, 0.114])


# to_rgb


def test_uint8_is_shown_as_it_is() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    shown = to_rgb(rgb)
    assert np.array_equal(shown, rgb)
    assert not np.shares_memory(shown, rgb)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 2)])
def test_one_and_two_bands_are_gray(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    first = pixels.reshape(5, 7, -1)[..., 0]
    assert np.array_equal(to_rgb(pixels), np.stack([first] * 3, axis=-1))


def test_more_bands_show_the_first_three() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 6)).astype(np.uint8)
    assert np.array_equal(to_rgb(pixels), pixels[..., :3])


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_other_depths_are_stretched(dtype: type) -> None:
    ramp = np.linspace(1000, 5000, 64 * 64).reshape(64, 64).astype(dtype)
    shown = to_rgb(ramp)[..., 0].astype(int)
    assert shown.min() == 0
    assert shown.max() == 255
    assert np.all(np.diff(shown.ravel()) >= 0)


def test_constant_and_missing_values_can_be_shown() -> None:
    pixels = np.full((4, 4), np.nan)
    assert not to_rgb(pixels).any()
    pixels[0, 0] = 7.0
    assert to_rgb(pixels).shape == (4, 4, 3)
    assert to_rgb(np.ones((2, 2), bool)).min() == 255


def test_masked_pixels_fade_into_white() -> None:
    mask = np.zeros((4, 4), bool)
    mask[0] = True
    shown = to_rgb(np.zeros((4, 4), np.uint8), mask)
    assert not shown[0].any()
    assert shown[1:].min() > 200


def test_masked_values_do_not_change_the_stretch() -> None:
    pixels = np.linspace(0, 1, 400).reshape(20, 20)
    mask = np.ones((20, 20), bool)
    mask[0] = False
    loud = pixels.copy()
    loud[0] = 1e9
    assert np.array_equal(to_rgb(loud, mask)[1:], to_rgb(pixels, mask)[1:])


def test_a_picture_has_two_or_three_dimensions() -> None:
    with pytest.raises(InputError, match="not 4"):
        to_rgb(np.zeros((2, 2, 2, 2)))


# overlay


@pytest.mark.parametrize("gray", [0, 60, 128, 190, 255])
def test_outlines_stand_out_on_any_ground(halves: np.ndarray, gray: int) -> None:
    drawn = lightness(overlay(blank(halves.shape, gray), halves))
    around = drawn[20, 27:33]
    assert around.max() - around.min() > 60


@pytest.mark.parametrize("width", [1.0, 2.5, 5.0])
def test_outlines_are_thin(halves: np.ndarray, width: float) -> None:
    ground = blank(halves.shape, 128)
    change = np.abs(overlay(ground, halves, width=width).astype(int) - ground).max(axis=2)
    columns = np.flatnonzero(change.max(axis=0) > 12)
    assert len(columns) <= 2 * width + 4
    assert 30 in columns


def test_outlines_have_soft_edges(halves: np.ndarray) -> None:
    row = lightness(overlay(blank(halves.shape, 128), halves, width=4.0))[20]
    assert len(np.unique(row[25:30].round())) >= 4


def test_one_region_has_no_outline() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (9, 8, 3)).astype(np.uint8)
    assert np.array_equal(overlay(picture, np.ones((9, 8), np.int32)), picture)


def test_outlines_are_smooth_and_even() -> None:
    y, x = np.indices((200, 200))
    labels = 1 + (np.hypot(x - 99.5, y - 99.5) < 80).astype(np.int32)
    (line,) = smooth_outlines(labels)
    radius = np.hypot(*(line - 100).T)
    assert np.abs(radius - 80).max() < 0.6
    turn = np.diff(line, axis=0)
    angle = np.diff(np.unwrap(np.arctan2(turn[:, 1], turn[:, 0])))
    assert np.abs(angle).max() < 0.5  # where the border of pixels turns by 1.57
    drawn = lightness(overlay(blank(labels.shape, 0), labels, width=4.0))
    around = np.linspace(0, 2 * np.pi, 200, endpoint=False)[:, None]
    across = np.arange(70, 90, 0.5)
    at = [np.rint(99.5 + across * f(around)).astype(int) for f in (np.sin, np.cos)]
    widths = (drawn[at[0], at[1]] > 110).sum(axis=1) / 2
    assert widths.min() >= 4
    assert widths.max() <= 7


def test_points_at_every_corner() -> None:
    points = np.array([[0, 0], [3, 0], [3, 2], [5, 5], [5, 3]], np.int32)
    found, offsets = unit_steps(points, np.array([0, 3, 5]))
    assert found.tolist() == [
        [0, 0], [1, 0], [2, 0], [3, 0], [3, 1], [3, 2], [5, 5], [5, 4], [5, 3]
    ]  # fmt: skip
    assert offsets.tolist() == [0, 6, 9]


@pytest.mark.parametrize("width", [1.0, 2.0, 3.0, 6.0])
def test_outlines_lie_where_the_label_changes(halves: np.ndarray, width: float) -> None:
    for labels, axis in ((halves, 1), (halves.T, 0)):
        drawn = lightness(overlay(blank(labels.shape, 0), labels, width=width))
        profile = drawn.mean(axis=1 - axis)
        middle = (profile * np.arange(len(profile))).sum() / profile.sum()
        assert 29.4 <= middle <= 30.1


def test_outlines_reach_the_edge_of_the_picture(halves: np.ndarray) -> None:
    drawn = overlay(blank(halves.shape, 0), halves)
    for edge in (0, -1):
        assert np.abs(drawn[edge].astype(int) - drawn[20]).max() <= 2


def test_lines_grow_with_large_pictures() -> None:
    labels = np.ones((20, 3600), np.int32)
    labels[:, 1800:] = 2
    ground = blank(labels.shape, 128)
    touched, narrow = (
        (lightness(overlay(ground, labels, width=width))[10] > 180).sum() for width in (None, 1.0)
    )
    assert touched >= 2 * narrow > 0


def test_picture_is_not_written_to(halves: np.ndarray) -> None:
    picture = blank(halves.shape, 128)
    picture.flags.writeable = False
    assert overlay(picture, halves).any()


@pytest.mark.parametrize("shape", [(40, 60), (40, 61, 3), (60, 40, 3)])
def test_picture_and_labels_must_match(halves: np.ndarray, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="does not fit labels"):
        overlay(np.zeros(shape, np.uint8), halves)


# label colours and sheets


def test_label_colors_are_far_apart() -> None:
    lab = rgb2lab(np.array(DISTINCT, np.uint8)[None])[0]
    for k in range(1, len(lab)):
        assert deltaE_ciede2000(lab[k:], np.broadcast_to(lab[k - 1], lab[k:].shape)).min() >= 18


@pytest.mark.parametrize("n", [1, 2, 40, 3000])
def test_neighbours_never_have_one_colour(n: int) -> None:
    labels = regions(n)
    shown = preview(labels).astype(int)
    for axis in (0, 1):
        a, b = (np.delete(labels, at, axis) for at in (0, -1))
        same = (np.delete(shown, 0, axis) == np.delete(shown, -1, axis)).all(axis=2)
        assert np.array_equal(same, a == b)
    assert (
        len(np.unique(shown.reshape(-1, 3), axis=0)) == min(len(DISTINCT), n) + (labels == 0).any()
    )


def regions(n: int) -> np.ndarray:
    """Label map of n scattered regions around a large one, with a masked corner."""
    rng = np.random.default_rng(n)
    seeds = np.zeros((150, 170), np.int32)
    seeds.ravel()[rng.choice(seeds.size, n, replace=False)] = np.arange(1, n + 1)
    labels = watershed(np.zeros(seeds.shape), seeds).astype(np.int32)
    labels[60:90] = labels[60:90].max()
    labels[:9, :9] = 0
    return relabel_sequential(labels)[0].astype(np.int32)


def test_preview_shows_masked_pixels_black() -> None:
    labels = np.array([[0, 1], [2, 2]], np.int32)
    shown = preview(labels)
    assert shown.shape == (2, 2, 3)
    assert not shown[0, 0].any()
    assert np.array_equal(shown[1, 0], shown[1, 1])
    assert not np.array_equal(shown[0, 1], shown[1, 1])
    assert not preview(np.zeros((2, 2), np.int32)).any()


def test_contact_sheet_keeps_every_picture() -> None:
    sizes = [(4, 6), (8, 3), (5, 5)]
    pictures = [blank(size, 10 * (index + 1)) for index, size in enumerate(sizes)]
    sheet = contact_sheet(pictures, columns=2, gap=2, paper=200)
    assert sheet.shape == (8 + 2 + 8, 6 + 2 + 6, 3)
    for index, (height, width) in enumerate(sizes):
        assert (sheet[..., 0] == 10 * (index + 1)).sum() == height * width


def test_a_contact_sheet_needs_a_picture() -> None:
    with pytest.raises(InputError, match="at least one"):
        contact_sheet([])


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("#ff8000", (255, 128, 0)),
        ("#0F8", (0, 255, 136)),
        ("1, 2,3", (1, 2, 3)),
        ("Red", (255, 0, 0)),
    ],
)
def test_colours_in_words_and_numbers(text: str, color: tuple[int, ...]) -> None:
    assert parse_color(text) == color


@pytest.mark.parametrize("text", ["", "#ff", "#gg0000", "1,2", "1,2,300", "-1,2,3", "beige-ish"])
def test_what_is_no_colour(text: str) -> None:
    with pytest.raises(InputError, match="is no colour; give one such as"):
        parse_color(text)


def test_outlines_are_where_scikit_image_marks_boundaries() -> None:
    from skimage.morphology import dilation
    from skimage.segmentation import find_boundaries, mark_boundaries

    y, x = np.mgrid[:60, :80]
    labels = (1 + ((y - 30) ** 2 + (x - 40) ** 2 < 400) + 2 * (x > 55)).astype(np.int32)
    black = np.zeros((60, 80, 3), np.uint8)
    drawn = overlay(black, labels, color=(255, 255, 0), width=1).any(axis=2)
    marked = find_boundaries(labels, mode="thick")
    near = np.ones((3, 3))  # lines are smooth
    assert not (drawn & ~dilation(marked, near)).any()
    outer = mark_boundaries(black, labels).any(axis=2)  # yellow on one side of each border
    assert dilation(drawn)[outer].all()
