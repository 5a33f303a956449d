"""One COCO file for a whole batch, put together from those of its pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from segment.batching.manifest import Entry, Key, read_manifest
from segment.errors import FileError
from segment.files import atomic_write, display_name, file_error
from segment.shapes.annotating import coco_file

ANNOTATIONS = "annotations.json"
KIND = "coco"


def refuse_foreign(folder: Path, entries: dict[Key, Entry], on_exists: str) -> None:
    """Raise FileError if the file exists and no run of this batch can have written it."""
    ours = any(KIND in entry.get("outputs", {}) for entry in entries.values())
    if on_exists != "overwrite" and not ours and (folder / ANNOTATIONS).exists():
        raise FileError(
            f"{display_name(folder / ANNOTATIONS)} exists and is not of this batch; remove it or "
            "choose --on-exists overwrite"
        )


def write_annotations(folder: Path, manifest: Path, category: str) -> Path:
    """Write the annotations of every picture that is done, by the names of the pictures.

    Parameters
    ----------
    folder : Path
        Where the outputs are; the file is ``annotations.json`` in it.
    manifest : Path
        What says which they are.
    category : str
        What the regions are called.

    Raises
    ------
    FileError
        If a picture's annotations cannot be read, or the file cannot be written.
    """
    content = coco_file([], [], categories=[category])
    categories: list[Any] = []
    pictures: list[dict[str, Any]] = []
    n = 0
    path = folder / ANNOTATIONS
    with atomic_write(path, overwrite=True) as stream:

        def write(text: str) -> None:
            stream.write(text.encode("ascii"))

        write(f'{{"info":{json.dumps(content["info"])},')
        write('"annotations":[')
        for name, own in _contents(folder, manifest):
            picture = {**own["images"][0], "id": len(pictures) + 1, "file_name": name}
            pictures.append(picture)
            # All begin alike; the last, for regions without a name, not every picture needs.
            categories = max(categories, own["categories"], key=len)
            for item in own["annotations"]:
                n += 1
                item |= {"id": n, "image_id": picture["id"]}
                write(("\n" if n == 1 else ",\n") + json.dumps(item, separators=(",", ":")))
        write(f'\n],"categories":{json.dumps(categories or content["categories"])},')
        write(f'"images":{json.dumps(pictures)}}}\n')
    return path


def _contents(folder: Path, manifest: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each picture, and what its COCO file holds."""
    entries = read_manifest(manifest)
    for key in sorted(entries, key=lambda key: (key[0], key[1] or 0)):
        output = entries[key].get("outputs", {}).get(KIND)
        if entries[key].get("status") != "ok" or output is None:
            continue
        path = folder / output
        try:
            yield key[0], json.loads(path.read_bytes())
        except OSError as error:
            raise file_error(path, error) from error
        except ValueError as error:
            raise FileError(
                f"{display_name(path)} is no COCO file any more ({error}); remove it, and run again"
            ) from error
