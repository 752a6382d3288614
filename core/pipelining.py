"""Sends short statements in front of another in one message: the only module that looks inside asyncpg."""

from collections.abc import Awaitable, Sequence
from typing import Any

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

KNOWN_VERSIONS = frozenset({"0.32.0"})
"""Versions of asyncpg whose inside was read and is tested; with any other, statements are sent the public way."""

_EXECUTE = b"E" + (9).to_bytes(4) + b"\0" + bytes(4)
"""Execute the unnamed portal to its end."""


def is_known() -> bool:
    """Tell whether the installed asyncpg is one whose inside is known."""
    return asyncpg.__version__ in KNOWN_VERSIONS


def messages(name: str, *texts: tuple[str, int]) -> bytes:
    """Return a template, for the operator %, of the messages that run a prepared statement without a Sync.

    Args:
        name: The name that the statement was prepared by, empty for the unnamed one; it must return no rows.
        texts: For each parameter, which is sent as a text, a conversion such as `%b` and the width of its result.

    Returns:
        Bind to the unnamed portal and Execute; see "Message Formats" of PostgreSQL's frontend/backend protocol.
    """
    pieces = [b"\0" + name.encode() + b"\0", (0).to_bytes(2), len(texts).to_bytes(2)]
    length = sum(map(len, pieces))
    parameters = b""
    for conversion, width in texts:
        parameters += literal(width.to_bytes(4)) + conversion.encode()
        length += 4 + width
    no_formats = (0).to_bytes(2)
    head = b"B" + (4 + length + len(no_formats)).to_bytes(4) + b"".join(pieces)
    return literal(head) + parameters + literal(no_formats + _EXECUTE)


def literal(part: bytes) -> bytes:
    """Protect bytes that stand for themselves from the operator %."""
    return part.replace(b"%", b"%%")


def parsing(text: str) -> bytes:
    """Return the message that makes a text the unnamed prepared statement, whatever that was before."""
    query = b"\0" + text.encode() + b"\0" + (0).to_bytes(2)
    return b"P" + (4 + len(query)).to_bytes(4) + query


def message(name: str, *texts: bytes) -> bytes:
    """Return the messages that run a prepared statement without a Sync, for parameters of any width.

    Args:
        name: The name that the statement was prepared by, empty for the unnamed one; it must return no rows.
        texts: The parameters, which are sent as texts, without zero bytes.
    """
    parameters = b"".join([len(text).to_bytes(4) + text for text in texts])
    bind = b"\0%b\0\0\0%b%b\0\0" % (name.encode(), len(texts).to_bytes(2), parameters)
    return b"B" + (4 + len(bind)).to_bytes(4) + bind + _EXECUTE


def fetch(
    connection: asyncpg.Connection, statement: PreparedStatement, arguments: Sequence[Any], *, behind: bytes = b""
) -> Awaitable[list[Any]]:
    """Run a prepared statement, and other messages right before it.

    The statement's own Sync ends them all: outside of a transaction block they share one implicit transaction. When
    this raises before it has sent the statement (an argument cannot be encoded), the messages in front are still
    without a Sync: send one, by any public method, before the connection is used again.

    Args:
        connection: An open one that nothing runs on.
        statement: Prepared on this connection.
        arguments: In the statement's order.
        behind: Messages to send first, from `messages`.

    Returns:
        The statement's rows.
    """
    protocol = connection._protocol  # noqa: SLF001
    if behind:
        connection._transport.write(behind)  # noqa: SLF001
    rows: Awaitable[list[Any]] = protocol.bind_execute(statement._state, arguments, "", 0, False, None)  # noqa: FBT003, SLF001
    return rows
