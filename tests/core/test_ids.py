"""Ids: what goes out comes back, and nothing else does."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from core import ids
from core.ids import decode_global_id, decode_id_of, encode_global_id, new_id

NAMES = st.from_regex(r"[A-Za-z]{1,60}", fullmatch=True)


@given(NAMES, st.uuids())
def test_an_id_comes_back_as_it_was(name, row_id):
    global_id = encode_global_id(name, row_id)

    assert decode_global_id(global_id) == (name, row_id)
    assert decode_id_of(name, global_id) == row_id
    assert decode_id_of(f"{name}x", global_id) is None


@given(st.text(max_size=200))
def test_a_text_is_an_id_in_one_spelling_alone(text):
    decoded = decode_global_id(text)

    assert decoded is None or encode_global_id(*decoded) == text


@given(NAMES, st.uuids(), st.integers(0, 200), st.characters())
def test_a_changed_id_is_another_id_or_none(name, row_id, place, character):
    global_id = encode_global_id(name, row_id)
    place %= len(global_id)
    changed = global_id[:place] + character + global_id[place + 1 :]

    assert changed == global_id or decode_global_id(changed) != (name, row_id)


def test_new_ids_are_of_version_seven_and_grow_with_time():
    ids = [new_id() for _ in range(1_000)]

    assert len(set(ids)) == 1_000
    assert {(each.version, each.variant) for each in ids} == {(7, uuid.RFC_4122)}
    assert [each.int >> 80 for each in ids] == sorted(each.int >> 80 for each in ids)


def test_ids_made_in_one_millisecond_keep_their_order(monkeypatch):
    nanoseconds = iter(range(1_700_000_000_000_000_000, 1_700_000_000_001_000_000, 1_000))
    monkeypatch.setattr(ids.time, "time_ns", lambda: next(nanoseconds))

    made = [ids.new_id() for _ in range(1_000)]

    assert made == sorted(made)
    assert {each.version for each in made} == {7}
    assert {each.int >> 80 for each in made} == {1_700_000_000_000}
