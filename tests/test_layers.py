"""The plan of the house, read from the source: imports run downward, room by room, in no circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "segment"

# From the ground up. A room may import rooms of lower storeys and itself, and no other room of its
# own storey; the rooms of a wing do not know the other wing (see WINGS).
STOREYS = [
    {"errors"},
    {"compiling", "files", "memory", "notices", "params", "processes", "threads"},
    {"clusters", "locks"},
    {"kernels"},
    {"kernels.regions", "kernels.points", "kernels.shapes"},
    {"regions", "points"},
    {"images", "shapes", "palettes", "trees"},
    {"drawing"},
    {"page"},
    {"exports"},
    {"warmup"},
    {"workflow"},
    {"batching", "scenes", "page.server"},
    {"cli"},
]
STOREY = {name: storey for storey, names in enumerate(STOREYS) for name in names}
WINGS = [{"kernels.regions", "regions"}, {"kernels.points", "points"}]

# Methods that open a door upstairs, or to the room's own next stage, and import it when called.
DOORS = {
    ("regions.segmentation", "regions.hierarchy"),
    ("regions.segmentation", "shapes.polygons"),
    ("regions.segmentation", "drawing"),
    ("regions.segmentation", "exports"),
    ("regions.segmentation", "images"),
    ("images.picture", "drawing"),
    ("images.picture", "images.writing"),
    ("regions.hierarchy", "trees"),
    ("regions.hierarchy", "page.notebook"),
}


def modules() -> dict[str, Path]:
    """Every module by its dotted name below `segment`."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name not in {"", "__main__"}:
            found[name] = path
    return found


MODULES = modules()


def room(module: str) -> str:
    """Return the room of a module: the longest beginning of its name that the plan knows."""
    parts = module.split(".")
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    known = [name for name in names if name in STOREY]
    assert known, f"segment/{module.replace('.', '/')} has no storey: add its room to the plan"
    return known[0]


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def nodes(tree: ast.AST, *, typed: bool) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if typed or not is_type_checking(node):
            yield node
            yield from nodes(node, typed=typed)


def imports(source: str, *, typed: bool) -> set[str]:
    """Return the modules of `segment` that a source imports; `typed`: also for type hints only."""
    found = set()
    for node in nodes(ast.parse(source), typed=typed):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] != "segment":
                continue
            for n in range(len(parts), 1, -1):  # a module, or a name in it
                if (module := ".".join(parts[1:n])) in MODULES:
                    found.add(module)
                    break
    return found


def may_import(importer: str, imported: str) -> bool:
    above, below = room(importer), room(imported)
    if (importer, imported) in DOORS or above == below:
        return True
    for wing, other in (WINGS, WINGS[::-1]):
        if above in wing and below in other:
            return False
    return STOREY[below] < STOREY[above]


def offences(module: str, source: str) -> set[str]:
    return {name for name in imports(source, typed=True) if not may_import(module, name)}


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downward(module: str) -> None:
    found = offences(module, MODULES[module].read_text(encoding="utf-8"))
    assert not found, f"{module} ({room(module)}) may not import {found}"


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("params", "from segment.threads import run"),
        ("kernels.jit", "from segment.errors import InputError\nfrom segment.regions import cues"),
        ("kernels.regions.cells", "from segment.kernels.points import tree"),
        ("regions.features", "def f():\n    from segment.kernels.points.tree import build_tree"),
        ("points.basins", "from segment.regions import features"),
        ("regions.cues", "import segment.images.reading"),
        ("shapes", "from segment.images import read_image"),
        ("batching.plan", "from segment.cli.options import fail"),
    ],
)
def test_a_wrong_import_is_found(module: str, line: str) -> None:
    assert offences(module, line)


def test_no_circles() -> None:
    graph = {
        module: {
            name
            for name in imports(path.read_text(encoding="utf-8"), typed=True)
            if (module, name) not in DOORS
        }
        for module, path in MODULES.items()
    }
    while leaves := {module for module, names in graph.items() if not names & set(graph)}:
        graph = {module: names for module, names in graph.items() if module not in leaves}
    assert not graph, f"modules in circles, or above one: {sorted(graph)}"


@pytest.mark.parametrize("door", sorted(DOORS))
def test_doors_are_used(door: tuple[str, str]) -> None:
    module, opened = door
    assert opened in imports(MODULES[module].read_text(encoding="utf-8"), typed=False)


def test_only_images_decodes_files() -> None:
    offenders = [
        path
        for module, path in MODULES.items()
        if room(module) != "images"
        and any(
            word in path.read_text(encoding="utf-8")
            for word in ("imread", "imdecode", "TiffFile", "PIL.Image", "from PIL")
        )
    ]
    assert not offenders
