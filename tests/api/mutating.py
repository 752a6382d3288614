"""How tests write through the API, and see what a refusal left as it was."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from graphql import get_named_type
from sqlalchemy import text

from core.database import Database
from core.ids import encode_global_id
from models.base import Base
from resolvers.context import Shop
from schema.build import build
from schema.views import type_name_of

SCHEMA = build()
assert SCHEMA.mutation_type is not None
MUTATIONS = SCHEMA.mutation_type.fields

ERRORS = (
    "userErrors { code message path ... on VersionConflict { currentVersion } ... on Duplicate { field existingId } }"
)

Dump = dict[str, list[str]]

UNSEEN = {"catalogue_change", "outbox_event", "outbox_position"}
"""What others write too, and traces that whoever asks for what is so already leaves as well."""


def operation(name: str, shown: str, arguments: dict[str, Any], *, errors: str = ERRORS) -> str:
    """Write a mutation of one field, its arguments as variables, which shows this of its payload."""
    field = MUTATIONS[name]
    variables = ", ".join(f"${each}: {field.args[each].type}" for each in arguments)
    given = ", ".join(f"{each}: ${each}" for each in arguments)
    many = "results" in getattr(get_named_type(field.type), "fields", {})
    body = f"applied results {{ {shown} {errors} }}" if many else f"{shown} {errors}"
    return f"mutation({variables}) {{ {name}({given}) {{ {body} }} }}"


async def write(api, name: str, shown: str = "__typename", *, role: str | None = "owner", **arguments: Any) -> Any:
    """Run a mutation and return its payload."""
    answer = await api(operation(name, shown, arguments), arguments, role=role)
    return answer.data[name]


async def done(api, name: str, shown: str = "__typename", *, role: str | None = "owner", **arguments: Any) -> Any:
    """Run a mutation that is to succeed, and return what it shows: the first field of the payload."""
    payload = await write(api, name, shown, role=role, **arguments)
    assert payload.pop("userErrors") == []
    return next(iter(payload.values()))


async def refusals(api, name: str, *, role: str | None = "owner", **arguments: Any) -> list[tuple[str, str | None]]:
    """Run a mutation that is to be refused, and return the code of each refusal and its path, joined by dots."""
    payload = await write(api, name, role=role, **arguments)
    return [(error["code"], error["path"] and ".".join(error["path"])) for error in payload["userErrors"]]


async def dump(database: Database, shop: Shop) -> Dump:
    """Return all rows of a shop as text, by table."""
    rows: Dump = {}
    async with database.of_tenant(shop.id).write() as transaction:
        for name in sorted(Base.metadata.tables.keys() - UNSEEN):
            statement = text(f"SELECT CAST({name} AS text) FROM {name} ORDER BY 1")  # noqa: S608 - a table of ours.
            rows[name] = (await transaction.execute(statement)).scalars()
        # What the relay adds to an event is no change.
        events = text("SELECT CAST(id AS text) FROM outbox_event ORDER BY 1")
        rows["outbox_event"] = (await transaction.execute(events)).scalars()
    return rows


@contextlib.asynccontextmanager
async def unchanged(database: Database, *shops: Shop) -> AsyncIterator[None]:
    """Fail where the block has changed a row of these shops."""
    before = [await dump(database, shop) for shop in shops]
    yield
    assert [await dump(database, shop) for shop in shops] == before


LISTING = """
query ($sort: ProductSort! = PRICE_ASC, $filter: ProductFilterInput) {
  products(sort: $sort, filter: $filter) { totalCount nodes { slug } }
}
"""


async def listed(api, **variables: Any) -> list[str]:
    """Return the slugs of the products that shoppers find."""
    connection = (await api(LISTING, variables)).data["products"]
    slugs = [node["slug"] for node in connection["nodes"]]
    assert connection["totalCount"] == len(slugs)
    return slugs


def id_of(row: Any) -> str:
    """Return the global id of a row."""
    return encode_global_id(type_name_of(row.__tablename__), row.id)
