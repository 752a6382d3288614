"""Limits on what a document may ask for."""

import pytest
from graphql import get_introspection_query, parse

from engine.limits import LimitReached, Limits
from engine.structure import check


def reached(text: str, **limits: int) -> tuple[str, int] | None:
    try:
        check(parse(text), Limits(**limits))
    except LimitReached as limit:
        return limit.which, limit.limit
    return None


def nested(depth: int) -> str:
    return "{" + "p{" * (depth - 1) + "a" + "}" * depth


def test_depth_counts_the_root_field_and_the_leaf():
    assert reached(nested(12)) is None
    assert reached(nested(13)) == ("depth", 12)


def test_depth_goes_through_fragments():
    text = "{ p { ...A } } fragment A on P { p { a } }"
    assert reached(text, depth=3) is None
    assert reached(text, depth=2) == ("depth", 2)


def test_inline_fragments_add_no_depth():
    assert reached("{ ... { ... { a } } }", depth=1) is None


def test_the_introspection_of_clients_is_within_its_own_bound():
    text = get_introspection_query(
        descriptions=True, specified_by_url=True, input_value_deprecation=True, schema_description=True
    )
    assert reached(text) is None
    assert reached(text, introspection_depth=12) == ("introspection_depth", 12)


def test_introspection_lends_no_depth_to_other_fields():
    text = "{ __schema { " + "p{" * 13 + "a" + "}" * 13 + " } " + nested(13)[1:]
    assert reached(text) == ("depth", 12)
    assert reached('{ __type(name: "A") { ' + "p{" * 24 + "a" + "}" * 24 + " } }") == ("introspection_depth", 24)


def test_selections_count_fragments_each_time_they_are_spread():
    text = "{ ...A ...A } fragment A on Q { a b }"
    assert reached(text, selections=6) is None
    assert reached(text, selections=5) == ("selections", 5)


def test_fragments_that_double_thirty_times_are_refused_at_once():
    fragments = " ".join(f"fragment F{n} on Q {{ ...F{n + 1} ...F{n + 1} }}" for n in range(30))
    assert reached("{ ...F0 } " + fragments + " fragment F30 on Q { a }") == ("selections", 2000)


def test_circles_are_left_to_validation():
    assert reached("{ ...A } fragment A on Q { a ...B } fragment B on Q { a ...A }") is None


def test_definitions_of_types_are_left_to_validation():
    assert reached("type A { a: Int } { a }") is None


def test_unknown_fragments_are_left_to_validation():
    assert reached("{ ...A }") is None


def test_fragments_that_nobody_spreads_are_counted_too():
    assert reached("{ a } fragment A on Q { a b c }", selections=2) == ("selections", 2)


def test_a_long_chain_of_fragments_is_refused():
    fragments = " ".join(f"fragment F{n} on Q {{ ...F{n + 1} }}" for n in range(90))
    assert reached("{ ...F0 } " + fragments) == ("nesting", 64)


def test_a_chain_is_refused_in_whatever_order_it_is_written():
    fragments = " ".join(f"fragment F{n} on Q {{ ...F{n + 1} }}" for n in reversed(range(90)))
    assert reached(fragments + " { ...F0 }") == ("nesting", 64)


def test_aliases():
    text = "{ p { x: a y: a ...A } } fragment A on P { z: a }"
    assert reached(text, aliases=3) is None
    assert reached(text, aliases=2) == ("aliases", 2)


def test_root_fields_are_counted_through_fragments_and_not_below():
    text = "{ a ...A } fragment A on Q { b ... { p { a b c } } }"
    assert reached(text, root_fields=3) is None
    assert reached(text, root_fields=2) == ("root_fields", 2)


def test_root_mutations_have_their_own_bound():
    assert reached("mutation { a b c d e }") is None
    assert reached("mutation { a b c d e f }") == ("root_mutations", 5)


def test_directives_are_counted_everywhere():
    text = "query ($v: Int @x) @x { a @x ... @x { b } ...A @x } fragment A on Q @x { a @x }"
    assert reached(text, directives=7) is None
    assert reached(text, directives=6) == ("directives", 6)


def test_directives_at_one_place():
    assert reached("{ a @a @b @c @d @e }") is None
    assert reached("{ a @a @b @c @d @e @f }") == ("directives_a_node", 5)


def test_definitions():
    assert reached("query A { a } query B { a }", definitions=1) == ("definitions", 1)


def test_the_message_names_the_limit():
    with pytest.raises(LimitReached, match="limit of 5 for directives at one place"):
        check(parse("{ a @a @b @c @d @e @f }"), Limits())
