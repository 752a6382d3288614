"""Equal payloads: what counts as equal, and what is said of a difference."""

import pytest

from bench.equality import Answers, canonical, require_equal
from core.errors import ConfigurationError


def answers(*data):
    return Answers([canonical(each) for each in data], frozenset())


def test_equal_data_are_the_same_bytes_whatever_the_order_of_keys():
    assert canonical({"b": [{"d": 1, "c": None}], "a": "x"}) == canonical({"a": "x", "b": [{"c": None, "d": 1}]})


def test_a_number_is_written_in_one_way():
    assert canonical({"rating": 4.0}) == canonical({"rating": 4}) == b'{"rating":4}'
    assert canonical({"rating": 4.25}) == b'{"rating":4.25}'


@pytest.mark.parametrize(
    "other",
    [{"list": [2, 1]}, {"list": [1, 2, 3]}, {"list": ["1", 2]}, {"list": [True, 2]}, {"list": None}, {}],
)
def test_other_values_types_and_orders_of_lists_differ(other):
    with pytest.raises(ConfigurationError):
        require_equal(answers({"list": [1, 2]}), answers(other))


def test_a_difference_is_shown_with_what_is_around_it():
    expected = {"name": "a" * 200, "slug": "right"}
    found = {"name": "a" * 200, "slug": "wrong"}

    with pytest.raises(ConfigurationError) as caught:
        require_equal(answers({"same": 1}, expected), answers({"same": 1}, found))

    assert str(caught.value).count("a" * 60) == 2
    assert '"slug":"wrong"' in str(caught.value)
    assert '"slug":"right"' in str(caught.value)
    assert "a" * 100 not in str(caught.value)


def test_equal_answers_are_accepted():
    require_equal(answers({"list": [1, 2]}), answers({"list": [1.0, 2]}))
