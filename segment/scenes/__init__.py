"""Scenes: rasters larger than memory, georeferenced, on one machine or on Dask.

A tile, read with a margin of `regions.fields.reach`, climbs by itself and leaves its components,
their integer sums and contacts, and the pixels along its sides in the scratch folder. The pieces
are joined to one graph, merged, and numbered in raster order; a pass writes labels through tables.

At 100 gigapixels and 1,000 workers: 25,000 tasks of 4 MP that need nothing of each other, take a
few names and return four numbers: at .25 us a pixel, 25 s for each worker, and some 100 GB of
scratch. What does not scale is the graph in one process: at .01 to .1 components a pixel and 250
bytes each it takes 250 GB to 2.5 TB. It would be split as Lassalle et al. (2015) do: a round of
fusing looks one neighbour far, and so does a round of pruning, of which there are five and some
ten; so in a block of 32 x 32 tiles all regions can be finished but those within that many
neighbours of its sides (the stability margin). These, some 2 % of the components and 5 to 50 GB,
are merged at one place, in the same rounds. It costs one more pass over pieces, not over pixels.
TIFF is written by one process, 1,000 s at 100 MP/s; zarr could be written by every worker.

The hierarchy is described in windows of its own and grown in this process, where it takes some 900
bytes a leaf. Its merges are best first over the whole scene, so it would not be split in that way.
"""

from segment.scenes.api import scene
from segment.scenes.options import SceneOptions
from segment.scenes.report import Progress, SceneReport

__all__ = ["Progress", "SceneOptions", "SceneReport", "scene"]
