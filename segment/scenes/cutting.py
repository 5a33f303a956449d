"""The tree of a scene's regions, and cuts of it: cues window by window, then merging in memory.

Pictures are looked at as people look at photographs, the same at any size. Scenes are not: a pixel
is a piece of ground, so the leaves are the scene's own regions at its own resolution, and sizes and
lengths are judged against a picture of `REFERENCE_PIXELS` whatever the extent. A level means the
same everywhere in a scene, on a part of it, and on a larger one of the same resolution.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.params import Cut
from segment.regions import cuts
from segment.regions.bandwidths import REFERENCE_PIXELS
from segment.regions.cues import Cues
from segment.regions.hierarchy import grow, join_roots
from segment.scenes import options
from segment.scenes.codebooks import SIZES, Codebooks, find_codebooks
from segment.scenes.describing import (
    N_WORDS,
    describe,
    load,
    looked_at,
    save,
    with_neighbours,
)
from segment.scenes.outputs import Tell
from segment.scenes.readers import TileReader
from segment.scenes.runner import Runner
from segment.scenes.sources import Part
from segment.scenes.store import Store
from segment.scenes.tiles import Tiles, Window, blocks
from segment.scenes.work import Regions, Work

N_COLORS = SIZES[0]


@dataclass(frozen=True)
class Tree:
    """The tree of the leaves of a scene; `parents` and `levels` are those of a `Hierarchy`."""

    parents: NDArray[np.int32]
    levels: NDArray[np.float32]


@dataclass(frozen=True)
class CuesTask:
    """A window of leaves to be described.

    Attributes
    ----------
    key : str
        Where in the store that is kept.
    leaves, window : Window
        Which are described, and what is looked at for that.
    labels : TileReader
        Leaves, 1..n.
    books : Codebooks
    """

    key: str
    leaves: Window
    window: Window
    labels: TileReader
    books: Codebooks

    def do(self, work: Work, part: Part | None = None) -> None:
        found = describe(work, self.labels, self.books, self.leaves, part)
        save(Store(work.folder), self.key, found)

    def packed(self) -> CuesTask:
        return replace(self, labels=self.labels.only(with_neighbours(self.leaves)))


def find_tree(work: Work, regions: Regions, labels: TileReader, runner: Runner, tell: Tell) -> Tree:
    """Merge the regions of a scene to a tree, or find the one that an earlier run has left.

    Parameters
    ----------
    work : Work
        Whose tiles are done.
    regions : Regions
        The leaves.
    labels : TileReader
        The same as a raster.
    runner : Runner
        Who describes windows.
    tell : callable
        Is told the stage, and how many of its windows are done, of how many.
    """
    store, size = Store(work.folder), work.params.min_size  # on which tiles do not depend
    key = f"tree-{size}"
    if store.is_sound(key):
        return Tree(*store.load(key, ["parents", "levels"]))
    books = _codebooks(work, store, runner.jobs)
    windows = described(work.tiles)
    keys = [f"cues-{size}-{k:07d}" for k in range(len(windows))]
    todo = [k for k in range(len(windows)) if not store.is_sound(keys[k])]
    tasks = (
        CuesTask(keys[k], windows[k], looked_at(windows[k], work.tiles), labels, books)
        for k in todo
    )
    found_before = len(windows) - len(todo)
    with contextlib.closing(runner.run(work, tasks)) as finished:
        for done, _ in enumerate(finished, found_before + 1):
            tell("describing", done, len(windows))
    tell("growing", 0, 0)
    cues, corners = gather(store, keys, regions.areas)
    colors = cues.counts[1:, :N_COLORS] @ books.colors if len(corners) else None
    parents, levels = grow(cues, REFERENCE_PIXELS)
    if colors is not None:
        means = colors / regions.areas[:, None]
        parents, levels = join_roots(parents, levels, corners, regions.areas, means)
    store.save(key, {"parents": parents, "levels": levels})
    return Tree(parents, levels)


def described(tiles: Tiles) -> list[Window]:
    """Return the windows in which leaves are described; they do not depend on tiles."""
    whole = Window(0, 0, tiles.height, tiles.width)
    return list(blocks(whole, options.DESCRIBED, options.DESCRIBED))


def _codebooks(work: Work, store: Store, n_threads: int) -> Codebooks:
    """Return the codebooks of a scene, which an earlier run may have made."""
    key = "codebooks"
    if not store.is_sound(key):
        store.save(key, find_codebooks(work, n_threads).arrays())
    names = list(Codebooks.__dataclass_fields__)
    return Codebooks(**dict(zip(names, store.load(key, names), strict=True)))


def gather(
    store: Store, keys: list[str], areas: NDArray[np.int64]
) -> tuple[Cues, NDArray[np.int64]]:
    """Add up what windows say of leaves; return their cues, and the pairs that meet at corners."""
    n = len(areas)
    counts = np.zeros((n + 1, N_WORDS), np.float32)
    pairs, lengths, sums, corners = [], [], [], []
    for key in keys:
        found = load(store, key)
        counts[found.leaves] += found.counts
        pairs.append(found.pairs[:, 0] * (n + 1) + found.pairs[:, 1])
        lengths.append(found.lengths)
        sums.append(found.boundaries)
        corners.append(found.corners)
    codes, place = np.unique(np.concatenate(pairs), return_inverse=True)
    flat = np.concatenate(sums)
    totals = [np.bincount(place, column, len(codes)) for column in flat.T]
    cues = Cues(
        counts,
        N_WORDS - SIZES[2],
        np.append(0, areas).astype(np.float32),
        np.stack([codes // (n + 1), codes % (n + 1)], axis=1).astype(np.int32),
        np.bincount(place, np.concatenate(lengths), len(codes)).astype(np.float32),
        np.stack(totals, axis=1).astype(np.float32),
    )
    return cues, np.unique(np.concatenate(corners), axis=0)


def cut_regions(regions: Regions, tree: Tree, cut: Cut) -> tuple[Regions, float]:
    """Return the regions of a cut of a tree, numbered in raster order, and its level."""
    n = regions.n
    n_merges = cuts.count_merges(tree.levels, n, cut)
    table, count = cuts.by_merges(tree.parents, n, n_merges)
    level = cut.level
    if level is None:
        level = float(tree.levels[n + n_merges - 1]) if n_merges else 0.0
    areas = np.bincount(table[1:], regions.areas, count + 1)[1:].astype(np.int64)
    tables: list[NDArray[Any]] = [table[own].astype(own.dtype) for own in regions.tables]
    return replace(regions, areas=areas, tables=tables), level
