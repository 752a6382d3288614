"""Makes answers before anybody asks for them, and leaves them in Redis for all processes."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from graphql import NonNullTypeNode, OperationDefinitionNode
from sqlalchemy import select

from core.cache import Key
from core.clock import system_clock
from core.database import Database
from core.ids import encode_global_id
from engine.documents import Document, DocumentStore, Operation
from engine.execute import execute
from loaders import Loaders
from models.base import of_shop
from models.categories import Category
from resolvers.context import ANONYMOUS, Context, Shop
from server.graphql.caching import ResponseCache

CATEGORY_VARIABLE = "category"
"""An operation that takes a variable of this name is warmed for every category of the shop."""

_categories = select(Category.id).where(of_shop(Category)).order_by(Category.path)


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """An operation with the variables that it is warmed with."""

    document: Document
    operation: Operation
    variables: Mapping[str, Any]


async def requests_of(database: Database, shop: Shop, store: DocumentStore, texts: Sequence[str]) -> Sequence[Request]:
    """Return what can be asked of a shop by documents alone.

    Operations that need other variables than a category are left out: nobody knows what clients will send.
    """
    tenant = database.of_tenant(shop.id)
    try:
        rows = await tenant.fetch(_categories, alone=True)
    finally:
        await tenant.close()
    categories = [encode_global_id("Category", row.id) for row in rows]
    documents = (store.get(text) for text in texts)
    return [
        Request(document, operation, variables)
        for document in documents
        for operation in document.operations.values()
        for variables in _variables_of(operation.node, categories)
    ]


def _variables_of(node: OperationDefinitionNode, categories: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    declared = {each.variable.name.value: each for each in node.variable_definitions or ()}
    needed = {
        name for name, each in declared.items() if isinstance(each.type, NonNullTypeNode) and each.default_value is None
    }
    if needed - {CATEGORY_VARIABLE}:
        return
    if CATEGORY_VARIABLE in declared:
        yield from ({CATEGORY_VARIABLE: category} for category in categories)
    else:
        yield {}


@dataclasses.dataclass(frozen=True, slots=True)
class Warmed:
    """An answer that is kept now.

    Attributes:
        key: Its key.
        is_made: Whether it was not kept before.
    """

    key: Key
    is_made: bool


async def warm(database: Database, shop: Shop, responses: ResponseCache, request: Request) -> Warmed | None:
    """Make an answer as a shopper gets it, unless it is kept already.

    Returns:
        What is kept; None where nothing is, since the answer is not for everybody or has errors.
    """
    tenant = database.of_tenant(shop.id)
    context = Context(shop=shop, actor=ANONYMOUS, database=tenant, loaders=Loaders(tenant), clock=system_clock)
    variables = dict(request.variables)

    async def make() -> bytes | None:
        result = await execute(
            request.document, operation_name=request.operation.name, variables=variables, context=context
        )
        return None if result.errors else orjson.dumps(result.data)

    try:
        place = await responses.place(context, request.document, request.operation, variables)
        kept = None if place is None else await responses.find_or_make(place, make)
        return None if place is None or kept is None else Warmed(place.key, not kept.is_hit)
    finally:
        await tenant.close()
