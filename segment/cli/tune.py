"""``segment tune``: the explorer in a browser, on a picture or through a folder."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import Annotated

import typer

from segment.cli import options
from segment.errors import ExtraError, FileError
from segment.files import display_name


def tune(
    source: Annotated[
        Path, typer.Argument(metavar="[IMAGE|FOLDER]", help="What to look at.", show_default=".")
    ] = Path(),
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port to serve at; 0: any free one.")
    ] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
    n_threads: options.NThreads = None,
) -> None:
    """Try parameters, correct and label pictures in the browser.

    Serves this machine only, and only the page that it prints the address of. What is saved goes
    beside the pictures, never over anything; classes and progress are kept in .segment.json.

    \b
    Examples:
      segment tune photo.jpg
      segment tune photos --port 8000 --no-browser
    """
    from segment.threads import resolve_n_threads

    try:
        import uvicorn

        from segment.page.server.app import make_app
    except ImportError as error:
        raise ExtraError("segment tune", "page") from error
    from segment.page.server.folder import Folder
    from segment.page.server.work import Works

    if not source.exists():
        raise FileError(
            f"cannot read {display_name(source)}: no such file or folder; check the name"
        )
    one = not source.is_dir()
    folder = Folder(source.parent if one else source, source.name if one else None)
    works = Works(resolve_n_threads(n_threads))
    if one:
        works.begin(folder.path(source.name), {})
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError as error:
            raise FileError(
                f"cannot serve at port {port}: {error.strerror}; choose another with --port"
            ) from error
        port, token = listening.getsockname()[1], secrets.token_urlsafe(24)
        address = f"http://127.0.0.1:{port}/?token={token}"
        print(f"segment: {address}\nsegment: stop with Ctrl+C", flush=True)
        if browser:
            import webbrowser

            webbrowser.open(address)
        settings = uvicorn.Config(
            make_app(folder, works, port=port, token=token),
            log_level="error",
            access_log=False,
            server_header=False,
            limit_concurrency=64,
            timeout_keep_alive=10,
            h11_max_incomplete_event_size=32768,
        )
        uvicorn.Server(settings).run(sockets=[listening])
