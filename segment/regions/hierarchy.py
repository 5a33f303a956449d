"""One run, every scale: the tree in which the regions of a segmentation merge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.files import write_bytes
from segment.kernels.arrays import look_up
from segment.kernels.regions import adjacency, cutting, merging
from segment.kernels.regions.labels import count_pixels
from segment.params import Cut
from segment.regions import cuts, pyramid
from segment.regions.checks import Pixels
from segment.regions.cues import UNIT_CONTRAST, Cues, region_cues
from segment.threads import resolve_n_threads

if TYPE_CHECKING:
    from segment.regions.segmentation import Segmentation

# The height that becomes level 0.5: about the one cut that agrees best with people over the
# validation images of BSDS500 (on the training images the network knows too much).
MIDDLE_HEIGHT = 0.00012
LEVEL_POWER = 0.6  # spreads the scales that people use over the levels
TOP = np.nextafter(np.float32(1), np.float32(0))  # the highest level at which regions can merge


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """The regions of a segmentation, merged two by two until one is left.

    Attributes
    ----------
    leaves : Segmentation
        The segmentation that was merged.
    parents : ndarray, shape (m,), int32
        Parent of each node, -1 for a root. Nodes 0..n-1 are the leaves (node i is label i + 1),
        node n + k is what merge k made. There is one root, and m = 2 n - 1, unless a mask cuts the
        image into parts.
    levels : ndarray, shape (m,), float32
        Level in [0, 1) at which each node appears: 0 for leaves, rising with every merge.

    Examples
    --------
    >>> import numpy as np, segment
    >>> image = np.zeros((40, 60, 3), np.uint8)
    >>> image[:, 20:40] = 100
    >>> image[:, 40:] = 120
    >>> tree = segment.mean_shift(image).hierarchy()
    >>> tree.cut(n_regions=2).labels[0, [0, 30, 50]]
    array([1, 2, 2], dtype=int32)
    """

    leaves: Segmentation
    parents: NDArray[np.int32]
    levels: NDArray[np.float32]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Hierarchy):
            return NotImplemented
        return (
            self.leaves == other.leaves
            and np.array_equal(self.parents, other.parents)
            and np.array_equal(self.levels, other.levels)
        )

    def __hash__(self) -> int:
        return hash(self.leaves)

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return self.leaves.n_regions

    def cut(
        self,
        level: float | None = None,
        n_regions: int | None = None,
        markers: ArrayLike | None = None,
        nodes: cuts.Nodes | None = None,
    ) -> Segmentation:
        """Return a segmentation: at one scale, from marks, or of any nodes; give one of the four.

        Parameters
        ----------
        level : float
            0 keeps all leaves, 1 merges all that hang together; the same level means the same
            difference between regions on every image. 0.5 is about what people draw.
        n_regions : int
            Number of regions, at least 1. The nearest possible number is taken where there are
            fewer leaves, or more parts that a mask separates.
        markers : array_like of int, shape (H, W)
            Seeds as in `skimage.segmentation.watershed` and `random_walker`: 1..k where a pixel is
            marked, else 0. Each leaf takes the mark that it meets first on its way to the root
            [1]_, and region k is what has mark k, in one piece or several. A leaf under several
            marks takes the one with most pixels in it; what merges with several at once the one
            whose side is larger. What the mask cuts off from every mark gets label 0.
        nodes : sequence of int, or of sequences of int
            The node, or the nodes, that each region consists of; together they must hold every leaf
            once. Regions are numbered in raster order.

        Raises
        ------
        InputError
            If not exactly one is given, or it is out of its domain.

        References
        ----------
        .. [1] P. Salembier and L. Garrido, "Binary Partition Tree as an Efficient Representation
           for Image Processing, Segmentation, and Information Retrieval", IEEE TIP 9(4), 2000,
           section IV.
        """
        given = {"level": level, "n_regions": n_regions, "markers": markers, "nodes": nodes}
        names = [name for name, value in given.items() if value is not None]
        if len(names) > 1 and (markers is not None or nodes is not None):
            raise InputError(f"both {names[0]} and {names[1]} are given; give one of them")
        if markers is not None:
            return self._segmentation(
                *cuts.by_markers(self.parents, self.leaves._labels, self._areas, markers)
            )
        if nodes is not None:
            return self._segmentation(*cuts.by_nodes(self.parents, self.n_leaves, nodes))
        n_merges = self._count_merges(level, n_regions)
        if level is None:
            level = float(self.levels[self.n_leaves + n_merges - 1]) if n_merges else 0.0
        return self._segmentation(*cuts.by_merges(self.parents, self.n_leaves, n_merges), level)

    def _segmentation(
        self, table: NDArray[np.int32], count: int, level: float | None = None
    ) -> Segmentation:
        """Return the segmentation whose label is ``table[leaf]``, 1..count, or 0 for none."""
        from segment.regions.segmentation import Segmentation

        weights = self._areas
        sums = np.zeros((count + 1, self.leaves.modes.shape[1]))
        np.add.at(sums, table[1:], weights[:, None] * self.leaves.modes.astype(np.float64))
        total = np.bincount(table[1:], weights, minlength=count + 1)
        modes = (sums[1:] / np.maximum(total[1:, None], 1)).astype(np.float32)
        labels = look_up(table, self.leaves._labels)
        return Segmentation(labels, modes, self.leaves.params, self.leaves._pixels, level)

    def _repr_html_(self) -> str:
        """The explorer, for notebooks."""
        from segment.page.notebook import as_html

        return as_html(self)

    def contours(self) -> NDArray[np.float32]:
        """Return the ultrametric contour map, float32 (H, W).

        Where a pixel's right or lower neighbour is of another leaf: the level up to which they stay
        apart, 1 where they never meet; 0 elsewhere. ``contours() > level`` is
        ``cut(level).boundaries()``.
        """
        labels = self.leaves._labels
        pairs, cracks, edges = adjacency.touching(labels, self.n_leaves)
        levels = np.empty(len(pairs), np.float32)
        cutting.meeting_levels(pairs, self.parents, self.levels, levels)
        out = np.zeros(labels.shape, np.float32)
        adjacency.paint_cracks(cracks, edges, levels, out)
        hidden = labels == 0
        if hidden.any():
            out[:, :-1][hidden[:, :-1] != hidden[:, 1:]] = 1
            out[:-1][hidden[:-1] != hidden[1:]] = 1
        return out

    @cached_property
    def _areas(self) -> NDArray[np.int64]:
        areas = np.empty(self.n_leaves + 1, np.int64)
        count_pixels(self.leaves._labels, areas)
        return areas[1:]

    def _count_merges(self, level: float | None, n_regions: int | None) -> int:
        scale = Cut(level, n_regions)
        if not scale.wanted:
            raise InputError(
                "neither level nor n_regions, markers or nodes is given; give one of them"
            )
        return cuts.count_merges(self.levels, self.n_leaves, scale)

    def to_bytes(self) -> bytes:
        """Return the tree, its leaves and the image as the content of one ``.npz`` file."""
        from segment.trees import to_bytes

        return to_bytes(self)

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Write what `to_bytes` returns to a file, whole or not at all.

        Raises
        ------
        FileError
            If the file exists and `overwrite` is false, or cannot be written.
        """
        write_bytes(path, self.to_bytes(), overwrite=overwrite)

    @staticmethod
    def load(path: str | PathLike[str]) -> Hierarchy:
        """Read what `save` wrote.

        Raises
        ------
        FileError
            If the file cannot be read, or is no hierarchy.
        """
        from segment.trees import load

        return load(path)


def build_hierarchy(
    segmentation: Segmentation,
    n_threads: int | None = None,
    seen: Pixels | None = None,
    sought: NDArray[np.int32] | None = None,
    tones: NDArray[np.float32] | None = None,
) -> Hierarchy:
    """Merge the regions of a segmentation; see `Segmentation.hierarchy`.

    `seen` is the image, or the box that its mask leaves, at its reference size, where that is
    already known, `sought` the regions as they were found in it, and `tones` the values of regions
    that it does not show, see `region_cues`.
    """
    pixels, n = segmentation._pixels, segmentation.n_regions
    space, threads = segmentation.params.color_space, resolve_n_threads(n_threads)
    labels = np.ascontiguousarray(segmentation._labels[pixels.box])
    if seen is None:
        seen = pyramid.at_reference_size(pixels.part(pixels.box), space, threads)
    cues = region_cues(seen, space, labels, n, threads, sought, tones)
    image = seen.values.shape[0] * seen.values.shape[1]
    parents, levels = grow(cues, image)
    if segmentation.params.connectivity == 2:
        parents, levels = join_at_corners(segmentation, parents, levels)
    return Hierarchy(segmentation, parents, levels)


def grow(cues: Cues, n_pixels: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return parents and levels of the tree of regions that have these cues, which are used up.

    Sizes and lengths are judged against an image of `n_pixels`.
    """
    n = len(cues.areas) - 1
    children, heights = merging.merge(
        cues.counts,
        cues.first_texture,
        cues.areas,
        cues.pairs,
        cues.lengths,
        cues.boundaries,
        np.float32(n_pixels),
    )
    parents = np.full(n + len(children), -1, np.int32)
    parents[children] = np.arange(n, len(parents), dtype=np.int32)[:, None]
    levels = np.zeros(len(parents), np.float32)
    scaled = (np.maximum.accumulate(heights, dtype=np.float64) / MIDDLE_HEIGHT) ** LEVEL_POWER
    levels[n:] = rising(scaled / (1 + scaled))
    return parents, levels


def rising(levels: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return levels that rise, each by a last bit at least, so that every cut has a level.

    Parameters
    ----------
    levels : ndarray of float
        From 0 to 1; none lower than the one before it.
    """
    steps = np.arange(len(levels), dtype=np.int32)
    bits = levels.astype(np.float32).view(np.int32)  # in the order of the numbers
    bits = np.maximum.accumulate(bits - steps) + steps
    bits = np.minimum(bits, TOP.view(np.int32) - steps[::-1])
    found: NDArray[np.float32] = bits.view(np.float32)
    return found


def join_at_corners(
    leaves: Segmentation, parents: NDArray[np.int32], levels: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Merge roots that meet at corners alone, those of like colours first, after all others.

    Where edges alone do not hang an image together, a mask having parted it, corners do.
    """
    labels = leaves._labels
    corners = ((labels[:-1, :-1], labels[1:, 1:]), (labels[:-1, 1:], labels[1:, :-1]))
    met = [np.stack([a, b], axis=-1)[(a != b) & (a > 0) & (b > 0)] for a, b in corners]
    areas = np.bincount(labels.ravel(), minlength=leaves.n_regions + 1)[1:]
    return join_roots(parents, levels, np.concatenate(met), areas, leaves.modes[:, 2:])


def join_roots(
    parents: NDArray[np.int32],
    levels: NDArray[np.float32],
    contacts: NDArray[Any],
    areas: NDArray[np.int64],
    colors: NDArray[Any],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Merge the roots of leaves that touch, those of like colours first.

    Parameters
    ----------
    parents, levels
        As in `Hierarchy`.
    contacts : ndarray of int, shape (k, 2)
        Leaves that touch, 1..n.
    areas : ndarray, shape (n,), int64
    colors : ndarray, shape (n, C)
        Of each leaf.
    """
    n = len(areas)
    part, n_parts = cuts.by_merges(parents, n, len(parents) - n)
    if n_parts < 2:
        return parents, levels
    pairs = np.sort(part[contacts], axis=1)
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    sums = np.zeros((n_parts + 1, colors.shape[1]))
    np.add.at(sums, part[1:], areas[:, None] * colors.astype(np.float64))
    features = sums / np.bincount(part[1:], areas, minlength=n_parts + 1).clip(1)[:, None]
    apart = np.linalg.norm(features[pairs[:, 0]] - features[pairs[:, 1]], axis=1)
    root = np.zeros(n_parts + 1, np.int64)
    above = np.arange(len(parents))
    for node in range(len(parents) - 1, -1, -1):
        if parents[node] >= 0:
            above[node] = above[parents[node]]
    root[part[1:]] = above[:n]
    made, joined = parents.tolist(), levels.tolist()

    def upmost(node: int) -> int:
        while made[node] >= 0:
            node = made[node]
        return node

    for k in np.argsort(apart, kind="stable"):
        a, b = (upmost(int(root[p])) for p in pairs[k])
        if a != b:
            made[a] = made[b] = len(made)
            made.append(-1)
            level = float(apart[k] / (apart[k] + UNIT_CONTRAST))
            joined.append(max(joined[-1], level))
    joined[n:] = rising(np.array(joined[n:]))
    return np.array(made, np.int32), np.array(joined, np.float32)
