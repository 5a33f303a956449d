"""The words that a scene is described in, made of a fixed sample of the whole."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.kernels.arrays import Float32Array
from segment.kernels.regions import words as word_kernels
from segment.regions import cues
from segment.regions.appearance import scale_of
from segment.regions.checks import check_image
from segment.regions.features import feature_planes
from segment.scenes.looks import ALIGN, NEAR, Looks, look
from segment.scenes.readers import ahead
from segment.scenes.sources import Part
from segment.scenes.tiles import Window, sample_windows
from segment.scenes.work import Work

# The sample: so many windows each way, of so many pixels, every so manyth of them.
SAMPLES, SIDE, STEP = 12, 128, 8
SIZES = (cues.COLOR_WORDS, cues.JOINT_WORDS, cues.TEXTURE_WORDS)


@dataclass(frozen=True)
class Codebooks:
    """How pixels become words.

    Attributes
    ----------
    scale : ndarray, shape (2, C) or (2, 1), float32
        What is taken off bands in their own units, and what they are multiplied by after that;
        0 and 1 for colours.
    colors, joint, textures : ndarray, float32
        A word a row, as `looks.Looks` has their values.
    strangeness : ndarray, shape (K, K), float32
        How seldom two words of colours are neighbours, see `cues.strangeness_of`.
    """

    scale: Float32Array
    colors: Float32Array
    joint: Float32Array
    textures: Float32Array
    strangeness: Float32Array

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return them by name, as the store keeps them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def words_of(self, looks: Looks) -> tuple[NDArray[np.uint8], ...]:
        """Return the word of each pixel: of colours, and at half resolution of the others."""
        return tuple(
            nearest(planes, centers)
            for planes, centers in (
                (looks.colors, self.colors),
                (looks.joint, self.joint),
                (looks.textures, self.textures),
            )
        )


def nearest(planes: Float32Array, centers: Float32Array) -> NDArray[np.uint8]:
    """Return the nearest of the centers (K, C) of each pixel of `planes` (C, H, W)."""
    words = np.empty(planes.shape[1:], np.uint8)
    flat = np.ascontiguousarray(planes.reshape(len(planes), -1))
    word_kernels.assign(flat, centers, words.reshape(-1))
    return words


def around(window: Window, margin: int, height: int, width: int) -> Window:
    """Return a window with that margin, which begins where one that is looked at may."""
    grown = window.grown(margin, height, width)
    top, left = grown.top // ALIGN * ALIGN, grown.left // ALIGN * ALIGN
    return Window(top, left, grown.bottom - top, grown.right - left)


def look_at(work: Work, window: Window, scale: Float32Array, part: Part | None = None) -> Looks:
    """Return what a window looks like, as far as it shows: not within `NEAR` of its sides.

    `part` holds its pixels, where they are at hand.
    """
    planes, seen = _planes(work, window, scale, part)
    return look(planes, seen, colored=work.params.color_space != "none")


def _planes(
    work: Work, window: Window, scale: Float32Array | None, part: Part | None = None
) -> tuple[Float32Array, NDArray[np.bool_]]:
    """Return comparable bands (C, H, W), 0 where there is no value, and where there is one."""
    part, params = work.source.read(window) if part is None else part, work.params
    seen = np.ones(window[2:], bool) if part.valid is None else part.valid
    values = work.climbing(part.values)
    if not seen.any():
        return np.zeros((values.shape[2], *window[2:]), np.float32), seen
    pixels = check_image(
        values,
        color_space=params.color_space,
        mask=part.valid,
        value_range=work.value_range,
    )
    # Whether the whole is gray counts, not whether this part is.
    pixels = replace(pixels, origin=work.origin, achromatic=False).scaled_to(params)
    planes = feature_planes(pixels, "none" if params.color_space == "none" else "lab")
    if scale is not None:
        planes -= scale[0][:, None, None]
        planes *= scale[1][:, None, None]
    planes[:, ~seen] = 0
    return planes, seen


def find_codebooks(work: Work, n_threads: int) -> Codebooks:
    """Make the words of a scene from windows spread over it."""
    layout = work.source.layout
    windows = sample_windows(layout.height, layout.width, SIDE, SAMPLES)
    scale = np.array([[0], [1]], np.float32)
    if work.params.color_space == "none":
        scale = _scale(work, windows, n_threads)
    sampled: list[tuple[NDArray[Any], ...]] = []

    def samples(window: Window) -> tuple[NDArray[Any], ...]:
        outer = around(window, NEAR, layout.height, layout.width)
        looks = look_at(work, outer, scale)
        own = window.moved(-outer.top, -outer.left)
        rows, columns = own.slices
        half = (
            slice(rows.start // 2, -(-rows.stop // 2)),
            slice(columns.start // 2, -(-columns.stop // 2)),
        )
        few = [
            planes[(slice(None), *at)][:, ::step, ::step][:, seen[at][::step, ::step]]
            for planes, seen, at, step in (
                (looks.colors, looks.seen, own.slices, STEP),
                (looks.joint, looks.half_seen, half, STEP // 2),
                (looks.textures, looks.half_seen, half, STEP // 2),
            )
        ]
        return *few, looks.colors[:, rows, columns].copy(), looks.seen[rows, columns]

    sampled.extend(found for _, found in ahead(samples, windows, n_threads))
    colors, joint, textures = (
        _codebook(np.concatenate([each[k] for each in sampled], axis=1), size)
        for k, size in enumerate(SIZES)
    )
    counts = np.zeros((cues.COLOR_WORDS + 1,) * 2)
    for each in sampled:
        words = nearest(each[3], colors)
        words[~each[4]] = cues.COLOR_WORDS  # a word for what is not seen, left out below
        word_kernels.count_neighbours(words, cues.NEIGHBOURS, counts)
    strange = cues.strangeness_of(counts[:-1, :-1].copy())
    return Codebooks(scale, colors, joint, textures, strange)


def _codebook(samples: Float32Array, size: int) -> Float32Array:
    """Return `size` words, (size, C), for samples (C, N)."""
    if not samples.shape[1]:
        return np.zeros((size, len(samples)), np.float32)
    found: Float32Array = word_kernels.kmeans(np.ascontiguousarray(samples), size, cues.LLOYD_STEPS)
    return found


def _scale(work: Work, windows: list[Window], n_threads: int) -> Float32Array:
    """Return medians, and factors that give bands together the spread of colours."""

    def values(window: Window) -> Float32Array:
        planes, seen = _planes(work, window, None)
        found: Float32Array = planes[:, seen]
        return found

    found = np.concatenate([found for _, found in ahead(values, windows, n_threads)], axis=1)
    if not found.shape[1]:
        return np.zeros((2, len(found)), np.float32)
    middle, factor = scale_of(found)
    return np.stack([middle, np.full(len(found), factor)]).astype(np.float32)
