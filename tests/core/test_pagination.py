"""Cursors cannot be made up, and are good for one listing of one shop."""

import base64
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadUserInput
from core.pagination import CursorCodec

CODEC = CursorCodec(b"k" * 32, "products:newest")
VALUES = st.none() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@given(VALUES, st.uuids())
def test_a_cursor_comes_back_as_it_was(value, row_id):
    assert CODEC.decode(CODEC.encode((value, row_id))) == (value, str(row_id))


def test_times_keep_their_microseconds():
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)

    assert datetime.fromisoformat(CODEC.decode(CODEC.encode((moment, uuid.UUID(int=1))))[0]) == moment


@given(st.binary(max_size=80))
def test_bytes_that_nobody_signed_are_no_cursor(raw):
    with pytest.raises(BadUserInput):
        CODEC.decode(base64.urlsafe_b64encode(raw).decode().rstrip("="))


@given(st.text(max_size=80))
def test_a_text_that_nobody_signed_is_no_cursor(text):
    with pytest.raises(BadUserInput):
        CODEC.decode(text)


@given(VALUES, st.integers(0, 10_000), st.integers(1, 255))
def test_a_cursor_with_one_changed_byte_is_refused(value, place, change):
    cursor = CODEC.encode((value, uuid.UUID(int=1)))
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    raw[place % len(raw)] ^= change

    with pytest.raises(BadUserInput):
        CODEC.decode(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="))


@pytest.mark.parametrize(
    "other", [CursorCodec(b"k" * 32, "products:oldest"), CursorCodec(b"x" * 32, "products:newest")]
)
def test_a_cursor_is_good_for_its_listing_and_shop_alone(other):
    with pytest.raises(BadUserInput):
        other.decode(CODEC.encode((1, uuid.UUID(int=1))))


def test_the_key_is_not_shown():
    assert "k" * 32 not in repr(CODEC)
