"""Pictures to segment, each with what some tests need."""

from __future__ import annotations

from typing import Any

import numpy as np
import skimage
from numpy.typing import NDArray


def patches(height: int, width: int, seed: int = 0) -> Any:
    """Patches of colour, a gradient and noise, uint8 (height, width, 3)."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 9 + 1, width // 7 + 1, 3))
    image = np.kron(coarse, np.ones((9, 7, 1)))[:height, :width]
    image += np.linspace(0, 40, width)[None, :, None] + rng.normal(0, 5, (height, width, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


def halves(dtype: type = np.uint8, shape: tuple[int, ...] = (24, 30, 3)) -> NDArray[Any]:
    """Two flat halves with a little noise, in the scale of `dtype`."""
    rng = np.random.default_rng(0)
    values = np.full(shape, 0.2)
    values[:, shape[1] // 2 :] = 0.8
    values += rng.uniform(-0.01, 0.01, shape)
    if np.dtype(dtype).kind == "f":
        return values.astype(dtype)
    return np.rint(values * np.iinfo(dtype).max).astype(dtype)


def nested_rectangles() -> NDArray[np.uint8]:
    """A blue rectangle in a green one on red, with a little noise, uint8 (40, 60, 3)."""
    rng = np.random.default_rng(0)
    pixels = np.full((40, 60, 3), (200, 30, 30), np.uint8)
    pixels[8:32, 10:50] = (30, 200, 30)
    pixels[16:24, 20:40] = (30, 30, 200)
    return np.clip(pixels + rng.integers(-3, 4, pixels.shape), 0, 255).astype(np.uint8)


def photograph(height: int = 150, width: int = 170) -> NDArray[np.uint8]:
    """A piece of a photograph with fine and coarse structure, uint8 (height, width, 3)."""
    return np.ascontiguousarray(skimage.data.astronaut()[40 : 40 + height, 150 : 150 + width])


def noise(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.uint8]:
    """Pixels that have nothing to do with each other."""
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def landscape(height: int = 48, width: int = 60) -> Any:
    """A sky, a field with grain, and a dark disc on it, uint8 RGB."""
    random = np.random.default_rng(0)
    image = np.empty((height, width, 3))
    image[: height // 2] = (120, 160, 220)
    image[height // 2 :] = (90, 130, 60)
    y, x = np.mgrid[:height, :width]
    image[(y - height * 0.7) ** 2 + (x - width * 0.4) ** 2 < (height * 0.17) ** 2] = (40, 30, 30)
    return np.clip(image + random.normal(0, 9, image.shape), 0, 255).astype(np.uint8)


def slanted_edge(
    rng: np.random.Generator, shape: tuple[int, int], n_bands: int
) -> NDArray[np.float32]:
    """Two noisy surfaces that meet at a slanted edge."""
    y, x = np.indices(shape)
    step = 4.0 * (y + 2 * x > sum(shape) * 0.7)[..., None]
    return (step + rng.normal(0, 0.8, (*shape, n_bands))).astype(np.float32)


def squares(scale: int = 1, noise: float = 0.0, contrast: float = 1.0, gray: bool = False) -> Any:
    """Four coloured squares on gray, uint8."""
    image = np.full((60, 80, 3), 128.0)
    for k, color in enumerate([(200, 60, 50), (40, 160, 60), (50, 70, 190), (230, 230, 230)]):
        image[20:40, 5 + 18 * k : 20 + 18 * k] = color
    image = 128 + contrast * (image - 128)
    image = image.repeat(scale, axis=0).repeat(scale, axis=1)
    image = image + np.random.default_rng(0).normal(0, noise, image.shape)
    pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return pixels[..., 1] if gray else pixels
