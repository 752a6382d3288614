"""Data of the Strawberry peer: ORM entities in batches."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    Select,
    Uuid,
    cast,
    column,
    func,
    inspect,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased, defer

from bench.peers.strawberry_session import Session
from models.attributes import Attribute, AttributeAssignment, AttributeValue
from models.categories import Category
from models.inventory import ChannelWarehouse, StockLevel
from models.listings import Listing, ProductListing
from models.products import Media, Product, ProductRelation, Review, Variant
from models.shops import Channel

_LARGEST = 2**31 - 1

Statement = Select[*tuple[Any, ...]]


async def _one(session: Session, key: Any, keys: Sequence[Any], statement: Statement) -> list[Any]:
    found = {row[0]: row[1] for row in await session.read(statement.where(key.in_(set(keys))))}
    return [found.get(each) for each in keys]


async def _many(
    session: Session, keys: Sequence[Any], children: Callable[[Any], Statement], entity: Any
) -> list[list[Any]]:
    unnested = func.unnest(cast(list(keys), ARRAY(Uuid())))
    parents = unnested.table_valued(column("key", Uuid())).render_derived(name="parents")
    # By name: as a column, its table would be listed again in every subquery that mentions it.
    rows = children(literal_column("parents.key", Uuid())).lateral("children")
    child = aliased(entity, rows)
    statement = select(parents.c.key, child).select_from(parents.join(rows, true())).options(*_unread(child))
    found: dict[Any, list[Any]] = {key: [] for key in keys}
    for key, row in await session.read(statement):
        found[key].append(row)
    return [found[key] for key in keys]


def _unread(entity: Any) -> list[Any]:
    """Leave out columns that no client sees, such as the vectors of the text search."""
    attributes = inspect(entity).mapper.column_attrs
    return [defer(getattr(entity, each.key)) for each in attributes if each.columns[0].info.get("internal")]


def _visible(session: Session) -> tuple[Any, ...]:
    started = or_(ProductListing.available_from.is_(None), ProductListing.available_from <= func.now())
    of_channel = (ProductListing.shop_id == session.shop_id, ProductListing.channel_id == session.channel_id)
    return (*of_channel, ProductListing.is_visible, started)


def _shown(session: Session, product_id: Any) -> Any:
    return select(ProductListing.product_id).where(*_visible(session), ProductListing.product_id == product_id).exists()


async def product_by_slug(session: Session, slug: str) -> Product | None:
    """Return a product that shoppers see."""
    of_slug = (Product.shop_id == session.shop_id, Product.slug == slug, Product.deleted_at.is_(None))
    found = await session.read(select(Product).where(*of_slug, _shown(session, Product.id)).options(*_unread(Product)))
    return found[0][0] if found else None


async def category_by_slug(session: Session, slug: str) -> Category | None:
    """Return a category."""
    found = await session.read(select(Category).where(Category.shop_id == session.shop_id, Category.slug == slug))
    return found[0][0] if found else None


async def products_of_categories(session: Session, keys: Sequence[Any], first: int) -> list[list[Product]]:
    """Return the newest products in and below categories; each branch is read in the order of its index."""
    top = aliased(Category)

    def children(key: Any) -> Statement:
        path = select(top.path).where(top.shop_id == session.shop_id, top.id == key).scalar_subquery()
        subtree = (
            select(Category.id)
            .where(Category.shop_id == session.shop_id, Category.path >= path, Category.path < path + "g")
            .subquery("subtree")
        )
        newest = (ProductListing.listed_at.desc(), ProductListing.product_id.desc())
        branch = (
            select(ProductListing.product_id, ProductListing.listed_at)
            .where(*_visible(session), ProductListing.category_id == subtree.c.id)
            .order_by(*newest)
            .limit(first)
            .lateral("branch")
        )
        listed = (
            select(branch)
            .select_from(subtree.join(branch, true()))
            .order_by(branch.c.listed_at.desc(), branch.c.product_id.desc())
            .limit(first)
            .subquery("listed")
        )
        return (
            select(Product)
            .join(listed, listed.c.product_id == Product.id)
            .where(Product.shop_id == session.shop_id)
            .order_by(listed.c.listed_at.desc(), listed.c.product_id.desc())
        )

    return await _many(session, keys, children, Product)


async def categories(session: Session, keys: Sequence[Any], _: None) -> list[Category | None]:
    """Return categories by id."""
    return await _one(
        session, Category.id, keys, select(Category.id, Category).where(Category.shop_id == session.shop_id)
    )


async def attributes(session: Session, keys: Sequence[Any], _: None) -> list[Attribute | None]:
    """Return attributes by id."""
    return await _one(
        session, Attribute.id, keys, select(Attribute.id, Attribute).where(Attribute.shop_id == session.shop_id)
    )


async def attribute_values(session: Session, keys: Sequence[Any], _: None) -> list[AttributeValue | None]:
    """Return values of attributes by id."""
    statement = select(AttributeValue.id, AttributeValue).where(AttributeValue.shop_id == session.shop_id)
    return await _one(session, AttributeValue.id, keys, statement)


async def media(session: Session, keys: Sequence[Any], first: int) -> list[list[Media]]:
    """Return the media of products."""
    return await _many(
        session,
        keys,
        lambda key: (
            select(Media)
            .where(Media.shop_id == session.shop_id, Media.product_id == key)
            .order_by(Media.position, Media.id)
            .limit(first)
        ),
        Media,
    )


async def variants(session: Session, keys: Sequence[Any], first: int) -> list[list[Variant]]:
    """Return the variants of products."""
    return await _many(
        session,
        keys,
        lambda key: (
            select(Variant)
            .where(Variant.shop_id == session.shop_id, Variant.product_id == key, Variant.deleted_at.is_(None))
            .order_by(Variant.position, Variant.id)
            .limit(first)
        ),
        Variant,
    )


async def assignments(session: Session, keys: Sequence[Any], first: int) -> list[list[AttributeAssignment]]:
    """Return what products have of attributes."""
    row = AttributeAssignment
    return await _many(
        session,
        keys,
        lambda key: (
            select(row)
            .where(row.shop_id == session.shop_id, row.product_id == key, row.variant_id.is_(None))
            .order_by(row.position, row.id)
            .limit(first)
        ),
        row,
    )


async def related(session: Session, keys: Sequence[Any], first: int) -> list[list[Product]]:
    """Return the related products of products."""
    row = ProductRelation
    return await _many(
        session,
        keys,
        lambda key: (
            select(Product)
            .join(row, (row.shop_id == Product.shop_id) & (row.related_id == Product.id))
            .where(Product.shop_id == session.shop_id, row.product_id == key, row.kind == "RELATED")
            .where(_shown(session, Product.id))
            .order_by(row.position, row.related_id)
            .limit(first)
        ),
        Product,
    )


async def reviews(session: Session, keys: Sequence[Any], first: int) -> list[list[Review]]:
    """Return the approved reviews of products, newest first."""
    return await _many(
        session,
        keys,
        lambda key: (
            select(Review)
            .where(Review.shop_id == session.shop_id, Review.product_id == key, Review.status == "APPROVED")
            .order_by(Review.created_at.desc(), Review.id.desc())
            .limit(first)
        ),
        Review,
    )


def _sold(session: Session) -> tuple[Any, ...]:
    started = or_(Listing.available_from.is_(None), Listing.available_from <= func.now())
    of_channel = (Listing.shop_id == session.shop_id, Listing.channel_id == session.channel_id)
    return (*of_channel, Listing.is_published, started)


async def prices(session: Session, keys: Sequence[Any], _: None) -> list[Any]:
    """Return minor and currency of what variants cost."""
    statement = (
        select(Listing.variant_id, Listing.price_minor.label("minor"), Channel.currency)
        .join(Channel, (Channel.shop_id == Listing.shop_id) & (Channel.id == Listing.channel_id))
        .where(*_sold(session), Listing.variant_id.in_(set(keys)))
    )
    found = {row.variant_id: row for row in await session.read(statement)}
    return [found.get(key) for key in keys]


async def availabilities(session: Session, keys: Sequence[Any], _: None) -> list[Any]:
    """Return quantity and is_available of variants."""
    left = StockLevel.on_hand - StockLevel.allocated - StockLevel.reserved - StockLevel.safety
    of_channel = (
        (ChannelWarehouse.shop_id == StockLevel.shop_id)
        & (ChannelWarehouse.warehouse_id == StockLevel.warehouse_id)
        & (ChannelWarehouse.channel_id == session.channel_id)
    )
    stock = (
        select(
            func.least(func.greatest(func.sum(left), 0), _LARGEST).label("left"),
            func.coalesce(func.bool_or(left + StockLevel.backorder_limit > 0), False).label("in_stock"),
        )
        .join(ChannelWarehouse, of_channel)
        .where(StockLevel.shop_id == session.shop_id, StockLevel.variant_id == Variant.id)
        .lateral("stock")
    )
    sold = select(Listing.id).where(*_sold(session), Listing.variant_id == Variant.id).exists()
    statement = (
        select(Variant, stock.c.left, stock.c.in_stock, sold.label("sold"))
        .join(stock, true())
        .where(Variant.shop_id == session.shop_id, Variant.id.in_(set(keys)))
        .options(*_unread(Variant))
    )
    found = {row[0].id: row for row in await session.read(statement)}
    return [found.get(key) for key in keys]
