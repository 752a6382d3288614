"""Ids of demo rows: the same each time, and in the order of creation like those of real rows."""

import uuid
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

REFERENCE = datetime(2026, 9, 1, tzinfo=UTC)
"""The day on which the history of the demo shops ends; a date of its own, so that each seeding gives the same rows."""

OPENED = REFERENCE - timedelta(days=400)
"""When the demo shops opened."""

_RANDOM_BYTES = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIXED_BITS = ~(0xF << 76) & ~(0x3 << 62)
_VERSION_AND_VARIANT = 0x7 << 76 | 0x2 << 62


class Identities:
    """Makes the ids of one shop.

    Attributes:
        shop_id: The shop's own id.
    """

    __slots__ = ("_fixed", "_slug", "shop_id")

    def __init__(self, slug: str) -> None:
        self._slug = slug.encode()
        self._fixed: dict[tuple[str, str], uuid.UUID] = {}
        self.shop_id = self.of("shop", slug)

    def of(self, kind: str, key: str | int, made_at: datetime = OPENED) -> uuid.UUID:
        """Return the id of a row.

        Args:
            kind: The row's table.
            key: What tells it from other rows of the table.
            made_at: When it was made; ids of the same kind sort by it.

        Returns:
            A UUIDv7 (RFC 9562, section 5.7) with a hash in place of the random bits.
        """
        named = blake2b(b"%b/%b/%b" % (self._slug, kind.encode(), str(key).encode()), digest_size=_RANDOM_BYTES)
        value = (made_at - _EPOCH) // _MILLISECOND << 80 | int.from_bytes(named.digest(), "big")
        return uuid.UUID(int=value & _FIXED_BITS | _VERSION_AND_VARIANT)

    def fixed(self, kind: str, key: str) -> uuid.UUID:
        """Return the id of a row that the shop was opened with, remembered since many rows refer to it."""
        known = self._fixed.get((kind, key))
        if known is None:
            known = self._fixed[kind, key] = self.of(kind, key)
        return known
