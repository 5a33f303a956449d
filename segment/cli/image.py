"""``segment image``: pictures in; label maps, flat colours and outlines out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from segment.cli import groups, options
from segment.cli.progress import Display, stages
from segment.errors import SegmentError
from segment.files import display_name
from segment.memory import SHARE, Budget, free_memory
from segment.params import EVERY_PAGE, whole_number

if TYPE_CHECKING:
    from segment.cli.planning import Planned
    from segment.workflow import Recipe


@groups.grouped
def image(
    context: typer.Context,
    images: options.Images,
    work: groups.Work,
    output: options.Output = Path("outputs"),
) -> None:
    """Segment pictures: label map, flat colours, outlines and facts of each.

    Transparent pixels and nodata are left out and get label 0. Of a folder its pictures are taken,
    without those of folders below it. IMAGE - reads standard input; -o - writes to standard output,
    and -o FILE to that file, what one --save names.

    \b
    Examples:
      segment image photo.jpg
      segment image photo.jpg --regions 12
      segment image *.jpg -o results --range-bandwidth 10 --min-size 200
      segment image photo.jpg --save all --overwrite
      segment image photo.jpg --save overlay -o outlined.png
      segment image - -o - --save overlay < photo.jpg > outlined.png
    """
    from segment import exports
    from segment.cli.planning import plan, prepare_folder
    from segment.errors import InputError
    from segment.threads import resolve_n_threads

    with groups.usage(context):
        recipe = work.recipe(context)
        n_threads = resolve_n_threads(work.n_threads)
        n_jobs = 1 if work.jobs is None else whole_number("jobs", work.jobs, minimum=1)
        existing = work.existing
        if work.json and output == exports.STDOUT:
            raise InputError(
                "--json and -o - would both write to standard output; drop one of them"
            )
        items = plan(
            images,
            output,
            recipe.kinds,
            existing=existing,
            every_page=recipe.page == EVERY_PAGE,
        )
    if output != exports.STDOUT:
        prepare_folder(output if items[0].target is None else output.parent)
    names = groups.spelled(context.command)
    display = Display(quiet=work.quiet, spell=partial(groups.explain, names=names))
    todo = [item for item in items if not item.skipped]
    for item in items:
        if item.skipped:
            display.note(f"{display_name(item.source)}: left out, its outputs exist")
    n_jobs = min(n_jobs, len(todo) or 1)
    maker = Maker(
        recipe,
        max(1, n_threads // n_jobs),
        existing == "overwrite",
        display,
        names,
        work.json,
        Budget(SHARE * free_memory()) if n_jobs > 1 else None,
    )
    done, failed = 0, 0
    try:
        display.prepare(n_threads if todo else 1, recipe.kinds)
        for item, facts in maker.run_all(todo, n_jobs):
            done += facts is not None
            failed += facts is None
            if facts is not None and output != exports.STDOUT:
                tell(display, item, facts, work)
    except KeyboardInterrupt:
        if len(todo) > 1:
            display.error(
                f"interrupted; {done} of {len(todo)} pictures are done. To go on, run the same "
                "with --on-exists skip"
            )
        raise
    if failed:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Maker:
    """Does pictures, and shows it."""

    recipe: Recipe
    n_threads: int
    overwrite: bool
    display: Display
    names: dict[str, str]  # options as they are typed
    json: bool
    budget: Budget | None  # of pictures that are done at once

    def run_all(
        self, items: Sequence[Planned], n_jobs: int
    ) -> Iterator[tuple[Planned, dict[str, Any] | None]]:
        """Do all items, `n_jobs` at a time; yield each with the facts about it, None if it failed.

        What goes wrong with one is printed, and the others are still done. What is said of a
        picture comes in its turn, so that any `n_jobs` print the same.
        """
        if n_jobs == 1:
            for item in items:
                yield item, self.run(item)
            return
        displays = [self.display.held() for _ in items]
        pool = ThreadPoolExecutor(n_jobs)
        try:
            with self.display.working(f"{len(items)} pictures"):
                makers = [replace(self, display=display) for display in displays]
                results = pool.map(Maker.run, makers, items)
                for done, (item, display) in enumerate(zip(items, displays, strict=True)):
                    self.display.watch(done, len(items))
                    facts = next(results)
                    display.release()
                    yield item, facts
        finally:
            pool.shutdown(cancel_futures=True)
            for display in displays:
                display.release()

    def run(self, item: Planned) -> dict[str, Any] | None:
        """Do one item and return the facts about it; None, and a line on stderr, if it fails."""
        name = display_name(item.source)
        try:
            return self._make(item)
        except SegmentError as error:
            text = groups.explain(error, self.names)
        except MemoryError:
            text = "out of memory; use a smaller picture, or fewer --jobs"
        self.display.error(text if name in text else f"{name}: {text}")
        return None

    def _make(self, item: Planned) -> dict[str, Any]:
        from segment.exports import rows
        from segment.workflow import make

        name = display_name(item.source)
        with (
            self.display.working(f"{name}: reading"),
            self.display.compiling(),
            nullcontext() if self.budget is None else self.budget.sharing() as ask,
        ):
            recipe = self.recipe
            if item.page is not None:
                recipe = replace(recipe, page=item.page, every_page=True)
            product = make(
                item.source,
                item.stem,
                recipe,
                n_threads=self.n_threads,
                target=item.target,
                overwrite=self.overwrite,
                resume=item.resumed,
                show=self.display,
                ask=ask,
            )
        outputs = {kind: os.fspath(path) for kind, path in product.outputs.items()}
        facts = {**product.facts, "outputs": outputs}
        if self.json and "regions" in recipe.kinds:
            columns = product.segmentation.regions(recipe.options.get("properties", ()))
            facts["regions"] = rows(columns)
        return facts


def tell(display: Display, item: Planned, facts: dict[str, Any], work: groups.Work) -> None:
    """Print what came of a picture."""
    from segment.exports import to_json

    if work.json:
        display.print(to_json(facts, indent=None))
    elif not work.quiet:
        display.print(summary_line(item, facts))
        if work.verbose:
            display.print(f"  {stages(facts['seconds'])}")


def summary_line(item: Planned, facts: dict[str, Any]) -> str:
    """Return what is printed of a picture; a shell expands the names at its end."""
    n = facts["n_regions"]
    page = "" if item.page is None else f", page {item.page}"
    return (
        f"{display_name(item.source)}{page}: {n:,} region{'s' * (n != 1)}, "
        f"{facts['width']}x{facts['height']}, {sum(facts['seconds'].values()):.2f} s"
        f" -> {where(item, facts['outputs'])}"
    )


def where(item: Planned, outputs: dict[str, str]) -> str:
    """Return the outputs' names as a shell would expand them."""
    if item.target is not None:
        return display_name(item.target)
    ends = [Path(path).name[len(item.stem.name) + 1 :] for path in outputs.values()]
    names = ends[0] if len(ends) == 1 else "{" + ",".join(ends) + "}"
    return f"{display_name(item.stem)}.{names}"
