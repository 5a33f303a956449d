"""What may be an image, and how one is kept: arrays from outside become `Pixels`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import InputError


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
    """

    values: NDArray[Any]
    mask: NDArray[np.bool_] | None
    gray: bool
    channel_axis: int

    def like_input(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return (H, W, C) `values` in the layout of the input."""
        return values[..., 0] if self.gray else np.moveaxis(values, -1, self.channel_axis)


def check_image(
    image: ArrayLike,
    *,
    color_space: str,
    channel_axis: int | None = -1,
    mask: ArrayLike | None = None,
) -> Pixels:
    """Check an image and its mask.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C)
        Bool, integer or floating point of any size and byte order. It is never written to.
    color_space : {"luv", "lab", "rgb", "none"}
        The colour spaces take gray or RGB at the scale of the dtype; "none" takes any bands as
        they are.
    channel_axis : int or None
        Axis of the channels in a 3-D image; ignored for (H, W).
    mask : array_like of bool, shape (H, W), optional
        False where a pixel is to be ignored.

    Raises
    ------
    InputError
        If the image or the mask cannot be used; the message says why and what to do.
    """
    values = np.asarray(image)
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
    gray = values.ndim == 2
    if gray:
        axis = -1
        values = values[..., None]
    else:
        axis = _check_axis(channel_axis, values.shape)
        channels_last = np.moveaxis(values, axis, -1)
        if color_space != "none":
            _check_color_bands(values.shape, channels_last.shape[-1], color_space)
        values = channels_last
    if not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    keep = None if mask is None else _check_mask(mask, values.shape[:2])
    _check_values(values, keep, color_space)
    return Pixels(values, keep, gray, axis)


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
    keep = np.asarray(mask)
    if keep.shape != shape:
        raise InputError(
            f"mask has shape {keep.shape} and the image {shape}; give one flag a pixel"
        )
    if keep.dtype != np.bool_:
        raise InputError(f"mask has dtype {keep.dtype}; give bool, such as mask > 0 (True is kept)")
    return keep


def _check_values(values: NDArray[Any], mask: NDArray[np.bool_] | None, color_space: str) -> None:
    kind, dtype = values.dtype.kind, values.dtype
    if kind in "bu" and (dtype.itemsize <= 2 or color_space == "none"):
        return
    low, high = _extremes(values, mask)
    if kind == "f":
        if not (np.isfinite(low) and np.isfinite(high)):
            raise InputError(
                f"image has {_count_not_finite(values, mask)} values that are NaN or infinite; "
                "ignore those pixels with mask=, or fill them"
            )
        if max(-float(low), float(high)) > 1e15:
            raise InputError(
                f"image has values from {low:g} to {high:g}, too large to be squared in float32; "
                "scale it to within 1e15"
            )
    if color_space == "none":
        return
    if kind == "f" and (low < 0 or high > 1):
        raise InputError(
            f"image is {dtype} with values from {low:g} to {high:g} and "
            f"color_space={color_space!r} takes floats in 0..1; divide by the "
            "largest value the image can have, such as 255"
        )
    if low < 0:
        raise InputError(
            f"image is {dtype} with values from {low} to {high} and color_space={color_space!r} "
            "takes none below 0; shift them, or pass color_space='none'"
        )
    if kind in "iu" and dtype.itemsize > 2 and 0 < high < 2**16:
        smaller = "uint8" if high < 2**8 else "uint16"
        raise InputError(
            f"image is {dtype} with values up to {high}, black at the scale of {dtype}; "
            f"convert it with image.astype({smaller!r}), or pass color_space='none'"
        )


def _extremes(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> tuple[Any, Any]:
    if mask is None:
        return values.min(), values.max()
    inside = values[mask]
    return (inside.min(), inside.max()) if inside.size else (values.dtype.type(0),) * 2


def _count_not_finite(values: NDArray[Any], mask: NDArray[np.bool_] | None) -> int:
    finite = np.isfinite(values)
    return int((~finite if mask is None else ~finite & mask[..., None]).sum())
