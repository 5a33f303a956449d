"""What a scene tells: its progress while it is worked on, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segment.params import MeanShiftParams


@dataclass(frozen=True)
class Progress:
    """How far a scene is.

    Attributes
    ----------
    stage : str
        What is being done: "climbing", "merging", "describing", "growing", "writing", "painting"
        or "tracing".
    done, total : int
        Tiles finished, those of earlier runs among them, and all of the stage.
    reused : int
        Tiles that an earlier run had finished.
    seconds : float
        Since the stage was begun.
    note : str or None
        Something worth knowing that has just turned up.
    """

    stage: str
    done: int = 0
    total: int = 0
    reused: int = 0
    seconds: float = 0.0
    note: str | None = None

    @property
    def rate(self) -> float:
        """Tiles a second in this run."""
        return (self.done - self.reused) / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float:
        """Seconds that are left of the stage; infinite before the first tile."""
        return (self.total - self.done) / self.rate if self.rate else float("inf")


@dataclass(frozen=True)
class SceneReport:
    """How a scene ended.

    Attributes
    ----------
    dst : Path
        The label raster.
    outputs : dict of str to Path
        All files written, by kind: labels, posterized, filtered, table, vector, preview.
    n_regions, height, width, n_pixels : int
        Regions, size, and pixels that have a value.
    bands : tuple of str
        Names of the bands used.
    n_leaves : int
        Regions before they were merged to a level or a number; else the same as `n_regions`.
    level : float or None
        Level of the hierarchy at which it was cut, if it was.
    params : MeanShiftParams
        Parameters of the run: `mean_shift` with them gives the same labels on the whole array, or
        the leaves.
    value_range : (float, float) or None
        Black and white, where bands are colours.
    scaling : tuple of (float, float), one a band, or None
        What became 0, and how much became 100, before bands were compared: mean_shift's input is
        ``((image - zeros) * (100 / spans)).astype("float32")``, in float64.
    crs : str or None
        Coordinate reference system, as WKT.
    tile, n_tiles, reused : int
        Side of a tile, how many there were, and how many of them an earlier run had finished.
    damaged : tuple of str
        Blocks that could not be decoded and count as nodata.
    notes : tuple of str
        What is worth knowing.
    doubts : tuple of str
        Those of them that question the result; `segment.scene` warns of them too.
    seconds : dict of str to float
        Time of each stage.
    """

    dst: Path
    outputs: dict[str, Path]
    n_regions: int
    height: int
    width: int
    n_pixels: int
    bands: tuple[str, ...]
    params: MeanShiftParams
    value_range: tuple[float, float] | None
    scaling: tuple[tuple[float, float], ...] | None
    crs: str | None
    tile: int
    n_tiles: int
    reused: int
    n_leaves: int
    level: float | None = None
    damaged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as a plain dictionary, for JSON."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        facts["params"] = self.params.as_dict()
        facts["dst"] = str(self.dst)
        facts["outputs"] = {kind: str(path) for kind, path in self.outputs.items()}
        return facts
