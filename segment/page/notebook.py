"""The explorer in notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from segment.page.building import build_page

if TYPE_CHECKING:
    from segment.regions.hierarchy import Hierarchy

MOST_BYTES = 3_000_000  # of one output: notebooks keep them all in one file
SIDES = (None, 1600, 1000, 600)  # of the picture, the first that is small enough
HEIGHT = 640  # pixels on the screen


def as_html(hierarchy: Hierarchy) -> str:
    """Return the explorer as an inline frame, or, where it would be too large, how to save it."""
    image = hierarchy.leaves.image()
    for longest in SIDES:
        page = build_page(hierarchy, image, name="picture", longest=longest).decode()
        text = html.escape(page)
        if len(text) < MOST_BYTES:
            return (
                f'<iframe title="Explorer of the regions" srcdoc="{text}" '
                f'sandbox="allow-scripts allow-downloads" loading="lazy" '
                f'style="width: 100%; height: {HEIGHT}px; border: 0; border-radius: 8px"></iframe>'
            )
    return (
        f"<p>{html.escape(repr(hierarchy))} is too large for a notebook; "
        "<code>segment.page.write_page(tree, image, 'page.html')</code> makes a file of it.</p>"
    )
