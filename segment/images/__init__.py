"""Image files in and out: the only module that decodes or encodes them."""

from __future__ import annotations

from segment.images.picture import Image
from segment.images.reading import MAX_PIXELS, read_image
from segment.images.writing import posterized_suffix, write_image, write_labels

__all__ = [
    "MAX_PIXELS",
    "Image",
    "posterized_suffix",
    "read_image",
    "write_image",
    "write_labels",
]
