"""TIFF: tifffile reads the structure, libtiff undoes the compression, the rest is arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from segment.images import libtiff
from segment.images.damage import Damage, NoSuchPage
from segment.images.nodata import GDAL_NODATA, NONE, parse_nodata
from segment.images.picture import Image, Pixels
from segment.images.samples import unpack
from segment.images.source import Source
from segment.images.tiffcolor import colored
from segment.images.tifflayout import Layout
from segment.images.tiffothers import decode_otherwise
from segment.images.tiffpages import find_pages
from segment.regions.arrays import Nodata

Check = Callable[[int, int, int, int], None]

RGB, SEPARATED, YCBCR = 2, 5, 6
SMALL = 1 << 20  # pixels of tiles that are no matter
KNOWN = libtiff.BYTES | libtiff.PICTURES | {libtiff.NONE}
GEO_KEYS = 34735
CM_PER_INCH = 2.54
DNG_VERSION, COLOR_FILTER_ARRAY = 50706, 32803
CR2_PLACE = 8
# Each byte with its bits in the other order.
MIRRORED = np.packbits(np.unpackbits(np.arange(256, dtype=np.uint8)), bitorder="little")


def decode(source: Source, page: int, check: Check, nodata: Nodata | str | None = None) -> Image:
    """Decode one page of a TIFF; parameters and errors as in `raster.decode`.

    `nodata` replaces the value that the file names; "none" asks for neither.
    """
    import tifffile

    source.stream.seek(0)
    with tifffile.TiffFile(source.stream) as tif:
        count = len(tif.pages)
        if count == 0:
            raise Damage("it has no page")
        _refuse_raw(tif, source)
        pages = find_pages(source.stream, tif.byteorder, big=tif.is_bigtiff, count=count)
        if page >= len(pages):
            raise NoSuchPage(page, len(pages))
        place = pages[page]
        image, damage = _decode_directory(tif, place.index, source, check, nodata)
        if place.mask is not None:
            seen, wrong = _decode_directory(tif, place.mask, source, check, NONE)
            damage = damage or wrong
            hidden = seen.pixels == 0
            image = image.hide(hidden if hidden.ndim == 2 else hidden.any(axis=2))
        first: Any = tif.pages[place.index]
        geo_directory = place.index + 1 if GEO_KEYS in first.tags else None
        image = replace(image, n_pages=len(pages), geo_directory=geo_directory)
        image = image.upright(_orientation(first))
    if damage:
        raise Damage(damage, replace(image, damaged=True))
    return image


def count(source: Source) -> int:
    """Return the number of pages."""
    import tifffile

    source.stream.seek(0)
    with tifffile.TiffFile(source.stream) as tif:
        n = len(tif.pages)
        return len(find_pages(source.stream, tif.byteorder, big=tif.is_bigtiff, count=n))


def _refuse_raw(tif: Any, source: Source) -> None:
    """Refuse what a camera saw before it was made a picture: files that show but a thumbnail."""
    first: Any = tif.pages[0]
    canon = source.stream.seek(CR2_PLACE) and source.stream.read(2) == b"CR"
    if canon or DNG_VERSION in first.tags or _is_mosaic(first):
        raise source.error(
            "it is a camera's raw file; develop it first, with darktable or RawTherapee, say, and "
            "give the TIFF"
        )


def _is_mosaic(first: Any) -> bool:
    """Whether a directory, or one below it, holds a mosaic of colours."""
    directories = [first, *(first.pages if first.subifds else ())]
    return any(int(part.photometric or 0) == COLOR_FILTER_ARRAY for part in directories)


def _decode_directory(
    tif: Any, index: int, source: Source, check: Check, nodata: Nodata | str | None
) -> tuple[Image, str | None]:
    """Return what one directory holds, not turned upright, and what is wrong with it."""
    page: Any = tif.pages[index]
    layout = _layout(page, tif.byteorder, source)
    _check_size(layout, check, source)
    image = Image(np.empty((0, 0)), resolution=_resolution(page))
    given = _nodata(page) if nodata is None else None if isinstance(nodata, str) else nodata
    deep_jpeg = layout.compression == libtiff.JPEG and layout.bits != 8
    if layout.compression not in KNOWN or deep_jpeg:
        samples, photometric = decode_otherwise(page, index, layout, source)
        return colored(image, samples, photometric, layout, page, source, given), None
    segments, notes, damage = _read_segments(source.stream, layout, source.size)
    samples, photometric, wrong = _samples(layout, segments, page, source)
    image = colored(replace(image, notes=notes), samples, photometric, layout, page, source, given)
    if given is not None and not all(segments):  # what sparse files leave out
        image = image.hide(_absent(layout, segments))
    return image, damage or wrong


def _absent(layout: Layout, segments: list[bytes]) -> NDArray[np.bool_]:
    """Return which pixels (H, W) lie in strips or tiles that the file leaves out."""
    flags = np.array([not segment for segment in segments])
    gone = flags.reshape(layout.planes, layout.down, layout.across).max(axis=0)
    rows = np.arange(layout.height) // layout.segment_height
    columns = np.arange(layout.width) // layout.segment_width
    return np.asarray(gone[rows][:, columns])


def _nodata(page: Any) -> Nodata | None:
    tag = page.tags.get(GDAL_NODATA)
    return parse_nodata(tag.value) if tag is not None and isinstance(tag.value, str) else None


def _layout(page: Any, byteorder: str, source: Source) -> Layout:
    bits, sample_format = page.bitspersample, page.sampleformat
    if not isinstance(bits, int) or not isinstance(sample_format, (int, type(None))):
        raise source.error(f"its samples differ in type ({bits} bits); convert it to 8 or 16 bits")
    kind = {1: "u", 2: "i", 3: "f", 4: "u"}.get(int(sample_format or 1))
    if kind is None or not 1 <= bits <= 64:
        raise source.error(
            f"its samples have {bits} bits and sample format {sample_format}, which is not known; "
            "convert it to 8 or 16 bits"
        )
    width, height = int(page.imagewidth), int(page.imagelength)
    tiled = bool(page.is_tiled)
    rows = int(page.rowsperstrip or 0) or height
    return Layout(
        width=width,
        height=height,
        samples=int(page.samplesperpixel),
        bits=bits,
        kind=kind,
        byteorder=byteorder,
        compression=int(page.compression),
        predictor=int(page.predictor or 1),
        photometric=int(1 if page.photometric is None else page.photometric),
        fill_order=int(page.fillorder or 1),
        planar=int(page.planarconfig or 1) == 2 and int(page.samplesperpixel) > 1,
        tiled=tiled,
        segment_width=int(page.tilewidth) if tiled else width,
        segment_height=int(page.tilelength) if tiled else min(rows, height),
        offsets=tuple(page.dataoffsets),
        counts=tuple(page.databytecounts),
    )


def _check_size(layout: Layout, check: Check, source: Source) -> None:
    pixel_bytes = -(-layout.samples * layout.bits // 8)
    check(layout.width, layout.height, max(1, pixel_bytes), layout.samples)
    if layout.segment_width < 1 or layout.segment_height < 1 or layout.samples < 1:
        raise Damage("its tiles have no size")
    over = (layout.across * layout.segment_width, layout.down * layout.segment_height)
    if math.prod(over) > max(2 * layout.width * layout.height, SMALL):
        check(*over, max(1, pixel_bytes), layout.samples)  # tiles stand over the edge
    needed = layout.across * layout.down * layout.planes
    if min(len(layout.offsets), len(layout.counts)) < needed:
        raise Damage(f"{len(layout.offsets)} of {needed} strips or tiles are listed")
    if min(layout.offsets, default=0) < 0 or min(layout.counts, default=0) < 0:
        raise Damage("a strip or tile lies before the start")
    if layout.predictor not in {1, 2, 3}:
        raise source.error(f"its predictor {layout.predictor} is not known; convert it to LZW")


def _read_segments(
    stream: BinaryIO, layout: Layout, size: int
) -> tuple[list[bytes], tuple[str, ...], str | None]:
    """Return the strips or tiles as stored; notes; and the damage, if the file ends too early."""
    needed = layout.across * layout.down * layout.planes
    segments, absent, short = [], 0, 0
    for offset, count in zip(layout.offsets[:needed], layout.counts[:needed], strict=True):
        if count == 0:  # sparse files leave out what is 0
            absent += 1
            segments.append(b"")
            continue
        stream.seek(min(offset, size))
        segments.append(stream.read(min(count, max(0, size - offset))))
        short += len(segments[-1]) < count
    notes = (f"{absent} of {needed} strips or tiles are absent and read as 0",) if absent else ()
    if short:
        return segments, notes, f"{short} of {needed} strips or tiles lie beyond the end"
    if absent == needed and any(layout.offsets[:needed]):
        return segments, notes, "no strip or tile has any data"
    return segments, notes, None


def _samples(
    layout: Layout, segments: list[bytes], page: Any, source: Source
) -> tuple[Pixels, int, str | None]:
    """Return samples (H, W, n) as numbers, their photometric interpretation, and the damage."""
    picture = layout.compression in libtiff.PICTURES
    if picture or layout.photometric == YCBCR:
        return _picture_samples(layout, segments, page, source)
    per_plane = layout.across * layout.down
    planes, damage = [], None
    for plane in range(layout.planes):
        own = segments[plane * per_plane : (plane + 1) * per_plane]
        rows, wrong = _plane_bytes(layout, own)
        damage = damage or wrong
        planes.append(_plane_samples(layout, rows))
    samples = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
    return samples, layout.photometric, damage


def _plane_bytes(layout: Layout, segments: list[bytes]) -> tuple[Pixels, str | None]:
    """Return the decompressed bytes, (segments, rows, bytes a row); strips are padded below."""
    n, rows, row_bytes = len(segments), layout.segment_height, layout.row_bytes
    total = n * rows if layout.tiled else layout.height
    damage = None
    if layout.compression == libtiff.NONE:
        out, damage = _joined(segments, rows * row_bytes, total * row_bytes)
        out = out.reshape(-1, row_bytes)
        if layout.fill_order == 2:
            out = MIRRORED[out]
    elif all(segments):
        out, damage = libtiff.decompress(
            segments, total, row_bytes, rows, layout.compression, layout.fill_order
        )
        if total < n * rows:  # the last strip is shorter
            out = np.pad(out, ((0, n * rows - total), (0, 0)))
    else:  # sparse: one by one
        out = np.zeros((n * rows, row_bytes), np.uint8)
        for i, segment in enumerate(segments):
            if segment:
                want = min(rows, total - i * rows)
                out[i * rows : i * rows + want], wrong = libtiff.decompress(
                    [segment], want, row_bytes, want, layout.compression, layout.fill_order
                )
                damage = damage or wrong
    return out.reshape(n, rows, row_bytes), damage


def _joined(segments: list[bytes], size: int, total: int) -> tuple[Pixels, str | None]:
    """Return uncompressed segments of `size` bytes (the last: up to `total`) in one array."""
    damage = None
    parts = []
    for i, segment in enumerate(segments):
        want = min(size, total - i * size)
        if 0 < len(segment) < want:
            damage = f"strip or tile {i} has {len(segment)} of {want} bytes"
        parts.append(segment[:want].ljust(size, b"\0"))
    # A bytearray and not bytes: the pixels are to be writable.
    return np.frombuffer(bytearray().join(parts), np.uint8), damage


def _plane_samples(layout: Layout, rows: Pixels) -> Pixels:
    """Return one plane's bytes as samples, (H, W, n): unpacked, predictor undone, tiles joined."""
    n, height, _ = rows.shape
    values = unpack(
        rows.reshape(n * height, -1),
        count=layout.segment_width,
        interleaved=layout.interleaved,
        bits=layout.bits,
        kind=layout.kind,
        byteorder=layout.byteorder,
        predictor=layout.predictor,
    )
    if layout.tiled:
        tiles = values.reshape(
            layout.down, layout.across, height, layout.segment_width, layout.interleaved
        )
        values = tiles.swapaxes(1, 2).reshape(
            layout.down * height, layout.across * layout.segment_width, layout.interleaved
        )
    return values[: layout.height, : layout.width]


def _picture_samples(
    layout: Layout, segments: list[bytes], page: Any, source: Source
) -> tuple[Pixels, int, str | None]:
    """Decode JPEG and fax segments, and YCbCr of any compression."""
    if not all(segments):
        raise Damage("a strip or tile of a compressed picture is absent")
    fax = layout.compression in libtiff.FAX
    if layout.bits != (1 if fax else 8):
        raise source.error(
            f"its compression {layout.compression} with {layout.bits} bits a sample is not known; "
            "convert it to LZW or deflate"
        )
    tags: dict[int, Any] = {
        libtiff.WIDTH: layout.width,
        libtiff.HEIGHT: layout.height,
        libtiff.COMPRESSION: layout.compression,
        libtiff.FILL_ORDER: layout.fill_order,
    }
    if layout.tiled:
        tags |= {
            libtiff.TILE_WIDTH: layout.segment_width,
            libtiff.TILE_LENGTH: layout.segment_height,
        }
    else:
        tags[libtiff.ROWS_PER_STRIP] = layout.segment_height
    for code in (libtiff.FAX3_OPTIONS, libtiff.FAX4_OPTIONS, libtiff.JPEG_TABLES, *libtiff.YCBCR):
        if code in page.tags:
            tags[code] = _plain(page.tags[code].value, code)
    per_plane = layout.across * layout.down
    planes, damage = [], None
    for plane in range(layout.planes):
        samples = layout.interleaved
        own = tags | {
            libtiff.SAMPLES: samples,
            libtiff.BITS: [layout.bits] * samples,
            # Gray of a plane, and bits of a fax, are wanted as they are.
            libtiff.PHOTOMETRIC: 1 if fax or samples == 1 else layout.photometric,
        }
        usual = {RGB: 3, YCBCR: 3, SEPARATED: 4}.get(layout.photometric, 1)
        if samples > usual:
            own[libtiff.EXTRA_SAMPLES] = [2] * (samples - usual)
        array, wrong = libtiff.decode_picture(
            own, segments[plane * per_plane : (plane + 1) * per_plane], tiled=layout.tiled
        )
        damage = damage or wrong
        planes.append(array if array.ndim == 3 else array[..., None])
    samples_ = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
    converted = layout.photometric == YCBCR and not layout.planar
    return samples_, RGB if converted else layout.photometric, damage


def _plain(value: Any, code: int) -> Any:
    """Return a tag's value as integers, floats or bytes."""
    if isinstance(value, (bytes, int)):
        return value
    if code in {529, 532} and len(value) % 2 == 0:  # rationals, flattened by tifffile
        return [float(a) / (b or 1) for a, b in zip(value[::2], value[1::2], strict=True)]
    return [int(item) for item in value]


def _orientation(page: Any) -> int:
    tag = page.tags.get(274)
    value = tag.value if tag is not None else 1
    return int(value) if isinstance(value, int) and 1 <= value <= 8 else 1


def _resolution(page: Any) -> tuple[float, float] | None:
    try:
        (x, x_of), (y, y_of) = page.tags[282].value, page.tags[283].value
        unit = int(page.tags[296].value) if 296 in page.tags else 2
        scale = {2: 1.0, 3: CM_PER_INCH}[unit]
        values = (x / x_of * scale, y / y_of * scale)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return values if all(math.isfinite(value) and value > 1 for value in values) else None
