"""`read_image`: one place decides who decodes what, and turns every failure into one line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from segment.errors import FileError, InputError
from segment.files import display_name, file_error
from segment.images.damage import Damage, NoSuchPage, words
from segment.images.nodata import NONE, check_nodata, hide_no_numbers, hide_nodata
from segment.images.picture import Image
from segment.images.quiet import no_logging, no_pixel_limit
from segment.images.source import Source, open_source
from segment.memory import refuse_beyond
from segment.notices import no_warnings
from segment.params import MAX_PIXELS, whole_number
from segment.regions.arrays import Nodata
from segment.regions.ranges import Range, check_range, stretched

BYTES_PER_PIXEL = 16  # the most that one pixel of the limit may take, in memory and in the file
LEFT_OUT = "; the others are not read"
COPIES = 3  # of the pixels that decoders hold at a time
Announce = Callable[[int, int, int, int], None]
SLACK = 1 << 26  # bytes of metadata that a small image may have


def read_image(
    path: str | os.PathLike[str],
    *,
    page: int = 0,
    max_pixels: int = MAX_PIXELS,
    accept_damaged: bool = False,
    nodata: float | str | None = None,
    mask: str | os.PathLike[str] | None = None,
    value_range: Range | str | None = None,
    announce: Announce | None = None,
) -> Image:
    """Read one picture from an image file.

    Parameters
    ----------
    path : path-like
        The file; ``"-"`` reads standard input. The format is told by the content, not the name.
    page : int
        Page of a TIFF, or frame of an animation, from 0.
    max_pixels : int
        Files with more pixels are refused before memory is taken. With the default so are those
        that would not fit into what is free.
    accept_damaged : bool
        Whether to return what is left of a truncated or corrupt file; `Image.damaged` and
        `Image.notes` then say so.
    nodata : float or str, optional
        Value of pixels that are to be ignored, in place of the one that a GeoTIFF names; the text
        "none" ignores none.
    mask : path-like, optional
        Image file of the same size, black (0) where pixels are to be ignored; or a folder that has
        one of the same name, but for the suffix. By default GDAL's mask beside the file counts, if
        there is one: its name, followed by ``.msk``.
    value_range : (float, float) or "auto", optional
        The values that are black and white, in place of what the file says; "auto" stretches.
    announce : callable, optional
        Called with width, height, bytes a pixel and bands, as the file's header tells them, before
        the pixels are decoded; may wait until there is memory for them, or raise.

    Returns
    -------
    Image
        Upright, in sRGB, in the file's own depth.

    Raises
    ------
    FileError
        If the file cannot be read: missing, of an unknown format, too large, damaged.
    InputError
        If `page` or `max_pixels` is no whole number, or negative; `nodata` no number; `value_range`
        no range.

    Examples
    --------
    >>> image = read_image("images/coffee.png")
    >>> image.pixels.shape, image.mask is None
    ((400, 600, 3), True)
    """
    page = whole_number("page", page, minimum=0)
    max_pixels = whole_number("max_pixels", max_pixels, minimum=1)
    nodata = check_nodata(nodata)
    wanted = check_range(value_range)
    with reading(path, max_pixels) as source:
        image = _decode(source, page, max_pixels, accept_damaged, nodata, announce)
    image = hide_no_numbers(replace(image, path=source.name, format=source.format))
    image = replace(image, notes=_notes(image, page))
    if mask is not None:
        image = _masked(image, source, mask_of(mask, source.name), max_pixels)
    elif nodata != NONE:
        image = _masked_beside(image, source, max_pixels)
    if wanted is None:
        return image
    if isinstance(wanted, str):
        wanted = stretched(image.pixels.reshape(*image.shape, -1), image.mask)
    return replace(image, value_range=wanted)


def count_pages(path: str | os.PathLike[str]) -> int:
    """Return the number of pages or frames in an image file, without decoding it.

    Raises
    ------
    FileError
        If the file cannot be read.
    """
    from segment.images import raster, tiff

    with reading(path, MAX_PIXELS) as source:
        try:
            return tiff.count(source) if source.format == "tiff" else raster.count(source)
        except Damage as damage:
            raise _damaged(source, str(damage)) from damage


def count_pages_or_one(path: str | os.PathLike[str]) -> int:
    """Return the number of pages in an image file; 1 of what cannot be read, and standard input."""
    try:
        return 1 if os.fspath(path) == "-" else max(1, count_pages(path))
    except FileError:
        return 1


@contextmanager
def reading(path: str | os.PathLike[str], max_pixels: int) -> Iterator[Source]:
    """Open an image file; whatever goes wrong in the block becomes a FileError of one line."""
    no_logging()
    source = open_source(path, max_pixels * BYTES_PER_PIXEL + SLACK)
    with source.stream, no_warnings(), no_pixel_limit():
        try:
            yield source
        except (FileError, InputError):
            raise
        except NoSuchPage as error:
            raise source.error(str(error)) from error
        except OSError as error:
            if error.errno:
                raise file_error(path, error) from error
            raise _damaged(source, words(error)) from error
        except ImportError as error:
            kind = source.format.upper()
            raise source.error(f"this Pillow reads no {kind}; install a newer one") from error
        except MemoryError as error:
            raise source.error("there is not enough memory for it; give a smaller image") from error
        except Exception as error:  # decoders fail on hostile data in more ways than they document
            raise _damaged(source, words(error)) from error


def mask_of(mask: str | os.PathLike[str], name: str) -> Path:
    """Return the mask of a picture: the file given, or that of its name in the folder given.

    Raises
    ------
    FileError
        If the folder has none, or several.
    """
    folder = Path(mask)
    if not folder.is_dir():
        return folder
    if (same := folder / Path(name).name).is_file():
        return same
    stem = Path(name).stem
    found = [
        file for file in sorted(folder.iterdir()) if file.stem == stem and file.suffix != ".msk"
    ]
    if len(found) == 1:
        return found[0]
    where = f"{display_name(folder)} has {len(found) or 'no'} masks of {display_name(name)}"
    remedy = f"keep one, such as {display_name(found[0].name)}" if found else f"give {stem}.png"
    raise FileError(f"{where}; {remedy}")


def _masked_beside(image: Image, source: Source, max_pixels: int) -> Image:
    """Return the image with the pixels hidden that GDAL's mask beside its file hides."""
    mask = Path(f"{source.name}.msk")
    if source.name == "-" or image.n_pages > 1 or not os.path.isfile(mask):
        return image
    masked = _masked(image, source, mask, max_pixels)
    share = 0.0 if masked.hidden is None else float(masked.hidden.mean())
    return replace(masked, notes=(*image.notes, f"{display_name(mask)} hides {share:.1%} of it"))


def _masked(image: Image, source: Source, mask: str | os.PathLike[str], max_pixels: int) -> Image:
    """Return the image with the pixels hidden that are black, or transparent, in a mask file."""
    other = read_image(mask, max_pixels=max_pixels, nodata=NONE)
    if other.shape != image.shape:
        raise FileError(
            f"cannot use {display_name(mask)} as a mask of {source.display}: it has "
            f"{other.shape[1]} x {other.shape[0]} pixels and the image {image.shape[1]} x "
            f"{image.shape[0]}; give one of the same size"
        )
    black = (other.pixels == 0).reshape(*other.shape, -1).all(axis=2)
    return image.hide(black if other.mask is None else black | ~other.mask)


def _decode(
    source: Source,
    page: int,
    max_pixels: int,
    accept_damaged: bool,
    nodata: Nodata | str | None,
    announce: Announce | None,
) -> Image:
    from segment.images import raster, tiff

    def check(width: int, height: int, pixel_bytes: int, bands: int) -> None:
        nonlocal announce
        if width < 1 or height < 1:
            raise _damaged(source, f"its size is {width} x {height}")
        if (
            width * height > max_pixels
            or width * height * pixel_bytes > max_pixels * BYTES_PER_PIXEL
        ):
            raise source.error(
                f"{width} x {height} pixels (of {pixel_bytes} bytes) are more than the limit of "
                f"{max_pixels:,} pixels; raise --max-pixels if the memory is there"
            )
        if announce is not None:
            once, announce = announce, None  # masks and tiles are checked, too
            once(width, height, pixel_bytes, bands)
        if max_pixels == MAX_PIXELS:  # a limit of one's own insists
            refuse_beyond(
                width * height * pixel_bytes * COPIES,
                f"decoding {source.display}, {width} x {height} pixels,",
                f"go on all the same with --max-pixels {width * height + 1}, or take a smaller "
                "picture",
            )

    try:
        if source.format == "tiff":
            return tiff.decode(source, page, check, nodata)
        image = raster.decode(source, page, check)
        if nodata is None or isinstance(nodata, str):
            return image
        image, notes = hide_nodata(image, image.pixels.reshape(*image.shape, -1), nodata)
        return replace(image, notes=(*image.notes, *notes))
    except Damage as damage:
        if not accept_damaged or damage.image is None:
            raise _damaged(source, str(damage), salvage=damage.image is not None) from damage
        note = f"it is damaged ({_one_line(str(damage))}): a part is missing"
        return replace(damage.image, damaged=True, notes=(*damage.image.notes, note))


def _damaged(source: Source, reason: str, *, salvage: bool = False) -> FileError:
    remedy = "copy it again"
    if salvage:
        remedy += ", or take what is left with --accept-damaged"
    return source.error(f"it is truncated or corrupt ({_one_line(reason)}); {remedy}")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


def _notes(image: Image, page: int) -> tuple[str, ...]:
    if image.n_pages < 2:
        return image.notes
    unit = "page" if image.format == "tiff" else "frame"
    which = f"first of {image.n_pages:,} {unit}s" if page == 0 else f"{unit} {page}, counted from 0"
    return (f"{which}{LEFT_OUT}", *image.notes)
