"""One self-contained HTML file from the modules in ``static/``, a picture and a tree."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from functools import cache
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segment.drawing import fitted, shown_range, to_rgb
from segment.files import display_name, write_bytes
from segment.images import encode_for_screen
from segment.page.pack import pack

if TYPE_CHECKING:
    from segment.images import Image
    from segment.regions.hierarchy import Hierarchy

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_TOP = re.compile(r"^(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)


def write_page(
    hierarchy: Hierarchy,
    image: Image,
    path: str | PathLike[str],
    *,
    n_regions: int | None = None,
    overwrite: bool = False,
) -> Path:
    """Write the explorer of a hierarchy to one HTML file, which needs no network.

    Parameters
    ----------
    hierarchy : Hierarchy
    image : Image
        The picture that it is of.
    path : path-like
    n_regions : int, optional
        Where the page begins to cut; by default at level 0.45.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    FileError
        If the file exists and may not be replaced, or cannot be written.
    InputError
        If the picture is too large for browsers.
    """
    name = page_name(image) or Path(path).stem
    data = build_page(hierarchy, image, name=display_name(name), n_regions=n_regions)
    return write_bytes(path, data, overwrite=overwrite)


def page_name(image: Image) -> str:
    """Return what a page calls a picture: the name of its file, "" where it has none."""
    return "" if image.path in ("", "-") else display_name(Path(image.path).name)


def build_page(
    hierarchy: Hierarchy,
    image: Image,
    *,
    name: str,
    n_regions: int | None = None,
    longest: int | None = None,
    served: bool = False,
) -> bytes:
    """Return what `write_page` writes.

    Parameters
    ----------
    name : str
        What the page calls the picture.
    longest : int, optional
        Pixels of the longer side of the picture that is put in; the regions keep theirs.
    served : bool
        Whether the page is for `segment tune`, whose server it may then ask.
    """
    shown = to_rgb(image.pixels, image.mask, value_range=image.value_range)
    picture, media = encode_for_screen(shown if longest is None else fitted(shown, longest))
    facts = {**describe(image), "name": name, "n_regions": n_regions}
    packed = base64.b64encode(pack(hierarchy, facts)).decode()
    return fill(
        title=f"{name} · segment",
        picture=f"data:{media};base64,{base64.b64encode(picture).decode()}",
        data=f'<script id="packed" type="application/octet-stream">{packed}</script>\n',
        served=served,
    )


def start_page() -> bytes:
    """Return what `segment tune` shows while there is no result."""
    return fill(title="segment", picture="data:,", served=True)


def describe(image: Image) -> dict[str, Any]:
    """Return how the values of an image are shown: bands of red, green, blue; black and white."""
    bands = [0, 1, 2] if image.pixels.ndim == 3 and image.pixels.shape[2] >= 3 else [0, 0, 0]
    low, high = image.value_range or shown_range(image.pixels, image.mask)
    return {"display": {"bands": bands, "low": float(low), "high": float(high)}}


def fill(*, title: str, picture: str, data: str = "", served: bool = False) -> bytes:
    """Return the page with all of its parts in place.

    Parameters
    ----------
    title : str
        Any text.
    picture : str
        Address of the picture, safe in an attribute.
    data : str
        HTML of the packed tree.
    served : bool
        Whether it is for `segment tune`.
    """
    style, script = read("page.css"), bundle("tune.js" if served else "main.js")
    asked = "'self'" if served else "'none'"
    # Hashes: no script runs but ours, whatever names and classes say.
    policy = (
        f"default-src 'none'; img-src data: blob:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; connect-src {asked}; "
        "base-uri 'none'; form-action 'none'"
    )
    fields = {
        "policy": policy,
        "title": html.escape(title),
        "picture": picture,
        "style": style,
        "extra": read("tune.html") if served else "",
        "data": data,
        "script": script,
    }
    template = read("page.html")
    parts = re.split(r"\{\{(\w+)\}\}", template)
    parts[1::2] = [fields[name] for name in parts[1::2]]
    return "".join(parts).encode()


@cache
def read(name: str) -> str:
    """Return a file of ``static/``."""
    return files("segment.page").joinpath("static", name).read_text(encoding="utf-8")


@cache
def bundle(entry: str) -> str:
    """Return a module and all that it imports as one: the page is opened from disk, where browsers
    load no modules.

    Raises
    ------
    ValueError
        If two modules define the same name.
    """
    order: list[str] = []

    def visit(name: str) -> None:
        for other in _IMPORT.findall(read(name)):
            visit(other)
        if name not in order:
            order.append(name)

    visit(entry)
    owners: dict[str, str] = {}
    for name in order:
        for defined in _TOP.findall(_plain(name)):
            if owners.setdefault(defined, name) != name:
                raise ValueError(f"{owners[defined]} and {name} both define {defined}")
    return "\n".join(_plain(name) for name in order)


def _plain(name: str) -> str:
    """Return a module without imports and exports."""
    return re.sub(r"^export ", "", _IMPORT.sub("", read(name)), flags=re.MULTILINE)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
