"""Rows for tests, in a shop of the test's own, through the same role and policies as the application."""

import uuid
from typing import Any, TypeVar

from sqlalchemy import func, select, update

from core.database import Database
from core.ids import new_id
from core.writing import Transaction
from models import attributes, categories, collections, inventory, listings, products, shops, translations
from models.base import Base
from resolvers.context import Shop
from resolvers.derived import refresh
from resolvers.openings import Opening, open_shop

RowT = TypeVar("RowT", bound=Base)


async def shop(database: Database, *, slug: str | None = None, currency: str = "USD", locale: str = "en") -> Shop:
    """A shop with a channel `default` that sells from a warehouse `main`."""
    slug = slug or unique("shop")
    return await open_shop(database, Opening(slug=slug, name=slug.title(), currency=currency, locale=locale))


async def channel(
    database: Database, shop: Shop, *, warehouse_id: uuid.UUID | None = None, **columns: Any
) -> shops.Channel:
    """A further channel; it sells from the main warehouse unless told otherwise."""
    values = {"slug": unique("channel"), "name": "Channel", "currency": shop.default_currency} | columns
    row = shops.Channel(shop_id=shop.id, id=new_id(), **values)
    async with database.of_tenant(shop.id).write() as transaction:
        warehouse_id = warehouse_id or await _main_warehouse(transaction)
        await transaction.add(row)
        link = inventory.ChannelWarehouse(shop_id=shop.id, channel_id=row.id, warehouse_id=warehouse_id)
        await transaction.add(link)
        await refresh(transaction, (await transaction.execute(select(products.Product.id))).scalars())
        await transaction.commit()
    return row


async def warehouse(database: Database, shop: Shop, *channel_ids: uuid.UUID, **columns: Any) -> inventory.Warehouse:
    """A further warehouse, which these channels sell from too."""
    values = {"slug": unique("warehouse"), "name": "Warehouse"} | columns
    row = inventory.Warehouse(shop_id=shop.id, id=new_id(), **values)
    links = [
        inventory.ChannelWarehouse(shop_id=shop.id, channel_id=channel_id, warehouse_id=row.id, priority=1)
        for channel_id in channel_ids
    ]
    return await _insert(database, shop, row, *links)


async def domain(database: Database, shop: Shop, host: str) -> shops.Domain:
    """A host name of the shop."""
    return await _insert(database, shop, shops.Domain(shop_id=shop.id, host=host))


async def category(
    database: Database, shop: Shop, *, parent: categories.Category | None = None, **columns: Any
) -> categories.Category:
    """A category, at the root or below a parent."""
    row_id = new_id()
    values = {"slug": unique("category"), "name": "Category"} | columns
    values["path"] = f"{parent.path if parent else ''}{row_id.hex}/"
    row = categories.Category(shop_id=shop.id, id=row_id, parent_id=parent.id if parent else None, **values)
    return await _insert(database, shop, row)


async def collection(
    database: Database, shop: Shop, *members: products.Product, **columns: Any
) -> collections.Collection:
    """A manual collection of these products in this order; with `rule`, a collection by rule."""
    kind = "RULE" if columns.get("rule") is not None else "MANUAL"
    values = {"slug": unique("collection"), "name": "Collection", "kind": kind} | columns
    row = collections.Collection(shop_id=shop.id, id=new_id(), **values)
    places = [
        collections.CollectionProduct(shop_id=shop.id, collection_id=row.id, product_id=member.id, position=position)
        for position, member in enumerate(members)
    ]
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.add(row, *places)
        if row.rule is not None:
            await transaction.execute(collections.refresh_rule_of_collection, {"collection": row.id})
        await transaction.commit()
    return row


async def product_type(
    database: Database, shop: Shop, *attribute_rows: attributes.Attribute, **columns: Any
) -> attributes.ProductType:
    """A product type with these attributes."""
    values = {"slug": unique("type"), "name": "Type"} | columns
    row = attributes.ProductType(shop_id=shop.id, id=new_id(), **values)
    links = [
        attributes.ProductTypeAttribute(
            shop_id=shop.id, product_type_id=row.id, attribute_id=attribute_row.id, position=position
        )
        for position, attribute_row in enumerate(attribute_rows)
    ]
    return await _insert(database, shop, row, *links)


async def attribute(database: Database, shop: Shop, **columns: Any) -> attributes.Attribute:
    """An attribute without values."""
    values = {"slug": unique("attribute"), "name": "Attribute", "kind": "DROPDOWN"} | columns
    return await _insert(database, shop, attributes.Attribute(shop_id=shop.id, id=new_id(), **values))


async def attribute_value(
    database: Database, shop: Shop, attribute: attributes.Attribute, **columns: Any
) -> attributes.AttributeValue:
    """One of an attribute's values."""
    values = {"slug": unique("value"), "name": "Value"} | columns
    row = attributes.AttributeValue(shop_id=shop.id, id=new_id(), attribute_id=attribute.id, **values)
    return await _insert(database, shop, row)


async def assignment(
    database: Database,
    shop: Shop,
    owner: products.Product | products.Variant,
    value: attributes.AttributeValue | None = None,
    **columns: Any,
) -> attributes.AttributeAssignment:
    """A value on a product or variant; without one, `attribute_id` and a value column say what it is."""
    if isinstance(owner, products.Variant):
        values: dict[str, Any] = {"product_id": owner.product_id, "variant_id": owner.id}
    else:
        values = {"product_id": owner.id}
    if value is not None:
        values |= {"attribute_id": value.attribute_id, "value_id": value.id}
    row = attributes.AttributeAssignment(shop_id=shop.id, id=new_id(), **(values | columns))
    return await _insert(database, shop, row)


async def product(database: Database, shop: Shop, **columns: Any) -> products.Product:
    """An active product, which is not for sale before it has a variant with a listing; see `sellable`."""
    values = {"slug": unique("product"), "name": "Product", "status": "ACTIVE"} | columns
    row = products.Product(shop_id=shop.id, id=new_id(), **values)
    return await _insert(database, shop, row, refreshed=row.id)


async def variant(database: Database, shop: Shop, product: products.Product, **columns: Any) -> products.Variant:
    """A variant of a product, without price and stock."""
    values = {"sku": unique("SKU"), "name": "Variant"} | columns
    row = products.Variant(shop_id=shop.id, id=new_id(), product_id=product.id, **values)
    return await _insert(database, shop, row, refreshed=product.id)


async def listing(database: Database, shop: Shop, variant: products.Variant, **columns: Any) -> listings.Listing:
    """A variant's price, in the default channel unless `channel_id` says otherwise."""
    values = {"channel_id": shop.default_channel_id, "price_minor": 1_000} | columns
    row = listings.Listing(shop_id=shop.id, id=new_id(), variant_id=variant.id, **values)
    return await _insert(database, shop, row, refreshed=variant.product_id)


async def stock(
    database: Database, shop: Shop, variant: products.Variant, *, warehouse_id: uuid.UUID | None = None, **columns: Any
) -> inventory.StockLevel:
    """A variant's stock, ten pieces in the main warehouse unless told otherwise."""
    async with database.of_tenant(shop.id).write() as transaction:
        warehouse_id = warehouse_id or await _main_warehouse(transaction)
        values = {"on_hand": 10} | columns
        row = inventory.StockLevel(shop_id=shop.id, variant_id=variant.id, warehouse_id=warehouse_id, **values)
        await transaction.add(row)
        await transaction.commit()
    return row


async def sellable(
    database: Database, shop: Shop, *, price_minor: int = 1_000, on_hand: int = 10, **columns: Any
) -> tuple[products.Product, products.Variant]:
    """A product with one variant that is priced in the default channel and in stock."""
    made = await product(database, shop, **columns)
    only = await variant(database, shop, made)
    await listing(database, shop, only, price_minor=price_minor)
    await stock(database, shop, only, on_hand=on_hand)
    return made, only


async def media(database: Database, shop: Shop, product: products.Product, **columns: Any) -> products.Media:
    """An image of a product."""
    values = {"url": "https://images.example/1.jpg", "alt": "Image"} | columns
    return await _insert(database, shop, products.Media(shop_id=shop.id, id=new_id(), product_id=product.id, **values))


async def relation(
    database: Database, shop: Shop, product: products.Product, related: products.Product, **columns: Any
) -> products.ProductRelation:
    """A product shown beside another."""
    values = {"kind": "RELATED"} | columns
    row = products.ProductRelation(shop_id=shop.id, product_id=product.id, related_id=related.id, **values)
    return await _insert(database, shop, row)


async def review(database: Database, shop: Shop, product: products.Product, **columns: Any) -> products.Review:
    """An approved review, which the product's rating takes in."""
    values = {"author_name": "Ada", "rating": 5, "title": "Good", "body": "As described.", "status": "APPROVED"}
    row = products.Review(shop_id=shop.id, id=new_id(), product_id=product.id, **(values | columns))
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.add(row)
        await _rate(transaction, product.id)
        await refresh(transaction, [product.id])
        await transaction.commit()
    return row


async def translation(database: Database, shop: Shop, row: Any, locale: str, **texts: str) -> None:
    """Texts of a row in another locale, by column: `translation(database, shop, product, "de", name="Hemd")`."""
    rows = [
        translations.Translation(
            shop_id=shop.id, entity=row.__tablename__, entity_id=row.id, locale=locale, field=field, value=value
        )
        for field, value in texts.items()
    ]
    await _insert(database, shop, *rows)


def unique(prefix: str) -> str:
    """A text that no other test uses."""
    return f"{prefix}-{new_id().hex[16:]}"


async def _insert(database: Database, shop: Shop, row: RowT, *more: Base, refreshed: uuid.UUID | None = None) -> RowT:
    """Insert rows, in this order, and return the first."""
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.add(row, *more)
        if refreshed is not None:
            await refresh(transaction, [refreshed])
        await transaction.commit()
    return row


async def _main_warehouse(transaction: Transaction) -> uuid.UUID:
    main = select(inventory.Warehouse.id).where(inventory.Warehouse.slug == "main")
    return (await transaction.execute(main)).scalar_one()


async def _rate(transaction: Transaction, product_id: uuid.UUID) -> None:
    approved = select(products.Review.rating).where(
        products.Review.product_id == product_id, products.Review.status == "APPROVED"
    )
    rating = approved.subquery().c.rating
    average, count = (await transaction.execute(select(func.round(func.avg(rating), 2), func.count(rating)))).one()
    await transaction.execute(
        update(products.Product)
        .where(products.Product.id == product_id)
        .values(rating_average=average, rating_count=count)
    )
