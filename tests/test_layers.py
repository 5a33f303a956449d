"""Imports run downward only (see the table); this reads them from the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "segment"

# A module may import modules of lower layers, and of its own.
LAYERS = [
    {"errors", "files", "params", "threads"},
    {"kernels"},
    {
        "features",
        "modes",
        "filtering",
        "segmentation",
        "hierarchy",
        "cues",
        "edges",
        "image_bandwidth",
        "bandwidth",
        "clustering",
        "densities",
        "pointsets",
        "basins",
        "surfaces",
        "palettes",
    },
    {"images", "exports", "drawing", "plots", "tables", "warmup"},
    {"recipe"},
    {"batching", "scene"},
    {"cli", "page"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
MODULES = sorted(
    path
    for path in ROOT.rglob("*.py")
    if path.parent != ROOT or path.stem not in {"__init__", "__main__"}
)


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("segment.")}
    return rooms & set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_downward(path: Path) -> None:
    assert room(path) in LEVEL, f"{path} has no layer: add it to the table"
    above = {name for name in imported_rooms(path) if LEVEL[name] > LEVEL[room(path)]}
    assert not above, f"{path} imports {above} from a layer above"


def test_only_images_decodes_files() -> None:
    offenders = [
        path
        for path in MODULES
        if room(path) != "images"
        and any(
            word in path.read_text(encoding="utf-8")
            for word in ("imread", "imdecode", "TiffFile", "PIL.Image", "from PIL")
        )
    ]
    assert not offenders
