"""Options that several commands take together, and how messages name them.

A command that is `grouped` gets a group as one argument; Typer sees every field as an option.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

import typer

from segment.cli import kind_options, options
from segment.errors import InputError, SegmentError
from segment.exports.kinds import KINDS, check_options, every_kind, parse_kinds
from segment.params import (
    MAX_PIXELS,
    ON_EXISTS,
    SVG_STYLES,
    Cut,
    MeanShiftOptions,
    choice,
    choose_scale,
    page_number,
    positive_number,
    whole_number,
)

if TYPE_CHECKING:
    from segment.workflow import Recipe


def _check_values(given: Mapping[str, Any]) -> None:
    """Raise InputError if an option for the kinds to be saved is out of its domain."""
    if "outline_width" in given:
        positive_number("outline_width", given["outline_width"])
    if "svg_style" in given:
        choice("svg_style", given["svg_style"], SVG_STYLES)
    if "tolerance" in given:
        from segment.shapes.polygons import check_tolerance

        check_tolerance(given["tolerance"])
    if "palette" in given:
        from segment.shapes.coloring import check_palette

        check_palette(given["palette"])


@dataclass(frozen=True)
class Saving:
    """Where to cut, and what is saved how: what every command that saves pictures is told."""

    save: options.Save = options.SAVED
    regions: options.Regions = None
    level: options.Level = None
    outline_color: kind_options.OutlineColor = None
    outline_width: kind_options.OutlineWidth = None
    properties: kind_options.Properties = None
    svg_style: kind_options.SvgStyle = None
    palette: kind_options.Palette = None
    tolerance: kind_options.Tolerance = None
    smooth: kind_options.Smooth = False
    category: kind_options.Category = None
    names: kind_options.Names = None
    coco_polygons: kind_options.CocoPolygons = False

    @property
    def given(self) -> dict[str, Any]:
        """How kinds are saved: the options for that which were given.

        Raises
        ------
        InputError
            If one is out of its domain, or goes with no kind that is saved.
        """
        names = {name for kind in KINDS.values() for name in kind.options}
        found = {name: getattr(self, name, None) for name in names}
        found = {k: value for k, value in found.items() if value is not None and value is not False}
        if self.palette is not None:
            texts = [text.strip() for text in self.palette.split(",")]
            found["palette"] = int(texts[0]) if texts[0].isdecimal() and len(texts) == 1 else texts
        if self.names is not None:
            from segment.shapes.naming import read_names

            found["names"] = read_names(self.names)
        check_options(self.kinds, found)
        _check_values(found)
        return found

    @property
    def kinds(self) -> tuple[str, ...]:
        """What to save; names from `segment.exports.KINDS`."""
        return every_kind() if self.save == "all" else parse_kinds(self.save)


@dataclass(frozen=True)
class Work(Saving):
    """What `image` and `batch` are told alike: one field an option."""

    spatial_bandwidth: options.SpatialBandwidth = options.PLAIN.spatial_bandwidth
    range_bandwidth: options.RangeBandwidth = options.PLAIN.range_bandwidth
    min_size: options.MinSize = options.PLAIN.min_size
    kernel: options.Kernel = options.PLAIN.kernel
    color_space: options.ColorSpace = options.PLAIN.color_space
    engine: options.Engine = options.PLAIN.engine
    connectivity: options.Connectivity = options.PLAIN.connectivity
    max_iter: options.MaxIter = options.PLAIN.max_iter
    tol: options.Tol = options.PLAIN.tol
    page: options.Pages = 0
    max_pixels: options.MaxPixels = MAX_PIXELS
    accept_damaged: options.AcceptDamaged = False
    nodata: options.Nodata = None
    mask: options.Mask = None
    value_range: options.ValueRange = None
    n_threads: options.NThreads = None
    jobs: options.Jobs = None
    on_exists: options.OnExists = "error"
    overwrite: options.Overwrite = False
    quiet: options.Quiet = False
    verbose: options.Verbose = False
    json: options.Json = False

    def recipe(self, context: typer.Context) -> Recipe:
        """Return what is to be done with a picture.

        Raises
        ------
        InputError
            If an option is out of its domain.
        """
        from segment.workflow import Recipe

        bandwidths: dict[str, Any] = {
            "spatial_bandwidth": self.spatial_bandwidth,
            "range_bandwidth": self.range_bandwidth,
        }
        given = {name: value for name, value in bandwidths.items() if is_given(context, name)}
        chosen, cut = choose_scale(given, Cut(self.level, self.regions))
        return Recipe(
            params=MeanShiftOptions(
                **(bandwidths | chosen),
                min_size=self.min_size,
                kernel=self.kernel,
                color_space=self.color_space,
                engine=self.engine,
                connectivity=self.connectivity,
                max_iter=self.max_iter,
                tol=self.tol,
            ),
            cut=cut,
            kinds=self.kinds,
            options=self.given,
            page=page_number(self.page),
            max_pixels=whole_number("max_pixels", self.max_pixels, minimum=1),
            accept_damaged=self.accept_damaged,
            nodata=self.nodata,
            mask=None if self.mask is None else str(self.mask),
            value_range=self.value_range,
        )

    @property
    def existing(self) -> str:
        """What to do about outputs that exist: "error", "skip" or "overwrite"."""
        chosen = choice("on_exists", self.on_exists, ON_EXISTS)
        if self.overwrite and chosen == "skip":
            raise InputError(
                "--overwrite and --on-exists skip contradict each other; give one of them"
            )
        return "overwrite" if self.overwrite else chosen


def is_given(context: typer.Context, name: str) -> bool:
    """Whether the user gave an option, be it with its default's value."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take groups of options: a parameter that is a dataclass, such as `Work`.

    Typer sees every field as an option of its own, behind the options that the command names.
    """
    own: list[inspect.Parameter] = []
    shared: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        keyword = parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        if not is_dataclass(parameter.annotation):
            own.append(keyword)
            continue
        groups[name] = parameter.annotation
        hints = get_type_hints(parameter.annotation, include_extras=True)
        shared += [
            keyword.replace(name=field.name, default=field.default, annotation=hints[field.name])
            for field in fields(parameter.annotation)
        ]

    def taking(**given: Any) -> None:
        filled = {
            name: group(**{field.name: given.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**given, **filled)

    taking.__doc__, taking.__name__ = command.__doc__, command.__name__
    taking.__annotations__ = {p.name: p.annotation for p in own + shared}
    taking.__signature__ = inspect.Signature(own + shared)  # type: ignore[attr-defined]
    return taking


# What the API calls otherwise than the option.
_OTHER_NAMES = {"n_regions": "regions", "n_jobs": "n_threads"}


def spelled(command: Any) -> dict[str, str]:
    """Return the API's name of each option of a command -> the option as it is typed."""
    typed = {
        parameter.name: max(parameter.opts, key=len)
        for parameter in command.params
        if parameter.param_type_name == "option"
    }
    others = {api: typed[name] for api, name in _OTHER_NAMES.items() if name in typed}
    return typed | others


def explain(error: SegmentError | str, names: Mapping[str, str]) -> str:
    """Return an error's message with parameters named as the options that they are here."""
    text = str(error)
    if not names or not isinstance(error, InputError | str):
        return text
    words = "|".join(sorted(map(re.escape, names), key=len, reverse=True))

    def option(found: re.Match[str]) -> str:
        value = found[2]
        return names[found[1]] + ("" if value is None else f" {value.strip(chr(39))}")

    text = re.sub(rf"(?<![\w.-])({words})=('[^']*'|[^\s,;']+)", option, text)
    # Without a value, only what can be no word of English.
    snakes = "|".join(name for name in names if "_" in name)
    return re.sub(rf"(?<![\w.-])({snakes})\b()", lambda f: names[f[1]], text) if snakes else text


@contextmanager
def usage(context: typer.Context) -> Iterator[None]:
    """Turn what is wrong with the options in the block into a usage error: exit code 2."""
    try:
        yield
    except InputError as error:
        text = explain(error, spelled(context.command))
        raise typer.BadParameter(text, ctx=context) from error
