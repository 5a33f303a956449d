"""The explorer: a hierarchy as one HTML file to look at, correct, mark and export from.

``static/`` holds the page itself, plain JavaScript modules and a style sheet; Python puts them into
one file, beside the picture and the tree.
"""

from __future__ import annotations

from segment.page.building import build_page, page_name, write_page
from segment.page.project import apply_project, class_names, read_project

__all__ = ["apply_project", "build_page", "class_names", "page_name", "read_project", "write_page"]
