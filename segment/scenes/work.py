"""The work of one tile, here or on any machine: read, climb, and leave a piece in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from segment.params import MeanShiftParams
from segment.regions.checks import Origin
from segment.regions.climbing import climb_window
from segment.regions.engines import Modes
from segment.regions.features import pixels_from_features, to_dtype
from segment.regions.pieces import Piece, Quanta, join, label_piece, merge
from segment.regions.ranges import Range
from segment.scenes.sources import Part, Source
from segment.scenes.store import Store
from segment.scenes.tiles import Tiles, Window

PIECE = ("frame", "quanta", "areas", "sums", "firsts", "edges", "side_labels", "side_colors")


Scaling = tuple[tuple[float, float], ...]


def key_of(k: int) -> str:
    """Return the name of a tile in the store."""
    return f"{k:07d}"


def scaled(values: NDArray[Any], scaling: Scaling | None) -> NDArray[Any]:
    """Return pixels (..., C) less what becomes 0, in hundredths of what becomes 100."""
    if scaling is None:
        return values
    zeros, spans = np.array(scaling).T
    found: NDArray[Any] = ((values - zeros) * (100 / spans)).astype(np.float32)
    return found


@dataclass(frozen=True)
class Work:
    """What is to be done with every tile; it travels to the workers.

    Attributes
    ----------
    source : Source
    params : MeanShiftParams
    tiles : Tiles
    folder : Path
        Of the store.
    value_range : (float, float) or None
        Black and white, for the colour spaces.
    scaling : tuple of (float, float), one a band, or None
        What becomes 0, and how much becomes 100, before anything else is done.
    origin : tuple of a number a band, or None
        What bands count from, as `segment.regions.checks.find_origin` says of the whole.
    achromatic : bool
        Whether three bands are one gray, thrice; see `segment.regions.checks.is_achromatic`.
    corner : tuple of two int
        The first row and column with a value, where tiles begin.
    filtered : bool
        Whether the filtered pixels are wanted too.
    """

    source: Source
    params: MeanShiftParams
    tiles: Tiles
    folder: Path
    value_range: Range | None = None
    scaling: Scaling | None = None
    origin: Origin | None = None
    achromatic: bool = False
    corner: tuple[int, int] = (0, 0)
    filtered: bool = False

    def features_of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return pixels (H, W, C) as they are compared."""
        return scaled(values, self.scaling)

    def climbing(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return pixels (H, W, C) as they climb: in one band where all are gray."""
        return values[..., :1] if self.achromatic else self.features_of(values)

    def pixels_of(self, features: NDArray[Any]) -> NDArray[Any]:
        """Return what `features_of` gave, in the scene's own units."""
        if self.scaling is None:
            return features
        zeros, spans = np.array(self.scaling).T
        return to_dtype(features * (spans / 100) + zeros, self.source.layout.dtype)


T_co = TypeVar("T_co", covariant=True)


class Task(Protocol[T_co]):
    """What is to be done with a window of a scene, here or on a worker of a cluster."""

    @property
    def window(self) -> Window:
        """The pixels that it reads."""

    def do(self, work: Work, part: Part | None = None) -> T_co:
        """Do it; `part` holds the pixels of the window, where they are at hand."""

    def packed(self) -> Task[T_co]:
        """Return the same, ready to travel: with no more than it needs."""


@dataclass(frozen=True)
class Done:
    """What there is to say of a tile that is done."""

    tile: int
    n_components: int
    n_pixels: int
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True)
class TileTask:
    """A tile to be done: its number, and the window of it with its margin."""

    tile: int
    window: Window

    def do(self, work: Work, part: Part | None = None) -> Done:
        return do_tile(work, self.tile, part)

    def packed(self) -> TileTask:
        return self


def do_tile(work: Work, k: int, part: Part | None = None) -> Done:
    """Do a tile.

    Parameters
    ----------
    work : Work
    k : int
        Its number.
    part : Part, optional
        The pixels of the tile with its margin, where they are at hand.
    """
    tiles, params = work.tiles, work.params
    window, around = tiles.window(k), tiles.surroundings(k)
    if part is None:
        part = work.source.read(around)
    place = window.moved(-around.top, -around.left)
    own = None if part.valid is None else part.valid[place.slices]
    n_pixels = window.n_pixels if own is None else int(own.sum())
    if n_pixels:
        climbed = climb_window(
            work.climbing(part.values),
            params,
            (place.top, place.bottom),
            (place.left, place.right),
            mask=part.valid,
            value_range=work.value_range,
            origin=work.origin,
            n_threads=1,
        )
        modes = climbed.modes
    else:
        n_bands = 1 if work.achromatic else part.values.shape[2]
        modes = Modes(np.full(window[2:], -1, np.int32), np.zeros((0, 2 + n_bands), np.float32))
    at = (window.top, window.left)
    labels, piece = label_piece(modes, params, at=at, base=at, width=tiles.width)
    arrays: dict[str, Any] = {"labels": labels, **_arrays_of(piece)}
    if work.filtered:
        smooth = np.zeros((*window[2:], part.values.shape[2]), work.source.layout.dtype)
        if n_pixels:
            found = pixels_from_features(modes.planes(), climbed.pixels, params.color_space)
            smooth[:] = work.pixels_of(found)
        arrays["filtered"] = smooth
        arrays["valid"] = np.ones(window[2:], bool) if own is None else own
    damaged = [
        [block.top, block.left, block.height, block.width]
        for block in part.damaged
        if block.top < window.bottom and block.left < window.right
        and block.bottom > window.top and block.right > window.left
    ]  # fmt: skip
    arrays["facts"] = np.array([len(piece.areas), n_pixels], np.int64)
    arrays["damaged"] = np.array(damaged, np.int64).reshape(-1, 4)
    Store(work.folder).save(key_of(k), arrays)
    return done_of(Store(work.folder), k)


def done_of(store: Store, k: int) -> Done:
    """Return what there is to say of a tile that lies in the store."""
    facts, damaged = store.load(key_of(k), ["facts", "damaged"])
    return Done(
        k,
        int(facts[0]),
        int(facts[1]),
        tuple(
            f"rows {top}-{top + height - 1}, columns {left}-{left + width - 1}"
            for top, left, height, width in damaged.tolist()
        ),
    )


def _arrays_of(piece: Piece) -> dict[str, NDArray[Any]]:
    arrays: dict[str, Any] = piece._asdict()
    frame = [*arrays.pop("rows"), *arrays.pop("columns")]
    return {
        **arrays,
        "frame": np.array(frame, np.int64),
        "quanta": np.array(piece.quanta, np.float64),
    }


def load_piece(store: Store, k: int) -> Piece:
    """Return the piece of a tile that lies in the store."""
    arrays = dict(zip(PIECE, store.load(key_of(k), PIECE), strict=True))
    top, bottom, left, right = arrays.pop("frame").tolist()
    unit, words = arrays.pop("quanta").tolist()
    return Piece(
        rows=(top, bottom), columns=(left, right), quanta=Quanta(unit, int(words)), **arrays
    )


@dataclass(frozen=True)
class Regions:
    """The regions of a scene.

    Attributes
    ----------
    areas : ndarray, shape (n,), int64
        Pixels of each.
    tables : sequence of ndarray, one a tile, uint32 or uint64
        Region, from 1 on, of each component of the tile; at the end 0, for pixels without one.
    """

    areas: NDArray[np.int64]
    tables: Sequence[NDArray[Any]]

    @property
    def n(self) -> int:
        return len(self.areas)

    @property
    def dtype(self) -> np.dtype[Any]:
        return label_dtype(self.n)


def label_dtype(n: int) -> np.dtype[Any]:
    """Return the dtype of labels up to `n`."""
    return np.dtype(np.uint32 if n < 2**32 else np.uint64)


def connect(work: Work) -> Regions:
    """Join the pieces of all tiles, merge their components, number regions in raster order."""
    store = Store(work.folder)
    found = merge(
        join([load_piece(store, k) for k in range(len(work.tiles))], work.params), work.params
    )
    dtype = label_dtype(len(found.areas))
    tables = []
    while found.tables:  # each is let go of when it has been copied
        table = found.tables.pop(0)
        tables.append(np.append(table + 1, 0).astype(dtype))
    return Regions(found.areas, tables)
