"""What a batch tells: its progress while it runs, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Failure:
    """A picture that could not be done, and why, on one line."""

    input: str
    error: str


@dataclass(frozen=True)
class Progress:
    """How far a batch is.

    Attributes
    ----------
    done, failed, total : int
        Pictures finished in this run, failures among them, and all that are to be done.
    seconds : float
        Since the first picture was begun.
    failure : Failure or None
        The picture just finished, if it failed.
    entry : mapping or None
        What the manifest says of the picture just finished.
    """

    done: int
    failed: int
    total: int
    seconds: float
    failure: Failure | None = None
    entry: Mapping[str, Any] | None = None

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float:
        """Seconds that are left, if it goes on like this; infinite before the first picture."""
        return (self.total - self.done) / self.rate if self.rate else float("inf")


@dataclass(frozen=True)
class Report:
    """How a batch ended.

    Attributes
    ----------
    done : int
        Pictures done in this run.
    unchanged : int
        Pictures done by an earlier run, with the same content and options.
    skipped : int
        Pictures left alone because outputs of their name existed.
    failures : tuple of Failure
        Pictures that could not be done, and folders that could not be read.
    seconds : float
        Duration of the run.
    manifest : Path
        The manifest, a JSON object a line.
    notes : mapping of str to tuple of str
        What is worth knowing, such as pages that were not read -> the pictures done in this run
        that it is true of.
    litter : tuple of str
        What was passed by as no picture of anybody's: ``._photo.jpg``, ``Thumbs.db``, hidden
        folders.
    index : Path or None
        The contact sheet, if one was asked for.
    """

    done: int
    unchanged: int
    skipped: int
    failures: tuple[Failure, ...]
    seconds: float
    manifest: Path
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    litter: tuple[str, ...] = ()
    index: Path | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failures
