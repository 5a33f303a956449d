"""Plain samples behind a header: Netpbm with the depths that Pillow would lose, and farbfeld."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segment.images.damage import Damage
from segment.images.picture import Pixels


@dataclass(frozen=True)
class Pam:
    """The header of a PAM."""

    width: int
    height: int
    depth: int
    maximum: int
    kind: str
    start: int  # of the samples


def pam_header(data: bytes) -> Pam:
    """Read the header of a PAM.

    Raises
    ------
    Damage
        If it is incomplete or says what cannot be.
    """
    end = data.find(b"ENDHDR\n", 0, 1 << 16)
    if end < 0:
        raise Damage("the header has no end")
    fields = {}
    for line in data[:end].decode("ascii", "replace").splitlines()[1:]:
        name, _, value = line.partition("#")[0].strip().partition(" ")
        fields[name] = value.strip()
    try:
        numbers = [int(fields[name]) for name in ("WIDTH", "HEIGHT", "DEPTH", "MAXVAL")]
    except (KeyError, ValueError) as error:
        raise Damage("the header is damaged") from error
    width, height, depth, maximum = numbers
    if min(numbers) < 1 or maximum > 65535 or depth > 1024:
        raise Damage(f"its header says {width} x {height}, depth {depth}, maximum {maximum}")
    return Pam(width, height, depth, maximum, fields.get("TUPLTYPE", ""), end + len(b"ENDHDR\n"))


def decode_farbfeld(data: bytes, width: int, height: int) -> tuple[Pixels, Pixels]:
    """Return (pixels, alpha) of a farbfeld: 16 bits of red, green, blue and alpha."""
    n = 4 * width * height
    if len(data) < 16 + 2 * n:
        raise Damage(f"{len(data) - 16} of {2 * n} bytes are there")
    values = np.frombuffer(data, ">u2", n, 16).reshape(height, width, 4).astype(np.uint16)
    return np.ascontiguousarray(values[..., :3]), np.ascontiguousarray(values[..., 3])


def decode_pam(data: bytes, pam: Pam) -> tuple[Pixels, Pixels | None]:
    """Return (pixels, alpha) of a PAM; the maximum is white at the scale of the dtype."""
    deep = pam.maximum > 255
    dtype = np.dtype(">u2" if deep else "u1")
    n = pam.width * pam.height * pam.depth
    if len(data) - pam.start < n * dtype.itemsize:
        raise Damage(f"{len(data) - pam.start} of {n * dtype.itemsize} bytes are there")
    values = np.frombuffer(data, dtype, n, pam.start)
    values = values.reshape(pam.height, pam.width, pam.depth)
    top = 65535 if deep else 255
    if pam.maximum != top:
        scaled = np.minimum(values, pam.maximum).astype(np.uint32) * top // pam.maximum
        values = scaled.astype(dtype)
    pixels = values.astype(dtype.newbyteorder("="))
    alpha = None
    if pam.kind.endswith("_ALPHA") and pam.depth > 1:
        alpha, pixels = np.ascontiguousarray(pixels[..., -1]), pixels[..., :-1]
    if pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return np.ascontiguousarray(pixels), alpha


def header(data: bytes) -> tuple[bytes, int, int, int | None, int]:
    """Return (kind, width, height, maximum, start of the data); no maximum for PFM."""
    kind, position = data[:2], 2
    values: list[int] = []
    wanted = 2 if kind in {b"P1", b"P4", b"Pf", b"PF"} else 3
    while len(values) < wanted:
        while data[position : position + 1].isspace():
            position += 1
        if data[position : position + 1] == b"#":
            end = data.find(b"\n", position)
            position = len(data) if end < 0 else end + 1
            continue
        end = position
        while data[end : end + 1].isdigit() and end - position < 11:
            end += 1
        if end == position:
            raise Damage("the header is damaged")
        values.append(int(data[position:end]))
        position = end
    maximum = 1 if kind in {b"P1", b"P4"} else None if wanted == 2 else values[2]
    if maximum is not None and not 0 < maximum < 65536:
        raise Damage(f"a maximum of {maximum} is not between 1 and 65535")
    return kind, values[0], values[1], maximum, position + 1


def deep_ppm(data: bytes, kind: bytes, width: int, height: int, maximum: int, start: int) -> Pixels:
    count = width * height * 3
    if kind == b"P6":
        values = np.frombuffer(data[start : start + 2 * count], ">u2")
    else:
        try:
            values = np.array(data[start:].split()[:count], np.uint32)
        except (ValueError, OverflowError) as error:
            raise Damage(str(error)) from error
    if values.size < count:
        raise Damage(f"{count - values.size} of {count} values are missing")
    scaled = np.minimum(values.astype(np.uint32) * 65535 // maximum, 65535)
    return scaled.astype(np.uint16).reshape(height, width, 3)
