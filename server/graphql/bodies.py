"""Reads the body of a request, as far as it is allowed to go."""

from starlette.types import Message, Receive

from server.graphql.refusals import BodyTooLarge
from server.graphql.watching import ClientLeft

_DISCARDED_AT_MOST = 8
"""Limits' worth of an over-long body that are read and dropped, since most clients read no answer before they have
sent all; beyond that the connection is closed on them."""


async def read_body(receive: Receive, *, declared: str | None, limit: int) -> bytes:
    """Return the body of a request.

    Args:
        receive: Where it comes from.
        declared: The `Content-Length` header; only believed where it is too much.
        limit: Bytes that a body may have.

    Raises:
        BodyTooLarge: It has more, by what has arrived or by its own word.
        ClientLeft: The client closed the connection before all was there.
    """
    if declared is not None and declared.isdecimal() and int(declared) > limit * _DISCARDED_AT_MOST:
        raise _too_large(limit)
    message = await receive()
    body = _chunk(message)
    if not message.get("more_body", False) and len(body) <= limit:
        return body
    chunks, length = [body], len(body)
    while message.get("more_body", False):
        message = await receive()
        chunk = _chunk(message)
        length += len(chunk)
        if length <= limit:
            chunks.append(chunk)
        elif length > limit * _DISCARDED_AT_MOST:
            break
    if length > limit:
        raise _too_large(limit)
    return b"".join(chunks)


def _chunk(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientLeft
    chunk: bytes = message.get("body", b"")
    return chunk


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body may have {limit:,} bytes; send less, or in several requests.", which="body")
