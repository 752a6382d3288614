"""Identifiers: UUIDv7 for rows, opaque global ids for clients."""

import base64
import binascii
import functools
import os
import time
import uuid
from collections.abc import Callable

_UUID_BYTES = 16
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_END = b"=\n"
"""Padding and a line break."""

_LONGEST_GLOBAL_ID = 120
"""Characters; the longest type name is far below, so a longer text cannot be an id and costs nothing."""


def new_id() -> uuid.UUID:
    """Make a UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, 12 of their fraction, then 62 random bits.

    The fraction (section 6.2, method 3) keeps rows that one request makes in the order of their making.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | random)


def encode_global_id(type_name: str, row_id: uuid.UUID) -> str:
    """Return the opaque id of a row: base64url of the type's name, a colon and the 16 bytes of the uuid."""
    return global_ids_of(type_name)(row_id)


@functools.cache
def global_ids_of(type_name: str) -> Callable[[uuid.UUID], str]:
    """Return what makes the ids of a type's rows; a page holds a hundred of them, so each step counts."""
    head, to_base64 = type_name.encode() + b":", binascii.b2a_base64

    def encode(row_id: uuid.UUID) -> str:
        return to_base64(head + row_id.bytes).translate(_URL_SAFE, _END).decode()

    return encode


def decode_global_id(global_id: str) -> tuple[str, uuid.UUID] | None:
    """Return the type's name and the row's uuid, or None where the text is no id of ours."""
    if len(global_id) > _LONGEST_GLOBAL_ID:
        return None
    try:
        raw = base64.b64decode(global_id + "=" * (-len(global_id) % 4), altchars=b"-_", validate=True)
        type_name = raw[: -_UUID_BYTES - 1].decode("ascii")
        row_id = uuid.UUID(bytes=raw[-_UUID_BYTES:])
    except (binascii.Error, ValueError):
        return None
    # One spelling an id: base64 has several for the same bytes, and caches are keyed by the text.
    return (type_name, row_id) if encode_global_id(type_name, row_id) == global_id else None


def decode_id_of(type_name: str, global_id: str) -> uuid.UUID | None:
    """Return the uuid of an id of this type; None for anything else, so that a foreign id is merely not found."""
    decoded = decode_global_id(global_id)
    return decoded[1] if decoded and decoded[0] == type_name else None
