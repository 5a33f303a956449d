"""How close colours are that are linked, pixel by pixel, and fused, region by region."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from segment.kernels.regions.ordering import Nearest
from segment.params import MeanShiftParams

# Neighbouring pixels are linked when their modes' colours are closer than this share of the range
# bandwidth, and neighbouring regions when their means are closer than the second share. On slopes
# of colour the modes of the fast engine go in steps, where those of the exact engine form a chain:
# with twice the share its regions agree with people's as well as the exact engine's do.
LINK_SHARE = {"exact": 0.2, "fast": 0.4}
# In CIE spaces linked colours are also hardly further apart than people can just tell (2.3 in Lab:
# Mahy et al., 1994), or large range bandwidths would link across weak edges.
LARGEST_LINK = {"luv": 3.2, "lab": 3.2}
FUSE_SHARE = 0.5


class OneBand(NamedTuple):
    """The rule for one band (gray), in shares of the range bandwidth.

    The modes of neighbours lie on a line there, close to one another by chance alone, and the links
    above would chain a shading, and a photograph, into one region. So only pixels of practically
    one mode are linked; small regions, such as the strips of a blurred edge, join others before
    they can be bridges; then the nearest are fused first.

    Attributes
    ----------
    link : float
        Below which pixels are linked.
    fuse : float
        Below which regions are fused, if both have at least `many` pixels. The square falls in
        proportion to the pixels of the smaller, down to that at `few`.
    grown : float
        Where what has grown ends.
    few, many : int
        Pixels.
    """

    link: float
    fuse: float
    grown: float
    few: int
    many: int

    def nearest(self, radius: float) -> Nearest:
        """Return the rule of fusing at a range bandwidth."""
        return Nearest(np.float32((self.grown * radius) ** 2), self.few, self.many)


# Two large regions that differ by 1.5 bandwidths are still parts of one shading, a small one that
# differs by a third from a large one is a thing: such maps cover people's regions better than those
# of one limit for all, at equal numbers of regions and as well at equal errors. Without an end to
# what grows coffee would be painted 36 levels off; an end at one bandwidth would cut smooth skies
# and walls into bands (`tests.benchmarks.gray`).
FLAT = OneBand(0.02, 1.5, 2.0, 20, 400)
# What shadings need is too much for the leaves of a hierarchy, and crumbs serve it little. On gray
# photographs of BSDS500 (train, every fourth) its covering is .596 / .644 / .722 by this rule,
# .578 / .621 / .691 with four times as much.
LEAVES = OneBand(0.005, 0.2, 0.5, 1, 1)


def link_limit2(params: MeanShiftParams, n_bands: int, one_band: OneBand = FLAT) -> np.float32:
    """Return the squared distance of colours below which neighbouring pixels are linked."""
    share = one_band.link if n_bands == 1 else LINK_SHARE[params.engine]
    limit = share * params.radius
    return np.float32(min(limit, LARGEST_LINK.get(params.color_space, limit)) ** 2)
