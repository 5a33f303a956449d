"""Planning: which files of a folder become which outputs, and what of it remains to be done.

`survey` looks at the inputs alone and touches nothing; `select` compares with the outputs and the
manifest, once the output folder is locked.
"""

from __future__ import annotations

import contextlib
import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from segment.batching.manifest import Entry, Key
from segment.batching.options import BatchOptions
from segment.batching.picture import digest
from segment.errors import FileError, InputError
from segment.exports import fitting, output_paths, output_stem, page_stem
from segment.files import TEMPORARY, display_name, distinct, file_error
from segment.images import count_pages_or_one, is_litter, is_litter_folder, looks_like_picture
from segment.params import EVERY_PAGE


@dataclass(frozen=True, slots=True)
class Job:
    """One picture to do.

    Attributes
    ----------
    input : str
        Path relative to the input folder, with forward slashes.
    stem : str
        Beginning of its outputs' names, relative to the output folder.
    overwrite : bool
        Whether existing outputs may be replaced.
    page : int or None
        The page of it, where every page is a job.
    """

    input: str
    stem: str
    overwrite: bool = False
    page: int | None = None

    @property
    def key(self) -> Key:
        """What tells it from the others, in the manifest too."""
        return self.input, self.page


@dataclass(frozen=True)
class Survey:
    """The inputs found in a folder, folders that could not be read, and litter that was passed by.

    Litter is what systems put beside pictures (``._photo.jpg``, ``Thumbs.db``), and hidden folders.
    """

    src: Path
    dst: Path
    jobs: list[Job]
    unreadable: list[tuple[str, str]]
    litter: list[str]


@dataclass(frozen=True)
class Selection:
    """What remains to be done."""

    todo: list[Job]
    unchanged: list[Job]
    skipped: list[Job]


def survey(src: Path, dst: Path, options: BatchOptions) -> Survey:
    """Find the inputs and name their outputs, without touching anything.

    Inputs whose outputs would have the same names keep their suffixes in them.

    Raises
    ------
    InputError
        If one folder lies within the other.
    FileError
        If the input folder cannot be read.
    """
    check_folders(src, dst)
    unreadable: list[tuple[str, str]] = []
    wanted = NameFilter(options.include, options.exclude)
    litter: list[str] = []
    names = [name for name in walk(src, unreadable, litter) if wanted(name)]
    pages: list[tuple[str, int | None, int]] = [(name, None, 1) for name in names]
    if options.recipe.page == EVERY_PAGE:
        pages = [page for name in names for page in _pages(src, name)]
    stems = distinct([[page_stem(s, page, n) for s in _stems(name)] for name, page, n in pages])
    jobs = [Job(name, stem, page=page) for (name, page, _), stem in zip(pages, stems, strict=True)]
    if not jobs and not unreadable:
        raise InputError(
            f"there are no pictures in {display_name(src)}; "
            "choose files of other names with --include"
        )
    return Survey(src, dst, jobs, unreadable, litter)


def _pages(src: Path, name: str) -> list[tuple[str, int | None, int]]:
    """Return (input, page, number of pages) for each page of an input."""
    n = count_pages_or_one(src / name)
    return [(name, page, n) for page in range(n)]


def _stems(name: str) -> list[str]:
    """Return the beginnings that the outputs' names of an input may have, the best first."""
    folder, _, last = name.rpartition("/")
    return [
        (Path(folder) / stem).as_posix() for stem in (output_stem("", last).name, fitting(last))
    ]


def check_folders(src: Path, dst: Path) -> None:
    """Raise unless `src` is a folder, and neither folder lies within the other."""
    try:
        if not src.is_dir():
            reason = "it is a file; use  segment image" if src.exists() else "no such folder"
            raise FileError(f"cannot read {display_name(src)}: {reason}")
        real_src, real_dst = Path(os.path.realpath(src)), Path(os.path.realpath(dst))
        if dst.exists() and not dst.is_dir():
            raise FileError(f"cannot write to {display_name(dst)}: it is a file; give a folder")
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise file_error(src, error) from error
    if real_src == real_dst or real_src in real_dst.parents or real_dst in real_src.parents:
        raise InputError(
            f"{display_name(dst)} and {display_name(src)} lie one within the other, so outputs "
            "would mix with inputs; choose a folder elsewhere"
        )


def walk(folder: Path, unreadable: list[tuple[str, str]], litter: list[str]) -> Iterator[str]:
    """Yield every file below `folder`, sorted, relative, with forward slashes.

    Hidden folders, and what systems leave beside files, are listed as litter. Links to folders are
    not followed: they may lead in circles.
    """
    pending = [""]
    while pending:
        below = pending.pop()
        try:
            with os.scandir(os.path.join(folder, below)) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            if not below:
                raise file_error(folder, error) from error
            unreadable.append((below, str(file_error(below, error))))
            continue
        folders = []
        for entry in listed:
            name = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir(follow_symlinks=False):
                if is_litter_folder(entry.name):
                    litter.append(f"{name}/")
                else:
                    folders.append(name)
            elif is_litter(entry.name):
                litter.append(name)
            elif not _leads_to_folder(entry):
                # Also what is no regular file: named like a picture, it is reported, not lost.
                yield name
        pending += reversed(folders)


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # a link to itself
        return False


class NameFilter:
    """Tells whether a relative path is wanted: by ``--include``, else by suffix; not excluded.

    A pattern with a slash is held against the whole path, one without against the name.
    """

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = _compile(include)
        self._exclude = _compile(exclude)

    def __call__(self, path: str) -> bool:
        name = path.rpartition("/")[2]
        if _any(self._exclude, path, name):
            return False
        if self._include:
            return _any(self._include, path, name)
        return looks_like_picture(name)


Patterns = list[tuple[bool, "re.Pattern[str]"]]


def _compile(patterns: Iterable[str]) -> Patterns:
    return [
        ("/" in pattern, re.compile(fnmatch.translate(pattern.removeprefix("./"))))
        for pattern in patterns
    ]


def _any(patterns: Patterns, path: str, name: str) -> bool:
    return any(compiled.match(path if whole else name) for whole, compiled in patterns)


def select(survey: Survey, entries: dict[Key, Entry], options: BatchOptions) -> Selection:
    """Divide the jobs into those to do, those done before and those to leave alone.

    Done is what the manifest says succeeded, with the same content and options, and whose outputs
    are all there. Outputs that this manifest does not know are somebody else's: ``on_exists`` says
    what becomes of them.

    Raises
    ------
    FileError
        If there are such outputs and ``on_exists`` is ``"error"``, or if a folder of outputs is a
        link.
    """
    listings = Listings(survey.dst)
    wanted = options.fingerprint()
    selection = Selection([], [], [])
    foreign = []
    for job in survey.jobs:
        listings.refuse_links(job.stem)
        entry = entries.get(job.key)
        if entry is not None and _is_done(entry, job, survey, wanted, listings, options):
            selection.unchanged.append(job)
            continue
        owned = set() if entry is None else entry["owned"]
        existing = listings.outputs(job.stem, options.recipe.kinds)
        others = [path for path in existing if path not in owned]
        if others and options.on_exists == "skip":
            selection.skipped.append(job)
            continue
        if options.on_exists == "error":
            foreign += others
        # What exists is our own, or may be replaced.
        selection.todo.append(replace(job, overwrite=bool(existing)))
    if foreign:
        raise FileError(
            f"{len(foreign):,} file{'s' * (len(foreign) != 1)} that no run of this batch has "
            f"written would be replaced in {display_name(survey.dst)}, such as "
            f"{display_name(foreign[0])}; "
            "choose --on-exists skip or overwrite"
        )
    listings.remove_leftovers()
    return selection


def _is_done(
    entry: Entry,
    job: Job,
    survey: Survey,
    wanted: dict[str, object],
    listings: Listings,
    options: BatchOptions,
) -> bool:
    if entry.get("status") != "ok" or entry.get("parameters") != wanted:
        return False
    outputs = entry.get("outputs")
    assert isinstance(outputs, dict)  # see `parse_entry`
    if options.report and "thumbnail" not in outputs:
        return False
    sizes = entry.get("sizes")
    sizes = sizes if isinstance(sizes, dict) else {}
    whole = all(listings.whole(name, sizes.get(kind)) for kind, name in outputs.items())
    return whole and _same_content(entry, survey.src / job.input)


def _same_content(entry: Entry, source: Path) -> bool:
    """Compare size and time, and where only the time differs, the content."""
    try:
        now = source.stat()
        if now.st_size != entry.get("size"):
            return False
        return now.st_mtime_ns == entry.get("mtime_ns") or digest(source) == entry.get("hash")
    except OSError:
        return False


class Listings:
    """Which files exist below a folder; each folder is listed once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._names: dict[str, frozenset[str]] = {}
        self._plain: set[str] = set()  # folders that are no links

    def exists(self, path: str) -> bool:
        """Whether there is a file of this name, relative and with forward slashes."""
        folder, _, name = path.rpartition("/")
        return name in self._list(folder)

    def whole(self, path: str, size: object) -> bool:
        """Whether there is a file of this name, of `size` bytes, or not empty if that is None."""
        if not self.exists(path):
            return False
        try:
            found = (self._root / path).stat().st_size
        except OSError:
            return False
        return found == size if isinstance(size, int) else found > 0

    def refuse_links(self, path: str) -> None:
        """Raise FileError if a folder on the way to an output is a link, which leads elsewhere."""
        folder = path.rpartition("/")[0]
        while folder and folder not in self._plain:
            if (self._root / folder).is_symlink():
                raise FileError(
                    f"{display_name(self._root / folder)} is a link, and outputs would be written "
                    "where it leads; remove it, or choose another DST"
                )
            self._plain.add(folder)
            folder = folder.rpartition("/")[0]

    def outputs(self, stem: str, kinds: Sequence[str]) -> list[str]:
        """Return what exists of the outputs that saving `kinds` under `stem` may write."""
        if not self._list(stem.rpartition("/")[0]):  # as in every first run
            return []
        possible = (path.as_posix() for path in output_paths(Path(stem), kinds))
        return [path for path in possible if self.exists(path)]

    def _list(self, folder: str) -> frozenset[str]:
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(os.listdir(self._root / folder))
            except (FileNotFoundError, NotADirectoryError):
                self._names[folder] = frozenset()
            except OSError as error:
                raise file_error(self._root / folder, error) from error
        return self._names[folder]

    def remove_leftovers(self) -> None:
        """Remove what killed runs have left unfinished in the folders listed."""
        for folder, names in self._names.items():
            for name in names:
                if name.startswith(TEMPORARY) and name.endswith(".tmp"):
                    with contextlib.suppress(OSError):
                        (self._root / folder / name).unlink()
