"""From regions to files: one pass over the scene writes and counts, others paint and trace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.kernels.regions import measuring
from segment.regions.features import to_dtype
from segment.scenes.options import SIDE, STRIP, SceneOptions
from segment.scenes.preview import Preview
from segment.scenes.readers import TileReader, ahead
from segment.scenes.sinks import Form, Sink, discard, open_sink, staged
from segment.scenes.sources import Layout, Part, Source
from segment.scenes.statistics import HALO, Statistics
from segment.scenes.store import Store
from segment.scenes.tables import write_table
from segment.scenes.tiles import Window, blocks
from segment.scenes.work import Regions, Work

NEED_PIXELS = ("table", "vector", "posterized", "preview")

Tell = Callable[[str, int, int], None]


def write_outputs(options: SceneOptions, work: Work, regions: Regions, tell: Tell) -> None:
    """Write every output under its staged name.

    Parameters
    ----------
    options : SceneOptions
    work : Work
        Whose tiles are done.
    regions : Regions
    tell : callable
        Is told the stage, and how many of its windows are done, of how many.
    """
    outputs, layout = options.outputs, work.source.layout
    wanted = [kind for kind in NEED_PIXELS if kind in outputs]
    statistics = Statistics(layout, regions.areas) if set(wanted) - {"preview"} else None
    preview = Preview(layout, regions.areas) if "preview" in wanted else None
    labels = label_reader(work, regions)
    _write_labels(options, work, regions, labels, statistics, preview, tell)
    if statistics is not None and "posterized" in outputs:
        _write_posterized(outputs["posterized"], options, work.source, labels, statistics, tell)
    if statistics is not None and "table" in outputs:
        discard(staged(outputs["table"]))
        write_table(staged(outputs["table"]), statistics)
    if statistics is not None and "vector" in outputs:
        _write_vector(outputs["vector"], layout, labels, statistics, tell)
    if preview is not None:
        discard(staged(outputs["preview"]))
        preview.write(staged(outputs["preview"]))


def label_reader(work: Work, regions: Regions) -> TileReader:
    """Return the labels of the scene, to be read window by window."""
    tables = dict(enumerate(regions.tables))
    return TileReader(Store(work.folder), work.tiles, "labels", regions.dtype, tables=tables)


def windows_of(layout: Layout) -> list[Window]:
    """Return the windows in which outputs are written; they do not depend on tiles."""
    return list(blocks(Window(0, 0, layout.height, layout.width), SIDE, SIDE))


def _write_labels(
    options: SceneOptions,
    work: Work,
    regions: Regions,
    labels: TileReader,
    statistics: Statistics | None,
    preview: Preview | None,
    tell: Tell,
) -> None:
    """Write labels and filtered pixels, and add up what is said of regions."""
    layout = work.source.layout
    need_pixels = statistics is not None or preview is not None
    form = _form(layout, regions.dtype, nodata=0)
    filtered, valid = filtered_readers(work)

    def read(window: Window) -> tuple[NDArray[Any], Part | None, Any]:
        around = Window(
            window.top - HALO, window.left - HALO, window.height + 2 * HALO, window.width + 2 * HALO
        )
        own = labels.read(around if statistics is not None else window)
        part = work.source.read(window) if need_pixels else None
        smooth = None if filtered is None else (filtered.read(window), valid.read(window))
        return own, part, smooth

    with ExitStack() as stack:
        sink = stack.enter_context(
            open_sink(options.dst, form, cog=options.cog, n_threads=options.n_jobs)
        )
        smooth_sink: Sink | None = None
        if options.filtered is not None:
            smooth_sink = stack.enter_context(
                _picture_sink(Path(options.filtered), options, layout)
            )
        todo = windows_of(layout)
        for done, (window, (own, part, smooth)) in enumerate(ahead(read, todo, options.n_jobs), 1):
            inner = own[HALO:-HALO, HALO:-HALO] if statistics is not None else own
            sink.write(window, inner)
            if smooth_sink is not None:
                smooth_sink.write(window, *smooth)
            if part is not None and statistics is not None:
                statistics.add(window, part.values, own)
            if part is not None and preview is not None:
                preview.add(window, part.values, part.valid, inner)
            tell("writing", done, len(todo))


def filtered_readers(work: Work) -> tuple[Any, Any]:
    """Return the filtered pixels and where they are valid, as readers, or None twice."""
    if not work.filtered:
        return None, None
    layout, store = work.source.layout, Store(work.folder)
    bands = (len(layout.bands),)
    return (
        TileReader(store, work.tiles, "filtered", layout.dtype, bands),
        TileReader(store, work.tiles, "valid", np.bool_),
    )


def _form(layout: Layout, dtype: Any, **more: Any) -> Form:
    return Form(
        height=layout.height,
        width=layout.width,
        dtype=np.dtype(dtype),
        crs=layout.crs,
        transform=layout.transform,
        **more,
    )


def _picture_sink(path: Path, options: SceneOptions, layout: Layout) -> Sink:
    """Begin a raster of the scene's own bands: masked as a whole, for any value may be a colour."""
    form = _form(layout, layout.dtype, n_bands=len(layout.bands), name="pixels")
    form = replace(form, masked=layout.masked)
    return open_sink(path, form, cog=options.cog, n_threads=options.n_jobs)


def _write_posterized(
    path: Path,
    options: SceneOptions,
    source: Source,
    labels: TileReader,
    statistics: Statistics,
    tell: Tell,
) -> None:
    """Paint each region in its mean colour; 0 where there is none."""
    layout = source.layout
    palette = np.zeros((len(statistics.areas) + 1, len(layout.bands)), layout.dtype)
    for start in range(0, len(statistics.areas), SIDE**2):
        part = slice(start, start + SIDE**2)
        palette[1:][part] = to_dtype(statistics.means(part), layout.dtype)
    plain = palette.view(np.uint8).reshape(len(palette), -1)

    def paint(window: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        own = labels.read(window)
        out = np.empty((*own.shape, len(layout.bands)), layout.dtype)
        measuring.paint(own.ravel(), plain, out.view(np.uint8).reshape(own.size, -1))
        return out, own > 0

    todo = windows_of(layout)
    with _picture_sink(path, options, layout) as sink:
        for done, (window, (colors, valid)) in enumerate(ahead(paint, todo, options.n_jobs), 1):
            sink.write(window, colors, valid)
            tell("painting", done, len(todo))


def _write_vector(
    path: Path, layout: Layout, labels: TileReader, statistics: Statistics, tell: Tell
) -> None:
    """Trace the labels strip by strip, with the table as attributes."""
    from segment.shapes import trace, write_shapes

    total = -(-layout.height // STRIP)

    def strips() -> Iterator[NDArray[Any]]:
        for done, top in enumerate(range(0, layout.height, STRIP), 1):
            strip = Window(top, 0, min(STRIP, layout.height - top), layout.width)
            yield labels.read(strip).astype(np.int32)
            tell("tracing", done, total)

    def attributed() -> Iterator[Any]:
        for found in trace(strips(), transform=layout.transform):
            yield replace(found, fields=fields_of(statistics, found.labels))

    discard(staged(path))
    write_shapes(staged(path), attributed(), crs=layout.crs)


def fields_of(statistics: Statistics, labels: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return the table of some regions, but for what polygons have themselves."""
    columns = statistics.columns(labels - 1)
    return {name: values for name, values in columns.items() if name not in {"label", "area"}}
