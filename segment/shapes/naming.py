"""What regions are called: one word for all of them, or a name for each."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segment.errors import FileError, InputError
from segment.files import display_name, file_error

REGION = "region"


@dataclass(frozen=True)
class Naming:
    """What regions are called.

    Attributes
    ----------
    names : mapping
        Label -> name; regions that are not in it are called by `category`.
    category : str
        What all other regions are called.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    category: str = REGION

    def of(self, label: int) -> str:
        """Return what a region is called."""
        return self.names.get(label, self.category)

    def categories(self, labels: Iterable[int]) -> list[str]:
        """Return all names, by rising label, whether or not they are used here, so that they have
        the same numbers in every picture; last the category, if one of the labels needs it."""
        named = list(dict.fromkeys(self.names[label] for label in sorted(self.names)))
        needed = not named or any(label not in self.names for label in labels)
        return [*named, self.category] if needed and self.category not in named else named


def check_names(names: Mapping[Any, Any]) -> dict[int, str]:
    """Return names by label; empty ones are left out.

    Raises
    ------
    InputError
        If a label is no whole number from 1 on, or a name no text.
    """
    found: dict[int, str] = {}
    for label, name in names.items():
        text = str(label).strip()
        if not text.isdecimal() or int(text) < 1:
            raise InputError(f"names have the label {label!r}; give whole numbers from 1 on")
        if not isinstance(name, str):
            raise InputError(f"names call label {text} {name!r}; give a text")
        if name.strip():
            found[int(text)] = name.strip()
    if not found:
        raise InputError("names are empty; give one a label, such as {1: 'sky', 2: 'sea'}")
    return found


def read_names(path: str | os.PathLike[str]) -> dict[int, str]:
    """Read the names of regions.

    A table (CSV) has the columns ``label`` and ``name``, such as that of ``--save regions`` with
    one column added. JSON is an object, ``{"1": "sky", "2": "sea"}``, or a list, the name of label
    1 first; or the explorer's project, in which label k is of the k-th class.

    Raises
    ------
    FileError
        If the file cannot be read, or is none of these.
    """
    name = display_name(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise file_error(path, error) from error
    except UnicodeDecodeError as error:
        raise FileError(f"{name} is no text in UTF-8; save it as CSV or JSON in UTF-8") from error
    try:
        return check_names(_parse(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = str(error) if isinstance(error, InputError) else "it is neither of the two"
        raise FileError(
            f"{name} holds no names of regions: {reason}; give CSV with the columns label and "
            'name, or JSON such as {"1": "sky"}'
        ) from error


def _parse(text: str) -> Mapping[Any, Any]:
    if text.lstrip()[:1] not in {"{", "["}:
        rows = csv.DictReader(io.StringIO(text))
        return {row["label"]: row["name"] or "" for row in rows}
    content = json.loads(text)
    if isinstance(content, dict) and "classes" in content:
        content = [entry["name"] for entry in content["classes"]]
    return dict(enumerate(content, 1)) if isinstance(content, list) else dict(content.items())
