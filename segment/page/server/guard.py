"""Who may ask the server: pages that it served itself, on this machine, with the token of the run.

A server on loopback is within reach of every page in the same browser. Names are therefore taken
from a list, never compared with each other, which a rebound name would pass.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES = 256 << 20  # of a request
PATIENCE = 20.0  # seconds between two parts of a request
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class Guard:
    """Answers nothing but what comes from this machine's own page."""

    def __init__(
        self,
        app: App,
        *,
        port: int,
        token: str,
        most_bytes: int = MOST_BYTES,
        patience: float = PATIENCE,
    ) -> None:
        self.app, self.token = app, token
        self.most_bytes, self.patience = most_bytes, patience
        self.hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}
        self.origins = {b"http://" + host for host in self.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            try:
                message = await asyncio.wait_for(receive(), self.patience)
            except TimeoutError:
                raise HTTPException(408) from None
            taken += len(message.get("body", b""))
            if taken > self.most_bytes:
                raise HTTPException(413)
            return message

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                close = [(b"connection", b"close")] if message["status"] >= 400 else []
                message["headers"] = [*message.get("headers", []), *HEADERS, *close]
            await send(message)

        status = self.refusal(scope)
        if status is None:
            await self.app(scope, bounded, guarded)
            return
        headers = [(b"content-type", b"text/plain")]
        await guarded({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"refused\n"})

    def refusal(self, scope: Scope) -> int | None:
        """Return the status that refuses a request, None if it is answered."""
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        if len(headers.get(b"host", [])) != 1 or headers[b"host"][0] not in self.hosts:
            return 421
        if not set(headers.get(b"origin", [])) <= self.origins:
            return 403
        if headers.get(b"sec-fetch-site", [b"none"])[0] not in (b"none", b"same-origin"):
            return 403
        given = headers.get(b"x-token", [b""])[0].decode("latin-1")
        if scope["path"] == "/":
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return 403
        length = headers.get(b"content-length", [b"0"])[0]
        if not length.isdigit() or int(length) > self.most_bytes:
            return 413
        return None
