"""Encoding: pixels and labels to files, whole or not at all, and never with a value changed."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segment.errors import FileError, InputError
from segment.files import display_name, file_error, write_bytes
from segment.images import png
from segment.images.nodata import GDAL_NODATA
from segment.images.picture import Image, Pixels
from segment.images.quiet import no_stderr
from segment.notices import no_warnings

MAX_PNG_LABEL = 65535
JPEG_QUALITY = 95
# Flat colours and labels: within a tenth of the smallest file, in a fraction of the time.
PNG_LEVEL = 2

Encoder = Callable[[Pixels, "Pixels | None", "bytes | None", "tuple[float, float] | None"], bytes]


def write_image(
    path: str | os.PathLike[str],
    pixels: ArrayLike,
    *,
    alpha: NDArray[Any] | None = None,
    icc: bytes | None = None,
    resolution: tuple[float, float] | None = None,
    nodata: float | None = None,
    overwrite: bool = False,
) -> Path:
    """Write pixels to an image file, in their own depth; the suffix tells the format.

    Parameters
    ----------
    path : path-like
        ``.png``, ``.tif``, ``.webp`` (lossless), ``.bmp``, ``.ppm``, ``.pgm``, ``.jpg`` or
        ``.npy``; ``"-"`` writes a PNG to standard output.
    pixels : array-like, (H, W) or (H, W, C)
        Gray or RGB; TIFF and NPY take any number of channels and any dtype.
    alpha : ndarray, (H, W), optional
        Opacity, in the dtype of `pixels`.
    icc : bytes, optional
        The ICC profile that describes `pixels`. Kept by PNG, TIFF, JPEG and WebP.
    resolution : (float, float), optional
        Pixels per inch. Kept by PNG, TIFF and JPEG.
    nodata : int or float, optional
        Value of pixels that stand for nothing. Kept by TIFF, in GDAL's tag.
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    Path
        Where the file is.

    Raises
    ------
    InputError
        If the format cannot hold such pixels without changing them.
    FileError
        If the file exists and `overwrite` is false, or it cannot be written.
    """
    to_stdout = os.fspath(path) == "-"
    suffix = ".png" if to_stdout else Path(path).suffix.lower()
    if suffix not in ENCODERS:
        raise InputError(
            f"{display_name(path)} does not end in a suffix that can be written; "
            f"use one of {', '.join(sorted(ENCODERS))}"
        )
    array = _as_pixels(pixels)
    if alpha is not None and (alpha.shape != array.shape[:2] or alpha.dtype != array.dtype):
        raise InputError(
            f"alpha of shape {alpha.shape} and dtype {alpha.dtype} does not go with pixels of "
            f"shape {array.shape} and dtype {array.dtype}; give one value a pixel, in their dtype"
        )
    if array.dtype == bool and suffix != ".npy":
        array = array.astype(np.uint8) * np.uint8(255)
    _check_fits(suffix, array, alpha)
    with no_warnings():
        if suffix in {".tif", ".tiff"}:
            data = _encode_tiff(array, alpha, icc, resolution, nodata)
        else:
            data = ENCODERS[suffix](array, alpha, icc, resolution)
    return write_stdout(data) if to_stdout else write_bytes(path, data, overwrite=overwrite)


def write_labels(
    path: str | os.PathLike[str], labels: ArrayLike, *, overwrite: bool = False
) -> Path:
    """Write a label map without changing a label.

    Parameters
    ----------
    path : path-like
        ``.png`` holds labels up to 65,535 in 16 bits; with more, the file becomes a ``.tif`` of the
        same name, and the returned path says so. ``.tif`` holds uint32, deflated; ``.npy`` the
        array as it is. ``"-"`` writes to standard output.
    labels : array-like of integers, (H, W)
        Labels, at least 0.
    overwrite : bool
        Whether a file of that name may be replaced.

    Returns
    -------
    Path
        Where the file is.

    Raises
    ------
    InputError
        If `labels` is no label map or the suffix is none of the three.
    FileError
        If the file exists and `overwrite` is false, or it cannot be written.
    """
    array = np.asarray(labels)
    if array.ndim != 2 or array.dtype.kind not in "iu" or array.size == 0:
        raise InputError(
            f"labels of shape {array.shape} and dtype {array.dtype} are no label map; "
            "give a (rows, columns) array of integers"
        )
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > 2**32 - 1:
        raise InputError(f"labels from {low} to {high} do not fit 32 bits; number them from 0")
    if os.fspath(path) == "-":
        encode = _encode_png if high <= MAX_PNG_LABEL else _encode_tiff
        dtype = np.uint16 if high <= MAX_PNG_LABEL else np.uint32
        return write_stdout(encode(array.astype(dtype), None, None, None))
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix == ".png" and high > MAX_PNG_LABEL:
        target, suffix = target.with_suffix(".tif"), ".tif"
    if suffix == ".png":
        data = _encode_png(array.astype(np.uint16), None, None, None)
    elif suffix in {".tif", ".tiff"}:
        data = _encode_tiff(array.astype(np.uint32), None, None, None)
    elif suffix == ".npy":
        data = _encode_npy(array, None, None, None)
    else:
        raise InputError(
            f"{display_name(path)} cannot hold labels exactly; use a name in .png, .tif or .npy"
        )
    return write_bytes(target, data, overwrite=overwrite)


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture (H, W, 3) uint8 as the content of a PNG file."""
    return _encode_png(picture, None, None, None)


def posterized_suffix(image: Image) -> str:
    """Return the suffix under which pixels like the image's are kept without loss.

    It is that of the image's own format where that is lossless, else ``".png"``, or ``".tif"`` for
    pixels that PNG cannot hold.
    """
    own = {"png": ".png", "tiff": ".tif", "webp": ".webp", "bmp": ".bmp"}.get(image.format)
    if image.format == "pnm":
        own = ".pgm" if image.pixels.ndim == 2 else ".ppm"
    for suffix in (own, ".png", ".tif"):
        if suffix is not None and _misfit(suffix, image.pixels, image.alpha) is None:
            return suffix
    return ".tif"


def _as_pixels(pixels: ArrayLike) -> Pixels:
    array = np.asarray(pixels)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in {2, 3} or array.size == 0 or array.dtype.kind not in "biuf":
        raise InputError(
            f"pixels of shape {array.shape} and dtype {array.dtype} are no image; "
            "give (rows, columns) or (rows, columns, channels) numbers"
        )
    return np.ascontiguousarray(array)


def _check_fits(suffix: str, array: Pixels, alpha: Pixels | None) -> None:
    reason = _misfit(suffix, array, alpha)
    if reason:
        raise InputError(f"{suffix} files {reason}; write .tif instead")


def _misfit(suffix: str, array: Pixels, alpha: Pixels | None) -> str | None:
    """Return why a format cannot hold such pixels unchanged, or None."""
    if suffix in {".tif", ".tiff", ".npy"}:
        return None
    channels = 1 if array.ndim == 2 else array.shape[2]
    deep = suffix in {".png", ".ppm", ".pgm", ".pnm"}
    if array.dtype not in ((np.uint8, np.uint16, np.bool_) if deep else (np.uint8, np.bool_)):
        return f"do not hold {array.dtype} pixels"
    if channels not in {1, 3}:
        return f"do not hold {channels} channels"
    if alpha is not None and suffix not in {".png", ".webp"}:
        return "do not hold transparency"
    if (suffix == ".pgm" and channels == 3) or (suffix == ".ppm" and channels == 1):
        return f"do not hold {channels} channel{'s' * (channels > 1)}"
    limit = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}.get(suffix, 2**31 - 1)
    if max(array.shape[:2]) > limit:
        return f"end at {limit:,} pixels a side"
    return None


def _encode_png(
    array: Pixels, alpha: Pixels | None, icc: bytes | None, resolution: tuple[float, float] | None
) -> bytes:
    import cv2

    if alpha is not None and array.ndim == 2:
        return png.with_metadata(png.gray_alpha(array, alpha), icc=icc, resolution=resolution)
    if alpha is not None:
        array = np.dstack([array[..., ::-1], alpha])
    elif array.ndim == 3:
        array = cv2.cvtColor(array, cv2.COLOR_RGB2BGR)
    with no_stderr():
        options = [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL]
        options += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
        good, data = cv2.imencode(".png", array, options)
    if not good:
        raise FileError(f"cannot encode {array.shape} {array.dtype} pixels as PNG; write .tif")
    return png.with_metadata(data.tobytes(), icc=icc, resolution=resolution)


def _encode_tiff(
    array: Pixels,
    alpha: Pixels | None,
    icc: bytes | None,
    resolution: tuple[float, float] | None,
    nodata: float | None = None,
) -> bytes:
    import tifffile

    color = array.ndim == 3 and array.shape[2] == 3
    if alpha is not None:
        array = np.dstack([array, alpha])
    n_extra = (array.shape[2] - (3 if color else 1)) if array.ndim == 3 else 0
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        array,
        bigtiff=array.nbytes > 3 << 30,
        photometric="rgb" if color else "minisblack",
        planarconfig="contig" if array.ndim == 3 else None,
        compression="adobe_deflate",
        compressionargs={"level": 6},
        rowsperstrip=max(1, (1 << 18) // max(1, array[0].nbytes)),
        extrasamples=["unspecified"] * (n_extra - 1) + ["unassalpha"]
        if alpha is not None
        else (["unspecified"] * n_extra or None),
        iccprofile=icc,
        resolution=resolution,
        resolutionunit="INCH" if resolution else None,
        metadata=None,
        software=False,
        extratags=[] if nodata is None else [(GDAL_NODATA, "s", 0, str(nodata), True)],
    )
    return buffer.getvalue()


def _encode_npy(
    array: Pixels, alpha: Pixels | None, icc: bytes | None, resolution: tuple[float, float] | None
) -> bytes:
    del icc, resolution
    buffer = io.BytesIO()
    np.save(buffer, array if alpha is None else np.dstack([array, alpha]), allow_pickle=False)
    return buffer.getvalue()


def _encode_pnm(
    array: Pixels, alpha: Pixels | None, icc: bytes | None, resolution: tuple[float, float] | None
) -> bytes:
    del alpha, icc, resolution
    height, width = array.shape[:2]
    kind = b"P6" if array.ndim == 3 else b"P5"
    header = b"%s\n%d %d\n%d\n" % (kind, width, height, np.iinfo(array.dtype).max)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def _pillow_encoder(format_: str, **options: Any) -> Encoder:
    def encode(
        array: Pixels,
        alpha: Pixels | None,
        icc: bytes | None,
        resolution: tuple[float, float] | None,
    ) -> bytes:
        from PIL import Image as PillowImage

        if alpha is not None:
            color = array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=2)
            array = np.dstack([color, alpha])
        buffer = io.BytesIO()
        metadata: dict[str, Any] = {"icc_profile": icc} if icc else {}
        if resolution is not None:
            metadata["dpi"] = resolution
        PillowImage.fromarray(array).save(buffer, format_, **options, **metadata)
        return buffer.getvalue()

    return encode


ENCODERS: dict[str, Encoder] = {
    ".png": _encode_png,
    ".tif": _encode_tiff,
    ".tiff": _encode_tiff,
    ".npy": _encode_npy,
    ".ppm": _encode_pnm,
    ".pgm": _encode_pnm,
    ".pnm": _encode_pnm,
    ".bmp": _pillow_encoder("BMP"),
    ".webp": _pillow_encoder("WEBP", lossless=True, exact=True),
    ".jpg": _pillow_encoder("JPEG", quality=JPEG_QUALITY, subsampling=0),
    ".jpeg": _pillow_encoder("JPEG", quality=JPEG_QUALITY, subsampling=0),
}


def write_stdout(data: bytes) -> Path:
    """Write a file to standard output; return its name.

    Raises
    ------
    FileError
        If that cannot be written to.
    """
    if sys.stdout is None:
        raise FileError("cannot write standard output: it is closed; give a file with -o")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise file_error("standard output", error, "write") from error
    return Path("-")
