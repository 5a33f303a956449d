"""The routes of the server."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from segment.errors import InputError, SegmentError
from segment.page.building import start_page
from segment.page.server.folder import Folder
from segment.page.server.guard import App, Guard
from segment.page.server.work import OPTIONS, Works, command


def make_app(folder: Folder, works: Works, *, port: int, token: str, **limits: Any) -> App:
    """Return the guarded application; `limits` are those of `Guard`."""
    routes = Routes(folder, works)
    app = Starlette(
        routes=[
            Route("/", routes.page),
            Route("/api/state", routes.state),
            Route("/api/run", routes.run, methods=["POST"]),
            Route("/api/stop", routes.stop, methods=["POST"]),
            Route("/api/save", routes.save, methods=["POST"]),
            Route("/api/add", routes.add, methods=["POST"]),
            Route("/api/note", routes.note, methods=["POST"]),
        ],
        exception_handlers={SegmentError: _told, ValueError: _told, KeyError: _told},
    )
    return Guard(app, port=port, token=token, **limits)


def _told(_: Request, error: Exception) -> Response:
    text = str(error) if isinstance(error, SegmentError) else "the request makes no sense"
    return JSONResponse({"error": text}, status_code=400)


class Routes:
    """What each address answers."""

    def __init__(self, folder: Folder, works: Works) -> None:
        self.folder, self.works = folder, works

    async def page(self, _: Request) -> Response:
        job = self.works.job
        data = start_page() if job is None or job.page is None else job.page
        return Response(data, media_type="text/html")

    async def state(self, _: Request) -> Response:
        job = self.works.job
        notes = await run_in_threadpool(self.folder.notes)
        names = await run_in_threadpool(self.folder.names)
        current = None if job is None else job.picture.name
        options = notes["pictures"].get(current, {}).get("options", {}) if job is None else {}
        return JSONResponse(
            {
                "pictures": [
                    {"name": name, "done": notes["pictures"].get(name, {}).get("done", False)}
                    for name in names
                ],
                "current": current,
                "classes": notes["classes"],
                "project": notes["pictures"].get(current, {}).get("project"),
                "options": options if job is None else job.options,
                "command": None if job is None else command(job.picture, job.options),
                "job": None if job is None else job.state(),
            }
        )

    async def run(self, request: Request) -> Response:
        asked = await _object(request)
        options = asked.get("options", {})
        if not isinstance(options, dict) or not isinstance(asked.get("picture"), str):
            raise InputError("a picture and its options are to be given; ask again from the page")
        if set(options) - set(OPTIONS):
            raise InputError("an option is unknown; ask again from the page")
        path = await run_in_threadpool(self.folder.path, asked["picture"])
        return JSONResponse(self.works.begin(path, options).state())

    async def stop(self, _: Request) -> Response:
        self.works.end()
        return JSONResponse({})

    async def save(self, request: Request) -> Response:
        picture, ending = request.query_params["picture"], request.query_params["ending"]
        data = await request.body()
        return JSONResponse(
            {"name": await run_in_threadpool(self.folder.save, picture, ending, data)}
        )

    async def add(self, request: Request) -> Response:
        name, data = request.query_params["name"], await request.body()
        return JSONResponse({"name": await run_in_threadpool(self.folder.add, name, data)})

    async def note(self, request: Request) -> Response:
        asked = await _object(request)
        await run_in_threadpool(self.folder.note, asked["picture"], asked)
        return JSONResponse({})


async def _object(request: Request) -> dict[str, Any]:
    content = await request.json()
    if not isinstance(content, dict):
        raise InputError("the request is no JSON object; ask again from the page")
    return content
