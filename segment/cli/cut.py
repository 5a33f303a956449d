"""``segment cut``: another level of a hierarchy that was saved, without computing it again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from segment.cli import groups, options
from segment.cli.progress import Display
from segment.errors import InputError
from segment.files import display_name
from segment.params import DEFAULT_LEVEL, Cut


@groups.grouped
def cut(
    context: typer.Context,
    tree: Annotated[
        Path,
        typer.Argument(
            metavar="TREE.npz", readable=False, help="What --save hierarchy has written."
        ),
    ],
    saving: groups.Saving,
    output: options.Output = Path("outputs"),
    project: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            readable=False,
            help="Cut as in a project that the page of the same tree has exported.",
        ),
    ] = None,
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
    from segment.page import apply_project, read_project
    from segment.regions.hierarchy import Hierarchy

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
        (job,) = plan([source], output, kinds, existing="overwrite" if overwrite else "error")
    display = Display(quiet=quiet)
    with display.working(f"{display_name(tree)}: cutting"), display.compiling():
        hierarchy = Hierarchy.load(tree)
        if project is None:
            segmentation = hierarchy.cut(at.level, at.n_regions)
            made: dict[str, Any] = {"level": at.level, "n_regions": at.n_regions}
        else:
            segmentation = apply_project(hierarchy, read_project(project))
            made = {"project": os.fspath(project)}
        if output != exports.STDOUT:
            prepare_folder(output if job.target is None else output.parent)
        record = {"input": os.fspath(tree), "cut": made}
        written = exports.save(
            segmentation,
            segmentation.image(),
            job.stem,
            kinds,
            hierarchy=hierarchy,
            record=record,
            options=given,
            target=job.target,
            overwrite=overwrite,
        )
    if output == exports.STDOUT:
        return
    outputs = {kind: os.fspath(path) for kind, path in written.items()}
    facts = exports.summary(segmentation) | record | {"outputs": outputs}
    if json:
        display.print(exports.to_json(facts, indent=None))
    elif not quiet:
        from segment.cli.image import where

        n = segmentation.n_regions
        level = segmentation.level
        scale = "as in the project" if level is None else f"level {level:.3g}"
        display.print(
            f"{display_name(tree)}: {n:,} region{'s' * (n != 1)}, {scale}"
            f" -> {where(job, facts['outputs'])}"
        )
