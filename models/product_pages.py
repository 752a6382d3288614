"""Pages of products, their count and their facets: statements over the channel's listings."""

import functools
from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, Integer, Text, func
from sqlalchemy.orm import aliased
from sqlalchemy.sql import (
    ColumnElement,
    and_,
    bindparam,
    case,
    exists,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.sql.selectable import FromClause
from sqlalchemy.sql.sqltypes import DateTime, Uuid

from core.pagination import COUNT_CEILING
from models.attributes import Attribute, AttributeAssignment, AttributeValue
from models.base import Key, Statement, of_shop
from models.catalogue import CHANNEL, listing_is_shown
from models.categories import Category
from models.collections import CollectionProduct
from models.inventory import ChannelWarehouse, StockLevel
from models.keysets import ColumnExpression, Ordering, PageForm
from models.listings import Listing, ProductListing
from models.product_filters import FilterForm, ProductSort
from models.products import Product, Variant
from models.scopes import Shape
from models.search import found
from models.selling import is_sold, left_in
from models.translations import translated

_SAMPLE = COUNT_CEILING
"""Products that facets are counted over; beyond it the counts are of a sample, as the total is a ceiling."""

_LISTING_ORDERS: dict[ProductSort, tuple[ColumnExpression, Any, bool]] = {
    ProductSort.NEWEST: (ProductListing.listed_at, DateTime(timezone=True), True),
    ProductSort.OLDEST: (ProductListing.listed_at, DateTime(timezone=True), False),
    ProductSort.PRICE_ASC: (ProductListing.price_key, BigInteger(), False),
    ProductSort.PRICE_DESC: (ProductListing.price_key, BigInteger(), True),
    ProductSort.NAME_ASC: (ProductListing.name_key, Text(collation="C"), False),
    ProductSort.NAME_DESC: (ProductListing.name_key, Text(collation="C"), True),
    ProductSort.RATING: (ProductListing.rating_key, Integer(), True),
}
"""Sort column, its type, and whether it descends."""


@functools.lru_cache(maxsize=500)
def product_page(shape: Shape, form: FilterForm, sort: ProductSort, forward: bool, continued: bool) -> Statement:  # noqa: FBT001
    """Return a page of products with their sort value as `sort_key`.

    Args:
        shape: What is seen.
        form: The filter's form; its values are parameters.
        sort: The order.
        forward: Whether the page follows the cursor; otherwise its rows come back in reverse.
        continued: Whether there is a cursor.
    """
    key, type_, descends = (
        (found(shape).c.rank, Integer(), True) if sort is ProductSort.RELEVANCE else _LISTING_ORDERS[sort]
    )
    ordering = Ordering(key, ProductListing.product_id, type_, descends == forward)
    # By relevance, what is found is joined for its rank: it need not be searched for a second time.
    rest = form.without("text") if sort is ProductSort.RELEVANCE else form
    listed = select(ProductListing.product_id.label("id"), key.label("sort_key")).where(
        *_conditions(shape, rest), *ordering.after(continued=continued)
    )
    if sort is ProductSort.RELEVANCE:
        listed = listed.join(found(shape), found(shape).c.product_id == ProductListing.product_id)
    if "category_id" in form.given:
        listed = _through_subtree(listed, ordering, bindparam("category_id", type_=Uuid()))
    return _with_products(ordering.limited(listed).subquery("listed"), shape, descends=ordering.descends)


def _through_subtree(listed: Statement, ordering: Ordering, category_id: ColumnElement[Any]) -> Statement:
    """Read each category of a subtree in its index's order and merge, so that the cost does not grow with products."""
    subtree = _subtree(category_id).subquery("subtree")
    # By name, as the key in `models.base.per_key`.
    of_branch = listed.where(ProductListing.category_id == literal_column("subtree.id", Uuid()))
    rows = ordering.limited(of_branch).lateral("branch")
    merged = select(rows.c.id, rows.c.sort_key).select_from(subtree.join(rows, true()))
    ordering.key, ordering.row_id = rows.c.sort_key, rows.c.id
    return merged


def _subtree(category_id: ColumnElement[Any]) -> Statement:
    """Return the ids of a category and everything below it: a range of paths, `g` being behind every hex digit."""
    top = aliased(Category)
    # A value and not a join: categories are too few for PostgreSQL to gather statistics by itself, and without it joins
    # each category of the shop with each.
    path = select(top.path).where(of_shop(top), top.id == category_id).scalar_subquery()
    return select(Category.id).where(of_shop(Category), Category.path >= path, Category.path < path + "g")


def _with_products(listed: FromClause, shape: Shape, *, descends: bool) -> Statement:
    order = (listed.c.sort_key.desc(), listed.c.id.desc()) if descends else (listed.c.sort_key, listed.c.id)
    return (
        translated(Product, shape)
        .add_columns(listed.c.sort_key)
        .join(listed, listed.c.id == Product.id)
        .where(of_shop(Product))
        .order_by(*order)
    )


@functools.lru_cache(maxsize=200)
def product_count(shape: Shape, form: FilterForm) -> Statement:
    """Return how many products a filter leaves, up to `COUNT_CEILING`, as `total`."""
    ids = select(ProductListing.product_id).where(*_conditions(shape, form))
    if "category_id" in form.given:
        ids = ids.where(ProductListing.category_id.in_(_subtree(bindparam("category_id", type_=Uuid()))))
    return select(func.count().label("total")).select_from(ids.limit(COUNT_CEILING).subquery())


@functools.lru_cache(maxsize=200)
def product_facets(shape: Shape, form: FilterForm) -> Statement:
    """Return how many products have each value of each filterable attribute: attribute_id, value_id, total.

    The counts of an attribute that the filter restricts leave that restriction out, since its values are alternatives.
    """
    simple = FilterForm(form.given, form.is_available)
    flags = [_attribute(kind, number).label(f"matches_{number}") for number, kind in enumerate(form.attributes)]
    base = select(ProductListing.product_id, *flags).where(*_conditions(shape, simple))
    if "category_id" in form.given:
        base = base.where(ProductListing.category_id.in_(_subtree(bindparam("category_id", type_=Uuid()))))
    products = base.limit(_SAMPLE).cte("products")
    numbers = range(len(form.attributes))
    all_others = [and_(true(), *(products.c[f"matches_{each}"] for each in numbers if each != own)) for own in numbers]
    everything = and_(true(), *(products.c[f"matches_{each}"] for each in numbers))
    kept = (
        case(
            *((Attribute.slug == bindparam(f"attribute_{own}", type_=Text()), all_others[own]) for own in numbers),
            else_=everything,
        )
        if form.attributes
        else true()
    )
    assigned = AttributeAssignment
    return (
        select(assigned.attribute_id, assigned.value_id, func.count(assigned.product_id.distinct()).label("total"))
        .join(products, products.c.product_id == assigned.product_id)
        .join(Attribute, (Attribute.shop_id == assigned.shop_id) & (Attribute.id == assigned.attribute_id))
        .where(of_shop(assigned), Attribute.is_filterable, assigned.value_id.is_not(None), kept)
        .group_by(assigned.attribute_id, assigned.value_id, Attribute.position)
        .order_by(
            Attribute.position,
            assigned.attribute_id,
            func.count(assigned.product_id.distinct()).desc(),
            assigned.value_id,
        )
    )


def _conditions(shape: Shape, form: FilterForm) -> list[ColumnElement[bool]]:
    conditions = [of_shop(ProductListing), ProductListing.channel_id == CHANNEL if shape.drafts else listing_is_shown()]
    conditions += [_SIMPLE_CONDITIONS[name]() for name in form.given if name in _SIMPLE_CONDITIONS]
    if "text" in form.given:
        conditions.append(ProductListing.product_id.in_(select(found(shape).c.product_id)))
    of_product = [_PRODUCT_CONDITIONS[name]() for name in form.given if name in _PRODUCT_CONDITIONS]
    if of_product:
        conditions.append(exists().where(of_shop(Product), Product.id == ProductListing.product_id, *of_product))
    if form.is_available is not None:
        conditions.append(_available() if form.is_available else ~_available())
    conditions += [_attribute(kind, number) for number, kind in enumerate(form.attributes)]
    return conditions


_SIMPLE_CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "collection_id": lambda: exists().where(
        of_shop(CollectionProduct),
        CollectionProduct.product_id == ProductListing.product_id,
        CollectionProduct.collection_id == bindparam("collection_id", type_=Uuid()),
    ),
    "price_from_minor": lambda: ProductListing.price_to_minor >= bindparam("price_from_minor", type_=BigInteger()),
    "price_to_minor": lambda: ProductListing.price_from_minor <= bindparam("price_to_minor", type_=BigInteger()),
    "rating_from": lambda: ProductListing.rating_key >= bindparam("rating_from", type_=Integer()),
}

_PRODUCT_CONDITIONS: dict[str, Callable[[], ColumnElement[bool]]] = {
    "status": lambda: Product.status == bindparam("status", type_=Text()),
    "vendor": lambda: Product.vendor == bindparam("vendor", type_=Text()),
    "tags": lambda: Product.tags.contains(bindparam("tags", type_=Product.tags.type)),
}


def _available() -> ColumnElement[bool]:
    """Return the condition that some variant is sold in the channel and in stock in one of its warehouses."""
    in_stock = exists().where(
        of_shop(StockLevel),
        StockLevel.variant_id == Variant.id,
        of_shop(ChannelWarehouse),
        ChannelWarehouse.channel_id == CHANNEL,
        ChannelWarehouse.warehouse_id == StockLevel.warehouse_id,
        left_in() + StockLevel.backorder_limit > 0,
    )
    return exists().where(
        of_shop(Variant),
        Variant.product_id == ProductListing.product_id,
        Variant.deleted_at.is_(None),
        or_(~Variant.track_inventory, in_stock),
        of_shop(Listing),
        Listing.variant_id == Variant.id,
        Listing.channel_id == CHANNEL,
        is_sold(),
    )


def _attribute(kind: str, number: int) -> ColumnElement[bool]:
    """Return the condition that a product, or a variant of it, meets the attribute filter of this number."""
    assigned, attribute = aliased(AttributeAssignment), aliased(Attribute)
    kinds: dict[str, Callable[[], ColumnElement[bool]]] = {
        "values": lambda: exists().where(
            of_shop(AttributeValue),
            AttributeValue.id == assigned.value_id,
            AttributeValue.slug == func.any(bindparam(f"values_{number}", type_=Product.tags.type)),
        ),
        "number": lambda: and_(
            assigned.number_value >= func.coalesce(_number(f"from_{number}"), assigned.number_value),
            assigned.number_value <= func.coalesce(_number(f"to_{number}"), assigned.number_value),
        ),
        "boolean": lambda: assigned.boolean_value == bindparam(f"boolean_{number}", type_=assigned.boolean_value.type),
    }
    return exists().where(
        of_shop(assigned),
        assigned.product_id == ProductListing.product_id,
        assigned.shop_id == attribute.shop_id,
        assigned.attribute_id == attribute.id,
        attribute.slug == bindparam(f"attribute_{number}", type_=Text()),
        kinds[kind](),
    )


def _number(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=AttributeAssignment.number_value.type)


def products_of_categories(shape: Shape, form: PageForm, key: Key) -> Statement:
    """Return a page of the products in and below a category; its order names a `ProductSort`."""
    column, type_, descends = _LISTING_ORDERS[ProductSort(form.order)]
    ordering = Ordering(column, ProductListing.product_id, type_, descends == form.forward)
    listed = select(ProductListing.product_id.label("id"), column.label("sort_key")).where(
        *_conditions(shape, FilterForm()), *ordering.after(continued=form.continued)
    )
    page = ordering.limited(_through_subtree(listed, ordering, key)).subquery("listed")
    return _with_products(page, shape, descends=ordering.descends)


def counts_of_categories(shape: Shape, key: Key) -> Statement:
    """Return how many products are in and below a category, up to `COUNT_CEILING`, as `total`."""
    some = select(ProductListing.product_id).where(
        *_conditions(shape, FilterForm()), ProductListing.category_id.in_(_subtree(key))
    )
    return select(func.count().label("total")).select_from(some.limit(COUNT_CEILING).subquery())


def _listed_in_collection(shape: Shape, key: Key) -> Statement:
    return (
        select(CollectionProduct.product_id.label("id"), CollectionProduct.position.label("sort_key"))
        .join(
            ProductListing,
            (ProductListing.shop_id == CollectionProduct.shop_id)
            & (ProductListing.product_id == CollectionProduct.product_id),
        )
        .where(*_conditions(shape, FilterForm()), CollectionProduct.collection_id == key)
    )


def products_of_collections(shape: Shape, form: PageForm, key: Key) -> Statement:
    """Return a page of the products of a collection, by their place in it."""
    ordering = Ordering(CollectionProduct.position, CollectionProduct.product_id, Integer(), not form.forward)
    listed = _listed_in_collection(shape, key).where(*ordering.after(continued=form.continued))
    return _with_products(ordering.limited(listed).subquery("listed"), shape, descends=ordering.descends)


def counts_of_collections(shape: Shape, key: Key) -> Statement:
    """Return how many products a collection shows, up to `COUNT_CEILING`, as `total`."""
    some = _listed_in_collection(shape, key).limit(COUNT_CEILING)
    return select(func.count().label("total")).select_from(some.subquery())
