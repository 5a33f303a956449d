"""What the tiles hold, read window by window as if it were one raster."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from segment.scenes.store import Store
from segment.scenes.tiles import Tiles, Window
from segment.scenes.work import key_of

T = TypeVar("T")
R = TypeVar("R")

KEPT_TILES = 6  # a window meets four at most; those of its neighbours are met again


class TileReader:
    """A raster that lies in a store tile by tile.

    Parameters
    ----------
    store, tiles
        Of the scene.
    name : str
        Of the array in the store, (H, W) or (H, W, C).
    dtype : dtype
    bands : tuple of int
        Shape of a pixel: () or (C,).
    tables : mapping of ndarray, optional
        For each tile what is to be read in place of the numbers in its array; -1 is the last one.
    """

    def __init__(
        self,
        store: Store,
        tiles: Tiles,
        name: str,
        dtype: Any,
        bands: tuple[int, ...] = (),
        tables: Mapping[int, NDArray[Any]] | None = None,
    ) -> None:
        self._store, self._tiles, self._name = store, tiles, name
        self._dtype, self._bands, self._tables = dtype, bands, tables
        self._kept: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> Any:
        given = (self._store, self._tiles, self._name, self._dtype, self._bands, self._tables)
        return TileReader, given

    def only(self, window: Window) -> TileReader:
        """Return a reader of that window alone, which holds no more than it needs."""
        tables = self._tables and {k: self._tables[k] for k in self._tiles.met_by(window)}
        return TileReader(self._store, self._tiles, self._name, self._dtype, self._bands, tables)

    def read(self, window: Window) -> NDArray[Any]:
        """Return a window, which may reach beyond the raster: 0 there."""
        tiles = self._tiles
        out = np.zeros((*window[2:], *self._bands), self._dtype)
        for k in tiles.met_by(window):
            tile = tiles.window(k)
            part = tile.cut(window)
            out[part.moved(-window.top, -window.left).slices] = self._tile(k)[
                part.moved(-tile.top, -tile.left).slices
            ]
        return out

    def _tile(self, k: int) -> NDArray[Any]:
        with self._lock:
            if k in self._kept:
                self._kept.move_to_end(k)
                return self._kept[k]
        (array,) = self._store.load(key_of(k), [self._name])
        if self._tables is not None:
            array = self._tables[k][array]
        with self._lock:
            self._kept[k] = array
            while len(self._kept) > KEPT_TILES:
                self._kept.popitem(last=False)
        return array


def ahead(function: Callable[[T], R], items: Sequence[T], n_threads: int) -> Iterator[tuple[T, R]]:
    """Yield items and what `function` makes of them, in order, worked on ahead by threads."""
    with ThreadPoolExecutor(n_threads) as pool:
        pending: deque[tuple[T, Future[R]]] = deque()
        todo = iter(items)
        try:
            for item in todo:
                pending.append((item, pool.submit(function, item)))
                if len(pending) > n_threads:
                    first, future = pending.popleft()
                    yield first, future.result()
            while pending:
                first, future = pending.popleft()
                yield first, future.result()
        finally:
            for _, future in pending:
                future.cancel()
