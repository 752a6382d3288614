"""Keyset pages and their signed cursors (GraphQL Cursor Connections Specification)."""

import base64
import binascii
import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from core.errors import BadUserInput

DEFAULT_SIZE = 20
LARGEST_SIZE = 100
COUNT_CEILING = 10_001
"""Where total counts saturate: counting further would cost more than a page is worth."""

_SIGNATURE_BYTES = 8
_LONGEST_CURSOR = 1_000


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
        body = orjson.dumps([str(value) if isinstance(value, _TEXT_VALUES) else value for value in values])
        return base64.urlsafe_b64encode(self._signature(body) + body).decode().rstrip("=")

    def decode(self, cursor: str) -> tuple[Any, ...]:
        """Return the values of a cursor as JSON has them.

        Raises:
            BadUserInput: It is not a cursor that this listing of this shop has given out.
        """
        try:
            if len(cursor) > _LONGEST_CURSOR:
                raise ValueError
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
            if signature != self._signature(body):
                raise ValueError
            return tuple(orjson.loads(body))
        except (binascii.Error, ValueError):
            raise BadUserInput("This cursor is not one of this listing; start again without it.") from None

    def _signature(self, body: bytes) -> bytes:
        return hashlib.blake2b(
            self.listing.encode() + b"\0" + body, digest_size=_SIGNATURE_BYTES, key=self.key
        ).digest()
