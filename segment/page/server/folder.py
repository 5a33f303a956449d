"""The pictures of one folder, what is saved beside them, and how far the work on them is."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

from segment.errors import FileError, InputError
from segment.files import atomic_write, display_name, write_bytes
from segment.images import looks_like_picture

NOTES = ".segment.json"
# What the page may save, beside the picture and named after it.
ENDINGS = re.compile(
    r"(labels|posterized|boundaries|cutout)\.png|cutouts\.zip|regions\.csv|geojson|svg"
    r"|(coco|labelme|project)\.json"
)
FORMAT = "segment folder 1"


class Folder:
    """A folder of pictures; nothing outside it is read or written.

    Parameters
    ----------
    root : Path
        The folder.
    only : str, optional
        The one picture to show.
    """

    def __init__(self, root: Path, only: str | None = None) -> None:
        self.root = root.resolve()
        self.only = only
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Return the names of the pictures, sorted; links that lead out are left out."""
        found = [
            path.name
            for path in self.root.iterdir()
            if looks_like_picture(path.name) and path.is_file() and self._inside(path)
        ]
        return sorted(name for name in found if not self._is_output(name) and self._is_shown(name))

    def path(self, name: str) -> Path:
        """Return the file of a picture.

        Raises
        ------
        InputError
            If there is no such picture in the folder.
        """
        if name not in self.names():
            raise InputError(f"there is no picture {display_name(name)} in the folder; choose one")
        return self.root / name

    def _inside(self, path: Path) -> bool:
        return path.resolve().parent == self.root

    def _is_shown(self, name: str) -> bool:
        return self.only is None or name == self.only

    @staticmethod
    def _is_output(name: str) -> bool:
        return re.search(r"\.(labels|posterized|boundaries|cutout)(-\d+)?\.png$", name) is not None

    def save(self, picture: str, ending: str, data: bytes) -> str:
        """Write what the page exports beside a picture, never over anything; return its name.

        Raises
        ------
        InputError, FileError
            If the ending is none of a page's exports, or the file cannot be written.
        """
        if not ENDINGS.fullmatch(ending):
            raise InputError(f"{display_name(ending)} is nothing that the page saves; export again")
        stem = self.path(picture).stem
        first, _, last = ending.rpartition(".")
        for k in range(1, 10_000):
            number = "" if k == 1 else f"-{k}"
            middle = f".{first}{number}" if first else number
            path = self.root / f"{stem}{middle}.{last}"
            if not path.exists():
                return write_bytes(path, data).name
        raise FileError(f"there are 9,999 files like {stem}.{ending}; remove some")

    def add(self, name: str, data: bytes) -> str:
        """Put a picture into the folder, never over another; return its name."""
        plain = Path(name.replace("\\", "/")).name
        if not looks_like_picture(plain) or plain.startswith("."):
            raise InputError(f"{display_name(plain)} is no picture by its name; give a .png, .jpg…")
        name = write_bytes(self.root / plain, data).name
        if self.only is not None:
            self.only = name
        return name

    def notes(self) -> dict[str, Any]:
        """Return the classes and the progress of the folder.

        Raises
        ------
        FileError
            If the file is damaged: it is not replaced.
        """
        try:
            notes = json.loads((self.root / NOTES).read_bytes())
        except FileNotFoundError:
            return {"format": FORMAT, "classes": None, "pictures": {}}
        except (OSError, ValueError):
            notes = None
        if not isinstance(notes, dict) or notes.get("format") != FORMAT:
            raise FileError(f"{NOTES} in the folder is damaged; repair or remove it")
        return notes

    def note(self, picture: str, entry: dict[str, Any]) -> None:
        """Keep the state of one picture, and its classes for all."""
        self.path(picture)
        with self._lock:
            notes = self.notes()
            notes["classes"] = entry["project"]["classes"]
            notes["pictures"][picture] = {
                "done": bool(entry["done"]),
                "options": entry["options"],
                "project": entry["project"],
            }
            with atomic_write(self.root / NOTES, overwrite=True) as stream:
                stream.write(json.dumps(notes, indent=1).encode())
