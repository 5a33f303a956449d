"""Which files are taken for pictures by their names, where a folder is to be done."""

from __future__ import annotations

SUFFIXES = frozenset(
    {".apng", ".avif", ".bmp", ".dib", ".gif", ".j2k", ".jp2", ".jpe", ".jpeg", ".jpf", ".jpg"}
    | {".jpx", ".pbm", ".pfm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)


def looks_like_picture(name: str) -> bool:
    """Whether a file name has the suffix of a picture."""
    dot = name.rfind(".")
    return dot > 0 and name[dot:].lower() in SUFFIXES
