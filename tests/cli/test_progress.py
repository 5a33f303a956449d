"""What is shown while work goes on."""

from __future__ import annotations

import numba
import pytest

from segment.cli.progress import Display
from segment.compiling import watch_compilation


def fresh_kernel():
    """A pair of kernels that were never compiled; the outer one calls the inner one."""

    @numba.njit
    def inner(x):
        return x + 1

    @numba.njit
    def outer(x):
        return inner(x) * 2

    return outer


def test_compilation_is_noticed_once_and_only_when_it_happens() -> None:
    events: list[object] = []
    kernel = fresh_kernel()
    with watch_compilation(lambda: events.append("begin"), events.append):
        assert events == []
        kernel(1)
        assert len(events) == 2
        kernel(2)
    assert events[0] == "begin"
    assert isinstance(events[1], float)
    assert len(events) == 2
    fresh_kernel()(1)
    assert len(events) == 2  # the block has ended


def test_a_run_that_compiles_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    display = Display()
    kernel = fresh_kernel()
    with display.working("a.png"), display.compiling():
        kernel(1)
    assert "compiling; later runs skip this" in capsys.readouterr().err
    assert display.compile_seconds > 0
    with display.working("a.png"), display.compiling():
        kernel(1)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("folder", [None, "somewhere"])
def test_a_long_compilation_says_whether_it_is_kept(
    folder: str | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("segment.warmup.cache_folder", lambda: folder)
    display = Display()
    with display.compiling():
        display.compile_seconds += 12.3
    said = capsys.readouterr().err
    assert said.startswith("segment: compiled in 12 s")
    assert ("NUMBA_CACHE_DIR" in said) == (folder is None)


def test_quiet_shows_only_errors(capsys: pytest.CaptureFixture[str]) -> None:
    display = Display(quiet=True)
    with display.working("a.png"), display.compiling():
        fresh_kernel()(1)
        display.note("a note")
        display.error("an\nerror")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "segment: an\\nerror\n")
