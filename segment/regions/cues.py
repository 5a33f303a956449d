"""What the regions of an image look like and how they meet: the cues that the hierarchy merges by.

Every codebook is made of the image's own values, so no bin is fixed. One cue is learned from
people, see `affinities`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.kernels.arrays import Float32Array
from segment.kernels.regions import adjacency, boundaries
from segment.kernels.regions import words as word_kernels
from segment.kernels.regions.labels import count_pixels
from segment.regions import affinities
from segment.regions.appearance import (
    blur,
    comparable_colors,
    comparable_planes,
    gradient,
    halve,
    texture,
)
from segment.regions.checks import Pixels
from segment.threads import run

# Words of the codebooks of colours, of colours beside texture, and of textures.
COLOR_WORDS, JOINT_WORDS, TEXTURE_WORDS = 32, 48, 24
SAMPLES = 4000  # pixels that a codebook is made from
LLOYD_STEPS = 10
# A texture is worth this many Lab units a unit of log gradient, beside colours.
TEXTURE_UNITS = 12.0
UNIT_CONTRAST = 20.0  # a contrast of 1, in Lab units
# The two sides of a boundary, in pixels: shares of words around blocks (2 ** shift wide) that are
# so far beyond it, blurred by a Gaussian.
SIDE_SHIFT, SIDE_REACH, SIDE_BLUR = 2, 6, 8.0
# How far apart neighbouring colours are counted, and how far beyond a boundary they are looked up.
NEIGHBOURS, NEIGHBOUR_REACH = 8, 2
# How much the sides of a detail differ that is too small to be seen in them.
HIDDEN_DIFFERENCE = np.float32(0.06)
RARE = 1e-7  # share of pairs of colours that are never neighbours


@dataclass(frozen=True)
class Cues:
    """Cues of n regions, E pairs of which touch, as `kernels.regions.merging.merge` takes them."""

    counts: Float32Array
    first_texture: int
    areas: Float32Array
    pairs: NDArray[np.int32]
    lengths: Float32Array
    boundaries: Float32Array


def region_cues(
    pixels: Pixels,
    color_space: str,
    labels: NDArray[np.int32],
    n: int,
    n_threads: int,
    sought: NDArray[np.int32] | None = None,
    tones: Float32Array | None = None,
) -> Cues:
    """Measure the cues of regions.

    Parameters
    ----------
    pixels : Pixels
        The image at its reference size, (h, w): distances, areas and lengths are in its pixels.
    color_space : {"luv", "lab", "rgb", "none"}
        "none" compares the bands as they are, anything else CIE Lab.
    labels : ndarray, shape (H, W), int32
        1..n, 0 where masked; of the image at its own size, the same or larger.
    n : int
        Number of regions.
    n_threads : int
        Threads to use; the result does not depend on it.
    sought : ndarray, shape (h, w), int32, optional
        The regions as they were found in `pixels`, 0 for none. Cues of those that it holds are
        measured on it: the finer a ruler is, the longer are borders, so that on `labels` a level
        would mean something else at every size.
    tones : ndarray, shape (n, C), float32, optional
        Values of regions that `pixels` does not show, because they are too small: what cues they
        have is theirs, not that of what lies around them. NaN for all others.

    Notes
    -----
    Textures are structure tensors at two scales: the log of the gradient, and its direction as far
    as there is one [1]_, told apart by a codebook as textons are [2]_. They, and the colours beside
    them, are measured at half resolution.

    Boundaries have four cues: the contrast, how much the colours and textures around one side
    differ from those around the other [3]_, how seldom in this image the colours on the two sides
    are neighbours [4]_, and whether people would part the two sides, all summed over the cracks.
    The last one is learned from photographs, so that bands without a colour space have it not.

    References
    ----------
    .. [1] J. Bigun and G. Granlund, "Optimal Orientation Detection of Linear Symmetry", ICCV 1987.
    .. [2] T. Leung and J. Malik, "Representing and Recognizing the Visual Appearance of Materials
       using Three-dimensional Textons", IJCV 43(1), 2001.
    .. [3] D. Martin, C. Fowlkes and J. Malik, "Learning to Detect Natural Image Boundaries Using
       Local Brightness, Color, and Texture Cues", IEEE PAMI 26(5), 2004.
    .. [4] P. Isola, D. Zoran, D. Krishnan and E. Adelson, "Crisp Boundary Detection Using Pointwise
       Mutual Information", ECCV 2014.
    """
    planes = comparable_planes(pixels, color_space, n_threads)
    half = np.stack([halve(plane) for plane in planes])
    smooth = blur(planes, 1.0)
    half_smooth = blur(half, 1.0)
    light = half[0] if color_space != "none" else half.mean(axis=0)
    textures = np.concatenate([texture(0.5 * light, 1.5), texture(blur(light[None], 1.0)[0], 2.5)])
    joint = np.concatenate([half_smooth, TEXTURE_UNITS * textures[:1]])
    jobs = ((smooth, COLOR_WORDS), (joint, JOINT_WORDS), (textures, TEXTURE_WORDS))
    tasks: list[Callable[[], Any]] = [partial(codebook_words, *job) for job in jobs]
    if color_space != "none":
        tasks.append(partial(affinities.parted, planes))
    found = run(lambda task: task(), tasks, n_threads)
    words = [word for word, _ in found[: len(jobs)]]
    likely = found[-1] if len(found) > len(jobs) else None

    strange = strangeness_of(neighbours(words[0]))
    picture = _Picture(smooth, words, [size for _, size in jobs], strange, likely)
    if sought is None or sought.shape == labels.shape:
        cues = _measured(picture, labels, n)
    else:
        cues = _completed(picture, labels, n, _measured(picture, sought, n))
    hidden = np.flatnonzero(np.isfinite(tones[:, 0])) if tones is not None else ()
    if tones is not None and len(hidden):
        own = comparable_colors(tones[hidden], pixels, color_space, n_threads)
        _show_details(cues, np.asarray(hidden) + 1, own, found[0][1])
    return cues


class _Picture(NamedTuple):
    """What cues are measured on."""

    smooth: Float32Array  # (C, h, w) colours
    words: list[NDArray[np.uint8]]  # of colours, colours beside texture, textures
    sizes: list[int]  # of their codebooks
    strange: Float32Array  # (K, K) see `strangeness_of`
    parted: Float32Array | None  # (2, h, w) see `affinities.parted`


def _measured(picture: _Picture, labels: NDArray[np.int32], n: int) -> Cues:
    """Measure the cues of regions, all on one label map."""
    counts = _count_words(picture, labels, n, np.ones(n + 1, bool))
    pairs, cracks, edges = adjacency.touching(labels, n)
    lengths = np.bincount(edges, minlength=len(pairs)).astype(np.float32)
    boundaries = _boundary_cues(picture, labels.shape, cracks, edges, len(pairs))
    per_area, per_length = _scales(picture, labels.shape)
    return Cues(
        counts.astype(np.float32) * per_area,
        COLOR_WORDS + JOINT_WORDS,
        counts[:, :COLOR_WORDS].sum(axis=1).astype(np.float32) * per_area,
        pairs,
        lengths * per_length,
        boundaries * per_length,
    )


def _completed(picture: _Picture, labels: NDArray[np.int32], n: int, sought: Cues) -> Cues:
    """Add to cues measured at the reference size those of regions and contacts not there."""
    per_area, per_length = _scales(picture, labels.shape)
    areas = np.empty(n + 1, np.int64)
    count_pixels(labels, areas)
    areas[0] = 0
    drawn = areas.astype(np.float32) * per_area
    seen = sought.areas > 0
    counts = _count_words(picture, labels, n, ~seen).astype(np.float32) * per_area
    # The palette is that of the region where it was found, the area that of what is drawn.
    counts[seen] = sought.counts[seen] * (drawn[seen] / sought.areas[seen])[:, None]

    pairs, cracks, edges = adjacency.touching(labels, n)
    lengths = np.bincount(edges, minlength=len(pairs)).astype(np.float32) * per_length
    keys, known_keys = (
        contacts.astype(np.int64) @ [n + 1, 1] for contacts in (pairs, sought.pairs)
    )
    _, known, place = np.intersect1d(keys, known_keys, assume_unique=True, return_indices=True)
    rest = np.ones(len(pairs), bool)
    rest[known] = False
    wanted = rest[edges]
    boundaries = _boundary_cues(picture, labels.shape, cracks[wanted], edges[wanted], len(pairs))
    boundaries *= per_length
    lengths[known] = np.minimum(lengths[known], sought.lengths[place])
    share = lengths[known] / sought.lengths[place]
    boundaries[known] = sought.boundaries[place] * share[:, None]
    return Cues(counts, sought.first_texture, drawn, pairs, lengths, boundaries)


def _scales(picture: _Picture, shape: tuple[int, ...]) -> tuple[np.float32, np.float32]:
    """Return the area and the length of a pixel of a label map, in those of the picture."""
    per_area = np.prod(picture.smooth.shape[1:]) / np.prod(shape)
    return np.float32(per_area), np.float32(np.sqrt(per_area))


def _count_words(
    picture: _Picture, labels: NDArray[np.int32], n: int, wanted: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Count the pixels of each word in each wanted region, (n + 1, sum of sizes)."""
    shape = picture.smooth.shape[1:]
    rows, columns = (
        ((np.arange(large) + 0.5) * small / large).astype(np.int32)
        for large, small in zip(labels.shape, shape, strict=True)
    )
    counts = np.zeros((n + 1, sum(picture.sizes)), np.int32)
    first = 0
    for word, size in zip(picture.words, picture.sizes, strict=True):
        shift = 0 if word.shape == shape else 1
        word_kernels.count_words(
            labels, word, rows >> shift, columns >> shift, first, wanted, counts
        )
        first += size
    return counts


def _show_details(
    cues: Cues,
    hidden: NDArray[np.intp],
    own: Float32Array,
    centers: Float32Array,
) -> None:
    """Give regions that the picture does not show their own colour, and the contrast of it."""
    counts, areas = cues.counts[:, :COLOR_WORDS], cues.areas
    per_area = 1 / np.maximum(areas, 1e-6)[:, None]
    colors = counts @ centers * per_area
    colors[hidden] = own
    distance = ((colors[hidden, None] - centers) ** 2).sum(axis=2)
    counts[hidden] = 0
    counts[hidden, distance.argmin(axis=1)] = areas[hidden]

    is_hidden = np.zeros(len(areas), bool)
    is_hidden[hidden] = True
    edges = np.flatnonzero(is_hidden[cues.pairs].any(axis=1))
    a, b = cues.pairs[edges].T
    contrast = np.sqrt(((colors[a] - colors[b]) ** 2).sum(axis=1)) / UNIT_CONTRAST
    cues.boundaries[edges, 0] = contrast * cues.lengths[edges]
    # What lies around them is the same on all sides, but for themselves.
    cues.boundaries[edges, 1] = HIDDEN_DIFFERENCE * cues.lengths[edges]
    cues.boundaries[edges, 3] = boundaries.UNSEEN * cues.lengths[edges]


def _boundary_cues(
    picture: _Picture,
    labels_shape: tuple[int, ...],
    cracks: NDArray[np.int64],
    edges: NDArray[np.int32],
    n_edges: int,
) -> Float32Array:
    """Return contrast, difference, strangeness and how likely parted, (E, 4) sums over the cracks.

    Cracks are those of a label map of this shape; they are used up.
    """
    smooth, (colors, _, textures), _, strange, parted = picture
    shape = smooth.shape[1:]
    if labels_shape != shape:
        ratio = (labels_shape[0] / shape[0], labels_shape[1] / shape[1])
        adjacency.move_cracks(cracks, labels_shape[1], ratio, shape)
    contrasts, differences, strangeness, likely = np.zeros((4, n_edges), np.float32)
    boundaries.add_contrast(smooth, gradient(smooth), UNIT_CONTRAST, cracks, edges, contrasts)
    block = 2**SIDE_SHIFT
    sides = ((colors, COLOR_WORDS, block), (textures, TEXTURE_WORDS, block // 2))
    for words, size, side in sides:
        shares = _shares(words, size, side)
        boundaries.add_differences(
            shares, SIDE_SHIFT, SIDE_REACH, shape, cracks, edges, differences
        )
    boundaries.add_strangeness(colors, strange, NEIGHBOUR_REACH, cracks, edges, strangeness)
    if parted is None:
        likely = boundaries.UNSEEN * np.bincount(edges, minlength=n_edges).astype(np.float32)
    else:
        boundaries.add_parted(parted, cracks, edges, likely)
    return np.stack([contrasts, differences / 2, strangeness, likely], axis=1)


def _shares(words: NDArray[np.uint8], size: int, side: int) -> Any:
    """Return shares of the words around blocks of `side` x `side` words, (h, w, size)."""
    import cv2

    height, width = words.shape
    shares = np.empty((-(-height // side), -(-width // side), size), np.float32)
    word_kernels.block_shares(words, side, shares)
    return cv2.GaussianBlur(shares, (0, 0), SIDE_BLUR / 2**SIDE_SHIFT)


def neighbours(words: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Count which colours (H, W) are near each other."""
    counts = np.zeros((COLOR_WORDS, COLOR_WORDS))
    word_kernels.count_neighbours(words, NEIGHBOURS, counts)
    return counts


def strangeness_of(counts: NDArray[np.float64]) -> Float32Array:
    """Return how strange words are as neighbours, from symmetric counts (K, K) of pairs.

    0 where two words are found beside each other and never apart, 0.5 where as often as by chance,
    near 1 where never: half of one minus the pointwise mutual information, normalised [1]_.

    References
    ----------
    .. [1] G. Bouma, "Normalized (Pointwise) Mutual Information in Collocation Extraction", GSCL
       2009.
    """
    shares = counts + RARE * max(float(counts.sum()), 1.0)
    shares /= shares.sum()
    single = shares.sum(axis=1)
    information = np.log(shares / (single[:, None] * single)) / -np.log(shares)
    return np.asarray(0.5 - 0.5 * information, np.float32)


def codebook_words(planes: Float32Array, size: int) -> tuple[NDArray[np.uint8], Float32Array]:
    """Return the word (H, W) of each pixel of `planes` (C, H, W) in a codebook of `size` words.

    Also returned is the codebook, (size, C).
    """
    height, width = planes.shape[1:]
    step = max(1, int(np.sqrt(height * width / SAMPLES)))
    top, left = min(step, height) // 2, min(step, width) // 2
    samples = planes[:, top::step, left::step].reshape(len(planes), -1)
    centers = word_kernels.kmeans(np.ascontiguousarray(samples), size, LLOYD_STEPS)
    words = np.empty(height * width, np.uint8)
    word_kernels.assign(planes.reshape(len(planes), -1), centers, words)
    return words.reshape(height, width), centers
