"""No field shows, changes or betrays a row of another shop; generated from the schema."""

import re
from typing import Any

import orjson
import pytest
from graphql import GraphQLField, get_named_type
from sqlalchemy import func, select, table, text

from core.database import Database
from models.base import Base
from resolvers.context import Shop
from schema.build import build
from tests import factories
from tests.api.catalogues import Catalogue, catalogue, unknown_id
from tests.api.isolation import (
    MUTATIONS,
    NO_NAMES,
    NODE_TYPES,
    QUERIES,
    Arguments,
    NamesOf,
    Path,
    UnknownNames,
    argument_paths,
    channel,
    replaced,
)
from tests.api.paths import selection

SCHEMA = build()
assert SCHEMA.query_type is not None
QUERY_FIELDS = SCHEMA.query_type.fields
MUTATION_FIELDS = SCHEMA.mutation_type.fields if SCHEMA.mutation_type else {}

NAMING = frozenset({"ID", "String"})
ROLES = (None, "customer", "owner", "catalogue", "inventory", "support")

QUERY_CASES = [
    (name.partition(".")[0], ask, f"{name}-{number}")
    for name, asks in QUERIES.items()
    for number, ask in enumerate(asks)
]
CHANNEL_CASES = [name for name, field in QUERY_FIELDS.items() if "channel" in field.args]
MUTATION_CASES = [
    (name, path) for name, field in MUTATION_FIELDS.items() for path in argument_paths(field, frozenset({"ID"}))
]


@pytest.fixture(scope="module")
async def ours(database: Database) -> Catalogue:
    return await catalogue(database, await factories.shop(database), 2)


@pytest.fixture(scope="module")
async def theirs(database: Database) -> Catalogue:
    return await catalogue(database, await factories.shop(database), 2)


@pytest.fixture(scope="module")
def two(ours: Catalogue, theirs: Catalogue) -> tuple[Catalogue, Catalogue]:
    return ours, theirs


def operation(kind: str, name: str, field: GraphQLField, arguments: Arguments, *, depth: int = 2) -> str:
    """Write an operation of one field, with these arguments as variables."""
    variables = ", ".join(f"${each}: {field.args[each].type}" for each in arguments)
    given = ", ".join(f"{each}: ${each}" for each in arguments)
    behind = f"({given})" if given else ""
    before = f"({variables})" if variables else ""
    return f"{kind}{before} {{ {name}{behind} {{ {selection(get_named_type(field.type), depth=depth)} }} }}"


def told(answer: Any) -> bytes:
    """Return all that a client can tell of an answer: its body without the request's own id, and its work."""
    body = re.sub(rb'"requestId":"[^"]*"', b"", orjson.dumps(answer.body))
    return b"%d %d %s" % (answer.status, answer.statements, body)


def test_every_argument_that_could_name_a_row_is_covered():
    found = {
        f"{name}.{'.'.join(path)}"
        for name, field in QUERY_FIELDS.items()
        for path in argument_paths(field, NAMING)
        if ".".join(path) not in NO_NAMES and path != ("channel",)
    }

    assert found == set(QUERIES)


def test_every_mutation_is_covered():
    assert set(MUTATIONS) == set(MUTATION_FIELDS)


def test_every_type_with_an_id_is_covered():
    node = SCHEMA.type_map["Node"]

    assert {each.name for each in SCHEMA.get_possible_types(node)} == set(NODE_TYPES)


@pytest.mark.parametrize(("name", "ask"), [case[:2] for case in QUERY_CASES], ids=[case[2] for case in QUERY_CASES])
async def test_a_foreign_name_is_like_one_that_nobody_has(api, ours, theirs, name, ask):
    foreign, unknown, own = ask(NamesOf(theirs)), ask(UnknownNames()), ask(NamesOf(ours))
    query = operation("query", name, QUERY_FIELDS[name], own)
    asked = api.of(ours.shop)

    for role in ROLES:
        answers = [await asked(query, variables, role=role) for variables in (foreign, unknown)]
        assert told(answers[0]) == told(answers[1])
        assert b'"id"' not in told(answers[0])
    # The same question about a row of the shop's own is answered.
    assert b'"id"' in told(await asked(query, own, role="owner"))


@pytest.mark.parametrize("name", CHANNEL_CASES)
async def test_a_foreign_channel_is_like_one_that_nobody_has(api, ours, theirs, name):
    beside = _beside(name, ours)
    query = operation("query", name, QUERY_FIELDS[name], {**beside, "channel": ""}, depth=1)
    asked = api.of(ours.shop)

    answers = [await asked(query, {**beside, **channel(names)}) for names in (NamesOf(theirs), UnknownNames())]

    assert told(answers[0]) == told(answers[1])
    assert answers[0].codes == ["BAD_USER_INPUT"]
    assert (await asked(query, {**beside, **channel(NamesOf(ours))}, role="owner")).data[name]


def _beside(name: str, ours: Catalogue) -> Arguments:
    """Return what a field needs beside a channel."""
    first = f"{name}.id" if f"{name}.id" in QUERIES else f"{name}.ids"
    given = QUERIES[first][0](NamesOf(ours)) if first in QUERIES else {}
    return {**given, "first": 5} if "first" in QUERY_FIELDS[name].args else given


async def test_a_cursor_of_another_shop_is_like_a_forged_one(api, ours, theirs):
    query = "query($after: String) { products(after: $after) { nodes { id } pageInfo { endCursor } } }"
    foreign = (await api.of(theirs.shop)(query)).data["products"]["pageInfo"]["endCursor"]
    forged = foreign[:-2] + ("AA" if foreign[-2:] != "AA" else "BA")

    answers = [await api.of(ours.shop)(query, {"after": cursor}) for cursor in (foreign, forged)]

    assert told(answers[0]) == told(answers[1])
    assert answers[0].codes == ["BAD_USER_INPUT"]


async def test_a_token_of_another_shop_opens_nothing(api, ours, theirs):
    token = api.of(theirs.shop).token("owner")

    answer = await api.of(ours.shop)("{ warehouses { nodes { id } } }", Authorization=f"Bearer {token}")

    assert answer.codes in (["FORBIDDEN"], ["SHOP_NOT_FOUND"], ["UNAUTHENTICATED"])
    assert "data" not in answer.body


async def fingerprint(database: Database, shop: Shop) -> dict[str, str]:
    """Return a checksum of all rows of a shop, by table."""
    tenant = database.of_tenant(shop.id)
    sums = {}
    try:
        for name in sorted(Base.metadata.tables):
            row = func.md5(text(f"CAST({name} AS text)"))
            total = func.md5(func.string_agg(row, text(f"'' ORDER BY CAST({name} AS text)"))).label("sum")
            sums[name] = (await tenant.fetch(select(total).select_from(table(name))))[0].sum
    finally:
        await tenant.close()
    return sums


@pytest.mark.parametrize(
    ("name", "path"), MUTATION_CASES, ids=[f"{name}-{'.'.join(path)}" for name, path in MUTATION_CASES]
)
async def test_a_mutation_does_not_find_a_foreign_id(api, database, two, name: str, path: Path):
    ours, theirs = two
    valid, field = MUTATIONS[name](ours), MUTATION_FIELDS[name]
    query = operation("mutation", name, field, valid)
    before = [await fingerprint(database, each.shop) for each in two]

    for role in (None, "owner"):
        answers = [
            await api.of(ours.shop)(query, replaced(valid, path, ids), role=role) for ids in (theirs.id_of, unknown_id)
        ]
        assert told(answers[0]) == told(answers[1])
    assert b'"code":"NOT_FOUND"' in told(answers[0])
    assert [await fingerprint(database, each.shop) for each in two] == before
