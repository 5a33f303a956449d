"""What a batch is asked to do, validated once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from segment.errors import InputError
from segment.exports import DEFAULT_KINDS, parse_kinds
from segment.images import MAX_PIXELS
from segment.params import MeanShiftParams, choice, whole_number
from segment.threads import resolve_n_threads

ON_EXISTS = ("error", "skip", "overwrite")


@dataclass(frozen=True)
class BatchOptions:
    """How to run a batch; see `segment.batch` for what each one means."""

    params: MeanShiftParams = field(default_factory=MeanShiftParams)
    save: Sequence[str] = DEFAULT_KINDS
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    on_exists: str = "error"
    jobs: int | None = None
    report: bool = False
    scheduler: str | None = None
    page: int = 0
    max_pixels: int = MAX_PIXELS
    accept_damaged: bool = False

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("save", "include", "exclude"):
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(item, str) for item in value):
                raise InputError(
                    f"{name}={value!r} is no list of texts; give one such as ['*.png']"
                )
            put(self, name, tuple(value))
        put(self, "save", parse_kinds(",".join(self.save)))
        put(self, "on_exists", choice("on_exists", self.on_exists, ON_EXISTS))
        if self.jobs is not None:
            put(self, "jobs", resolve_n_threads(whole_number("jobs", self.jobs, minimum=1)))
        put(self, "page", whole_number("page", self.page, minimum=0))
        put(self, "max_pixels", whole_number("max_pixels", self.max_pixels, minimum=1))
        if self.scheduler is not None and not isinstance(self.scheduler, str):
            raise InputError(
                f"scheduler={self.scheduler!r} is no address; give one such as tcp://host:8786"
            )

    def fingerprint(self) -> dict[str, Any]:
        """Return all that the outputs depend on; a picture is done again when it changes."""
        return {
            **self.params.as_dict(),
            "save": list(self.save),
            "page": self.page,
            "accept_damaged": self.accept_damaged,
        }
