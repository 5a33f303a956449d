"""Modes to labels: components, fused and pruned."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.kernels.regions import labels as kernels
from segment.params import MeanShiftParams
from segment.regions.climbing import Climb, Modes
from segment.threads import bands, resolve_n_threads, run

# Neighbouring pixels are linked when their modes' colours are closer than this share of the range
# bandwidth, and neighbouring regions when their means are closer than the second share. On slopes
# of colour the modes of the fast engine go in steps, where those of the exact engine form a chain:
# with twice the share its regions agree with people's as well as the exact engine's do.
LINK_SHARE = {"exact": 0.2, "fast": 0.4}
# In CIE spaces linked colours are also hardly further apart than people can just tell (2.3 in Lab:
# Mahy et al., 1994), or large range bandwidths would link across weak edges.
LARGEST_LINK = {"luv": 3.2, "lab": 3.2}
FUSE_SHARE = 0.5
BAND_ROWS = 128


class Labels(NamedTuple):
    """Regions of an image.

    Attributes
    ----------
    labels : ndarray, shape (H, W), int32
        Region of each pixel, 1..n in raster order; 0 where masked.
    modes : ndarray, shape (n, 2 + C), float32
        Mean mode of each region: row, column, features.
    """

    labels: NDArray[np.int32]
    modes: NDArray[np.float32]


def label(climbed: Climb, *, min_size: int | None = None, n_threads: int | None = None) -> Labels:
    """Join pixels into regions by where they climbed to.

    Parameters
    ----------
    climbed : Climb
        From `climb`. It is not changed, so it can be labelled again with another `min_size`.
    min_size : int, optional
        Smallest region in pixels, instead of that of ``climbed.params``.
    n_threads : int, optional
        Threads to use, every core by default. The result does not depend on it.

    Raises
    ------
    InputError
        If `min_size` is no whole number of at least 0.
    """
    params = climbed.params if min_size is None else replace(climbed.params, min_size=min_size)
    return label_modes(climbed.modes, params, resolve_n_threads(n_threads))


def label_modes(modes: Modes, params: MeanShiftParams, n_threads: int) -> Labels:
    """Join pixels into regions by their modes; see `label`."""
    labels, n = _components(modes, params, n_threads)
    sums = np.zeros((n, modes.table.shape[1]))
    areas = np.zeros(n, np.int64)
    row_bands = bands(len(labels), BAND_ROWS)

    def find_edges(rows: tuple[int, int] | None) -> NDArray[np.int32]:
        if rows is None:  # the other thing to be done before merging
            kernels.sum_modes(labels, modes.owner, modes.table, sums, areas)
            return np.empty((0, 2), np.int32)
        # Room for as many contacts as there can be; what is not written takes no memory.
        size = 2 * params.connectivity * labels[slice(*rows)].size
        edges = np.empty((size, 2), np.int32)
        return edges[: kernels.list_edges(labels, params.connectivity, *rows, edges)].copy()

    edges = np.concatenate(run(find_edges, [None, *row_bands], n_threads))
    limit2 = np.float32((FUSE_SHARE * params.range_bandwidth) ** 2)
    number, sums, areas = kernels.merge_regions(
        sums, areas, edges, len(edges), limit2, params.min_size
    )

    def finish(rows: tuple[int, int]) -> None:
        kernels.relabel(labels, number, *rows, 1)

    run(finish, row_bands, n_threads)
    return Labels(labels, (sums / areas[:, None]).astype(np.float32))


def _components(
    modes: Modes, params: MeanShiftParams, n_threads: int
) -> tuple[NDArray[np.int32], int]:
    """Return connected components (H, W), 0..n-1 in raster order, -1 where masked, and n."""
    height, width = modes.owner.shape
    labels = np.empty((height, width), np.int32)
    parent = np.empty(height * width, np.int32)
    limit = LINK_SHARE[params.engine] * params.range_bandwidth
    limit2 = np.float32(min(limit, LARGEST_LINK.get(params.color_space, limit)) ** 2)
    row_bands = bands(height, BAND_ROWS)

    def find(rows: tuple[int, int]) -> int:
        return kernels.find_runs(
            modes.owner, modes.table, limit2, params.connectivity, *rows, labels, parent
        )

    ends = run(find, row_bands, n_threads)
    starts = [first * width for first, _ in row_bands]
    for first, _ in row_bands[1:]:
        kernels.join_rows(
            modes.owner, modes.table, limit2, params.connectivity, first, labels, parent
        )
    n = kernels.number_roots(parent, np.array(starts, np.int64), np.array(ends, np.int64))

    def renumber(rows: tuple[int, int]) -> None:
        kernels.relabel(labels, parent, *rows, 0)

    run(renumber, row_bands, n_threads)
    return labels, n
