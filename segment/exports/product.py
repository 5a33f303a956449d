"""What there is to save of one picture, with all that is derived from it made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segment import drawing
from segment.errors import InputError

if TYPE_CHECKING:
    from segment.images import Image
    from segment.regions.hierarchy import Hierarchy
    from segment.regions.segmentation import Segmentation


@dataclass
class Product:
    """What came of a picture; a writer of `segment.exports.KINDS` takes what it needs.

    Attributes
    ----------
    segmentation : Segmentation
    image : Image
        The image it is of.
    tree : Hierarchy, optional
        What the segmentation was cut from; by default `hierarchy` is that of the segmentation.
    filtered_pixels : ndarray, optional
        What `segment.mean_shift_filter` gives.
    record : mapping
        Facts that go into the JSON file.
    options : mapping
        How kinds are written, such as ``{"svg_style": "outline"}``; see `Kind.options`.
    kinds : sequence of str
        All that is to be saved.
    written : dict
        Kind -> file, of what has been written so far.
    """

    segmentation: Segmentation
    image: Image
    tree: Hierarchy | None = None
    filtered_pixels: npt.NDArray[Any] | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    kinds: Sequence[str] = ()
    written: dict[str, Path] = field(default_factory=dict)

    @cached_property
    def hierarchy(self) -> Hierarchy:
        return self.segmentation.hierarchy() if self.tree is None else self.tree

    @property
    def file_name(self) -> str:
        """The name of the picture's file, without folders; empty where there is none."""
        return "" if self.image.path in ("", "-") else Path(self.image.path).name

    @property
    def filtered(self) -> npt.NDArray[Any]:
        if self.filtered_pixels is None:
            raise InputError("'filtered' is to be saved and missing; pass mean_shift_filter(image)")
        return self.filtered_pixels

    @cached_property
    def original(self) -> drawing.Picture:
        """The image as it is seen, (H, W, 3) uint8."""
        pixels = self.image.pixels
        if pixels.dtype == np.uint8 and pixels.shape[2:] == (3,) and self.image.mask is None:
            return pixels
        return drawing.to_rgb(pixels, self.image.mask)

    @cached_property
    def overlay(self) -> drawing.Picture:
        """The outlines over the image, (H, W, 3) uint8; not faded where alpha hides it."""
        image, ground = self.image, self.original
        if image.alpha is not None and image.mask is not None:
            seen = image.pixels[image.mask][None]
            ground = drawing.to_rgb(image.pixels, like=seen, value_range=image.value_range)
        return drawing.overlay(
            ground,
            self.segmentation.labels,
            color=self.options.get("outline_color", drawing.OUTLINE),
            width=self.options.get("outline_width"),
        )

    @property
    def contours(self) -> npt.NDArray[np.uint16]:
        """Levels 0..1 as gray, 16 bits."""
        return np.rint(self.hierarchy.contours() * 65535).astype(np.uint16)

    @property
    def preview(self) -> drawing.Picture:
        """The label map in colours."""
        return self.segmentation.preview()

    @property
    def boundaries(self) -> npt.NDArray[np.uint8]:
        """Where regions meet, 255."""
        return self.segmentation.boundaries().astype(np.uint8) * np.uint8(255)

    @property
    def sheet(self) -> drawing.Picture:
        """Picture, flat colours and outlines side by side."""
        flat = drawing.to_rgb(self.segmentation.posterized, self.image.mask, like=self.image.pixels)
        return drawing.contact_sheet([self.original, flat, self.overlay])
