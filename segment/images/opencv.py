"""What only OpenCV decodes: 16-bit colour in PNG, JPEG 2000 and AVIF, PFM and odd BMPs."""

from __future__ import annotations

import numpy as np

from segment.images.picture import Pixels
from segment.images.quiet import no_stderr


def decode(data: bytes) -> tuple[Pixels, Pixels | None]:
    """Return (pixels, alpha) in the file's depth, RGB order, orientation not applied.

    Raises
    ------
    ValueError
        If OpenCV cannot decode the data.
    """
    import cv2

    with no_stderr():
        try:
            array = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            raise ValueError(getattr(error, "err", None) or "OpenCV cannot decode it") from error
    if array is None:
        raise ValueError("OpenCV cannot decode it")
    if array.ndim == 2:
        return array, None
    if array.shape[2] == 4:
        return cv2.cvtColor(array, cv2.COLOR_BGRA2RGB), cv2.extractChannel(array, 3)
    return cv2.cvtColor(array, cv2.COLOR_BGR2RGB), None
