"""How the samples of a TIFF page lie in its file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """How the samples of one page lie in the file."""

    width: int
    height: int
    samples: int  # a pixel
    bits: int  # a sample
    kind: str  # "u", "i" or "f"
    byteorder: str
    compression: int
    predictor: int
    photometric: int
    fill_order: int
    planar: bool  # one plane a sample
    tiled: bool
    segment_width: int
    segment_height: int
    offsets: tuple[int, ...]
    counts: tuple[int, ...]

    @property
    def planes(self) -> int:
        return self.samples if self.planar else 1

    @property
    def interleaved(self) -> int:
        """Samples of a pixel that lie side by side."""
        return 1 if self.planar else self.samples

    @property
    def across(self) -> int:
        return -(-self.width // self.segment_width)

    @property
    def down(self) -> int:
        return -(-self.height // self.segment_height)

    @property
    def row_bytes(self) -> int:
        """Bytes in a row of a segment."""
        return -(-self.segment_width * self.interleaved * self.bits // 8)
