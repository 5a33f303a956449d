"""The `segment` command: the list of its commands, and what becomes of errors.

A command is a function in a module of its own, imported only when the command is run, so that
``segment --help`` and a mistyped option answer at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from segment import __version__
from segment.cli.progress import report
from segment.errors import INTERRUPTED, SegmentError
from segment.files import file_error

# Command -> module that defines a function of the same name, and the line that lists it.
COMMANDS: dict[str, tuple[str, str]] = {
    "image": ("segment.cli.image", "Segment pictures: label maps, flat colours, outlines."),
    "batch": ("segment.cli.batch", "Segment a whole folder; run again to go on or catch up."),
    "cut": ("segment.cli.cut", "Cut a saved hierarchy at another level or number of regions."),
    "scene": ("segment.cli.scene", "Segment rasters larger than memory, with coordinates."),
    "tune": ("segment.cli.tune", "Try, correct and label in the browser."),
    "bandwidth": ("segment.cli.bandwidth", "Say which bandwidths suit a picture, and why."),
    "points": ("segment.cli.points", "Cluster the rows of a table of numbers."),
    "palette": ("segment.cli.palette", "Find the main colours of pictures."),
    "warmup": (
        "segment.cli.warmup",
        "Compile now, so that later runs start at once.",
    ),
}


class LazyGroup(TyperGroup):
    """Imports a command when it is run or completed, and turns our errors into one line."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in COMMANDS:
            self.add_command(load(args[0]))
        elif args and (hint := meant(args[0])):
            raise typer.BadParameter(hint, ctx=ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SegmentError as error:
            from segment.cli.groups import explain, spelled

            command = self.get_command(ctx, ctx.invoked_subcommand or "")
            fail(explain(error, spelled(command) if command else {}))
        except MemoryError as error:
            fail(f"out of memory{f': {error}' if str(error) else ''}; use a smaller image")
        except BrokenPipeError:  # whoever read has seen enough, as `head` does
            drop_output()
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


def meant(word: str) -> str | None:
    """Return the command that was meant by a file in place of one; None if it is no file."""
    path = Path(word)
    if path.is_dir():
        return f"{word} is a folder; use  segment image {word}  or  segment batch {word} DST"
    ends = {".npz": "cut", ".csv": "points", ".tsv": "points", ".txt": "points", ".npy": "points"}
    if path.is_file() or path.suffix:
        command = ends.get(path.suffix.lower(), "image")
        return f"{word} is no command; use  segment {command} {word}"
    return None


def drop_output() -> None:
    """Let what is still to be printed go nowhere, at the end too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str) -> None:
    """Print `message` as one line on stderr and leave with exit code 1."""
    report(message)
    raise typer.Exit(1)


def load(name: str) -> Any:
    """Import the command `name`."""
    module, _ = COMMANDS[name]
    loaded = typer.Typer(rich_markup_mode=None, add_completion=False)
    loaded.command(name)(getattr(importlib.import_module(module), name))
    return typer.main.get_command(loaded)


def print_version(wanted: bool) -> None:
    if wanted:
        print(f"segment {__version__}")
        raise typer.Exit


# Plain help: it appears twice as fast as with rich, and pipes well.
app = typer.Typer(
    name="segment",
    cls=LazyGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def segment(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=print_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Cut images into regions by mean shift.

    \b
    Examples:
      segment image photo.jpg
      segment image photo.jpg --range-bandwidth 10 --min-size 100
      segment COMMAND --help
    """


for _name, (_, _summary) in COMMANDS.items():
    # Stands in the list of commands until `resolve_command` loads the real one.
    app.command(_name, help=_summary)(lambda: None)


def run() -> None:
    """Run the command line: exit code 0, 1 for an error, 2 for usage, 130 when interrupted."""
    fill_streams()
    # A file name that is no text in this locale must not end a run that went well.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="segment")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:  # of files they are FileErrors: this is of what was printed
        give_up_output(error)
    finally:
        flush_output()


def fill_streams() -> None:
    """Let no file of ours become one of the standard streams, where the shell closed them.

    What is printed to a closed stream goes nowhere; sys.stdout stays None for who must know.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def flush_output() -> None:
    """Print what is still waiting to be printed."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        drop_output()
    except OSError as error:
        give_up_output(error)


def give_up_output(error: OSError) -> NoReturn:
    """Say that nothing can be printed, and leave with exit code 1."""
    drop_output()
    report(str(file_error("standard output", error, "write")))
    sys.exit(1)
