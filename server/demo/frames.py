"""What a demo shop has before its first product, and the ids that its products refer to."""

import dataclasses
import itertools
import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from models import attributes, categories, collections, inventory, shops, translations
from models.base import Base
from server.demo.identities import OPENED, REFERENCE, Identities
from server.demo.profiles import Profile
from server.demo.vocabulary import Words, vocabulary

_HISTORY = REFERENCE - OPENED
_CURSOR_KEY_BYTES = 32


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """A demo shop without its products.

    Attributes:
        profile: What it is like.
        count: How many products it gets.
        identities: Maker of its ids.
    """

    profile: Profile
    count: int
    identities: Identities

    @property
    def shop_id(self) -> uuid.UUID:
        """The shop's id."""
        return self.identities.shop_id

    def made_at(self, number: int) -> datetime:
        """Return when a product was made: they are spread evenly over the shop's history."""
        return OPENED + timedelta(milliseconds=_HISTORY // timedelta(milliseconds=1) * number // self.count)

    def product_id(self, number: int) -> uuid.UUID:
        """Return the id of a product."""
        return self.identities.of("product", number, self.made_at(number))


def frame_rows(frame: Frame) -> Iterable[list[Base]]:
    """Make the rows of a frame, a list for each table, those referred to before those that refer.

    The shop is closed, and has no host, until it has its products.
    """
    by_table: dict[str, list[Base]] = {}
    for row in itertools.chain(
        [_shop(frame)], _selling(frame), _attributes(frame), _categories(frame), _collections(frame)
    ):
        by_table.setdefault(row.__tablename__, []).append(row)
    return by_table.values()


def _shop(frame: Frame) -> Base:
    profile = frame.profile
    # The key is a secret, so it alone is not the same each time.
    return shops.Shop(
        id=frame.shop_id,
        slug=profile.slug,
        name=profile.name,
        status="CLOSED",
        default_currency=profile.channels[0].currency,
        default_locale=profile.locale,
        cursor_key=secrets.token_bytes(_CURSOR_KEY_BYTES),
    )


def _selling(frame: Frame) -> Iterator[Base]:
    shop_id, of = frame.shop_id, frame.identities.fixed
    for slug, (name, country) in zip(("main", "second"), frame.profile.warehouses, strict=True):
        yield inventory.Warehouse(
            shop_id=shop_id, id=of("warehouse", slug), slug=slug, name=name, country=country, **_times()
        )
    for position, channel in enumerate(frame.profile.channels):
        yield shops.Channel(
            shop_id=shop_id,
            id=of("channel", channel.slug),
            slug=channel.slug,
            name=channel.name,
            currency=channel.currency,
            default_country=channel.country,
            prices_include_tax=channel.prices_include_tax,
            is_default=position == 0,
            **_times(position),
        )
        for priority, warehouse in enumerate(("main", "second")):
            yield inventory.ChannelWarehouse(
                shop_id=shop_id,
                channel_id=of("channel", channel.slug),
                warehouse_id=of("warehouse", warehouse),
                priority=priority,
            )


def _attributes(frame: Frame) -> Iterator[Base]:
    shop_id, of, words = frame.shop_id, frame.identities.fixed, vocabulary()
    for place, attribute in enumerate(words.attributes.values()):
        attribute_id = of("attribute", attribute.slug)
        yield attributes.Attribute(
            id=attribute_id,
            kind=attribute.kind,
            unit=attribute.unit,
            is_filterable=attribute.is_filterable,
            is_variant_selection=attribute.is_variant_selection,
            position=place,
            **_named(frame, attribute.slug, attribute.name),
        )
        yield from _translated(frame, "attribute", attribute_id, name=attribute.name)
        for position, value in enumerate(attribute.values):
            value_id = of("attribute_value", f"{attribute.slug}/{value.slug}")
            yield attributes.AttributeValue(
                id=value_id,
                attribute_id=attribute_id,
                color=value.color,
                position=position,
                **_named(frame, value.slug, value.name),
            )
            yield from _translated(frame, "attribute_value", value_id, name=value.name)
    for kind in words.product_types.values():
        kind_id = of("product_type", kind.slug)
        yield attributes.ProductType(id=kind_id, **_named(frame, kind.slug, kind.name))
        yield from _translated(frame, "product_type", kind_id, name=kind.name)
        for position, slug in enumerate((*kind.axes, *kind.attributes)):
            yield attributes.ProductTypeAttribute(
                shop_id=shop_id, product_type_id=kind_id, attribute_id=of("attribute", slug), position=position
            )


def _categories(frame: Frame) -> Iterator[Base]:
    of = frame.identities.fixed
    for category in vocabulary().categories:
        branch = [of("category", slug) for slug in (*category.parents, category.slug)]
        yield categories.Category(
            id=branch[-1],
            parent_id=branch[-2] if category.parents else None,
            path="".join(f"{each.hex}/" for each in branch),
            position=category.position,
            **_named(frame, category.slug, category.name),
        )
        yield from _translated(frame, "category", branch[-1], name=category.name)


def _collections(frame: Frame) -> Iterator[Base]:
    for collection in vocabulary().collections:
        collection_id = frame.identities.fixed("collection", collection.slug)
        yield collections.Collection(
            id=collection_id,
            description=collection.description.in_locale(frame.profile.locale),
            kind="MANUAL" if collection.rule is None else "RULE",
            rule=None if collection.rule is None else _rule(frame, collection.rule),
            is_published=collection.is_published,
            **_named(frame, collection.slug, collection.name),
        )
        yield from _translated(
            frame, "collection", collection_id, name=collection.name, description=collection.description
        )


def _rule(frame: Frame, rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule with the shop's own ids and prices in place of slugs and US cents."""
    own: dict[str, Any] = {"tags": rule["tags"]} if "tags" in rule else {}
    if "category" in rule:
        own["category"] = str(frame.identities.fixed("category", rule["category"]))
    if "price_to_cents" in rule:
        own["priceToMinor"] = frame.profile.channels[0].tariff.price_minor(rule["price_to_cents"])
    return own


def _named(frame: Frame, slug: str, name: Words) -> dict[str, Any]:
    return {"shop_id": frame.shop_id, "slug": slug, "name": name.in_locale(frame.profile.locale), **_times()}


def _times(seconds: int = 0) -> dict[str, datetime]:
    made_at = OPENED + timedelta(seconds=seconds)
    return {"created_at": made_at, "updated_at": made_at}


def _translated(frame: Frame, entity: str, entity_id: uuid.UUID, **texts: Words) -> Iterator[Base]:
    for locale in frame.profile.translations:
        for field, words in texts.items():
            yield translations.Translation(
                shop_id=frame.shop_id,
                entity=entity,
                entity_id=entity_id,
                locale=locale,
                field=field,
                value=words.in_locale(locale),
            )
