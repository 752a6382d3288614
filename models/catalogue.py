"""How the catalogue is read: the children of a key, and the look-ups of root fields."""

import functools
import uuid

from sqlalchemy import Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement, bindparam, cast, exists, or_
from sqlalchemy.sql.sqltypes import Uuid

from models.attributes import Attribute, AttributeAssignment, AttributeValue, ProductType, ProductTypeAttribute
from models.base import LIMIT, Key, Statement, by_id, of_shop, rows_of
from models.categories import Category
from models.collections import Collection, CollectionProduct
from models.keysets import ColumnExpression
from models.listings import ProductListing
from models.products import Media, Product, ProductRelation, Variant
from models.scopes import Shape
from models.translations import translated

CHANNEL: ColumnElement[uuid.UUID] = bindparam("channel", type_=Uuid())


def product_is_shown(product_id: ColumnExpression, shape: Shape) -> ColumnElement[bool]:
    """Return the condition that a product may be seen: by shoppers in the channel, by staff unless deleted."""
    if shape.drafts:
        return exists().where(of_shop(Product), Product.id == product_id, Product.deleted_at.is_(None))
    return exists().where(of_shop(ProductListing), ProductListing.product_id == product_id, listing_is_shown())


def listing_is_shown() -> ColumnElement[bool]:
    """Return the condition that a channel's listing shows a product to shoppers now."""
    return (
        (ProductListing.channel_id == CHANNEL)
        & ProductListing.is_visible
        & or_(ProductListing.available_from.is_(None), ProductListing.available_from <= func.now())
    )


def _products(shape: Shape) -> Statement:
    shown = Product.deleted_at.is_(None) if shape.drafts else product_is_shown(Product.id, shape)
    return translated(Product, shape).where(of_shop(Product), shown)


def products_by_id(shape: Shape, key: Key) -> Statement:
    """Return the product with this id, if it may be seen."""
    return _products(shape).where(Product.id == key)


@functools.cache
def product_by_slug(shape: Shape) -> Statement:
    """Return the product with the slug `value`."""
    return _products(shape).where(Product.slug == bindparam("value"), Product.deleted_at.is_(None))


@functools.cache
def product_by_external_ref(shape: Shape) -> Statement:
    """Return the product with the external reference `value`."""
    return _products(shape).where(Product.external_ref == bindparam("value"), Product.deleted_at.is_(None))


def related_products(shape: Shape, key: Key) -> Statement:
    """Return up to `first` products that a product has in the relation `kind`."""
    return (
        _products(shape)
        .join(
            ProductRelation,
            (ProductRelation.shop_id == Product.shop_id) & (ProductRelation.related_id == Product.id),
        )
        .where(
            of_shop(ProductRelation),
            ProductRelation.product_id == key,
            ProductRelation.kind == bindparam("kind", type_=Text()),
        )
        .order_by(ProductRelation.position, ProductRelation.related_id)
        .limit(LIMIT)
    )


def _variants(shape: Shape) -> Statement:
    return translated(Variant, shape).where(of_shop(Variant), Variant.deleted_at.is_(None))


def variants_by_id(shape: Shape, key: Key) -> Statement:
    """Return the variant with this id, if its product may be seen."""
    return _variants(shape).where(Variant.id == key, product_is_shown(Variant.product_id, shape))


@functools.cache
def variant_by_sku(shape: Shape) -> Statement:
    """Return the variant with the SKU `value` whose product may be seen."""
    return _variants(shape).where(Variant.sku == bindparam("value"), product_is_shown(Variant.product_id, shape))


def variants_of_products(shape: Shape, key: Key) -> Statement:
    """Return up to `first` variants of a product."""
    return _variants(shape).where(Variant.product_id == key).order_by(Variant.position, Variant.id).limit(LIMIT)


def media_by_id(shape: Shape, key: Key) -> Statement:
    """Return the medium with this id, if its product may be seen."""
    return by_id(Media, key).where(product_is_shown(Media.product_id, shape))


def media_of_products(_: Shape, key: Key) -> Statement:
    """Return up to `first` media of a product."""
    return _media().where(Media.product_id == key)


def media_of_variants(_: Shape, key: Key) -> Statement:
    """Return up to `first` media of a variant."""
    return _media().where(Media.variant_id == key)


def _media() -> Statement:
    return rows_of(Media).where(of_shop(Media)).order_by(Media.position, Media.id).limit(LIMIT)


def categories_by_id(shape: Shape, key: Key) -> Statement:
    """Return the category with this id."""
    return translated(Category, shape).where(of_shop(Category), Category.id == key)


@functools.cache
def category_by_slug(shape: Shape) -> Statement:
    """Return the category with the slug `value`."""
    return translated(Category, shape).where(of_shop(Category), Category.slug == bindparam("value"))


@functools.cache
def root_categories(shape: Shape) -> Statement:
    """Return up to `first` categories without a parent."""
    return (
        translated(Category, shape)
        .where(of_shop(Category), Category.parent_id.is_(None))
        .order_by(Category.position, Category.id)
        .limit(LIMIT)
    )


def children_of_categories(shape: Shape, key: Key) -> Statement:
    """Return up to `first` children of a category."""
    return (
        translated(Category, shape)
        .where(of_shop(Category), Category.parent_id == key)
        .order_by(Category.position, Category.id)
        .limit(LIMIT)
    )


def ancestors_of_categories(shape: Shape, key: Key) -> Statement:
    """Return the ancestors of a category, from the root down, without itself."""
    child = aliased(Category)
    ids = cast(func.string_to_array(func.rtrim(child.path, "/"), "/"), ARRAY(Uuid()))
    return (
        translated(Category, shape)
        .join(child, (child.shop_id == Category.shop_id) & (Category.id == func.any(ids)) & (Category.id != child.id))
        .where(of_shop(Category), child.id == key)
        .order_by(func.length(Category.path))
    )


def _collections(shape: Shape) -> Statement:
    statement = translated(Collection, shape).where(of_shop(Collection))
    return statement if shape.drafts else statement.where(Collection.is_published)


def collections_by_id(shape: Shape, key: Key) -> Statement:
    """Return the collection with this id, if it may be seen."""
    return _collections(shape).where(Collection.id == key)


@functools.cache
def collection_by_slug(shape: Shape) -> Statement:
    """Return the collection with the slug `value`."""
    return _collections(shape).where(Collection.slug == bindparam("value"))


def collections_of_products(shape: Shape, key: Key) -> Statement:
    """Return up to `first` hand-picked collections of a product."""
    return (
        _collections(shape)
        .join(
            CollectionProduct,
            (CollectionProduct.shop_id == Collection.shop_id) & (CollectionProduct.collection_id == Collection.id),
        )
        .where(CollectionProduct.product_id == key)
        .order_by(Collection.name, Collection.id)
        .limit(LIMIT)
    )


def product_types_by_id(shape: Shape, key: Key) -> Statement:
    """Return the product type with this id."""
    return translated(ProductType, shape).where(of_shop(ProductType), ProductType.id == key)


def attributes_by_id(shape: Shape, key: Key) -> Statement:
    """Return the attribute with this id."""
    return translated(Attribute, shape).where(of_shop(Attribute), Attribute.id == key)


def attributes_of_product_types(shape: Shape, key: Key) -> Statement:
    """Return up to `first` attributes of a product type."""
    return (
        translated(Attribute, shape)
        .join(
            ProductTypeAttribute,
            (ProductTypeAttribute.shop_id == Attribute.shop_id) & (ProductTypeAttribute.attribute_id == Attribute.id),
        )
        .where(of_shop(Attribute), ProductTypeAttribute.product_type_id == key)
        .order_by(ProductTypeAttribute.position, Attribute.id)
        .limit(LIMIT)
    )


def attribute_values_by_id(shape: Shape, key: Key) -> Statement:
    """Return the attribute value with this id."""
    return translated(AttributeValue, shape).where(of_shop(AttributeValue), AttributeValue.id == key)


def values_of_attributes(shape: Shape, key: Key) -> Statement:
    """Return up to `first` values of an attribute."""
    return (
        translated(AttributeValue, shape)
        .where(of_shop(AttributeValue), AttributeValue.attribute_id == key)
        .order_by(AttributeValue.position, AttributeValue.id)
        .limit(LIMIT)
    )


def assignments_of_products(_: Shape, key: Key) -> Statement:
    """Return up to `first` attribute values of a product, those of its variants left out."""
    return _assignments().where(AttributeAssignment.product_id == key, AttributeAssignment.variant_id.is_(None))


def assignments_of_variants(_: Shape, key: Key) -> Statement:
    """Return up to `first` attribute values of a variant."""
    return _assignments().where(AttributeAssignment.variant_id == key)


def _assignments() -> Statement:
    return (
        rows_of(AttributeAssignment)
        .where(of_shop(AttributeAssignment))
        .order_by(AttributeAssignment.position, AttributeAssignment.id)
        .limit(LIMIT)
    )
