"""The limit: no GraphQL at all, but a server that knows its five operations and answers each by one statement."""

import os
import time
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import asyncpg
import orjson

from bench.peers.limit_statements import STATEMENTS
from bench.peers.tokens import claims_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_SHOP_LIFETIME_SECONDS = 5.0
_FIND_SHOP = "SELECT id, default_channel_id FROM find_shop(NULL, $1, NULL)"
_UUID_BYTES = 16

_pools: list[asyncpg.Pool] = []
"""One, from the start of the server to its end."""

_shops: dict[str, tuple[asyncpg.Record, float]] = {}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request (ASGI 3)."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    headers = dict(scope["headers"])
    if b"authorization" not in headers:
        await _answer(send, 401, b"")
        return
    given = orjson.loads(await _body(receive))
    claims = claims_of(headers[b"authorization"].decode("ascii"))
    answer = await _run(claims, given["operationName"].lower(), given["variables"])
    await _answer(send, 200, answer.encode())


async def _run(claims: Mapping[str, Any], operation: str, variables: Mapping[str, str]) -> str:
    writes = operation == "mutation"
    if writes and "catalogue:write" not in claims["permissions"]:
        raise PermissionError(operation)
    shop = await _shop(claims["shop"])
    begin = "BEGIN" if writes else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    values = [_uuid_of(value) if name in {"id", "category"} else value for name, value in variables.items()]
    async with _pools[0].acquire() as connection:
        await connection.execute(f"{begin}; SET LOCAL app.shop_id = '{shop['id']}'")
        try:
            answer: str = await connection.fetchval(
                STATEMENTS[operation], shop["id"], shop["default_channel_id"], *values
            )
        except BaseException:
            await connection.execute("ROLLBACK")
            raise
        await connection.execute("COMMIT")
    return answer


async def _shop(slug: str) -> asyncpg.Record:
    known = _shops.get(slug)
    if known is not None and time.monotonic() < known[1]:
        return known[0]
    shop = await _pools[0].fetchrow(_FIND_SHOP, slug)
    _shops[slug] = (shop, time.monotonic() + _SHOP_LIFETIME_SECONDS)
    return shop


def _uuid_of(global_id: str) -> uuid.UUID:
    return uuid.UUID(bytes=urlsafe_b64decode(global_id + "=" * (-len(global_id) % 4))[-_UUID_BYTES:])


async def _keep_session(_: asyncpg.Connection) -> None:
    """Leave out the reset of a session between requests: nothing in it outlives a transaction."""


async def _live(receive: Receive, send: Send) -> None:
    await receive()
    pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=1,
        max_size=int(os.environ["POOL_SIZE"]),
        reset=_keep_session,
        server_settings={"TimeZone": "UTC", "jit": "off"},
    )
    _pools.append(pool)
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await pool.close()
    await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
