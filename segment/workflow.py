"""One picture from file to files: what `segment image`, a batch and a cluster do alike."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from segment.compiling import Meter
from segment.exports import STDOUT, save, summary
from segment.exports.kinds import KINDS
from segment.images import read_image
from segment.images.nodata import check_nodata
from segment.images.reading import LEFT_OUT
from segment.memory import refuse_beyond
from segment.notices import listening
from segment.params import DEFAULT_KINDS, MAX_PIXELS, Cut, MeanShiftOptions, whole_number
from segment.regions.ranges import Range, check_range
from segment.threads import watched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from segment.images import Image
    from segment.regions.hierarchy import Hierarchy
    from segment.regions.leaves import Leaves
    from segment.regions.segmentation import Segmentation


# Bytes a pixel that the work takes at its peak beside the pixels: where leaves are sought at a
# reference size, where every pixel climbs, and for kinds of files that take more. And how many
# copies of the pixels there are at that time. Measured at 16 to 262 megapixels.
AT_REFERENCE, EVERY_PIXEL = 18, 29
BASE = 6e7  # bytes that the work at the reference size takes, whatever the picture
DRAWN = {"svg": 75, "page": 35, "sheet": 25}
TRACED = 30  # files of outlines
COPIES = 2.4


# Where each stage begins and ends, as shares of the time that large photographs take, and how much
# of what is left of it one round of threads brings: of segmenting there may be any number of them.
SPANS = {
    "read": (0.0, 0.1, 1.0),
    "segment": (0.1, 0.6, 0.4),
    "merge": (0.6, 0.7, 0.4),
    "save": (0.7, 1.0, 1.0),
}
PARTS = 1000


class Show(Protocol):
    """Whoever wants to see how the work goes on; `segment.cli.progress.Display` does."""

    def note(self, text: str) -> None: ...
    def stage(self, stage: str) -> None: ...
    def watch(self, done: int, total: int) -> None: ...


class Course:
    """How far a picture is, for `segment.threads.watched`; it never goes back.

    Parameters
    ----------
    show : callable
        Called with parts that are done, and how many there are.
    """

    def __init__(self, show: Callable[[int, int], None]) -> None:
        self._show = show
        self._begin = self._end = self._round = self._shown = 0.0

    def begin(self, stage: str) -> None:
        """Enter a stage of SPANS."""
        self._begin, self._end, self._round = SPANS[stage]
        self(0, 1)

    def __call__(self, done: int, total: int) -> None:
        at = self._begin + self._round * (self._end - self._begin) * done / total
        if done == total and self._round < 1:
            self._begin = at
        self._shown = max(self._shown, at)
        self._show(round(PARTS * self._shown), PARTS)


class Unseen:
    """Shows nothing."""

    def note(self, text: str) -> None:
        pass

    def stage(self, stage: str) -> None:
        pass

    def watch(self, done: int, total: int) -> None:
        pass


@dataclass(frozen=True)
class Recipe:
    """What is to be done with a picture.

    Attributes
    ----------
    params : MeanShiftOptions
    cut : Cut
        Where to cut the hierarchy, if at all.
    kinds : sequence of str
        What to save; names from `segment.exports.KINDS`.
    options : mapping
        How kinds are saved, such as ``{"svg_style": "outline"}``.
    page, max_pixels, accept_damaged, nodata, mask, value_range
        As in `segment.read_image`; ``page="all"`` stands for every page, a `make` each.
    every_page : bool
        Whether the other pages are done, too, so that nothing is left out.
    """

    params: MeanShiftOptions = field(default_factory=MeanShiftOptions)
    cut: Cut = field(default_factory=Cut)
    kinds: Sequence[str] = DEFAULT_KINDS
    options: Mapping[str, Any] = field(default_factory=dict)
    page: int | str = 0
    max_pixels: int = MAX_PIXELS
    accept_damaged: bool = False
    nodata: float | str | None = None
    mask: str | None = None
    value_range: Range | str | None = None
    every_page: bool = False

    def __post_init__(self) -> None:
        check_nodata(self.nodata)
        check_range(self.value_range)

    def memory(self, width: int, height: int, pixel_bytes: int, bands: int) -> float:
        """Return about how many bytes of memory the work takes, decoding included.

        Parameters
        ----------
        width, height : int
            Of the picture.
        pixel_bytes, bands : int
            What a pixel has of them in the file.
        """
        if self.params.color_space == "none":  # bands become float32
            pixel_bytes = max(pixel_bytes, 4 * bands)
        climbs = not self.cut.any_size or "filtered" in self.needs
        more = [
            DRAWN.get(kind, TRACED if "shapes" in KINDS[kind].writer else 0) for kind in self.kinds
        ]
        work = (EVERY_PIXEL if climbs else AT_REFERENCE) + max(more, default=0)
        return BASE + width * height * (work + COPIES * pixel_bytes)

    @property
    def needs(self) -> frozenset[str | None]:
        """What the kinds need beside the segmentation."""
        return frozenset(KINDS[kind].needs for kind in self.kinds)


@dataclass(frozen=True)
class Outcome:
    """What came of a picture: the files by kind, and the facts that go with them."""

    image: Image
    segmentation: Segmentation
    outputs: dict[str, Path]
    seconds: dict[str, float]
    facts: dict[str, Any]


def make(
    source: str | os.PathLike[str],
    stem: Path,
    recipe: Recipe,
    *,
    n_threads: int,
    target: Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    show: Show | None = None,
    ask: Callable[[float], None] | None = None,
) -> Outcome:
    """Read, segment and save one picture.

    Parameters
    ----------
    source : path-like
        The image file; ``"-"`` for standard input.
    stem : Path
        Folder and beginning of the outputs' names; ``"-"`` for standard output.
    recipe : Recipe
        What to do.
    n_threads : int
        Threads to use.
    target : Path, optional
        The one file to write, for one kind, whatever the stem.
    overwrite : bool
        Whether existing outputs may be replaced.
    resume : bool
        Whether existing outputs stay as they are, and only the others are made.
    show : Show, optional
        Is told what is being done.
    ask : callable, optional
        Called with the bytes of memory that the work takes, by the file's header, before the
        picture is decoded; may wait until they are there.

    Raises
    ------
    FileError, InputError
        If the picture cannot be read, segmented or saved.
    """
    from segment.files import display_name, make_folder

    work = _Making(display_name(source), recipe, n_threads, show or Unseen())
    with work.clock.running(), watched(work.course):
        image = work.read(source, ask)
        if target is None and stem != STDOUT:
            make_folder(stem.parent)
        leaves, filtered = work.segment(image)
        segmentation, hierarchy = work.cut(leaves)
        del leaves  # as large as the picture
        work.enter("save", "saving")
        record = work.record(source)
        with listening(work.note):
            outputs = save(
                segmentation,
                image,
                stem,
                recipe.kinds,
                filtered=filtered,
                hierarchy=hierarchy,
                record=record,
                options=recipe.options,
                target=target,
                overwrite=overwrite,
                resume=resume,
            )
        work.clock.lap("save")
    facts = {**summary(segmentation), **record}
    return Outcome(image, segmentation, outputs, work.clock.laps, facts)


class _Making:
    """The stages of `make`, each of which says what it does and takes its time."""

    def __init__(self, name: str, recipe: Recipe, n_threads: int, show: Show) -> None:
        self.name, self.recipe, self.n_threads, self.show = name, recipe, n_threads, show
        self.clock, self.course = Clock(), Course(self.show.watch)
        self.notes: list[str] = []

    def enter(self, stage: str, doing: str) -> None:
        self.show.stage(f"{self.name}: {doing}")
        self.course.begin(stage)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            self.show.note(f"{self.name}: {text}")

    def read(self, source: str | os.PathLike[str], ask: Callable[[float], None] | None) -> Image:
        self.enter("read", "reading")
        recipe = self.recipe

        def announced(width: int, height: int, pixel_bytes: int, bands: int) -> None:
            needed = recipe.memory(width, height, pixel_bytes, bands)
            if ask is not None:
                ask(needed)
                self.clock.lap("wait")
            if recipe.max_pixels == MAX_PIXELS:  # a limit of one's own insists
                refuse_beyond(
                    needed,
                    f"{self.name}, {width} x {height} pixels,",
                    "segment scene works in less, in tiles; go on all the same with --max-pixels "
                    f"{width * height + 1}",
                )

        image = read_image(
            source,
            page=whole_number("page", recipe.page, minimum=0),
            max_pixels=recipe.max_pixels,
            accept_damaged=recipe.accept_damaged,
            nodata=recipe.nodata,
            mask=recipe.mask,
            value_range=recipe.value_range,
            announce=announced,
        )
        for text in image.notes:
            if not (recipe.every_page and text.endswith(LEFT_OUT)):
                self.note(text)
        self.clock.lap("read")
        return image

    def segment(self, image: Image) -> tuple[Leaves, NDArray[Any] | None]:
        height, width = image.shape
        self.enter("segment", f"segmenting {width}x{height}")
        with listening(self.note):
            found = find_regions(image, self.recipe, self.n_threads)
        self.clock.lap("segment")
        return found

    def cut(self, found: Leaves) -> tuple[Segmentation, Hierarchy | None]:
        """Return the regions asked for, and the tree if it is saved."""
        cut, segmentation = self.recipe.cut, found.segmentation
        hierarchy: Hierarchy | None = None
        if cut.wanted or "hierarchy" in self.recipe.needs:
            self.enter("merge", f"merging {segmentation.n_regions:,} regions")
            hierarchy = found.merge(self.n_threads)
            if cut.wanted:
                segmentation = hierarchy.cut(cut.level, cut.n_regions)
            if "hierarchy" not in self.recipe.needs:
                hierarchy = None
            self.clock.lap("merge")
        for text in _doubts(found, segmentation, cut):
            self.note(text)
        return segmentation, hierarchy

    def record(self, source: str | os.PathLike[str]) -> dict[str, Any]:
        """Return what is kept of how the result was made."""
        recipe = self.recipe
        record: dict[str, Any] = {"input": os.fspath(source), "seconds": self.clock.laps}
        if recipe.every_page:
            record["page"] = recipe.page
        if recipe.cut.wanted:
            record["cut"] = {"level": recipe.cut.level, "n_regions": recipe.cut.n_regions}
        if self.notes:
            record["notes"] = self.notes
        return record


def find_regions(
    image: Image, recipe: Recipe, n_threads: int
) -> tuple[Leaves, NDArray[Any] | None]:
    """Return the regions, and the filtered picture if it is to be saved."""
    from segment.regions.bandwidths import resolve_bandwidths
    from segment.regions.checks import check_image
    from segment.regions.climbing import climb
    from segment.regions.filtering import paint
    from segment.regions.leaves import Leaves, find_leaves
    from segment.regions.segmenting import segmentation_of

    params, found = recipe.params, None
    if recipe.cut.any_size:
        pixels = check_image(image, color_space=params.color_space)
        found = find_leaves(
            pixels,
            resolve_bandwidths(params, pixels),
            n_threads,
            n_leaves=recipe.cut.n_regions or 1,
        )
        params = found.segmentation.params
        if "filtered" not in recipe.needs:
            return found, None
    # One climb for regions and the filtered picture, where the regions are of that size.
    climbed = climb(image, params, n_threads=n_threads)
    if found is None:
        found = Leaves(segmentation_of(climbed, n_threads=n_threads))
    return found, paint(climbed) if "filtered" in recipe.needs else None


def _doubts(found: Leaves, segmentation: Segmentation, cut: Cut) -> Iterator[str]:
    """Yield what is to be said of the result, unless it is what was asked for."""
    from segment.regions.doubts import doubts

    n, n_leaves = segmentation.n_regions, found.segmentation.n_regions
    if n == 0:
        yield "no pixel is left: all are nodata, masked or transparent"
    elif n == 1 and n_leaves > 1:
        if cut.n_regions != 1 and cut.level != 1:
            yield f"all {n_leaves:,} small regions are merged into one: a lower level keeps more"
    else:
        yield from doubts(n, segmentation._pixels, segmentation.params)


class Clock(Meter):
    """Seconds between laps, without what was spent on compiling."""

    def __init__(self) -> None:
        super().__init__()
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter() - self.seconds
        self.laps[name] = round(now - self._last, 4)
        self._last = now
