"""What the README shows and says is true: its commands run, its pictures are there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from segment.cli import main
from segment.images import read_image

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def fences(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


COMMANDS = [line for block in fences("sh") for line in block.splitlines() if line]
GALLERY = [line for line in COMMANDS if " gallery" in line]
OTHERS = [line for line in COMMANDS if line not in GALLERY and "pip install" not in line]
PICTURES = re.findall(r"!\[.*?\]\((.*?)\)", README)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sample pictures and a `segment` command, like a fresh installation."""
    shutil.copytree(ROOT / "images", tmp_path / "images")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shell(line: str) -> str:
    """Run a line of the README: in this process where it needs neither shell nor workers."""
    if not set("<>|&*") & set(line) and not line.startswith("segment batch"):
        result = CliRunner().invoke(main.app, shlex.split(line)[1:])
        assert result.exit_code == 0, result.output
        return result.stdout
    assert line.startswith("segment ")
    command = re.sub(r"(^|&& )segment ", rf"\1'{sys.executable}' -m segment ", line)
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_installation_and_tests_are_run_by_ci() -> None:
    lines = [line for line in COMMANDS if "pip install" in line]
    assert lines == [
        "python -m pip install . && segment image images/coffee.png",
        "python -m pip install '.[test]' && python -m pytest",
    ]
    run = CI.replace(" --quiet --disable-pip-version-check", "")
    for line in lines:
        assert line in run


def test_the_main_command_writes_what_is_promised(checkout: Path) -> None:
    shell("segment image images/coffee.png")
    outputs = {path.name for path in (checkout / "outputs").iterdir()}
    assert outputs == {
        f"coffee.{end}"
        for end in re.findall(r"labels\.png|preview\.png|posterized\.png|overlay\.png|json", CI)
    }


@pytest.mark.parametrize("line", OTHERS)
def test_commands_run(checkout: Path, line: str) -> None:
    before = set(checkout.rglob("*"))
    said = shell(line)
    written = set(checkout.rglob("*")) - before
    assert said or "-o -" in line
    assert written or line.split()[1] in {"palette", "points"}


def test_the_gallery_is_made_by_its_commands(checkout: Path) -> None:
    for line in GALLERY:
        shell(line)
    shown = {Path(picture).relative_to("outputs") for picture in PICTURES}
    for picture in shown:
        assert (checkout / picture).exists(), picture


def test_python_runs(checkout: Path) -> None:
    for block in fences("python"):
        exec(block, {})
    assert (checkout / "outputs" / "coffee.labels.png").exists()


@pytest.mark.parametrize("picture", sorted(set(PICTURES)))
def test_pictures_are_there(picture: str) -> None:
    assert read_image(ROOT / picture).pixels.ndim == 3


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_sample_pictures_are_small_and_have_their_sources() -> None:
    sources = (ROOT / "images" / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "images").glob("*.png"):
        assert path.stat().st_size < 1_000_000
        assert f"`{path.name}`" in sources
