"""Image files in and out: the only module that decodes or encodes them."""

from __future__ import annotations

from segment.images.names import is_litter, is_litter_folder, looks_like_picture
from segment.images.picture import Image, Placement
from segment.images.placing import placement
from segment.images.reading import count_pages, count_pages_or_one, read_image
from segment.images.screen import encode_for_screen
from segment.images.writing import (
    encode_png,
    posterized_suffix,
    write_image,
    write_labels,
    write_stdout,
)

__all__ = [
    "Image",
    "Placement",
    "count_pages",
    "count_pages_or_one",
    "encode_for_screen",
    "encode_png",
    "is_litter",
    "is_litter_folder",
    "looks_like_picture",
    "placement",
    "posterized_suffix",
    "read_image",
    "write_image",
    "write_labels",
    "write_stdout",
]
