"""Other segmenters at comparable settings, one thread each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from sklearn.cluster import MeanShift

from segment.regions.checks import check_image
from segment.regions.features import feature_planes
from tests.benchmarks._edison import Edison
from tests.benchmarks._measure import Image, Job, busy

CROP = 24  # side of the crop that scikit-learn gets: its time grows with the square of the area


def opencv(image: Image, spatial: float, ranged: float, level: int) -> Any:
    """OpenCV's mean-shift filter; its colour radius is one of RGB, about three times Luv's."""
    cv2.setNumThreads(1)
    return cv2.pyrMeanShiftFiltering(image, spatial, 3 * ranged, maxLevel=level)


def quickshift(image: Image, spatial: float, ranged: float) -> Any:
    """scikit-image's quickshift; its window reaches three times the kernel's size."""
    from skimage.segmentation import quickshift

    return quickshift(image, kernel_size=spatial / 3, max_dist=spatial, ratio=1 / ranged, rng=0)


def slic(image: Image, spatial: float, _: float) -> Any:
    """scikit-image's slic with one superpixel a window."""
    from skimage.segmentation import slic

    return slic(image, n_segments=round(image[..., 0].size / (2 * spatial) ** 2), start_label=1)


def felzenszwalb(image: Image, *_: float) -> Any:
    """scikit-image's felzenszwalb."""
    from skimage.segmentation import felzenszwalb

    return felzenszwalb(image, scale=100, sigma=0.5, min_size=20)


def scikit_learn(image: Image, spatial: float, ranged: float) -> Any:
    """scikit-learn's MeanShift on the joint features of a crop."""
    crop = image[:CROP, :CROP]
    planes = feature_planes(check_image(crop, color_space="luv"), "luv")
    positions = np.indices(crop.shape[:2]) / spatial
    points = np.concatenate([positions, planes / ranged]).reshape(5, -1).T
    return MeanShift(bandwidth=1, n_jobs=1).fit(points).labels_


# Name: function of image, spatial and range bandwidth; the largest picture to try, in MP.
PEERS: dict[str, tuple[Callable[..., Any], float]] = {
    "cv2.pyrMeanShiftFiltering, level 0": (lambda *a: opencv(*a, level=0), 4.1),
    "cv2.pyrMeanShiftFiltering, level 1": (lambda *a: opencv(*a, level=1), 4.1),
    "skimage quickshift": (quickshift, 0.2),
    "skimage slic": (slic, 4.1),
    "skimage felzenszwalb": (felzenszwalb, 4.1),
    f"sklearn MeanShift ({CROP}x{CROP} crop)": (scikit_learn, 0.2),
}


def peer_jobs(image: Image, spatial: float, ranged: float, edison: Edison | None) -> dict[str, Job]:
    """Jobs of every peer that can be expected to finish on this image.

    Seconds of a crop are scaled to the whole picture as if time grew with the area, which flatters.
    """
    megapixels = image[..., 0].size / 1e6
    jobs: dict[str, Job] = {}
    for name, (function, limit) in PEERS.items():
        if megapixels <= limit:
            jobs[name] = busy(function, image, spatial, ranged)
            if function is scikit_learn:
                jobs[name] = _scaled(jobs[name], image[..., 0].size / CROP**2)
    if edison is not None and megapixels < 1.1:
        jobs["EDISON medium"] = edison.job(image, spatial, ranged, 20, "medium")
    return jobs


def _scaled(job: Job, factor: float) -> Job:
    return lambda: job() * factor
