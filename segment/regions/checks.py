"""What may be an image, and how one is kept: arrays from outside become `Pixels`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError
from segment.notices import say
from segment.params import MeanShiftParams
from segment.regions.arrays import as_array, is_nodata, nodata_of
from segment.regions.ranges import (
    Range,
    band_extremes,
    check_range,
    dtype_range,
    extremes,
    find_range,
)

CIE = ("luv", "lab")  # color spaces in which gray is one coordinate
LARGEST = 1e15  # float32 holds its square
FIRST_LOOK = 1 << 14  # pixels
LARGEST_SHORT = 2**16  # float32 holds whole numbers up to here, and 255 steps between any two

Origin = tuple[float, ...]


class Picture(Protocol):
    """A `segment.Image`."""

    @property
    def pixels(self) -> NDArray[Any]: ...
    @property
    def mask(self) -> NDArray[np.bool_] | None: ...
    @property
    def value_range(self) -> Range | None: ...
    @property
    def n_colors(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image that has been checked.

    Attributes
    ----------
    values : ndarray, shape (H, W, C)
        The pixels as given, native byte order, channels last.
    mask : ndarray of bool, shape (H, W), or None
        False where a pixel is ignored.
    gray : bool
        Whether the image had no channel axis.
    channel_axis : int
        Where the channels were.
    value_range : (float, float) or None
        Black and white; None means the scale of the dtype.
    origin : tuple of a number a band, or None
        What is taken off bands in their own units before they become float32; None means nothing.
    factors : tuple of float, or None
        What they are multiplied by after that; None means 1.
    achromatic : bool
        Whether three bands are one gray, thrice, to be compared as that in CIE spaces.
    """

    values: NDArray[Any]
    mask: NDArray[np.bool_] | None
    gray: bool
    channel_axis: int
    value_range: Range | None = None
    origin: Origin | None = None
    factors: tuple[float, ...] | None = None
    achromatic: bool = False

    def compared(self) -> Pixels:
        """Return the image with those of its bands by which pixels are compared."""
        return replace(self, values=self.values[..., :1]) if self.achromatic else self

    @property
    def is_tight(self) -> bool:
        """Whether the mask leaves something in the outermost rows and columns."""
        rows, columns = self.box
        return (rows.stop - rows.start, columns.stop - columns.start) == self.values.shape[:2]

    @property
    def box(self) -> tuple[slice, slice]:
        """Rows and columns that hold all that the mask leaves; everything where that is nothing."""
        height, width = self.values.shape[:2]
        if self.mask is None or not self.mask.any():
            return slice(0, height), slice(0, width)
        rows, columns = (np.flatnonzero(self.mask.any(axis=axis)) for axis in (1, 0))
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

    def part(self, box: tuple[slice, slice]) -> Pixels:
        """Return some rows and columns of the image."""
        mask = None if self.mask is None or self.mask[box].all() else self.mask[box]
        return replace(self, values=self.values[box], mask=mask)

    def scaled_to(self, params: MeanShiftParams) -> Pixels:
        """Return the image with its bands to be scaled to one range bandwidth.

        Raises
        ------
        InputError
            If there are not as many bandwidths as bands.
        """
        own = params.range_bandwidth
        if not isinstance(own, tuple):
            return self
        if len(own) != self.values.shape[2]:
            raise InputError(
                f"range_bandwidth={own} has {len(own)} numbers and the image "
                f"{self.values.shape[2]} bands; give one a band, or one for all"
            )
        return replace(self, factors=tuple(params.radius / radius for radius in own))

    @property
    def scale(self) -> Range:
        """Black and white, as values."""
        return self.value_range or dtype_range(self.values.dtype)

    def like_input(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return (H, W, C) `values` in the layout of the input."""
        return values[..., 0] if self.gray else np.moveaxis(values, -1, self.channel_axis)


def check_image(
    image: ArrayLike | Picture,
    *,
    color_space: str,
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
    value_range: Range | str | None = None,
    origin: Origin | None = None,
) -> Pixels:
    """Check an image and its mask, and settle what is black and white in it.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C), or segment.Image
        Bool, integer or floating point of any size and byte order. It is never written to. What a
        masked array hides is ignored, and so are pixels with a NaN or an infinite value, or with
        the nodata that xarray's attributes name.
    color_space : {"luv", "lab", "rgb", "none"}
        The colour spaces take gray or RGB; "none" takes any bands as they are.
    channel_axis : int or None
        Axis of the channels in a 3-D image; ignored for (H, W).
    mask : array_like of bool, shape (H, W), optional
        False where a pixel is to be ignored.
    value_range : (float, float), "auto" or None
        Black and white for the colour spaces; see `segment.regions.ranges.find_range`. By default
        what the file of a `segment.Image` says, or what the values make sure.
    origin : tuple of a number a band, optional
        What `find_origin` found for the whole that this image is a part of; by default it is asked.

    Raises
    ------
    InputError
        If the image or the mask cannot be used; the message says why and what to do.
    """
    wanted = check_range(value_range)
    hidden: list[NDArray[np.bool_]] = []
    if _is_picture(image):
        wanted = image.value_range if wanted is None else wanted
        hidden += [] if image.mask is None else [~image.mask]
        values, channel_axis = image.pixels, -1
        if color_space != "none" and image.n_colors is not None:
            say(
                f"{image.n_colors} of {values.shape[2]} bands are colours and taken, the others "
                "not; color_space 'none' takes all as they are"
            )
            values = values[..., : image.n_colors]
    else:
        values = as_array("image", image)
    _check_kind(values)
    gray = values.ndim == 2
    axis = -1 if gray else _check_axis(channel_axis, values.shape)
    bands = values[..., None] if gray else np.moveaxis(values, axis, -1)
    if color_space != "none" and not gray:
        _check_color_bands(values.shape, bands.shape[-1], color_space)
    if np.ma.isMaskedArray(image) and np.ma.is_masked(image):
        off: NDArray[np.bool_] = np.ma.getmaskarray(image)
        hidden.append(off if gray else np.moveaxis(off, axis, -1).max(axis=2))
    if not bands.dtype.isnative:
        bands = bands.astype(bands.dtype.newbyteorder("="))
    if (nodata := nodata_of(image)) is not None and (off := is_nodata(bands, nodata)).any():
        hidden.append(off)
    keep = None if mask is None else _check_mask(mask, bands.shape[:2])
    for off in hidden:
        keep = ~off if keep is None else keep & ~off
    found = _settle(bands, keep, color_space, wanted, gray, axis)
    if color_space != "none":
        return found
    return replace(found, origin=find_origin(bands, found.mask) if origin is None else origin)


def find_origin(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> Origin | None:
    """Return what to take off each band, so that float32 keeps what its values differ by.

    A band whose values are large beside what they differ by, and do not stand for themselves in
    float32, counts from its lowest value: seconds since 1970, UTM coordinates, kelvins.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
        Finite wherever `mask` is true.
    mask : ndarray of bool, shape (H, W), or None
        False where a pixel is ignored.

    Returns
    -------
    origin : tuple of a number a band, or None
        None where no band needs one.
    """
    if values.dtype.kind == "b" or values.dtype == np.uint8:
        return None
    found = []
    for low, high in zip(*(ends.tolist() for ends in band_extremes(values, mask)), strict=True):
        apart, largest = high - low, max(-low, high)
        far = largest > (2 if largest > LARGEST_SHORT else 256) * apart
        if apart == 0:
            far = float(np.float32(low)) != low
        found.append(low if far else 0)
    return tuple(found) if any(found) else None


def is_achromatic(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> bool:
    """Whether three bands are equal wherever `mask` is true: a gray picture saved as RGB."""
    if values.shape[2] != 3:
        return False
    rows = max(1, FIRST_LOOK // values.shape[1])  # most pictures are not, as few rows show
    for part in (slice(0, rows), slice(rows, None)):
        red, green, blue = np.moveaxis(values[part], -1, 0)
        equal = (red == green) & (green == blue)
        if not (equal if mask is None else equal | ~mask[part]).all():
            return False
    return True


def _is_picture(image: object) -> TypeGuard[Picture]:
    """Whether this is a `segment.Image`, which lies upstairs and is known by what it has."""
    return hasattr(image, "pixels") and hasattr(image, "value_range")


def _check_kind(values: NDArray[Any]) -> None:
    if values.dtype.kind not in "biuf":
        raise InputError(
            f"image has dtype {values.dtype}; convert it to bool, an integer or a float dtype"
        )
    if values.ndim not in (2, 3):
        raise InputError(
            f"image has shape {values.shape}; give (H, W), or (H, W, C) with channel_axis"
        )
    if values.size == 0:
        raise InputError(f"image of shape {values.shape} is empty; give at least one pixel")


def _settle(
    values: NDArray[Any],
    keep: NDArray[np.bool_] | None,
    color_space: str,
    wanted: Range | str | None,
    gray: bool,
    axis: int,
) -> Pixels:
    """Leave out what is no number, and settle what is black and white."""
    kind, plain = values.dtype.kind, color_space == "none"
    if kind == "b" or values.dtype == np.uint8 or (plain and kind in "iu"):
        span: tuple[Any, Any] = (0, 0)  # nothing depends on it
    else:
        span = extremes(values, keep)
        if kind == "f" and not np.isfinite(span).all():
            finite = np.isfinite(values).all(axis=2)
            keep = finite if keep is None else keep & finite
            span = extremes(values, keep)
        if kind == "f" and max(-float(span[0]), float(span[1])) > LARGEST:
            raise InputError(
                f"image has values from {span[0]:g} to {span[1]:g}, too large to be squared in "
                "float32; leave those pixels out with mask, or scale it to within 1e15"
            )
    if plain:
        return Pixels(values, keep, gray, axis)
    found, word = find_range(values, keep, wanted, span)
    if word is not None:
        say(f"{word}; value_range settles it")
    own = found == dtype_range(values.dtype)
    seen = keep is None or bool(keep.any())
    achromatic = color_space in CIE and seen and is_achromatic(values, keep)
    return Pixels(values, keep, gray, axis, None if own else found, achromatic=achromatic)


def _check_axis(channel_axis: int | None, shape: tuple[int, ...]) -> int:
    if channel_axis is None:
        raise InputError(
            f"image has shape {shape} and channel_axis=None; name its channels' axis, such as -1"
        )
    if isinstance(channel_axis, bool) or not hasattr(channel_axis, "__index__"):
        raise InputError(f"channel_axis={channel_axis!r} is not an integer; give one, such as -1")
    axis = int(channel_axis)
    if not -3 <= axis < 3:
        raise InputError(f"channel_axis={axis} does not exist in shape {shape}; give -3 to 2")
    return axis


def _check_color_bands(shape: tuple[int, ...], n_bands: int, color_space: str) -> None:
    if n_bands in (1, 3):
        return
    if n_bands == 4:
        hint = (
            "if it is RGBA, pass image[..., :3] and mask=image[..., 3] > 0; "
            "for four bands of any kind pass color_space='none'"
        )
    elif n_bands == 2:
        hint = (
            "if it is gray and alpha, pass image[..., 0] and mask=image[..., 1] > 0; "
            "for two bands of any kind pass color_space='none'"
        )
    elif shape[0] in (1, 3):
        hint = "if channels come first, pass channel_axis=0"
    else:
        hint = "pass color_space='none' to compare bands as they are"
    raise InputError(
        f"image of shape {shape} has {n_bands} channels and color_space={color_space!r} takes "
        f"1 or 3; {hint}"
    )


def _check_mask(mask: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    keep = np.ma.filled(mask, False) if np.ma.isMaskedArray(mask) else as_array("mask", mask)
    if keep.shape != shape:
        raise InputError(
            f"mask has shape {keep.shape} and the image {shape}; give one flag a pixel"
        )
    if keep.dtype != np.bool_:
        raise InputError(f"mask has dtype {keep.dtype}; give bool, such as mask > 0 (True is kept)")
    return keep
