"""Modes to labels: the strips of an image, labelled as pieces, joined and merged."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segment.kernels.regions import labels as kernels
from segment.params import MeanShiftParams
from segment.regions.climbing import Climb
from segment.regions.engines import Modes
from segment.regions.limits import FLAT, OneBand
from segment.regions.pieces import Piece, join, label_piece, merge, quanta_for
from segment.threads import chunks, resolve_n_threads, run

STRIP_ROWS = 128  # a strip of the image, labelled on one thread


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


def label_modes(
    modes: Modes, params: MeanShiftParams, n_threads: int, one_band: OneBand = FLAT
) -> Labels:
    """Join pixels into regions by their modes, those of one band by a rule; see `label`."""
    height, width = modes.owner.shape
    labels = np.empty((height, width), np.int32)
    quanta = quanta_for(params, modes.table)
    strips = chunks(height, STRIP_ROWS)

    def find(rows: tuple[int, int]) -> Piece:
        strip = Modes(modes.owner[slice(*rows)], modes.table)
        part, at = labels[slice(*rows)], (rows[0], 0)
        return label_piece(
            strip, params, at=at, width=width, quanta=quanta, one_band=one_band, out=part
        )[1]

    graph = join(run(find, strips, n_threads), params, one_band)
    regions = merge(graph, params, one_band)

    def number(k: int) -> None:
        kernels.relabel(labels[slice(*strips[k])], regions.tables[k], 1)

    run(number, range(len(strips)), n_threads)
    return Labels(labels, regions.modes)
