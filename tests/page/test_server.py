"""`segment tune`: what it serves, to whom, and what it refuses."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import segment
from segment.cli import main
from segment.errors import FileError, InputError
from segment.page.server.folder import NOTES, Folder
from segment.page.server.work import Works, command
from tests.page.conftest import until
from tests.pictures import landscape

httpx = pytest.importorskip("httpx")
uvicorn = pytest.importorskip("uvicorn")
pytest.importorskip("starlette")

TOKEN = "the token of this run"
NAME = "b <img src=x onerror=alert(1)>.png"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    root.mkdir()
    segment.write_image(root / "a.png", landscape())
    segment.write_image(root / NAME, landscape()[::-1])
    segment.write_image(tmp_path / "secret.png", landscape())
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "notes.txt").write_text("no picture")
    return root


@contextlib.contextmanager
def serving(root: Path) -> Iterator[Any]:
    """A client of a server on its own thread, with small limits."""
    from segment.page.server.app import make_app

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    app = make_app(Folder(root), Works(1), port=port, token=TOKEN, most_bytes=100_000, patience=0.5)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers={"X-Token": TOKEN}, timeout=30
    ) as client:
        yield client
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def served(root: Path) -> Iterator[Any]:
    with serving(root) as client:
        yield client


def finished(client: Any) -> Any:
    while True:
        state = client.get("/api/state").json()
        if state["job"] and (
            state["job"]["ready"] or state["job"]["error"] or state["job"]["cancelled"]
        ):
            return state
        time.sleep(0.02)


def test_it_segments_and_says_the_command(served: Any) -> None:
    state = served.get("/api/state").json()
    assert [entry["name"] for entry in state["pictures"]] == ["a.png", NAME]
    options = {"range_bandwidth": 9.5, "min_size": 30, "color_space": "lab"}
    served.post("/api/run", json={"picture": "a.png", "options": options})
    state = finished(served)
    assert state["job"]["error"] is None
    assert state["command"] == (
        "segment image a.png --range-bandwidth 9.5 --min-size 30 --color-space lab --save page"
    )
    page = served.get(f"/?token={TOKEN}")
    assert page.status_code == 200
    assert 'id="packed"' in page.text
    assert page.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-Token": ""}, 403),
        ({"X-Token": "another"}, 403),
        ({"Content-Length": "100001"}, 413),
        ({"Content-Length": "-1"}, 413),
    ],
)
def test_strangers_are_refused(served: Any, headers: dict[str, str], status: int) -> None:
    if "Content-Length" in headers:
        lines = [f"POST /api/add?name=x.png HTTP/1.1\r\nHost: {served.base_url.netloc.decode()}"]
        lines += [f"X-Token: {TOKEN}", f"Content-Length: {headers['Content-Length']}", "", ""]
        answer = raw(served, "\r\n".join(lines).encode())
        assert answer.startswith((f"HTTP/1.1 {status}".encode(), b"HTTP/1.1 400"))
        return
    assert served.get("/api/state", headers=headers).status_code == status


def raw(client: Any, data: bytes) -> bytes:
    """Send bytes and return what comes until the server closes."""
    with socket.create_connection((client.base_url.host, client.base_url.port), 10) as connection:
        connection.sendall(data)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def test_the_page_wants_the_token_too(served: Any) -> None:
    assert served.get("/").status_code == 403
    assert served.get("/?token=wrong").status_code == 403
    assert served.get(f"/?token={TOKEN}").status_code == 200


def test_a_body_without_a_length_is_bounded(served: Any, root: Path) -> None:
    answer = served.post("/api/add?name=x.png", content=(b"x" * 1000 for _ in range(200)))
    assert answer.status_code == 413
    assert not (root / "x.png").exists()


def test_a_slow_client_is_sent_away(served: Any, root: Path) -> None:
    head = f"POST /api/add?name=x.png HTTP/1.1\r\nHost: {served.base_url.netloc.decode()}\r\n"
    head += f"X-Token: {TOKEN}\r\nContent-Length: 500\r\n\r\nabc"
    assert raw(served, head.encode()).startswith(b"HTTP/1.1 408")
    assert not (root / "x.png").exists()


@pytest.mark.parametrize(
    "name", ["../secret.png", "link.png", "/etc/passwd", "..", "", "notes.txt", "a.png/../a.png"]
)
def test_nothing_outside_the_folder(served: Any, name: str) -> None:
    answer = served.post("/api/run", json={"picture": name, "options": {}})
    assert answer.status_code == 400
    assert "no picture" in answer.json()["error"]
    query = {"picture": name, "ending": "labels.png"}
    assert served.post("/api/save", params=query, content=b"x").status_code == 400


@pytest.mark.parametrize("ending", ["../x.labels.png", "py", "html", "labels.png/", "x.json"])
def test_only_exports_are_saved(served: Any, root: Path, ending: str) -> None:
    before = sorted(root.iterdir())
    query = {"picture": "a.png", "ending": ending}
    assert served.post("/api/save", params=query, content=b"x").status_code == 400
    assert sorted(root.iterdir()) == before


def test_saving_never_replaces(served: Any, root: Path) -> None:
    query = {"picture": "a.png", "ending": "labels.png"}
    names = [
        served.post("/api/save", params=query, content=text).json()["name"]
        for text in (b"1", b"2", b"3")
    ]
    assert names == ["a.labels.png", "a.labels-2.png", "a.labels-3.png"]
    assert [(root / name).read_bytes() for name in names] == [b"1", b"2", b"3"]
    query["ending"] = "geojson"
    assert served.post("/api/save", params=query, content=b"{}").json()["name"] == "a.geojson"
    assert [entry["name"] for entry in served.get("/api/state").json()["pictures"]] == [
        "a.png",
        NAME,
    ]


def test_pictures_are_added_but_not_over_others(served: Any, root: Path) -> None:
    data = (root / "a.png").read_bytes()
    assert served.post("/api/add", params={"name": "../../new.png"}, content=data).json() == {
        "name": "new.png"
    }
    assert (root / "new.png").read_bytes() == data
    for name in ("a.png", ".hidden.png", "x.exe", NOTES):
        assert served.post("/api/add", params={"name": name}, content=b"x").status_code == 400
    assert (root / "a.png").read_bytes() == data


def test_a_damaged_picture_and_bad_options_are_told(served: Any, root: Path) -> None:
    (root / "bad.png").write_bytes(b"no png")
    served.post("/api/run", json={"picture": "bad.png", "options": {}})
    assert "bad.png" in finished(served)["job"]["error"]
    for options in ({"range_bandwidth": -1}, {"n_threads": 99}, {"engine": "x"}, [1]):
        answer = served.post("/api/run", json={"picture": "a.png", "options": options})
        assert answer.status_code == 400
    assert served.post("/api/run", content=b"{").status_code == 400


def test_classes_and_progress_are_kept(root: Path) -> None:
    entry = {"done": True, "options": {}, "project": {"classes": [{"name": "sky"}]}}
    Folder(root).note("a.png", entry)
    notes = Folder(root).notes()
    assert notes["classes"] == [{"name": "sky"}]
    assert notes["pictures"]["a.png"]["done"] is True
    (root / NOTES).write_text("{}")
    with pytest.raises(FileError, match="damaged"):
        Folder(root).note("a.png", entry)
    assert (root / NOTES).read_text() == "{}"


def test_a_new_request_ends_the_old_one(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works = Works(1)
    reached, go = threading.Event(), threading.Event()

    def slow(job: Any) -> bytes:
        reached.set()
        go.wait(10)
        job.watch(1, 2)
        return b"page"

    monkeypatch.setattr(works, "_make", slow)
    first = works.begin(root / "a.png", {})
    assert reached.wait(10)
    second = works.begin(root / "a.png", {"min_size": 5})
    go.set()
    while not second.ended:
        time.sleep(0.01)
    assert first.cancelled
    assert first.page is None
    assert second.page == b"page"


def test_a_running_job_ends_at_its_next_tile(root: Path) -> None:
    segment.write_image(root / "large.png", np.tile(landscape(), (12, 12, 1)))
    works = Works(1)
    job = works.begin(root / "large.png", {})
    works.end()
    with works._turn:
        pass
    assert job.cancelled
    assert job.page is None


def test_commands_are_quoted(root: Path) -> None:
    assert command(root / NAME, {}) == f"segment image '{NAME}' --save page"
    assert command(root / "-x.png", {"min_size": 3}).startswith("segment image ./-x.png --min-size")


def test_wrong_calls(tmp_path: Path) -> None:
    done = CliRunner().invoke(main.app, ["tune", str(tmp_path / "none"), "--no-browser"])
    assert done.exit_code == 1
    assert "no such file" in done.output
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        arguments = ["tune", str(tmp_path), "--no-browser", "--port", port]
        done = CliRunner().invoke(main.app, arguments)
    assert done.exit_code == 1
    assert "--port" in done.output
    with pytest.raises(InputError, match="no picture"):
        Folder(tmp_path).path("x.png")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_an_empty_folder_asks_for_a_picture(tmp_path: Path, browser: Any) -> None:
    source = segment.write_image(tmp_path / "p.png", landscape())
    folder = tmp_path / "folder"
    folder.mkdir()
    with serving(folder) as served:
        context = browser.new_context(viewport={"width": 400, "height": 760})
        page = context.new_page()
        page.goto(f"{served.base_url}/?token={TOKEN}")
        until(page, "document.body.classList.contains('empty')")
        # The one thing that can be reached.
        assert page.locator("button:visible").count() == 0
        assert page.locator("#add").is_visible()
        page.set_input_files("#file", source)
        until(page, "globalThis.app && app.model.data.name === 'p.png'")
        assert page.locator("#tuning").is_visible()
        assert (folder / "p.png").read_bytes() == source.read_bytes()
        context.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_in_a_browser(served: Any, root: Path, browser: Any) -> None:
    context = browser.new_context(viewport={"width": 1100, "height": 800})
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: troubles.append(dialog.message))
    page.goto(f"{served.base_url}/?token={TOKEN}")
    until(page, "Boolean(globalThis.app)")
    assert page.inner_text("#name") == "a.png"
    page.evaluate("app.setClass(1); app.mark([[24, 33]])")
    page.check("#done")
    until(page, "document.querySelector('#done').checked")
    for _ in range(500):
        notes = json.loads((root / NOTES).read_text()) if (root / NOTES).exists() else {}
        if notes.get("pictures", {}).get("a.png", {}).get("done"):
            break
        page.wait_for_timeout(20)
    assert notes["pictures"]["a.png"]["project"]["strokes"]
    page.keyboard.press("Control+s")
    page.click("[data-format=labels]")
    until(page, "document.querySelector('#toast').textContent.startsWith('Saved as')")
    assert (root / "a.labels.png").is_file()
    page.keyboard.press("Escape")
    page.click("#next")
    until(page, f"globalThis.app && app.model.data.name === {json.dumps(NAME)}")
    page.click("#previous")
    until(page, "globalThis.app && app.model.data.name === 'a.png' && app.model.marked")
    until(page, "document.querySelector('#done').checked")
    # Another result of the same picture: the look and the marks stay.
    page.evaluate("app.renderer.zoom(3, 200, 150); app.setView('labels'); app.compare(0.3)")
    seen = page.evaluate("app.renderer.view")
    strokes = page.evaluate("app.model.state.strokes")
    page.click("summary")
    page.fill("[name=range_bandwidth]", "12")
    page.click("#options button")
    until(page, "document.querySelector('#command').textContent.includes('--range-bandwidth 12')")
    until(page, "app.model.marked && app.renderer.mode === 'labels'")
    assert page.evaluate("app.renderer.view") == seen
    assert page.evaluate("app.renderer.divider") == 0.3
    assert page.evaluate("app.model.state.strokes") == strokes
    # Another picture: how it is shown stays, and it is seen whole.
    page.click("#next")
    until(page, f"globalThis.app && app.model.data.name === {json.dumps(NAME)}")
    until(page, "app.renderer.mode === 'labels'")
    assert page.evaluate("app.renderer.fitted")
    until(page, "document.querySelector('#progress-of').innerText === '1 of 2 done'")
    assert not troubles
    context.close()
