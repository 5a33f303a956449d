"""Image files in and out: the only module that decodes or encodes them."""

from __future__ import annotations

from segment.images.names import looks_like_picture
from segment.images.picture import Image
from segment.images.reading import read_image
from segment.images.writing import encode_png, posterized_suffix, write_image, write_labels

__all__ = [
    "Image",
    "encode_png",
    "looks_like_picture",
    "posterized_suffix",
    "read_image",
    "write_image",
    "write_labels",
]
