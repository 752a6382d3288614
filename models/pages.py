"""Pages of whole entities and of reviews."""

import functools
from typing import Any

from sqlalchemy import Text, func
from sqlalchemy.sql import ColumnElement, bindparam, select
from sqlalchemy.sql.sqltypes import DateTime, Uuid

from core.pagination import COUNT_CEILING
from models.base import Entity, Key, Statement, by_id, of_shop, rows_of
from models.catalogue import product_is_shown
from models.collections import Collection
from models.keysets import Ordering, PageForm
from models.products import Review
from models.scopes import Shape
from models.translations import TRANSLATED, translated


@functools.lru_cache(maxsize=100)
def entity_page(entity: type[Entity], shape: Shape, forward: bool, continued: bool) -> Statement:  # noqa: FBT001
    """Return a page of all rows of an entity, oldest first."""
    key: ColumnElement[Any] = entity.__table__.c.id
    ordering = Ordering(key, key, Uuid(), not forward)
    rows = translated(entity, shape) if entity.__tablename__ in TRANSLATED else rows_of(entity)
    shown = (Collection.is_published,) if entity is Collection and not shape.drafts else ()
    listed = rows.add_columns(key.label("sort_key")).where(
        of_shop(entity), *shown, *ordering.after(continued=continued)
    )
    return ordering.limited(listed)


@functools.lru_cache(maxsize=20)
def entity_count(entity: type[Entity], shape: Shape) -> Statement:
    """Return how many rows of an entity there are, up to `COUNT_CEILING`, as `total`."""
    shown = (Collection.is_published,) if entity is Collection and not shape.drafts else ()
    some = select(entity.__table__.c.id).where(of_shop(entity), *shown).limit(COUNT_CEILING).subquery()
    return select(func.count().label("total")).select_from(some)


def reviews_of_products(_: Shape, form: PageForm, key: Key) -> Statement:
    """Return a page of the approved reviews of a product, newest first."""
    ordering = Ordering(Review.created_at, Review.id, DateTime(timezone=True), form.forward)
    return ordering.limited(
        rows_of(Review, Review.created_at.label("sort_key")).where(
            of_shop(Review),
            Review.product_id == key,
            Review.status == "APPROVED",
            *ordering.after(continued=form.continued),
        )
    )


def review_counts_of_products(_: Shape, key: Key) -> Statement:
    """Return how many approved reviews a product has, up to `COUNT_CEILING`, as `total`."""
    some = select(Review.id).where(of_shop(Review), Review.product_id == key, Review.status == "APPROVED")
    return select(func.count().label("total")).select_from(some.limit(COUNT_CEILING).subquery())


@functools.lru_cache(maxsize=20)
def reviews_by_status(forward: bool, continued: bool) -> Statement:  # noqa: FBT001
    """Return a page of the reviews with the status `value`, oldest first: the queue of those who moderate."""
    ordering = Ordering(Review.created_at, Review.id, DateTime(timezone=True), not forward)
    return ordering.limited(
        rows_of(Review, Review.created_at.label("sort_key")).where(
            of_shop(Review), Review.status == bindparam("value", type_=Text()), *ordering.after(continued=continued)
        )
    )


review_count_by_status = select(func.count().label("total")).select_from(
    select(Review.id)
    .where(of_shop(Review), Review.status == bindparam("value", type_=Text()))
    .limit(COUNT_CEILING)
    .subquery()
)


def reviews_by_id(shape: Shape, key: Key) -> Statement:
    """Return the review with this id whose product may be seen: an approved one, and any of them to staff."""
    statement = by_id(Review, key).where(product_is_shown(Review.product_id, shape))
    return statement if shape.drafts else statement.where(Review.status == "APPROVED")


def reviews_by_id_of_any_status(_: Shape, key: Key) -> Statement:
    """Return the review with this id, for those who have just written it."""
    return by_id(Review, key)
