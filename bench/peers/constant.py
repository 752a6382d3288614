"""A body that is always the same: the most that uvicorn can send, for comparison with answers from a cache."""

import os
from pathlib import Path

from starlette.types import Receive, Scope, Send

_BODY = Path(os.environ["BODY"]).read_bytes()
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request without reading it (ASGI 3)."""
    if scope["type"] == "lifespan":
        for state in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{state}.complete"})
        return
    while (await receive()).get("more_body", False):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
