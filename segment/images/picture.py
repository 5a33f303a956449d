"""What a decoded image is: pixels, alpha, mask and the metadata that matters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.files import display_name

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Placement:
    """Where pixels lie on a map.

    Attributes
    ----------
    crs : str
        The coordinate reference system, as WKT.
    transform : tuple of 6 floats
        From column and row to coordinates, as in rasterio.
    """

    crs: str
    transform: tuple[float, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Image:
    """One decoded image, upright and in sRGB.

    Attributes
    ----------
    pixels : ndarray, (H, W) or (H, W, C)
        Colour in the dtype of the file, RGB order, without the alpha channel. Palettes are
        expanded; 1-bit images are uint8 with 0 for black and 255 for white; CMYK, YCbCr and Lab
        are converted to RGB; n-band files keep their n bands.
    alpha : ndarray, (H, W), or None
        Opacity in the dtype of `pixels`; None where the file has none.
    path : str
        The name it was read by; ``"-"`` for standard input.
    format : str
        ``"png"``, ``"jpeg"``, ``"tiff"``, ... in lower case.
    icc : bytes or None
        The ICC profile that describes `pixels`; None means sRGB (or a plain gray).
    resolution : (float, float) or None
        Pixels per inch, horizontal and vertical.
    n_pages : int
        Pages or frames in the file.
    notes : tuple of str
        What the reader should know, such as ``"first of 12 frames; ..."``.
    n_colors : int or None
        How many of the bands, the first ones, the file calls colours; None where all are, or none.
    hidden : ndarray of bool, (H, W), or None
        True where a pixel is nodata, or a mask hides it; None where none is.
    nodata : int, float or None
        The value that stands for nodata in the file, or that the caller named; None where none.
    value_range : (float, float) or None
        The values that are black and white, if the file says so; None where it does not, or where
        that is the whole scale of the dtype.
    geo_directory : int or None
        Which directory of a GeoTIFF, from 1 on, says where on a map its pixels lie; see
        `segment.images.placement`.
    place : Placement, optional
        Where on a map its pixels lie, where that is known without the file.
    damaged : bool
        Whether a part of the pixels is missing (only with ``accept_damaged=True``).
    """

    pixels: Pixels
    alpha: Pixels | None = None
    path: str = ""
    format: str = ""
    icc: bytes | None = None
    resolution: tuple[float, float] | None = None
    n_pages: int = 1
    notes: tuple[str, ...] = ()
    n_colors: int | None = None
    hidden: NDArray[np.bool_] | None = None
    nodata: int | float | None = None
    value_range: tuple[float, float] | None = None
    geo_directory: int | None = None
    place: Placement | None = None
    damaged: bool = False

    def __repr__(self) -> str:
        (height, width), n = self.shape, self.n_channels
        what = [f"{width}x{height}", f"{n} channel{'s' * (n != 1)}", str(self.pixels.dtype)]
        if self.path not in ("", "-"):
            what.append(Path(display_name(self.path)).name)
        return f"<Image: {', '.join(what)}>"

    def _repr_png_(self) -> bytes:
        """The picture, for notebooks."""
        from segment import drawing
        from segment.images.writing import encode_png

        rgb = drawing.to_rgb(self.pixels, self.mask, value_range=self.value_range)
        return encode_png(drawing.fitted(rgb, 1200))

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width, in pixels."""
        return int(self.pixels.shape[0]), int(self.pixels.shape[1])

    @property
    def n_channels(self) -> int:
        """Number of channels, alpha included."""
        colors = 1 if self.pixels.ndim == 2 else int(self.pixels.shape[2])
        return colors + (self.alpha is not None)

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """False where a pixel is nodata, hidden or fully transparent; None if none is."""
        seen = None if self.alpha is None else self.alpha != 0
        if self.hidden is not None:
            seen = ~self.hidden if seen is None else seen & ~self.hidden
        return None if seen is None or seen.all() else seen

    def hide(self, where: NDArray[np.bool_]) -> Image:
        """Return the image with further pixels hidden."""
        return replace(self, hidden=where if self.hidden is None else self.hidden | where)

    def upright(self, orientation: int) -> Image:
        """Return the image turned as an EXIF or TIFF orientation (1 to 8) asks."""
        resolution = self.resolution
        if resolution is not None and orientation in {5, 6, 7, 8}:
            resolution = (resolution[1], resolution[0])
        return replace(
            self,
            pixels=turn(self.pixels, orientation),
            alpha=None if self.alpha is None else turn(self.alpha, orientation),
            hidden=None if self.hidden is None else turn(self.hidden, orientation),
            resolution=resolution,
            geo_directory=None if orientation > 1 else self.geo_directory,
            place=None if orientation > 1 else self.place,
        )


def turn(array: Pixels, orientation: int) -> Pixels:
    """Return `array` (rows, columns, ...) upright, for an EXIF orientation of 1 to 8."""
    if orientation in {5, 6, 7, 8}:
        array = array.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        array = array[::-1]
    if orientation in {2, 3, 6, 7}:
        array = array[:, ::-1]
    return np.ascontiguousarray(array)
