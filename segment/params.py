"""The parameters of a mean-shift run: one frozen value, validated once, shared by every door."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from numbers import Integral, Real
from typing import Any, Literal

from segment.errors import InputError

KERNELS = ("flat", "epanechnikov", "gaussian")
ENGINES = ("fast", "exact")
COLOR_SPACES = ("luv", "lab", "rgb", "none")

AUTO: Literal["auto"] = "auto"
DEFAULT_KINDS = ("labels", "preview", "posterized", "overlay", "json")  # what is saved
EVERY_PAGE = "all"  # in place of a page's number
MAX_PIXELS = 1 << 28  # larger pictures are refused before memory is taken
SVG_STYLES = ("fill", "outline", "numbered")  # what an SVG shows; the last is to paint by numbers
LARGEST_WHOLE = 2**63 - 1  # kernels count in 64 bits
ON_EXISTS = ("error", "skip", "overwrite")  # what to do about outputs that exist
# Level at which the commands cut a picture for which nobody chose a scale. On validation images of
# BSDS500, 0.5 covers what people drew best (0.644, at 12 regions), and 0.45 nearly as well (0.639,
# at 20) while it loses fewer of the things one sees.
DEFAULT_LEVEL = 0.45
# Bandwidths (spatial, range) of the leaves of a hierarchy that nobody chose any for: small, because
# what is joined too early is lost to every scale; smaller ones cost time and gain nothing.
LEAF_BANDWIDTHS = (5.0, 4.0)


Bandwidth = float | Literal["auto"]
MinSize = int | Literal["auto"]
RangeBandwidth = Bandwidth | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MeanShiftOptions:
    """What is asked of mean shift over an image; bandwidths may be left to the image.

    Attributes
    ----------
    spatial_bandwidth : float or "auto"
        Radius of the spatial window, in pixels (standard deviation for ``kernel="gaussian"``).
        "auto" takes what `segment.estimate_bandwidths` chooses, as does the next.
    range_bandwidth : float, "auto", or tuple of a float a band
        Radius of the colour window, in units of `color_space` (standard deviation for
        ``kernel="gaussian"``); one a band only with ``color_space="none"``.
    min_size : int or "auto"
        Smallest region, in pixels; smaller ones join a neighbour. "auto" is 20 on a picture of
        481 x 321 pixels, and the same share of a larger or smaller one.
    kernel : {"flat", "epanechnikov", "gaussian"}
        Weights of the mean.
    color_space : {"luv", "lab", "rgb", "none"}
        Space in which colours are compared.
    engine : {"fast", "exact"}
        Whether pixels climb together where they can, or each on its own.
    connectivity : {1, 2}
        1: pixels that share an edge are neighbours; 2: those that share a corner too.
    max_iter : int
        Most steps of one trajectory.
    tol : float
        A trajectory ends when its step is shorter than this, in pixels and colour units taken
        together.

    Raises
    ------
    InputError
        If a value is of the wrong type or out of its domain.
    """

    spatial_bandwidth: Bandwidth = 7.0
    range_bandwidth: RangeBandwidth = 6.5
    min_size: MinSize = 20
    kernel: str = "flat"
    color_space: str = "luv"
    engine: str = "fast"
    connectivity: int = 1
    max_iter: int = 100
    tol: float = 0.1

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "spatial_bandwidth", bandwidth("spatial_bandwidth", self.spatial_bandwidth))
        put(self, "range_bandwidth", range_bandwidth("range_bandwidth", self.range_bandwidth))
        if self.min_size != AUTO:
            put(self, "min_size", whole_number("min_size", self.min_size, minimum=0))
        put(self, "kernel", choice("kernel", self.kernel, KERNELS))
        put(self, "color_space", choice("color_space", self.color_space, COLOR_SPACES))
        put(self, "engine", choice("engine", self.engine, ENGINES))
        put(self, "connectivity", whole_number("connectivity", self.connectivity, minimum=1))
        if self.connectivity > 2:
            raise InputError(
                f"connectivity={self.connectivity} is not 1 (edges) or 2 (corners too)"
            )
        put(self, "max_iter", whole_number("max_iter", self.max_iter, minimum=1))
        put(self, "tol", positive_number("tol", self.tol))
        if isinstance(self.range_bandwidth, tuple) and self.color_space != "none":
            raise InputError(
                f"range_bandwidth={self.range_bandwidth} has a number a band and "
                f"color_space={self.color_space!r} takes one for all; give one, or pass "
                "color_space='none'"
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the parameters as a plain dictionary, for JSON and for calling the API again."""
        content = asdict(self)
        if isinstance(self.range_bandwidth, tuple):  # as JSON has it
            content["range_bandwidth"] = list(self.range_bandwidth)
        return content

    def resolved(
        self,
        spatial_bandwidth: float,
        range_bandwidth: float | tuple[float, ...],
        min_size: int,
    ) -> MeanShiftParams:
        """Return the parameters of a run: the same, with these in place of what may be "auto"."""
        chosen = {
            "spatial_bandwidth": spatial_bandwidth,
            "range_bandwidth": range_bandwidth,
            "min_size": min_size,
        }
        return MeanShiftParams(**{**self.as_dict(), **chosen})


@dataclass(frozen=True, slots=True)
class MeanShiftParams(MeanShiftOptions):
    """Parameters of a run of mean shift: `MeanShiftOptions` of which nothing is "auto"."""

    spatial_bandwidth: float = 7.0
    range_bandwidth: float | tuple[float, ...] = 6.5
    min_size: int = 20

    def __post_init__(self) -> None:
        positive_number("spatial_bandwidth", self.spatial_bandwidth)
        color: object = self.range_bandwidth
        if isinstance(color, str):  # "auto" is none
            positive_number("range_bandwidth", color)
        whole_number("min_size", self.min_size, minimum=0)
        MeanShiftOptions.__post_init__(self)

    @property
    def radius(self) -> float:
        """The range bandwidth of the features: the largest, which all bands are scaled to."""
        own = self.range_bandwidth
        return max(own) if isinstance(own, tuple) else own


@dataclass(frozen=True, slots=True)
class Cut:
    """Where to cut a hierarchy: at a level, at a number of regions, or not at all.

    Attributes
    ----------
    level : float or None
        A scale, 0 (every leaf) to 1 (all in one).
    n_regions : int or None
        A number of regions, at least 1.
    any_size : bool
        Whether the leaves are sought at a reference size, the same for pictures of all sizes, and
        not with bandwidths in the picture's own pixels.

    Raises
    ------
    InputError
        If both are given, or one is out of its domain.
    """

    level: float | None = None
    n_regions: int | None = None
    any_size: bool = False

    def __post_init__(self) -> None:
        if self.level is not None and self.n_regions is not None:
            raise InputError(
                f"both level={self.level!r} and n_regions={self.n_regions!r} are given; "
                "give one of them"
            )
        put = object.__setattr__
        if self.level is not None:
            put(self, "level", share("level", self.level))
        if self.n_regions is not None:
            put(self, "n_regions", whole_number("n_regions", self.n_regions, minimum=1))

    @property
    def wanted(self) -> bool:
        """Whether there is to be a cut."""
        return self.level is not None or self.n_regions is not None


BANDWIDTHS = ("spatial_bandwidth", "range_bandwidth")


def choose_scale(given: Mapping[str, Any], cut: Cut) -> tuple[dict[str, Any], Cut]:
    """Complete what the user of a command chose: parameters, and where to cut.

    Who sets a bandwidth wants plain mean shift, unless a cut is asked for; all others get a cut of
    a hierarchy, from leaves finer than plain mean shift would make.
    """
    if any(name in given for name in BANDWIDTHS):
        return dict(given), cut
    leaves = dict(zip(BANDWIDTHS, LEAF_BANDWIDTHS, strict=True))
    level = cut.level if cut.wanted else DEFAULT_LEVEL
    return {**leaves, **given}, Cut(level, cut.n_regions, any_size=True)


def bandwidth(name: str, value: object) -> Bandwidth:
    """Return `value` if it is "auto", else as a float, or raise InputError."""
    if not isinstance(value, str):
        return positive_number(name, value)
    if value != AUTO:
        raise InputError(
            f"{name}={value!r} is of type str; give a number above 0, or the word 'auto'"
        )
    return AUTO


def range_bandwidth(name: str, value: object) -> RangeBandwidth:
    """Return a bandwidth, or a sequence of one a band as a tuple, or raise InputError."""
    single = isinstance(value, str) or getattr(value, "ndim", 1) == 0
    if single or not isinstance(value, Iterable):
        return bandwidth(name, value)
    numbers = tuple(positive_number(name, number) for number in value)
    if not numbers:
        raise InputError(f"{name}={value!r} is empty; give one number, or one a band")
    return numbers


def positive_number(name: str, value: object) -> float:
    """Return `value` as a float, or raise InputError if it is not a finite number above 0."""
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):  # an array of one number
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InputError(
            f"{name}={value!r} is of type {type(value).__name__}; give a number above 0"
        )
    number = float(value)
    if not math.isfinite(number) or number <= 0:
        raise InputError(f"{name}={number:g} must be finite and above 0; give a number such as 7")
    if not 1e-15 <= number <= 1e15:
        raise InputError(f"{name}={number:g} overflows float32 when squared; give 1e-15 to 1e15")
    return number


def share(name: str, value: object) -> float:
    """Return `value` as a float, or raise InputError if it is not a number in 0..1."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise InputError(f"{name}={value!r} is not in 0..1; give a number such as 0.5")
    return float(value)


def whole_number(name: str, value: object, *, minimum: int) -> int:
    """Return `value` as an int, or raise InputError if it is not an integer >= `minimum`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise InputError(f"{name}={value!r} is not a whole number; give an integer >= {minimum}")
    if value < minimum:
        raise InputError(f"{name}={value} is too small; give an integer >= {minimum}")
    if int(value) > LARGEST_WHOLE:
        raise InputError(f"{name}={value} is too large; give an integer <= {LARGEST_WHOLE}")
    return int(value)


def page_number(value: object) -> int | str:
    """Return a page's number from 0, or "all", or raise InputError."""
    return EVERY_PAGE if value == EVERY_PAGE else whole_number("page", value, minimum=0)


def choice(name: str, value: object, known: Sequence[str]) -> str:
    """Return `value` if it is one of `known`, or raise InputError that lists them."""
    if not isinstance(value, str) or value not in known:
        raise InputError(f"{name}={value!r} is unknown; choose one of {', '.join(known)}")
    return value
