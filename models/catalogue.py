"""How the catalogue is read: statements by key for the loaders, and the look-ups of root fields."""

import functools
import uuid

from sqlalchemy import Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement, bindparam, cast, exists, or_
from sqlalchemy.sql.sqltypes import Uuid

from models.attributes import Attribute, AttributeAssignment, AttributeValue, ProductType, ProductTypeAttribute
from models.base import KEYS, LIMIT, Statement, by_ids, of_shop, per_key, rows_of
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


@functools.cache
def products_by_id(shape: Shape) -> Statement:
    """Return the products with the ids in `keys` that may be seen."""
    return _products(shape).where(Product.id == func.any(KEYS))


@functools.cache
def product_by_slug(shape: Shape) -> Statement:
    """Return the product with the slug `value`."""
    return _products(shape).where(Product.slug == bindparam("value"), Product.deleted_at.is_(None))


@functools.cache
def product_by_external_ref(shape: Shape) -> Statement:
    """Return the product with the external reference `value`."""
    return _products(shape).where(Product.external_ref == bindparam("value"), Product.deleted_at.is_(None))


@functools.cache
def related_products(shape: Shape) -> Statement:
    """Return up to `first` products of the relation `kind` for each product in `keys`."""
    return per_key(
        lambda key: (
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
    )


def _variants(shape: Shape) -> Statement:
    return translated(Variant, shape).where(of_shop(Variant), Variant.deleted_at.is_(None))


@functools.cache
def variants_by_id(shape: Shape) -> Statement:
    """Return the variants with the ids in `keys` whose product may be seen."""
    return _variants(shape).where(Variant.id == func.any(KEYS), product_is_shown(Variant.product_id, shape))


@functools.cache
def variant_by_sku(shape: Shape) -> Statement:
    """Return the variant with the SKU `value` whose product may be seen."""
    return _variants(shape).where(Variant.sku == bindparam("value"), product_is_shown(Variant.product_id, shape))


@functools.cache
def variants_of_products(shape: Shape) -> Statement:
    """Return up to `first` variants of each product in `keys`."""
    return per_key(
        lambda key: (
            _variants(shape).where(Variant.product_id == key).order_by(Variant.position, Variant.id).limit(LIMIT)
        )
    )


def _media(column: ColumnExpression) -> Statement:
    return per_key(
        lambda key: rows_of(Media).where(of_shop(Media), column == key).order_by(Media.position, Media.id).limit(LIMIT)
    )


@functools.cache
def media_by_id(shape: Shape) -> Statement:
    """Return the media with the ids in `keys` whose product may be seen."""
    return by_ids(Media).where(product_is_shown(Media.product_id, shape))


@functools.cache
def media_of_products(_: Shape) -> Statement:
    """Return up to `first` media of each product in `keys`."""
    return _media(Media.product_id)


@functools.cache
def media_of_variants(_: Shape) -> Statement:
    """Return up to `first` media of each variant in `keys`."""
    return _media(Media.variant_id)


@functools.cache
def categories_by_id(shape: Shape) -> Statement:
    """Return the categories with the ids in `keys`."""
    return translated(Category, shape).where(of_shop(Category), Category.id == func.any(KEYS))


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


@functools.cache
def children_of_categories(shape: Shape) -> Statement:
    """Return up to `first` children of each category in `keys`."""
    return per_key(
        lambda key: (
            translated(Category, shape)
            .where(of_shop(Category), Category.parent_id == key)
            .order_by(Category.position, Category.id)
            .limit(LIMIT)
        )
    )


@functools.cache
def ancestors_of_categories(shape: Shape) -> Statement:
    """Return the ancestors of each category in `keys`, from the root down, without itself."""
    child = aliased(Category)
    ids = cast(func.string_to_array(func.rtrim(child.path, "/"), "/"), ARRAY(Uuid()))
    return per_key(
        lambda key: (
            translated(Category, shape)
            .join(
                child, (child.shop_id == Category.shop_id) & (Category.id == func.any(ids)) & (Category.id != child.id)
            )
            .where(of_shop(Category), child.id == key)
            .order_by(func.length(Category.path))
        )
    )


def _collections(shape: Shape) -> Statement:
    statement = translated(Collection, shape).where(of_shop(Collection))
    return statement if shape.drafts else statement.where(Collection.is_published)


@functools.cache
def collections_by_id(shape: Shape) -> Statement:
    """Return the collections with the ids in `keys` that may be seen."""
    return _collections(shape).where(Collection.id == func.any(KEYS))


@functools.cache
def collection_by_slug(shape: Shape) -> Statement:
    """Return the collection with the slug `value`."""
    return _collections(shape).where(Collection.slug == bindparam("value"))


@functools.cache
def collections_of_products(shape: Shape) -> Statement:
    """Return up to `first` hand-picked collections of each product in `keys`."""
    return per_key(
        lambda key: (
            _collections(shape)
            .join(
                CollectionProduct,
                (CollectionProduct.shop_id == Collection.shop_id) & (CollectionProduct.collection_id == Collection.id),
            )
            .where(CollectionProduct.product_id == key)
            .order_by(Collection.name, Collection.id)
            .limit(LIMIT)
        )
    )


@functools.cache
def product_types_by_id(shape: Shape) -> Statement:
    """Return the product types with the ids in `keys`."""
    return translated(ProductType, shape).where(of_shop(ProductType), ProductType.id == func.any(KEYS))


@functools.cache
def attributes_by_id(shape: Shape) -> Statement:
    """Return the attributes with the ids in `keys`."""
    return translated(Attribute, shape).where(of_shop(Attribute), Attribute.id == func.any(KEYS))


@functools.cache
def attributes_of_product_types(shape: Shape) -> Statement:
    """Return up to `first` attributes of each product type in `keys`."""
    return per_key(
        lambda key: (
            translated(Attribute, shape)
            .join(
                ProductTypeAttribute,
                (ProductTypeAttribute.shop_id == Attribute.shop_id)
                & (ProductTypeAttribute.attribute_id == Attribute.id),
            )
            .where(of_shop(Attribute), ProductTypeAttribute.product_type_id == key)
            .order_by(ProductTypeAttribute.position, Attribute.id)
            .limit(LIMIT)
        )
    )


@functools.cache
def attribute_values_by_id(shape: Shape) -> Statement:
    """Return the attribute values with the ids in `keys`."""
    return translated(AttributeValue, shape).where(of_shop(AttributeValue), AttributeValue.id == func.any(KEYS))


@functools.cache
def values_of_attributes(shape: Shape) -> Statement:
    """Return up to `first` values of each attribute in `keys`."""
    return per_key(
        lambda key: (
            translated(AttributeValue, shape)
            .where(of_shop(AttributeValue), AttributeValue.attribute_id == key)
            .order_by(AttributeValue.position, AttributeValue.id)
            .limit(LIMIT)
        )
    )


@functools.cache
def assignments_of_products(_: Shape) -> Statement:
    """Return up to `first` attribute values of each product in `keys`, those of its variants left out."""
    return per_key(
        lambda key: (
            rows_of(AttributeAssignment)
            .where(
                of_shop(AttributeAssignment),
                AttributeAssignment.product_id == key,
                AttributeAssignment.variant_id.is_(None),
            )
            .order_by(AttributeAssignment.position, AttributeAssignment.id)
            .limit(LIMIT)
        )
    )


@functools.cache
def assignments_of_variants(_: Shape) -> Statement:
    """Return up to `first` attribute values of each variant in `keys`."""
    return per_key(
        lambda key: (
            rows_of(AttributeAssignment)
            .where(of_shop(AttributeAssignment), AttributeAssignment.variant_id == key)
            .order_by(AttributeAssignment.position, AttributeAssignment.id)
            .limit(LIMIT)
        )
    )
