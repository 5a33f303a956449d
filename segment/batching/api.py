"""`segment.batch`: a folder of pictures in, a folder of segmentations out."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from segment.batching import coco
from segment.batching.manifest import LOCK, MANIFEST, Entry, Manifest, read_manifest
from segment.batching.options import BatchOptions
from segment.batching.picture import Task
from segment.batching.plan import Job, Selection, Survey, select, survey
from segment.batching.report import Failure, Progress, Report
from segment.errors import FileError, InputError
from segment.files import FULL, display_name, file_error
from segment.locks import locked
from segment.notices import say
from segment.params import DEFAULT_KINDS, MAX_PIXELS, Cut, MeanShiftOptions, choose_scale
from segment.regions.ranges import Range
from segment.threads import resolve_n_threads
from segment.workflow import Recipe

Watch = Callable[[Progress], None]


def batch(
    src: str | os.PathLike[str],
    dst: str | os.PathLike[str],
    *,
    save: Sequence[str] = DEFAULT_KINDS,
    level: float | None = None,
    n_regions: int | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    on_exists: str = "error",
    jobs: int | None = None,
    n_threads: int | None = None,
    report: bool = False,
    scheduler: str | None = None,
    page: int | str = 0,
    max_pixels: int = MAX_PIXELS,
    accept_damaged: bool = False,
    nodata: float | str | None = None,
    mask: str | os.PathLike[str] | None = None,
    value_range: Range | str | None = None,
    progress: Watch | None = None,
    **params: Any,
) -> Report:
    """Segment every picture in a folder and its subfolders.

    The outputs lie in `dst` as the inputs lie in `src`. What was done is written to
    ``dst/manifest.jsonl``; the next run does what is missing, changed or failed, nothing else. With
    "coco" saved, ``dst/annotations.json`` holds the annotations of all pictures.

    Parameters
    ----------
    src, dst : path-like
        Folder of the pictures, which is only read, and folder of the outputs, made if needed.
    save : sequence of str
        What to write of each picture; names from `segment.exports.KINDS`.
    level, n_regions : float, int, optional
        Where to cut the hierarchy of each picture, as in `segment.Hierarchy.cut`. Without them, and
        without bandwidths, it is cut at level 0.45; with bandwidths, not at all.
    include, exclude : sequence of str
        Patterns such as ``"*.png"`` or ``"2024/*"`` of files to take and to leave out. Without
        `include`, files with the suffixes of pictures are taken.
    on_exists : {"error", "skip", "overwrite"}
        What to do about outputs that exist and that no earlier run of this batch has written.
    jobs : int, optional
        Worker processes; one a core by default.
    n_threads : int, optional
        Threads that the processes share, every core by default.
    report : bool
        Whether to write ``dst/index.html``, a contact sheet to look through.
    scheduler : str, optional
        Address of a Dask scheduler whose workers do the work; they must see both folders under
        the same names. Needs the ``scene`` extra.
    page, max_pixels, accept_damaged, nodata, mask, value_range
        As in `segment.read_image`; ``page="all"`` segments every page, with its number in the
        names of its outputs.
    progress : callable, optional
        Called with a `Progress` before the first picture and after each.
    **params
        Parameters of `segment.mean_shift`, such as ``range_bandwidth=8``.

    Returns
    -------
    Report
        Counts and failures. A picture that fails is no exception, it is in `Report.failures`.

    Raises
    ------
    InputError
        If an option is wrong, two inputs would write the same outputs, or one folder lies in the
        other.
    FileError
        If a folder cannot be used, outputs exist and ``on_exists="error"``, another run uses `dst`,
        or the disk is full.

    Examples
    --------
    >>> report = segment.batch("photos", "segmented", range_bandwidth=8, jobs=4)
    >>> report.ok, report.done
    (True, 300)
    """
    chosen, cut = choose_scale(params, Cut(level, n_regions))
    recipe = Recipe(
        params=_params(chosen),
        cut=cut,
        kinds=save,
        page=page,
        max_pixels=max_pixels,
        accept_damaged=accept_damaged,
        nodata=nodata,
        mask=None if mask is None else os.path.abspath(os.fspath(mask)),
        value_range=value_range,
    )
    options = BatchOptions(
        recipe=recipe,
        include=include,
        exclude=exclude,
        on_exists=on_exists,
        jobs=jobs,
        n_threads=n_threads,
        report=report,
        scheduler=scheduler,
    )
    return run(Path(src), Path(dst), options, progress)


def _params(given: dict[str, Any]) -> MeanShiftOptions:
    known = MeanShiftOptions().as_dict()
    for name in given:
        if name not in known:
            raise InputError(f"{name!r} is no option of batch; choose from {', '.join(known)}")
    return MeanShiftOptions(**given)


def run(src: Path, dst: Path, options: BatchOptions, progress: Watch | None = None) -> Report:
    """Run a batch; see `batch`."""
    started = time.perf_counter()
    # Absolute, because the work is done elsewhere; links as they are, because names come from them.
    found = survey(Path(os.path.abspath(src)), Path(os.path.abspath(dst)), options)
    _make_folder(found.dst)
    with locked(found.dst, LOCK):
        path = found.dst / MANIFEST
        entries = read_manifest(path)
        wants_coco = coco.KIND in options.recipe.kinds
        if wants_coco:
            coco.refuse_foreign(found.dst, entries, options.on_exists)
        selection = select(found, entries, options)
        failures = [Failure(name, error) for name, error in found.unreadable]
        notes: dict[str, list[str]] = {}
        with contextlib.closing(Manifest(path)) as manifest:
            done = _work(found, selection, options, manifest, failures, notes, progress)
        if wants_coco:
            category = str(options.recipe.options.get("category", "region"))
            coco.write_annotations(found.dst, path, category)
        index = None
        if options.report:
            from segment.batching.sheet import write_sheet

            index = write_sheet(found, path)
    return Report(
        done=done,
        unchanged=len(selection.unchanged),
        skipped=len(selection.skipped),
        failures=tuple(failures),
        seconds=time.perf_counter() - started,
        manifest=path,
        notes={note: tuple(names) for note, names in notes.items()},
        litter=tuple(found.litter),
        index=index,
    )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise file_error(folder, error, "write to") from error


def _work(
    found: Survey,
    selection: Selection,
    options: BatchOptions,
    manifest: Manifest,
    failures: list[Failure],
    notes: dict[str, list[str]],
    progress: Watch | None,
) -> int:
    """Do the jobs, keep the manifest, collect failures and notes; return how many succeeded."""
    total, failed, started = len(selection.todo), 0, time.perf_counter()
    if not total:
        return 0

    def begin(job: Job) -> None:
        # Should we be killed now, the next run knows that these outputs are its own.
        kinds = list(options.recipe.kinds)
        manifest.append(
            {
                "input": job.input,
                "page": job.page,
                "status": "started",
                "stem": job.stem,
                "kinds": kinds,
            }
        )

    if progress is not None:
        progress(Progress(0, 0, total, 0.0))
    with contextlib.closing(_entries(found, selection.todo, options, begin)) as entries:
        for n, entry in enumerate(entries, 1):
            if entry.get("errno") in FULL:
                raise _stopped(found, n - 1, total, str(entry["error"]))
            try:
                manifest.append(entry)
            except FileError as error:
                raise _stopped(found, n - 1, total, str(error)) from error
            for note in entry.get("notes") or ():
                notes.setdefault(note, []).append(entry["input"])
            failure = None
            if entry["status"] != "ok":
                failed += 1
                failure = Failure(entry["input"], entry["error"])
                failures.append(failure)
            if progress is not None:
                seconds = time.perf_counter() - started
                progress(Progress(n, failed, total, seconds, failure, entry))
    return total - failed


def _stopped(found: Survey, done: int, total: int, reason: str) -> FileError:
    return FileError(
        f"stopped after {done} of {total} pictures: {reason}; what is done is kept in "
        f"{display_name(found.dst)}, and running the same again goes on from there"
    )


def _entries(
    found: Survey, todo: list[Job], options: BatchOptions, begin: Callable[[Job], None]
) -> Generator[Entry, None, None]:
    """Yield manifest entries as the work is done, here or on a cluster."""
    cores = resolve_n_threads(options.n_threads)
    n_workers = min(options.jobs or cores, len(todo))
    task = Task(
        src=str(found.src),
        dst=str(found.dst),
        recipe=options.recipe,
        report=options.report,
        fingerprint=options.fingerprint(),
        n_threads=max(1, cores // n_workers),
    )
    if options.scheduler is not None:
        from segment.batching.cluster import run_on_cluster

        yield from run_on_cluster(options.scheduler, task, todo, begin, say)
    else:
        from segment.batching.pool import Pool

        yield from Pool(task, n_workers, begin).run(todo)
