"""``segment batch``: every picture of a folder, resumable."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from segment.cli import groups
from segment.cli.progress import Display, stages
from segment.cli.progress import report as print_error
from segment.files import display_name
from segment.notices import listening

if TYPE_CHECKING:
    from segment.batching.report import Progress, Report

EVERY = 10.0  # seconds between lines of progress, where there is no terminal
MOST = 50  # failures that are listed


@groups.grouped
def batch(
    context: typer.Context,
    src: Annotated[Path, typer.Argument(metavar="SRC", help="Folder of pictures; only read.")],
    dst: Annotated[Path, typer.Argument(metavar="DST", help="Folder of the outputs.")],
    work: groups.Work,
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Take only files like this; may be repeated."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Leave out files like this; may be repeated."),
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Write DST/index.html, a contact sheet.")
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Work on a Dask cluster, such as tcp://host:8786."),
    ] = None,
) -> None:
    """Segment every picture of a folder and its subfolders.

    The outputs lie in DST as the pictures lie in SRC. DST/manifest.jsonl records what was done, so
    the same command, run again, does what is missing, changed or failed, and nothing else. Stop it
    whenever you like.

    \b
    Examples:
      segment batch photos segmented
      segment batch photos segmented --jobs 8 --report
      segment batch scans labels --include '*.tif' --save labels,json
    """
    from segment.batching import BatchOptions
    from segment.batching.api import run
    from segment.threads import resolve_n_threads

    with groups.usage(context):
        wanted = BatchOptions(
            recipe=work.recipe(context),
            include=include or (),
            exclude=exclude or (),
            on_exists=work.existing,
            jobs=work.jobs,
            n_threads=work.n_threads,
            report=report,
            scheduler=scheduler,
        )
    if scheduler is None and src.is_dir():
        Display(quiet=work.quiet).prepare(resolve_n_threads(work.n_threads), wanted.recipe.kinds)
    with display(work) as show, listening(print_error), interruption(show):
        ended = run(src, dst, wanted, show)
    if work.json:
        print(to_line(totals(ended)))
    elif not work.quiet:
        print_notes(ended, partial(groups.explain, names=groups.spelled(context.command)))
        print(summary(ended, dst))
    if not ended.ok:
        print_failures(ended, told=show.told)
        raise typer.Exit(1)


@contextmanager
def interruption(show: Silent) -> Iterator[None]:
    """Say at Ctrl-C what was done and how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        print_error(
            f"interrupted; {show.done} of {show.total} pictures of this run are done. To go on, "
            "run the same again"
        )
        raise


def to_line(content: Mapping[str, Any]) -> str:
    from segment.exports import to_json

    return to_json(content, indent=None)


def totals(ended: Report) -> dict[str, Any]:
    """Return how a run ended, for the last line of ``--json``."""
    return {
        "done": ended.done,
        "unchanged": ended.unchanged,
        "skipped": ended.skipped,
        "failed": len(ended.failures),
        "seconds": round(ended.seconds, 4),
        "litter": list(ended.litter),
        "manifest": str(ended.manifest),
        "index": None if ended.index is None else str(ended.index),
    }


def summary(ended: Report, dst: Path) -> str:
    """Return the line that ends a run."""
    parts = [f"{ended.done:,} done"]
    for count, name in (
        (ended.unchanged, "unchanged"),
        (ended.skipped, "skipped"),
        (len(ended.failures), "failed"),
    ):
        if count:
            parts.append(f"{count:,} {name}")
    where = ended.index if ended.index is not None else dst
    return f"{', '.join(parts)} in {duration(ended.seconds)} -> {display_name(where)}"


def print_notes(ended: Report, spell: Callable[[str], str]) -> None:
    """Print what is worth knowing of the pictures, once each, on stderr."""
    for note, names in list(ended.notes.items())[:MOST]:
        name = display_name(names[0])
        what = name if len(names) == 1 else f"{len(names):,} pictures, such as {name}"
        print(f"segment: {what}: {spell(note)}", file=sys.stderr)
    if len(ended.notes) > MOST:
        more, manifest = len(ended.notes) - MOST, display_name(ended.manifest)
        print(f"segment: and {more:,} more notes; see {manifest}", file=sys.stderr)


def print_failures(ended: Report, *, told: int) -> None:
    """Print what failed and why, one a line, on stderr; the last `told` have been printed."""
    rest = ended.failures[: len(ended.failures) - told]
    for failure in rest[:MOST]:
        print_error(failure.error)
    if len(rest) > MOST:
        print_error(f"and {len(rest) - MOST:,} more failures; see {display_name(ended.manifest)}")


class Silent:
    """Shows nothing, but counts; `told` is how many failures have been printed."""

    told = done = total = 0

    def __call__(self, progress: Progress) -> None:
        self.done, self.total = progress.done - progress.failed, progress.total
        self.show(progress)

    def show(self, progress: Progress) -> None:
        pass


@contextmanager
def display(work: groups.Work) -> Iterator[Silent]:
    """Yield what shows the progress of a run: a bar on a terminal, else lines on stderr."""
    if work.json:
        yield Objects()
    elif work.quiet:
        yield Silent()
    elif sys.stderr.isatty():
        with bar() as show:
            yield show
    else:
        yield Lines(verbose=work.verbose)


class Objects(Silent):
    """One JSON object a picture on stdout, as it stands in the manifest."""

    def show(self, progress: Progress) -> None:
        if progress.entry is not None:
            print(to_line(progress.entry), flush=True)


class Lines(Silent):
    """Progress as plain lines: each failure at once, the rest now and then."""

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._last = time.monotonic()

    def show(self, progress: Progress) -> None:
        if progress.done == 0:
            self._print(f"{progress.total:,} picture{'s' * (progress.total != 1)} to do")
        if progress.failure is not None:
            self.told += 1
            self._print(progress.failure.error)
        elif self._verbose and progress.entry is not None:
            name = display_name(progress.entry["input"])
            self._print(f"{name}: {stages(progress.entry['stages'])}")
        now = time.monotonic()
        if now - self._last >= EVERY and progress.done < progress.total:
            self._last = now
            self._print(
                f"{progress.done:,} of {progress.total:,}, {progress.failed:,} failed, "
                f"{progress.rate:.1f} a second, {duration(progress.remaining)} left"
            )

    def _print(self, text: str) -> None:
        print(f"segment: {text}", file=sys.stderr, flush=True)


@contextmanager
def bar() -> Iterator[Silent]:
    """Yield a callable that shows progress as a bar with rate, time left and failures."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f}/s"),
        TextColumn("{task.fields[left]} left"),
        TextColumn("{task.fields[failed]} failed"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=None, rate=0.0, left="?", failed=0)

        class Moving(Silent):
            def show(self, progress: Progress) -> None:
                shown.update(
                    task,
                    total=progress.total,
                    completed=progress.done,
                    rate=progress.rate,
                    left=duration(progress.remaining),
                    failed=progress.failed,
                )

        yield Moving()


def duration(seconds: float) -> str:
    """Return seconds for people.

    >>> duration(3700)
    '1 h 2 min'
    """
    if seconds == float("inf"):
        return "?"
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
