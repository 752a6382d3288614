"""Documents that ask for too much: each is refused by name, before it costs anything."""

import time
from collections.abc import Callable

import pytest
from graphql import parse

from engine.documents import DocumentStore
from engine.limits import Limits
from schema.build import build

BOUND_SECONDS = 0.005
HEALTHY = "{" + " ".join(f'a{n}: product(slug: "s{n}") {{ id name }}' for n in range(60)) + "}"
QUIET_SECONDS = 0.0017
"""What `calibrated` takes on the machine of the bound while nothing else runs."""

TRIES = 100

SCHEMA = build()

FAN_OUT = "{ shop { ...F0 } }" + "".join(f"fragment F{n} on Shop {{ ...F{n + 1} ...F{n + 1} }}" for n in range(30))
DOUBLING = "".join(f"fragment F{n} on Category {{ a: parent {{ ...F{n + 1} }} }}" for n in range(60))
TYPES = "types { fields { type { fields { type { fields { type { fields { name } } } } } } } }"
BRACES = "filter: {attributes: "

ATTACKS = {
    "alias overload": ("{" + " ".join(f"a{n}: shop {{ slug }}" for n in range(400)) + "}", "aliases"),
    "aliases of one field": ("{ shop {" + " ".join(f"a{n}: slug" for n in range(31)) + "} }", "aliases"),
    "directive overload": ("{ shop" + " @a" * 1_400 + " { slug } }", "directives"),
    "directives one by one": ("{ shop {" + " slug @a @b @c @d" * 300 + "} }", "directives"),
    "directives at one place": ("{ shop { slug @a @b @c @d @e @f } }", "directives_a_node"),
    "directives of variables": ("query ($a: Int" + " @a" * 900 + ") { shop { slug } }", "directives"),
    "400 repeated inline fragments": ("{ shop {" + " ...{slug}" * 400 + "} }", "spreads"),
    "400 typed inline fragments": ("{ shop {" + " ... on Shop {slug}" * 400 + "} }", "spreads"),
    "inline fragments in one another": ("{ shop {" + " ...{" * 80 + "slug" + "}" * 80 + "} }", "nesting"),
    "field duplication": ("{ shop {" + " slug" * 1_900 + "} }", "repetition"),
    "field duplication within bounds": ("{ shop {" + " slug" * 490 + "} }", "repetition"),
    "object duplication": ("{" + " shop { slug }" * 400 + "}", "repetition"),
    "many root fields, each another": ("{" + " ".join(f"a{n:x}" for n in range(1_900)) + "}", "root_fields"),
    "many fields": ("{ shop {" + " ".join(f"a{n:x}" for n in range(2_900)) + "} }", "selections"),
    "many strings without end": ("{ product(slug: " + '"\n' * 900, "arguments"),
    "many members": (
        "{ products(filter: {" + " ".join(f"b{n:x}: 1" for n in range(900)) + "}) { totalCount } }",
        "members",
    ),
    "many arguments": ("{ products(" + " ".join(f"b{n:x}: 1" for n in range(900)) + ") { totalCount } }", "arguments"),
    "object duplication below": ("{ node(id: 1) {" + " ...{... on Product {category{id}}}" * 120 + "} }", "repetition"),
    "duplication by fragments": (
        "{ shop {"
        + " ".join(f"...F{n}" for n in range(90))
        + "} }"
        + "".join(f"fragment F{n} on Shop {{ slug name }}" for n in range(90)),
        "repetition",
    ),
    "fragment fan-out 2^30": (FAN_OUT + "fragment F30 on Shop { slug }", "selections"),
    "many fragments in one another": (
        "{ category { ...F0 } }" + DOUBLING + "fragment F60 on Category { id }",
        "aliases",
    ),
    "chain of fragments": (
        "{ shop { ...F0 } }"
        + "".join(f"fragment F{n} on Shop {{ ...F{n + 1} }}" for n in range(90))
        + "fragment F90 on Shop { slug }",
        "nesting",
    ),
    "deep nesting": ("{ category" + "{ parent" * 40 + "{ id }" + "}" * 40 + "}", "depth"),
    "deeper nesting": ("{ a" * 1_400, "nesting"),
    "nesting that closes": ("{ a" * 900 + "}" * 900, "nesting"),
    "circular introspection": (
        "{ __schema {" + "types { fields { type {" * 9 + "name" + "} } }" * 9 + "} }",
        "introspection_depth",
    ),
    "many operations": ("".join(f"query Q{n} {{ shop {{ slug }} }} " for n in range(330)), "definitions"),
    "many fragments": (
        "{ shop { slug } }" + "".join(f"fragment F{n} on Shop {{ slug }} " for n in range(300)),
        "definitions",
    ),
    "many root fields": ("{" + " ".join(["shop { slug }"] * 21) + "}", "root_fields"),
    "many mutations": ("mutation {" + " productRestore(id: 1) { product { id } }" * 6 + "}", "root_mutations"),
    "many variables": ("query (" + " ".join(f"$a{n}: Int" for n in range(700)) + ") { shop { slug } }", "variables"),
    "flood of tokens": ("{" + " a" * 9_900 + "}", "tokens"),
    "flood of punctuation": ("{" + "[" * 19_000 + "}", "tokens"),
    "flood of comments": ("{ shop { slug } }" + "#\n" * 9_000, "comments"),
    "a long comment": ("{ shop { slug } } #" + "x" * 30_000, "length"),
    "a long string": ('{ product(slug: "' + "x" * 1_000_000 + '") { id } }', "length"),
    "a long name": ("{" + "x" * 1_000_000 + "}", "length"),
    "a long list": ("{ nodes(ids: [" + "1 " * 2_900 + "]) { id } }", "list"),
    "a list of lists": ("{ nodes(ids: [" + "[1] " * 900 + "]) { id } }", "list"),
    "a list of objects": ("{ products(filter: {attributes: [" + "{} " * 900 + "]}) { nodes { id } } }", "list"),
    "lists in one another": ("{ nodes(ids: " + "[" * 900 + "]" * 900 + ") { id } }", "input_depth"),
    "deep input": ("{ products(" + "filter: {a: " * 450 + "1" + "}" * 450 + ") { nodes { id } } }", "input_depth"),
    "deep input without end": ("{ products(filter: " + "{a: " * 700, "input_depth"),
    "a long number": ("{ products(first: " + "9" * 19_000 + ") { nodes { id } } }", "digits"),
    "a long fraction": ("{ products(first: -0." + "9" * 19_000 + "e9) { nodes { id } } }", "digits"),
}

REFUSED_OTHERWISE = {
    "fragment cycles": (
        "{ shop { ...A } } fragment A on Shop { ...B slug } fragment B on Shop { ...A name }",
        "VALIDATION",
    ),
    "cycles through fields": ("{ category { ...A } } fragment A on Category { parent { ...A id } }", "VALIDATION"),
    "a string without end": ('{ product(slug: "' + '\\"' * 7_500, "PARSE"),
    "a block string without end": ('{ product(slug: """' + '\\"""' * 4_000, "PARSE"),
    "names of other alphabets": ("{ ѕhop { ѕlug } }", "PARSE"),  # noqa: RUF001 - the point of it.
    "a mark of byte order": ("{ shop { \u202eslug } }", "PARSE"),
    "full width punctuation": ("｛ shop ｛ slug ｝ ｝", "PARSE"),  # noqa: RUF001 - the point of it.
    "unfinished escapes": ('{ product(slug: "\\u{110000}") { id } }', "PARSE"),
    "introspection in circles": ("{ __schema { " + TYPES + " } }", "VALIDATION"),
}


def refused(text: str) -> tuple[str, str | None]:
    failure = DocumentStore(SCHEMA).get(text).failures[0]
    return failure.code, failure.extensions.get("limit")


def calibrated() -> object:
    """Do what refusing a document takes most of its time for: read one."""
    return parse(HEALTHY)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return what something takes, measured against what reading a known document takes in the same moment."""
    best = float("inf")
    for _ in range(TRIES):
        before, seconds, after = _seconds(calibrated), _seconds(work), _seconds(calibrated)
        best = min(best, seconds * QUIET_SECONDS / max(QUIET_SECONDS, (before + after) / 2))
        if best < BOUND_SECONDS:
            break
    return best


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


@pytest.mark.parametrize(("text", "limit"), ATTACKS.values(), ids=ATTACKS)
def test_an_attack_is_refused_by_the_name_of_its_limit_in_no_time(text, limit):
    assert refused(text) == ("LIMIT_EXCEEDED", limit)
    store = DocumentStore(SCHEMA)
    examine = store._examine
    assert cpu_seconds(lambda: examine(text)) < BOUND_SECONDS


@pytest.mark.parametrize(("text", "reason"), REFUSED_OTHERWISE.values(), ids=REFUSED_OTHERWISE)
def test_what_is_merely_wrong_is_refused_in_no_time_too(text, reason):
    code, limit = refused(text)
    assert reason in code
    assert limit is None
    store = DocumentStore(SCHEMA)
    assert cpu_seconds(lambda: store._examine(text)) < BOUND_SECONDS


@pytest.mark.parametrize("sign", ['"', '"""', "\\", '\\"', '"\\', '""" ', "#", "...", "-", "\ufeff", "{(", "($", "[{"])
def test_no_text_is_read_twice(sign):
    """Time is linear in the text, whatever it repeats."""
    texts = [(sign * 20_000)[:length] for length in (5_000, 20_000)]
    short, long = (cpu_seconds(lambda text=text: DocumentStore(SCHEMA).get(text)) for text in texts)
    assert long < max(8 * short, 0.02)


def test_names_may_be_those_of_keywords():
    """`fragment` is a good name for a field or operation: it is counted as what it is."""
    store = DocumentStore(SCHEMA, limits=Limits(aliases=1))
    text = "query fragment { fragment: shop { slug } } query query { query: shop { slug } }"
    assert store.get(text).failures == ()
