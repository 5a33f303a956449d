"""Which files are taken for pictures by their names, where a folder is to be done."""

from __future__ import annotations

SUFFIXES = frozenset(
    {".apng", ".avif", ".bmp", ".dib", ".gif", ".j2k", ".jp2", ".jpe", ".jpeg", ".jpf", ".jpg"}
    | {
        ".dds",
        ".exr",
        ".heic",
        ".heif",
        ".hdr",
        ".jxl",
        ".pam",
        ".pcx",
        ".psd",
        ".qoi",
        ".sgi",
        ".tga",
    }
    | {".jpx", ".pbm", ".pfm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)


# What systems leave beside the pictures of their users: file names, folders, beginnings of names.
LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store"})
LITTER_FOLDERS = frozenset({"__macosx", "@eadir", "$recycle.bin", "system volume information"})
APPLE_DOUBLE = "._"


def is_litter(name: str) -> bool:
    """Whether a file is a by-product of a system, such as macOS's ``._photo.jpg``."""
    return name.startswith(APPLE_DOUBLE) or name.lower() in LITTER


def is_litter_folder(name: str) -> bool:
    """Whether a folder is hidden, or holds nothing but by-products."""
    return name.startswith(".") or name.lower() in LITTER_FOLDERS


def looks_like_picture(name: str) -> bool:
    """Whether a file name has the suffix of a picture, and is no by-product of one."""
    if is_litter(name):
        return False
    dot = name.rfind(".")
    return dot > 0 and name[dot:].lower() in SUFFIXES
