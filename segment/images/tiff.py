"""TIFF files."""

from __future__ import annotations

from typing import Any

import numpy as np

from segment.images.picture import Image
from segment.images.source import Source


def decode(source: Source, page: int, check: Any) -> Image:
    """Decode one page of a TIFF."""
    import tifffile

    source.stream.seek(0)
    with tifffile.TiffFile(source.stream) as tif:
        p: Any = tif.pages[page]
        check(p.imagewidth, p.imagelength, p.samplesperpixel * max(1, p.bitspersample // 8))
        array = np.ascontiguousarray(p.asarray())
        alpha = None
        if 2 in p.extrasamples:
            array, alpha = np.squeeze(array[..., :-1]), np.ascontiguousarray(array[..., -1])
        x, y = p.get_resolution(2)
        return Image(np.ascontiguousarray(array), alpha, n_pages=len(tif.pages), resolution=(x, y))
