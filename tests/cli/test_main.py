"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from segment import __version__
from segment.cli import main
from segment.errors import InputError

ROOT = Path(__file__).parents[2]


def segment(*args: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "segment", *args], capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def broken_command(monkeypatch):
    """A command that raises whatever is put into the returned list."""
    raises: list[BaseException] = []

    def broken() -> None:
        raise raises[0]

    module = types.ModuleType("segment_broken")
    module.broken = broken
    monkeypatch.setitem(sys.modules, "segment_broken", module)
    monkeypatch.setitem(main.COMMANDS, "broken", ("segment_broken", "Raises."))
    return raises


def test_help_lists_every_command() -> None:
    result = segment("--help")
    assert result.returncode == 0
    for name, (_, summary) in main.COMMANDS.items():
        assert name in result.stdout
        assert summary in " ".join(result.stdout.split())


@pytest.mark.parametrize("name", sorted(main.COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = CliRunner().invoke(main.app, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert f"segment {name}" in result.output


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["no-such-command"]])
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    code = (
        "import sys; from segment.cli.main import run\n"
        f"sys.argv = ['segment', *{args!r}]\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'numba', 'cv2', 'scipy', 'skimage', 'PIL', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stderr.splitlines()[-1] == "[]"


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys, segment; print([m for m in ('numpy', 'numba', 'typer') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "[]\n"


def test_version() -> None:
    result = segment("--version")
    assert result.stdout == f"segment {__version__}\n"
    assert result.returncode == 0


@pytest.mark.parametrize("args", [[], ["no-such-command"], ["--no-such-option"]])
def test_wrong_usage_exits_with_2(args: list[str]) -> None:
    result = segment(*args)
    assert result.returncode == 2
    assert result.stderr.startswith("Usage: segment")
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("segment im", ["image"]),
        ("segment image --range", ["--range-bandwidth"]),
        ("segment image --kernel g", ["gaussian"]),
        ("segment image -c l", ["luv", "lab"]),
    ],
)
def test_the_shell_completes_commands_options_and_values(
    words: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_SEGMENT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert segment().stdout.split() == expected


def test_a_known_error_is_one_line_on_stderr(broken_command) -> None:
    broken_command.append(InputError("a\nb"))
    result = CliRunner().invoke(main.app, ["broken"])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "segment: a\\nb\n")


def test_parameters_are_named_as_the_command_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise InputError(
            "bandwidth=2.5 is odd with n_jobs=3; color_space='luv' goes, color_space not"
        )

    monkeypatch.setattr("segment.images.read_image", refuse)
    result = CliRunner().invoke(main.app, ["palette", "a.png"])
    assert result.exit_code == 1
    assert result.stderr == (
        "segment: a.png: --bandwidth 2.5 is odd with --n-threads 3; --color-space luv goes, "
        "--color-space not\n"
    )


def test_out_of_memory_is_one_line_on_stderr(broken_command) -> None:
    broken_command.append(MemoryError())
    result = CliRunner().invoke(main.app, ["broken"])
    assert result.exit_code == 1
    assert result.stderr == "segment: out of memory; use a smaller image\n"


def test_interrupt_exits_with_130(broken_command) -> None:
    broken_command.append(KeyboardInterrupt())
    result = CliRunner().invoke(main.app, ["broken"])
    assert (result.exit_code, result.output) == (130, "")


def test_a_bug_keeps_its_traceback(broken_command) -> None:
    broken_command.append(ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        typer.main.get_command(main.app)(["broken"])


@pytest.mark.parametrize(
    ("word", "command"),
    [("a.jpg", "image"), ("tree.npz", "cut"), ("rows.csv", "points"), (".", "batch")],
)
def test_a_file_in_place_of_a_command(word: str, command: str) -> None:
    result = CliRunner().invoke(main.app, [word])
    assert result.exit_code == 2
    assert f"segment {command} {word}" in " ".join(result.stderr.split())


def test_who_reads_may_stop_reading(tmp_path: Path) -> None:
    """As in ``segment bandwidth *.png | head -1``."""
    from segment.images import write_image

    write_image(tmp_path / "a.png", np.zeros((20, 20, 3), np.uint8))
    process = subprocess.Popen(
        [sys.executable, "-m", "segment", "bandwidth", *["a.png"] * 300],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert errors == b""


def in_a_shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of sh in which ``$S`` is the command line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "S": f"{sys.executable} -m segment"}
    return subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, cwd=folder, env=environment
    )


@pytest.fixture
def flat_picture(tmp_path: Path) -> Path:
    from segment.images import write_image

    write_image(tmp_path / "in" / "a.png", np.zeros((20, 20, 3), np.uint8))
    return tmp_path


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(flat_picture: Path, closed: str) -> None:
    script = f"$S image in/a.png -o a {closed}; echo $? >&3; $S batch in b {closed}; echo $? >&3"
    done = in_a_shell(f"exec 3>codes; {script}", flat_picture)
    assert (flat_picture / "codes").read_text().split() == ["0", "0"]
    assert "Traceback" not in done.stdout + done.stderr
    for folder in ("a", "b"):
        assert (flat_picture / folder / "a.labels.png").stat().st_size > 50


def test_errors_do_not_go_to_the_output_where_stderr_is_closed(tmp_path: Path) -> None:
    done = in_a_shell("$S image none.png 2>&-", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")


def test_a_closed_output_is_said_where_the_result_was_to_go_there(flat_picture: Path) -> None:
    done = in_a_shell("$S image in/a.png -q -o - --save json >&-", flat_picture)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "segment: in/a.png: cannot write standard output: it is closed; give a file with -o"
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", ["image in/a.png -o a", "batch in b", "--help", "--version"])
def test_a_full_disk_under_the_output_is_one_line(flat_picture: Path, command: str) -> None:
    done = in_a_shell(f"$S {command} >/dev/full", flat_picture)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "segment: cannot write standard output: the disk is full; free some space and run again"
    )
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("module", ["typer", "numpy", "segment.cli.progress"])
def test_an_interrupt_while_modules_are_imported_leaves_no_traceback(
    module: str, tmp_path: Path
) -> None:
    """Sent by the import itself, so that it comes in the middle."""
    program = f"""
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from segment.__main__ import run
run()
"""
    result = subprocess.run(
        [sys.executable, "-c", program, "image", str(ROOT / "images/coffee.png")], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (result.returncode, result.stdout, result.stderr) == (130, "", "")
