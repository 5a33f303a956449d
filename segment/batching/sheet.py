"""The contact sheet of a batch: one HTML file that opens from disk and needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

from segment import __version__
from segment.batching.manifest import Key, parse_entry
from segment.batching.plan import Survey
from segment.files import atomic_write, display_name, file_error

SHEET = "index.html"
LINKED = ("labels", "posterized", "filtered", "boundaries", "overlay", "preview", "sheet")
FACTS = ("regions", "json", "page")


def write_sheet(found: Survey, manifest: Path) -> Path:
    """Write the contact sheet for the pictures of a batch, failures first.

    Raises
    ------
    FileError
        If the manifest cannot be read or the sheet cannot be written.
    """
    parts = {name: _part(f"sheet.{name}") for name in ("html", "css", "js")}
    try:
        entries, n_failed = _offsets(manifest, {job.key for job in found.jobs})
    except OSError as error:
        raise file_error(manifest, error) from error
    # Hashes: no script runs but ours, whatever the file names say.
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(parts['css'])}'; "
        f"script-src '{_hash(parts['js'])}'; base-uri 'none'; form-action 'none'"
    )
    fields = {
        "policy": policy,
        "title": html.escape(f"Segmentations of {display_name(found.src.name)}"),
        "facts": html.escape(
            f"{len(entries):,} pictures, {n_failed:,} failed. {time.strftime('%Y-%m-%d %H:%M')}, "
            f"segment {__version__}. From left to right: the picture, its regions in their mean "
            "colours, their outlines."
        ),
        "style": parts["css"],
        "script": parts["js"],
    }
    before, _, after = parts["html"].partition("{{cards}}")
    target = found.dst / SHEET
    with atomic_write(target, overwrite=True) as stream:
        stream.write(_filled(before, fields).encode())
        for card in _cards(found, manifest, entries):
            stream.write(card.encode())
        stream.write(_filled(after, fields).encode())
    return target


def _part(name: str) -> str:
    return files("segment.batching").joinpath(name).read_text(encoding="utf-8")


def _filled(template: str, fields: dict[str, str]) -> str:
    for name, value in fields.items():
        template = template.replace("{{" + name + "}}", value)
    return template


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _offsets(manifest: Path, wanted: set[Key]) -> tuple[list[int], int]:
    """Return where the last entry of each input begins, failures first, and how many they are.

    Places and not entries: a sheet of 100,000 pictures is written in little memory.
    """
    last: dict[Key, tuple[bool, int]] = {}
    with manifest.open("rb") as stream:
        position = 0
        for line in stream:
            entry = parse_entry(line)
            if entry is not None and entry["status"] != "started":
                key = entry["input"], entry.get("page")
                if key in wanted:
                    last[key] = (entry["status"] == "ok", position)
            position += len(line)
    ordered = sorted(
        (good, name, -1 if page is None else page, place)
        for (name, page), (good, place) in last.items()
    )
    return [place for *_, place in ordered], sum(not good for good, *_ in ordered)


def _cards(found: Survey, manifest: Path, places: list[int]) -> Iterator[str]:
    for name, error in found.unreadable:
        yield _card(found.dst, {"input": name, "status": "failed", "error": error})
    with manifest.open("rb") as stream:
        for place in places:
            stream.seek(place)
            entry = parse_entry(stream.readline())
            if entry is not None:
                yield _card(found.dst, entry)


def _card(dst: Path, entry: dict[str, Any]) -> str:
    """Return one picture's part of the sheet; all of its texts are escaped."""
    name = html.escape(display_name(entry["input"]), quote=True)
    good = entry["status"] == "ok"
    outputs = entry.get("outputs") or {}
    picture = _thumbnail(dst, outputs.get("thumbnail")) if good else None
    image = f'<img alt="" loading="lazy" decoding="async" src="{picture}">' if picture else ""
    if image and "page" in outputs:
        image = f'<a href="{_address(outputs["page"])}" title="Explore">{image}</a>'
    if good:
        regions, seconds = int(entry["regions"]), float(entry["seconds"])
        width, height = int(entry["width"]), int(entry["height"])
        text = f"{regions:,} regions, {width} x {height}, {seconds:.2f} s"
        notes = entry.get("notes")
        for note in notes if isinstance(notes, list) else ():
            text += f"; {html.escape(display_name(str(note)))}"
        text = f"<p>{text}</p><p>{_links(outputs)}</p>"
    else:
        regions, seconds = -1, -1.0
        text = f"<p>{html.escape(display_name(str(entry.get('error'))))}</p>"
    status = "ok" if good else "failed"
    return (
        f'<article class="{status}" data-status="{status}" data-name="{name}" '
        f'data-regions="{regions}" data-seconds="{seconds}">'
        f"{image}<div><h2>{name}</h2>{text}</div></article>\n"
    )


def _links(outputs: dict[str, str]) -> str:
    return " ".join(
        f'<a href="{_address(outputs[kind])}">{kind}</a>'
        for kind in (*LINKED, *FACTS)
        if kind in outputs
    )


def _address(name: str) -> str:
    # "./" in front: no name can be taken for another scheme or host.
    return "./" + quote_from_bytes(os.fsencode(name))


def _thumbnail(dst: Path, name: str | None) -> str | None:
    if name is None:
        return None
    try:
        data = (dst / name).read_bytes()
    except OSError:
        return None
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()
