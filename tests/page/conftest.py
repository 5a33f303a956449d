"""One browser and one small tree for all tests of the explorer."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import segment
from segment.page import write_page
from tests.pictures import landscape
from tests.regions.test_hierarchy import FINE

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&.png"


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no Chromium to test the page in")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def tree() -> Any:
    mask = np.ones((48, 60), bool)
    mask[:5, :7] = False
    return segment.mean_shift(landscape(), mask=mask, **FINE).hierarchy()


def image_of(tree: Any, name: str = "a disc.png") -> segment.Image:
    mask = tree.leaves._pixels.mask
    alpha = None if mask is None else mask.astype(np.uint8) * np.uint8(255)
    return segment.Image(pixels=tree.leaves._pixels.values, alpha=alpha, path=name)


@pytest.fixture(scope="session")
def html(tree: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "disc.page.html"
    return write_page(tree, image_of(tree), path, n_regions=12)


@contextlib.contextmanager
def visiting(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens pages; whatever goes wrong in them, or leaves them, fails the test."""
    contexts, troubles = [], []

    def opening(path: Path, **options: Any) -> Any:
        options = {"viewport": {"width": 1000, "height": 700}, **options}
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.on(
            "console", lambda told: troubles.append(told.text) if told.type == "error" else None
        )
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith(("file:", "data:", "blob:"))
                else troubles.append(asked.url)
            ),
        )
        page.goto(path.as_uri())
        until(page, "Boolean(globalThis.app)")
        return page

    yield opening
    for context in contexts:
        context.close()
    assert not troubles


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    with visiting(browser) as opening:
        yield opening


@pytest.fixture
def page(visit: Callable[..., Any], html: Path) -> Any:
    return visit(html)


def until(page: Any, condition: str) -> None:
    """Wait until it is true; Playwright's own way needs eval, which the page forbids."""
    for _ in range(1000):
        try:
            if page.evaluate(condition):
                return
        except Exception as error:  # the next page is on its way
            if "context was destroyed" not in str(error):
                raise
        page.wait_for_timeout(20)
    raise AssertionError(f"never {condition}")


def labels_of(page: Any, tree: Any) -> Any:
    """The label map that the page shows."""
    region = np.array(page.evaluate("[...app.model.region]"))
    return np.concatenate([[0], region + 1])[tree.leaves.labels]


def export(page: Any, kind: str) -> bytes:
    """A file as the page makes it when its button is clicked."""
    page.keyboard.press("Control+s")
    with page.expect_download() as waiting:
        page.click(f"[data-format={kind}]")
    page.keyboard.press("Escape")
    return Path(waiting.value.path()).read_bytes()
