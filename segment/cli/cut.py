"""``segment cut``: another level of a hierarchy that was saved, without computing it again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segment.cli import groups, options
from segment.cli.progress import Display
from segment.errors import InputError
from segment.exports.kinds import KINDS
from segment.files import display_name
from segment.params import DEFAULT_LEVEL, Cut

if TYPE_CHECKING:
    from segment.cli.planning import Planned
    from segment.images import Image
    from segment.regions.hierarchy import Hierarchy
    from segment.regions.segmentation import Segmentation
    from segment.trees import Source

Tree = Annotated[
    Path,
    typer.Argument(metavar="TREE.npz", readable=False, help="What --save hierarchy has written."),
]
ProjectFile = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="FILE",
        readable=False,
        help="Cut as in a project that the page of the same tree has exported.",
    ),
]


@groups.grouped
def cut(
    context: typer.Context,
    tree: Tree,
    saving: groups.Saving,
    output: options.Output = Path("outputs"),
    project: ProjectFile = None,
    overwrite: options.Overwrite = False,
    quiet: options.Quiet = False,
    json: options.Json = False,
) -> None:
    """Cut a saved hierarchy at another level or number of regions.

    \b
    Examples:
      segment image photo.jpg --save hierarchy
      segment cut outputs/photo.hierarchy.npz --regions 12
      segment cut outputs/photo.hierarchy.npz --level 0.6 -o coarse --save overlay
      segment cut outputs/photo.hierarchy.npz --project photo.project.json --save labels
    """
    from segment import exports
    from segment.cli.planning import plan, prepare_folder
    from segment.trees import load_with_source

    with groups.usage(context):
        at = Cut(saving.level, saving.regions)
        if project is not None and at.wanted:
            raise InputError("--project says where to cut; drop --level or --regions")
        at = at if at.wanted else Cut(level=DEFAULT_LEVEL)
        kinds, given = saving.kinds, saving.given
        if json and output == exports.STDOUT:
            raise InputError("--json and -o - would both write to standard output; drop one")
        if "filtered" in kinds:
            raise InputError("save=filtered needs the climb itself; use  segment image")
        # Named after the picture, not after the tree.
        source = tree.with_name(tree.name.replace(".hierarchy.npz", ".npz"))
        (item,) = plan([source], output, kinds, existing="overwrite" if overwrite else "error")
    display = Display(quiet=quiet)
    with display.working(f"{display_name(tree)}: cutting"), display.compiling():
        hierarchy, origin = load_with_source(tree)
        segmentation, made, names = _cut(hierarchy, at, project)
        if names and "names" not in given and any("names" in KINDS[kind].options for kind in kinds):
            given["names"] = names
        if output != exports.STDOUT:
            prepare_folder(output if item.target is None else output.parent)
        record = {"input": os.fspath(tree), "cut": made}
        written = exports.save(
            segmentation,
            _image(segmentation, origin),
            item.stem,
            kinds,
            hierarchy=hierarchy,
            record=record,
            options=given,
            target=item.target,
            overwrite=overwrite,
        )
    if output == exports.STDOUT:
        return
    outputs = {kind: os.fspath(path) for kind, path in written.items()}
    if json:
        facts = exports.summary(segmentation) | record | {"outputs": outputs}
        display.print(exports.to_json(facts, indent=None))
    elif not quiet:
        display.print(_summary_line(tree, segmentation, item, outputs))


def _image(segmentation: Segmentation, source: Source) -> Image:
    """Return the picture as the tree holds it, called as its file was and where that lay."""
    from segment.images import Placement

    place = Placement(source.crs, source.transform) if source.crs else None
    return replace(segmentation.image(), path=source.name, place=place)


def _cut(
    hierarchy: Hierarchy, at: Cut, project: Path | None
) -> tuple[Segmentation, dict[str, Any], dict[int, str]]:
    """Return the regions, what is kept of where they were cut, and what they are called."""
    from segment.page import apply_project, class_names, read_project

    if project is None:
        made: dict[str, Any] = {"level": at.level, "n_regions": at.n_regions}
        return hierarchy.cut(at.level, at.n_regions), made, {}
    content = read_project(project)
    made = {"project": os.fspath(project)}
    return apply_project(hierarchy, content), made, class_names(content)


def _summary_line(
    tree: Path, segmentation: Segmentation, item: Planned, outputs: dict[str, str]
) -> str:
    from segment.cli.image import where

    n, level = segmentation.n_regions, segmentation.level
    scale = "as in the project" if level is None else f"level {level:.3g}"
    return f"{display_name(tree)}: {n:,} region{'s' * (n != 1)}, {scale} -> {where(item, outputs)}"
