"""Keyset pages and their signed cursors (GraphQL Cursor Connections Specification)."""

import base64
import binascii
import dataclasses
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from core.errors import BadUserInput

DEFAULT_SIZE = 20
LARGEST_SIZE = 100
COUNT_CEILING = 10_001
"""Where total counts saturate: counting further would cost more than a page is worth."""

_SIGNATURE_BYTES = 8
_LONGEST_CURSOR = 2_000
"""Characters; a sort value of 200 characters, each escaped or of four bytes, is about 1,700."""


@dataclasses.dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is wanted.

    Attributes:
        size: Rows at most, 0 to `LARGEST_SIZE`.
        forward: Rows after the cursor in order; otherwise the rows just before it.
        cursor: Sort values and id of the row next to the page; None for the first or last page.
    """

    size: int
    forward: bool = True
    cursor: tuple[Any, ...] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class CursorCodec:
    """Makes and checks the cursors of one listing of one shop.

    Attributes:
        key: Secret of the shop.
        listing: What is listed and how it is sorted; a cursor of another listing is refused.
    """

    key: bytes = dataclasses.field(repr=False)
    listing: str

    def encode(self, values: Sequence[Any]) -> str:
        """Return the cursor of a row from its sort values and id (JSON values, uuids, datetimes)."""
        # The driver's uuid is a subclass, which orjson leaves to us.
        body = orjson.dumps(list(values), default=str)
        return base64.urlsafe_b64encode(self._signature(body) + body).decode().rstrip("=")

    def decode(self, cursor: str) -> tuple[Any, ...]:
        """Return the values of a cursor as JSON has them.

        Raises:
            BadUserInput: It is not a cursor that this listing of this shop has given out.
        """
        raw = _decode(cursor)
        signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(body)):
            raise BadUserInput("This cursor is not one of this listing; start again without it.")
        return tuple(orjson.loads(body))

    def _signature(self, body: bytes) -> bytes:
        text = self.listing.encode() + b"\0" + body
        return hashlib.blake2b(text, digest_size=_SIGNATURE_BYTES, key=self.key).digest()


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """A page of rows; each row carries its sort value as `sort_key` and its `id`.

    Rows that came with a statement of their parents', or carry rows themselves, have them at their head instead: first
    the id, then the sort value.

    Attributes:
        rows: In the order of the listing, also when read backwards.
        has_next_page: Whether rows follow.
        has_previous_page: Whether rows precede.
        codec: Makes the cursors.
        count: Counts all rows of the listing, up to `COUNT_CEILING`.
        by_position: Whether the rows have id and sort value at their head, where cursors are asked for.
    """

    rows: Sequence[Any]
    has_next_page: bool
    has_previous_page: bool
    codec: CursorCodec
    count: Callable[[], Awaitable[int]]
    by_position: bool = False

    def cursor_of(self, row: Any) -> str:
        """Return the cursor of one of the rows."""
        if self.by_position:
            return self.codec.encode((row[1], row[0]))
        return self.codec.encode((row.sort_key, row.id))


def _decode(cursor: str) -> bytes:
    if len(cursor) > _LONGEST_CURSOR:
        return b""
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def page_request(
    codec: CursorCodec,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> PageRequest:
    """Read the four arguments of a connection.

    Returns:
        The page wanted; the first `DEFAULT_SIZE` rows where nothing is said.

    Raises:
        BadUserInput: The arguments exclude each other, a size is out of bounds, or a cursor is not of this listing.
    """
    if (first is not None or after is not None) and (last is not None or before is not None):
        raise BadUserInput("Use either first and after, or last and before.")
    size = first if first is not None else last
    size = DEFAULT_SIZE if size is None else size
    if not 0 <= size <= LARGEST_SIZE:
        raise BadUserInput(f"A page has 0 to {LARGEST_SIZE} rows.")
    forward = last is None and before is None
    cursor = after if forward else before
    return PageRequest(size, forward=forward, cursor=codec.decode(cursor) if cursor is not None else None)
