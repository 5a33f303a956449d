"""Which pictures `segment image` does, and under which names their outputs go."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from segment.errors import FileError, InputError
from segment.exports import KINDS, STDOUT, fitting, output_paths, output_stem, page_stem
from segment.files import display_name, distinct, file_error, is_whole
from segment.images import count_pages_or_one, looks_like_picture

Page = tuple[Path, int | None, int]  # file, page where each is an item, number of pages

MOST = 5  # names that a message lists


@dataclass(frozen=True)
class Planned:
    """One picture to segment, and where its outputs go.

    Attributes
    ----------
    source : Path
        The image file, or "-" for standard input.
    stem : Path
        Folder and beginning of the outputs' names, or "-" for standard output.
    target : Path or None
        The one file to write, whatever the stem.
    skipped : bool
        Whether it is left alone because its outputs exist.
    resumed : bool
        Whether some of its outputs exist, of which none is made again.
    page : int or None
        The page of it, where every page is an item.
    """

    source: Path
    stem: Path
    target: Path | None = None
    skipped: bool = False
    resumed: bool = False
    page: int | None = None


def plan(
    sources: Sequence[Path],
    output: Path,
    kinds: Sequence[str],
    *,
    existing: str,
    every_page: bool = False,
) -> list[Planned]:
    """Return the items, or raise if one would write over an input or over what exists.

    Parameters
    ----------
    sources : sequence of Path
        Image files; of a folder, its pictures are taken.
    output : Path
        Folder of the outputs; a file, for one picture and one kind; "-" for standard output.
    kinds : sequence of str
        What will be written.
    existing : {"error", "skip", "overwrite"}
        What to do about outputs that exist.
    every_page : bool
        Whether each page is an item.

    Raises
    ------
    InputError
        If one file, or standard output, is to hold more than one, or another kind.
    FileError
        If outputs exist and ``existing="error"``, one would take the place of an input, or a folder
        holds no picture.
    """
    files: list[Page] = [(path, None, 1) for path in _files(sources)]
    if every_page:
        files = [page for path, _, _ in files for page in _pages(path)]
    items = _single(files, output, kinds) or _named(files, output)
    _refuse_collisions(items, kinds)
    if existing == "error":
        _refuse_existing([path for item in items for path in _existing(item, kinds)])
    elif existing == "skip":
        items = [_left_out(item, kinds) for item in items]
    return items


def _files(sources: Sequence[Path]) -> Iterator[Path]:
    """Yield the image files, each once, and those of folders sorted."""
    seen = set()
    for source in sources:
        try:
            folder = source != STDOUT and source.is_dir()
            listed = sorted(source.iterdir()) if folder else [source]
        except OSError as error:
            raise file_error(source, error) from error
        pictures = [p for p in listed if not folder or (p.is_file() and looks_like_picture(p.name))]
        if not pictures:
            raise FileError(
                f"there are no pictures in {display_name(source)}; for the folders below it use  "
                "segment batch SRC DST"
            )
        for path in pictures:
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                yield path


def _single(files: Sequence[Page], output: Path, kinds: Sequence[str]) -> list[Planned]:
    """Return the item if the output is one file, else none."""
    if output == STDOUT:
        if len(files) > 1 or len(kinds) > 1:
            raise InputError(
                f"-o - writes one file of one picture, not {len(kinds)} of {len(files)}; "
                "give one IMAGE and one kind, such as --save labels"
            )
        return [Planned(files[0][0], STDOUT, page=files[0][1])]
    endings = {suffix for kind in KINDS.values() for suffix in kind.suffixes}
    if output.suffix.lower() not in endings or output.is_dir():
        return []
    if len(files) > 1 or len(kinds) > 1:
        raise InputError(
            f"-o {display_name(output)} names one file, not {len(kinds)} of {len(files)}; "
            "give one IMAGE and one kind, such as --save labels, or a folder"
        )
    fitting_ones = KINDS[kinds[0]].suffixes
    if output.suffix.lower() not in fitting_ones:
        raise InputError(
            f"-o {display_name(output)} does not end as {kinds[0]} do; "
            f"give {' or '.join(fitting_ones)}"
        )
    return [Planned(files[0][0], output.with_suffix(""), output, page=files[0][1])]


def _named(files: Sequence[Page], output: Path) -> list[Planned]:
    """Return an item for each file; files of one name get more of their path into theirs."""
    names = []
    for path, page, n in files:
        parent = Path(os.path.abspath(path)).parent.name
        longer = (path.name, f"{parent}-{path.name}")
        stems = [output_stem(output, path).name, *map(fitting, longer)]
        names.append([page_stem(stem, page, n) for stem in stems])
    return [
        Planned(path, output / name, page=page)
        for (path, page, _), name in zip(files, distinct(names), strict=True)
    ]


def _pages(path: Path) -> list[Page]:
    n = count_pages_or_one(path)
    return [(path, page, n) for page in range(n)]


def _outputs(item: Planned, kinds: Sequence[str]) -> list[Path]:
    return output_paths(item.stem, kinds) if item.target is None else [item.target]


def _existing(item: Planned, kinds: Sequence[str]) -> list[Path]:
    if item.stem == STDOUT:
        return []
    return [path for path in _outputs(item, kinds) if os.path.lexists(path)]


def _left_out(item: Planned, kinds: Sequence[str]) -> Planned:
    """Return an item without what is done already, after a run that was killed perhaps."""
    if item.stem == STDOUT:
        return item
    done = [any(map(is_whole, _outputs(item, [kind]))) for kind in kinds]
    return replace(item, skipped=all(done), resumed=any(done))


def _refuse_collisions(items: Sequence[Planned], kinds: Sequence[str]) -> None:
    inputs = {os.path.realpath(item.source) for item in items}
    writers: dict[str, Path] = {}
    for item in items:
        if item.stem == STDOUT:
            continue
        for path in _outputs(item, kinds):
            # Names that differ in case are one file on many disks.
            other = writers.setdefault(str(path).casefold(), item.source)
            if other is not item.source:
                raise FileError(
                    f"{display_name(other)} and {display_name(item.source)} would both write "
                    f"{display_name(path)}; run them with different -o"
                )
            if os.path.realpath(path) in inputs:
                raise FileError(
                    f"{display_name(path)} is an input and would be written over; "
                    "choose another folder with -o"
                )


def _refuse_existing(paths: Sequence[Path]) -> None:
    if not paths:
        return
    names = ", ".join(map(display_name, paths[:MOST]))
    more = f" and {len(paths) - MOST:,} more" if len(paths) > MOST else ""
    raise FileError(
        f"{names}{more} exist{'s' * (len(paths) == 1)}; add --overwrite to replace, "
        "--on-exists skip to leave out what is done, or choose another folder with -o"
    )


def prepare_folder(folder: Path) -> None:
    """Make the folder, and make sure that it can be written to."""
    try:
        if folder.exists() and not folder.is_dir():
            raise FileError(
                f"cannot write to {display_name(folder)}: it is a file; choose a folder with -o"
            )
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise file_error(folder, error, "write to") from error
