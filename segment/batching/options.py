"""What a batch is asked to do, validated once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from segment.batching.picture import digest
from segment.errors import InputError
from segment.exports import parse_kinds
from segment.files import file_error
from segment.params import ON_EXISTS, choice, page_number, whole_number
from segment.regions.ranges import check_range
from segment.threads import resolve_n_threads
from segment.workflow import Recipe


@dataclass(frozen=True)
class BatchOptions:
    """How to run a batch; see `segment.batch` for what each one means."""

    recipe: Recipe = field(default_factory=Recipe)
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    on_exists: str = "error"
    jobs: int | None = None
    n_threads: int | None = None
    report: bool = False
    scheduler: str | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        for name in ("include", "exclude"):
            put(self, name, texts(name, getattr(self, name)))
        page_number(self.recipe.page)
        whole_number("max_pixels", self.recipe.max_pixels, minimum=1)
        kinds = parse_kinds(",".join(texts("save", self.recipe.kinds)))
        put(self, "recipe", replace(self.recipe, kinds=kinds))
        put(self, "on_exists", choice("on_exists", self.on_exists, ON_EXISTS))
        if self.jobs is not None:
            put(self, "jobs", resolve_n_threads(whole_number("jobs", self.jobs, minimum=1)))
        if self.n_threads is not None:
            put(self, "n_threads", resolve_n_threads(self.n_threads))
        if self.scheduler is not None and not isinstance(self.scheduler, str):
            raise InputError(
                f"scheduler={self.scheduler!r} is no address; give one such as tcp://host:8786"
            )

    def fingerprint(self) -> dict[str, Any]:
        """Return all that the outputs depend on; a picture is done again when it changes."""
        recipe = self.recipe
        return {
            **recipe.params.as_dict(),
            **asdict(recipe.cut),
            "save": list(recipe.kinds),
            # As they come back from the manifest: JSON knows no tuples.
            **json.loads(json.dumps(dict(recipe.options))),
            "page": recipe.page,
            "accept_damaged": recipe.accept_damaged,
            "nodata": None if recipe.nodata is None else str(recipe.nodata),
            "mask": None if recipe.mask is None else _content(recipe.mask),
            "value_range": list(check_range(recipe.value_range) or ()),
        }


def _content(path: str) -> str | list[list[Any]]:
    """Return the hash of a mask, or names, sizes and times of a folder of masks."""
    try:
        if not Path(path).is_dir():
            return digest(Path(path))
        files = sorted(file for file in Path(path).rglob("*") if file.is_file())
        facts = [(file, file.stat()) for file in files]
        return [[file.name, fact.st_size, fact.st_mtime_ns] for file, fact in facts]
    except OSError as error:
        raise file_error(path, error) from error


def texts(name: str, value: Sequence[str]) -> tuple[str, ...]:
    """Return a sequence of texts as a tuple, or raise InputError if it is none."""
    if isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{name}={value!r} is no list of texts; give one such as ['*.png']")
    return tuple(value)
