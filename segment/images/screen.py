"""Pictures for screens: whatever a browser shows, in few bytes."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segment.errors import InputError
from segment.images.quiet import no_stderr

QUALITY = 88
LONGEST = 16384  # pixels a side that every browser shows


def encode_for_screen(picture: NDArray[np.uint8], quality: int = QUALITY) -> tuple[bytes, str]:
    """Return an RGB picture (H, W, 3) as a JPEG, or as a PNG if that is smaller; and its type.

    Raises
    ------
    InputError
        If a side is longer than browsers show.
    """
    height, width = picture.shape[:2]
    if max(height, width) > LONGEST:
        raise InputError(
            f"a picture of {width}x{height} is too large for a page; browsers end at {LONGEST:,} "
            "pixels a side: cut out a part, or make it smaller"
        )
    bgr = np.ascontiguousarray(picture[..., ::-1])
    with no_stderr():
        jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        # Drawings and screenshots; of a photograph a part tells that it would be larger.
        part = bgr[: max(1, height // 8)]
        if len(cv2.imencode(".png", part)[1]) * height > 2 * len(jpeg) * len(part):
            return jpeg, "image/jpeg"
        png = cv2.imencode(".png", bgr)[1].tobytes()
    return (png, "image/png") if len(png) < len(jpeg) else (jpeg, "image/jpeg")
