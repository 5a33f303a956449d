"""Planning a batch: what is found, what is refused before any work, what remains to be done."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from segment.batching import BatchOptions
from segment.batching.manifest import LOCK, MANIFEST, Manifest, read_manifest
from segment.batching.picture import digest, stamp
from segment.batching.plan import Survey, select, survey
from segment.errors import FileError, InputError
from segment.locks import locked
from segment.params import MeanShiftOptions
from segment.workflow import Recipe


@pytest.fixture
def src(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    for name in ("b.png", "a.JPG", "notes.txt", "sub/c.tif", "sub/deep/d.webp", ".hidden.png"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    (folder / "folder.png").mkdir()
    return folder


def names(src: Path, **options: object) -> list[str]:
    found = survey(src, src.parent / "dst", BatchOptions(**options))  # type: ignore[arg-type]
    return sorted(job.input for job in found.jobs)


def test_pictures_are_found_in_the_whole_tree(src: Path) -> None:
    assert names(src) == [".hidden.png", "a.JPG", "b.png", "sub/c.tif", "sub/deep/d.webp"]
    assert not (src.parent / "dst").exists()


def test_patterns_choose(src: Path) -> None:
    assert names(src, include=["*.txt"]) == ["notes.txt"]
    assert names(src, exclude=["sub/*", ".*"]) == ["a.JPG", "b.png"]
    assert names(src, include=["sub/*"], exclude=["d.*"]) == ["sub/c.tif"]


def test_links_in_circles_end(src: Path) -> None:
    (src / "sub" / "up").symlink_to(src)
    (src / "self.png").symlink_to("self.png")
    found = names(src)
    assert "self.png" in found  # reported as unreadable later, not lost
    assert len(found) == 6


def test_outputs_mirror_the_tree(src: Path) -> None:
    stems = {job.input: job.stem for job in survey(src, src.parent / "dst", BatchOptions()).jobs}
    assert stems["sub/deep/d.webp"] == "sub/deep/d"
    assert stems["a.JPG"] == "a"


@pytest.mark.parametrize("other", ["a.png", "A.tif", "a.jpeg"])
def test_inputs_of_one_name_keep_their_suffixes(src: Path, other: str) -> None:
    (src / other).touch()
    stems = {job.input: job.stem for job in survey(src, src.parent / "dst", BatchOptions()).jobs}
    assert stems["a.JPG"] == "a.JPG"
    assert stems[other] == other
    assert stems["b.png"] == "b"


def test_names_that_are_one_file_on_some_disks_are_numbered(src: Path) -> None:
    for name in ("\u00e9.png", "e\u0301.png", "A.jpg"):
        (src / name).touch()
    stems = {job.input: job.stem for job in survey(src, src.parent / "dst", BatchOptions()).jobs}
    assert {stems["\u00e9.png"], stems["e\u0301.png"]} == {"e\u0301.png", "\u00e9.png-2"}
    assert {stems["A.jpg"], stems["a.JPG"]} == {"A.jpg", "a.JPG-2"}


@pytest.mark.parametrize("dst", [".", "sub", "new/deep", ".."])
def test_one_folder_within_the_other_is_refused(src: Path, dst: str) -> None:
    with pytest.raises(InputError, match="one within the other"):
        survey(src, src / dst, BatchOptions())


def test_a_link_does_not_hide_that_dst_is_in_src(src: Path) -> None:
    link = src.parent / "link"
    link.symlink_to(src / "sub")
    with pytest.raises(InputError, match="one within the other"):
        survey(src, link / "out", BatchOptions())


def test_missing_or_wrong_folders(src: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such folder"):
        survey(tmp_path / "nowhere", tmp_path / "dst", BatchOptions())
    with pytest.raises(FileError, match="segment image"):
        survey(src / "b.png", tmp_path / "dst", BatchOptions())
    with pytest.raises(FileError, match="it is a file"):
        survey(src / "sub", src / "b.png", BatchOptions())


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is unreadable here")
def test_an_unreadable_folder_is_told(src: Path) -> None:
    (src / "sub").chmod(0)
    try:
        found = survey(src, src.parent / "dst", BatchOptions())
    finally:
        (src / "sub").chmod(0o755)
    assert [name for name, _ in found.unreadable] == ["sub"]
    assert len(found.jobs) == 3


@pytest.mark.parametrize(
    "options",
    [
        {"on_exists": "ask"},
        {"jobs": 0},
        {"include": "*.png"},
        {"recipe": Recipe(kinds=["nothing"])},
        {"recipe": Recipe(page=-1)},
    ],
)
def test_wrong_options_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        BatchOptions(**options)  # type: ignore[arg-type]


# What remains to be done.


@pytest.fixture
def found(src: Path) -> Survey:
    found = survey(src, src.parent / "dst", BatchOptions(exclude=["sub/*"]))
    (src.parent / "dst").mkdir()
    return found


COUNTS = {"regions": 2, "seconds": 0.5, "width": 30, "height": 20}


def record(found: Survey, options: BatchOptions, name: str, **changes: object) -> None:
    """Pretend that a run has done `name`."""
    stem = next(job.stem for job in found.jobs if job.input == name)
    outputs = {"labels": f"{stem}.labels.png"}
    (found.dst / outputs["labels"]).write_bytes(b"labels")
    entry = {
        "input": name,
        **COUNTS,
        **stamp(found.src / name),
        "hash": digest(found.src / name),
        "parameters": options.fingerprint(),
        "outputs": outputs,
        "status": "ok",
    }
    Manifest(found.dst / MANIFEST).append({**entry, **changes})


def todo(found: Survey, options: BatchOptions) -> list[str]:
    selection = select(found, read_manifest(found.dst / MANIFEST), options)
    return sorted(job.input for job in selection.todo)


def test_only_what_is_missing_changed_or_failed_is_done_again(found: Survey) -> None:
    options = BatchOptions(Recipe(kinds=["labels"]))
    assert todo(found, options) == [".hidden.png", "a.JPG", "b.png"]
    for name in (".hidden.png", "a.JPG", "b.png"):
        record(found, options, name)
    assert todo(found, options) == []
    os.utime(found.src / "a.JPG", (1, 1))  # touched, not changed
    assert todo(found, options) == []
    (found.src / "a.JPG").write_bytes(b"A.jpg")
    assert todo(found, options) == ["a.JPG"]
    (found.dst / "b.labels.png").unlink()
    assert todo(found, options) == ["a.JPG", "b.png"]
    record(found, options, ".hidden.png", status="failed")
    assert todo(found, options) == [".hidden.png", "a.JPG", "b.png"]


def test_other_parameters_mean_all_again(found: Survey) -> None:
    options = BatchOptions(Recipe(kinds=["labels"]))
    record(found, options, "b.png")
    assert "b.png" not in todo(found, options)
    changed = BatchOptions(Recipe(MeanShiftOptions(range_bandwidth=8), kinds=["labels"]))
    assert "b.png" in todo(found, changed)
    assert "b.png" in todo(found, BatchOptions(Recipe(kinds=["labels", "json"])))


@pytest.mark.parametrize("content", [b"", b"lab"])
def test_an_output_that_was_emptied_or_cut_is_made_again(found: Survey, content: bytes) -> None:
    options = BatchOptions(Recipe(kinds=["labels"]))
    record(found, options, "b.png", sizes={"labels": 6})
    assert "b.png" not in todo(found, options)
    (found.dst / "b.labels.png").write_bytes(content)
    assert "b.png" in todo(found, options)


def test_a_file_of_another_is_not_replaced_by_a_kind_asked_for_later(found: Survey) -> None:
    record(found, BatchOptions(Recipe(kinds=["labels"])), "b.png")
    (found.dst / "b.json").write_text("mine")
    later = BatchOptions(Recipe(kinds=["labels", "json"]))
    with pytest.raises(FileError, match=r"1 file that no run .* b\.json; choose --on-exists"):
        todo(found, later)
    skipping = BatchOptions(Recipe(kinds=["labels", "json"]), on_exists="skip")
    assert "b.png" not in todo(found, skipping)


def test_a_link_among_the_folders_of_outputs_is_refused(src: Path, tmp_path: Path) -> None:
    found = survey(src, src.parent / "dst", BatchOptions())
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (src.parent / "dst").mkdir()
    (src.parent / "dst" / "sub").symlink_to(elsewhere)
    with pytest.raises(FileError, match="sub is a link, and outputs would be written where"):
        select(found, {}, BatchOptions())


@pytest.mark.parametrize(
    "line",
    [
        "[" * 200_000,
        '{"input":' * 100_000,
        "7",
        '{"input": 7, "status": "ok"}',
        '{"input": "b.png", "status": "odd"}',
        '{"input": "b.png", "status": "ok", "regions": null}',
        '{"input": "b.png", "status": "failed", "outputs": {"labels": 3}}',
        '{"input": "b.png", "status": "failed", "outputs": []}',
    ],
)
def test_what_is_no_entry_is_passed_over(found: Survey, line: str) -> None:
    (found.dst / MANIFEST).write_text(line + "\n")
    assert read_manifest(found.dst / MANIFEST) == {}


def test_outputs_of_others_are_not_touched_unasked(found: Survey) -> None:
    (found.dst / "b.json").write_text("mine")
    with pytest.raises(FileError, match=r"b\.json; choose --on-exists"):
        todo(found, BatchOptions())
    assert todo(found, BatchOptions(on_exists="skip")) == [".hidden.png", "a.JPG"]
    selection = select(found, {}, BatchOptions(on_exists="overwrite"))
    assert {job.input: job.overwrite for job in selection.todo}["b.png"] is True


def test_outputs_that_a_killed_run_left_are_its_own(found: Survey) -> None:
    (found.dst / "b.json").write_text("ours")
    Manifest(found.dst / MANIFEST).append(
        {"input": "b.png", "status": "started", "stem": "b", "kinds": ["labels", "json"]}
    )
    selection = select(found, read_manifest(found.dst / MANIFEST), BatchOptions())
    assert {job.input: job.overwrite for job in selection.todo}["b.png"] is True


def test_a_line_cut_short_is_passed_over_and_ended(found: Survey) -> None:
    path = found.dst / MANIFEST
    path.write_text('{"input":"a.JPG","status":"started"}\n{"input":"b.png","sta')
    manifest = Manifest(path)
    manifest.append({"input": "c", "status": "started"})
    manifest.close()
    assert set(read_manifest(path)) == {("a.JPG", None), ("c", None)}
    assert json.loads(path.read_text().splitlines()[-1]) == {"input": "c", "status": "started"}


def test_names_that_are_no_text_survive_the_manifest(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff two\nlines \xc3\xa9.png")
    manifest = Manifest(tmp_path / MANIFEST)
    manifest.append({"input": name, "status": "started"})
    manifest.close()
    assert list(read_manifest(tmp_path / MANIFEST)) == [(name, None)]


def test_the_lock_keeps_a_second_run_out_and_is_given_back(tmp_path: Path) -> None:
    message = rf"in use by another run \(process {os.getpid()}"
    with locked(tmp_path, LOCK), pytest.raises(FileError, match=message), locked(tmp_path, LOCK):
        pass
    with locked(tmp_path, LOCK):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_stale_lock_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / ".segment.lock").write_text("process 1 on elsewhere\n")
    with locked(tmp_path, LOCK):
        pass


def test_leftovers_of_killed_runs_are_removed(found: Survey) -> None:
    leftover = found.dst / ".segment-123-abc.tmp"
    leftover.touch()
    (found.dst / "b.json").touch()
    select(found, {}, BatchOptions(on_exists="overwrite"))
    assert not leftover.exists()


def test_planning_many_files(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    for k in range(20):
        (folder / str(k)).mkdir(parents=True)
        for i in range(100):
            (folder / str(k) / f"{i}.png").touch()
    found = survey(folder, tmp_path / "dst", BatchOptions())
    select(found, {}, BatchOptions())
    assert len(found.jobs) == 2000


def test_a_folder_without_pictures_is_no_success(src: Path) -> None:
    with pytest.raises(InputError, match=r"no pictures in .*--include"):
        names(src, include=["*.nothing"])
