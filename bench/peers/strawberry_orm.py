"""Strawberry as its documentation shows it: types with resolvers, ORM entities, one DataLoader for each relation."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.types import Info

from bench.peers import strawberry_data as data
from bench.peers.strawberry_session import Session, shop_of
from bench.peers.strawberry_types import (
    DECIMALS,
    Attribute,
    AttributeValue,
    Availability,
    Media,
    Money,
    PageInfo,
    ReviewAuthor,
    global_id,
    uuid_of,
)
from bench.peers.tokens import claims_of


def _session(info: Info) -> Session:
    session: Session = info.context["session"]
    return session


@strawberry.type
class Review:
    """What a customer thinks of a product."""

    row: strawberry.Private[Any]
    id: strawberry.ID
    rating: int
    title: str
    body: str
    created_at: datetime

    @strawberry.field
    def author(self) -> ReviewAuthor:
        return ReviewAuthor(name=self.row.author_name)


@strawberry.type
class ReviewConnection:
    """A page of reviews."""

    nodes: list[Review]
    page_info: PageInfo


@strawberry.type
class AssignedAttribute:
    """What a product has of an attribute."""

    row: strawberry.Private[Any]
    text: str | None
    number: Decimal | None
    boolean: bool | None

    @strawberry.field
    async def attribute(self, info: Info) -> Attribute:
        found = await _session(info).loader(data.attributes).load(self.row.attribute_id)
        return Attribute(name=found.name, unit=found.unit)

    @strawberry.field
    async def value(self, info: Info) -> AttributeValue | None:
        if self.row.value_id is None:
            return None
        found = await _session(info).loader(data.attribute_values).load(self.row.value_id)
        return AttributeValue(name=found.name, color=found.color)


@strawberry.type
class Variant:
    """What is bought."""

    row: strawberry.Private[Any]
    id: strawberry.ID
    sku: str | None
    name: str

    @strawberry.field
    async def price(self, info: Info) -> Money | None:
        found = await _session(info).loader(data.prices).load(self.row.id)
        if found is None:
            return None
        amount = Decimal(found.minor).scaleb(-DECIMALS.get(found.currency, 2))
        return Money(amount=amount, currency=found.currency)

    @strawberry.field
    async def availability(self, info: Info) -> Availability:
        variant, left, in_stock, sold = await _session(info).loader(data.availabilities).load(self.row.id)
        is_available = sold and (in_stock or not variant.track_inventory)
        return Availability(is_available=is_available, quantity=(left or 0) if variant.track_inventory else None)


@strawberry.type
class Product:
    """Something a shop sells."""

    row: strawberry.Private[Any]
    id: strawberry.ID
    name: str
    slug: str
    description: str
    rating_average: float | None
    rating_count: int

    @strawberry.field
    async def category(self, info: Info) -> "Category | None":
        if self.row.category_id is None:
            return None
        return _category(await _session(info).loader(data.categories).load(self.row.category_id))

    @strawberry.field
    async def media(self, info: Info, first: int = 10) -> list[Media]:
        found = await _session(info).loader(data.media, first).load(self.row.id)
        return [Media(url=each.url, alt=each.alt) for each in found]

    @strawberry.field
    async def attributes(self, info: Info, first: int = 20) -> list[AssignedAttribute]:
        found = await _session(info).loader(data.assignments, first).load(self.row.id)
        return [
            AssignedAttribute(row=each, text=each.text_value, number=each.number_value, boolean=each.boolean_value)
            for each in found
        ]

    @strawberry.field
    async def variants(self, info: Info, first: int = 10) -> list[Variant]:
        found = await _session(info).loader(data.variants, first).load(self.row.id)
        return [Variant(row=each, id=global_id("Variant", each.id), sku=each.sku, name=each.name) for each in found]

    @strawberry.field
    async def related(self, info: Info, first: int = 8) -> "list[Product]":
        return [_product(each) for each in await _session(info).loader(data.related, first).load(self.row.id)]

    @strawberry.field
    async def reviews(self, info: Info, first: int = 20) -> ReviewConnection:
        found = await _session(info).loader(data.reviews, first + 1).load(self.row.id)
        nodes = [
            Review(
                row=each,
                id=global_id("Review", each.id),
                rating=each.rating,
                title=each.title,
                body=each.body,
                created_at=each.created_at,
            )
            for each in found[:first]
        ]
        return ReviewConnection(nodes=nodes, page_info=PageInfo(has_next_page=len(found) > first))


@strawberry.type
class ProductConnection:
    """A page of products."""

    nodes: list[Product]
    page_info: PageInfo


@strawberry.type
class Category:
    """A node of the category tree."""

    row: strawberry.Private[Any]
    id: strawberry.ID
    name: str
    slug: str
    description: str

    @strawberry.field
    async def products(self, info: Info, first: int = 20) -> ProductConnection:
        return await _products(_session(info), self.row.id, first)


def _category(row: Any) -> Category:
    return Category(
        row=row, id=global_id("Category", row.id), name=row.name, slug=row.slug, description=row.description
    )


def _product(row: Any) -> Product:
    return Product(
        row=row,
        id=global_id("Product", row.id),
        name=row.name,
        slug=row.slug,
        description=row.description,
        rating_average=row.rating_average,
        rating_count=row.rating_count,
    )


async def _products(session: Session, category_id: uuid.UUID, first: int) -> ProductConnection:
    found = await session.loader(data.products_of_categories, first + 1).load(category_id)
    nodes = [_product(each) for each in found[:first]]
    return ProductConnection(nodes=nodes, page_info=PageInfo(has_next_page=len(found) > first))


@strawberry.input
class ProductFilterInput:
    """Which products are wanted."""

    category: strawberry.ID


@strawberry.input
class CategoryUpdateInput:
    """What is to be changed."""

    description: str


@strawberry.type
class CategoryPayload:
    """The category that was changed."""

    category: Category | None


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    async def products(self, info: Info, filter: ProductFilterInput, first: int = 20) -> ProductConnection:  # noqa: A002
        return await _products(_session(info), uuid_of(filter.category), first)

    @strawberry.field
    async def product(self, info: Info, slug: str) -> Product | None:
        found = await data.product_by_slug(_session(info), slug)
        return None if found is None else _product(found)

    @strawberry.field
    async def category(self, info: Info, slug: str) -> Category | None:
        found = await data.category_by_slug(_session(info), slug)
        return None if found is None else _category(found)


@strawberry.type
class Mutation:
    """What can be changed."""

    @strawberry.mutation
    async def category_update(
        self,
        info: Info,
        id: strawberry.ID,  # noqa: A002
        input: CategoryUpdateInput,  # noqa: A002
    ) -> CategoryPayload:
        found = await _session(info).describe_category(uuid_of(id), input.description)
        return CategoryPayload(category=None if found is None else _category(found))


class _Application(GraphQL[Any, None]):
    async def get_context(self, request: Request, response: Response) -> dict[str, Any]:  # type: ignore[override]  # noqa: ARG002
        claims = claims_of(request.headers["authorization"])
        request.scope["session"] = session = Session(claims, await shop_of(claims["shop"]))
        return {"session": session}


_graphql = _Application(strawberry.Schema(Query, Mutation))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, then end its transaction."""
    if scope["type"] == "http" and b"authorization" not in dict(scope["headers"]):
        await Response(status_code=401)(scope, receive, send)
        return
    try:
        await _graphql(scope, receive, send)
    finally:
        if "session" in scope:
            await scope["session"].close()
