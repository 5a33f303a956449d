"""From packed bytes to numbers: bit depths, byte order and TIFF's predictors, in NumPy."""

from __future__ import annotations

import numpy as np

from segment.images.picture import Pixels


def unpack(
    rows: Pixels,
    *,
    count: int,
    interleaved: int,
    bits: int,
    kind: str,
    byteorder: str,
    predictor: int,
) -> Pixels:
    """Return rows of bytes as samples.

    Parameters
    ----------
    rows : ndarray, (n, bytes), uint8
        Decompressed rows.
    count, interleaved : int
        Pixels a row, samples a pixel.
    bits : int
        Bits a sample, 1 to 64.
    kind : {"u", "i", "f"}
        Unsigned, signed or floating.
    byteorder : {"<", ">"}
        Of samples of whole bytes.
    predictor : {1, 2, 3}
        None, horizontal differences, floating-point differences.

    Returns
    -------
    ndarray, (n, count, interleaved)
        In the smallest dtype that holds `bits`.

    Raises
    ------
    ValueError
        If the combination is not known.
    """
    shape = (len(rows), count, interleaved)
    if predictor == 3:
        if kind != "f" or bits not in {16, 32, 64}:
            raise ValueError(f"predictor 3 goes with floats, not with {bits} bits of kind {kind}")
        return _undo_float_predictor(rows, count * interleaved, bits // 8, interleaved).reshape(
            shape
        )
    if bits in {8, 16, 32, 64} and (kind != "f" or bits > 8):
        size = bits // 8
        values = np.ascontiguousarray(rows[:, : count * interleaved * size])
        if predictor == 2:  # wraps around, so on unsigned integers whatever the kind
            whole = values.view(f"{byteorder}u{size}").reshape(shape)
            native = np.cumsum(whole, axis=1, dtype=f"u{size}")
            return native.view(f"{kind}{size}")
        typed = values.view(f"{byteorder}{kind}{size}").reshape(shape)
        return typed.astype(typed.dtype.newbyteorder("="), copy=False)
    if kind != "u" or bits > 32 or predictor == 3:
        raise ValueError(f"{bits} bits a sample of kind {kind} with predictor {predictor}")
    if bits % 8 == 0:
        plain = _whole_bytes(rows, count * interleaved, bits // 8, byteorder).reshape(shape)
    else:
        plain = _any_bits(rows, count * interleaved, bits).reshape(shape)
    if predictor == 2:
        summed = np.cumsum(plain, axis=1, dtype=plain.dtype)
        return np.asarray(summed & plain.dtype.type(2**bits - 1))
    return plain


def _undo_float_predictor(rows: Pixels, n: int, size: int, interleaved: int) -> Pixels:
    """Bytes are grouped by significance and differ from the byte `interleaved` before."""
    spread = rows[:, : n * size].reshape(len(rows), -1, interleaved)
    summed = np.cumsum(spread, axis=1, dtype=np.uint8).reshape(len(rows), size, n)
    big = np.ascontiguousarray(summed.swapaxes(1, 2)).view(f">f{size}")
    return big.astype(f"f{size}")[..., 0]


def _whole_bytes(rows: Pixels, n: int, size: int, byteorder: str) -> Pixels:
    """24 bits: three bytes in the order of the file."""
    parts = rows[:, : n * size].reshape(len(rows), n, size).astype(np.uint32)
    order = range(size) if byteorder == "<" else range(size - 1, -1, -1)
    out = np.zeros(parts.shape[:2], np.uint32)
    for power, byte in enumerate(order):
        out |= parts[..., byte] << np.uint32(8 * power)
    return out


def _any_bits(rows: Pixels, n: int, bits: int) -> Pixels:
    """Samples packed without gaps, the most significant bit first; rows begin on a byte."""
    dtype = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    out = np.zeros((len(rows), n), dtype)
    step = max(1, (1 << 22) // max(1, n * bits))  # rows at a time: one byte a bit is a lot
    for start in range(0, len(rows), step):
        single = np.unpackbits(rows[start : start + step], axis=1)[:, : n * bits]
        single = single.reshape(-1, n, bits)
        part = out[start : start + step]
        for bit in range(bits):
            part <<= dtype(1)
            part |= single[..., bit]
    return out
