"""The rows of a demo product."""

import uuid
from collections.abc import Iterator, Sequence

from server.demo.assignments import assignment_rows
from server.demo.designs import MOST_VARIANTS, Design, design, options_of
from server.demo.frames import Frame
from server.demo.media import Picture
from server.demo.profiles import SMALLEST_SHOP
from server.demo.reviews import rating_of, review_rows
from server.demo.rows import (
    MediaRow,
    MembershipRow,
    ProductRow,
    RelationRow,
    ReviewRow,
    Row,
    TranslationRow,
    VariantRow,
)
from server.demo.selling import Piece, listing_rows, stock_rows
from server.demo.vocabulary import vocabulary

_SEO_CHARACTERS = 155
"""What search engines show of a description."""

_MOST_PICTURES = 3


def product_rows(frame: Frame, number: int) -> Iterator[Row]:
    """Make all rows of a product but its relations, which need the other products."""
    product = design(number)
    product_id = frame.product_id(number)
    reviews = review_rows(frame, product)
    pieces = _pieces(frame, product)
    yield _product(frame, product, product_id, reviews)
    yield from reviews
    for piece in pieces:
        yield _variant(frame, product_id, piece)
        yield from listing_rows(frame, piece)
        yield from stock_rows(frame, piece)
    yield from assignment_rows(frame, product, pieces)
    yield from _pictures(frame, product, product_id, pieces)
    yield from _memberships(frame, number, product_id)
    yield from _translations(frame, product, product_id, pieces)


def relation_rows(frame: Frame, number: int) -> Iterator[RelationRow]:
    """Make the relations of a product: others of its kind beside it, and things that go with it."""
    kinds = len(vocabulary().items)
    seen = {number}
    steps = (("RELATED", kinds), ("ACCESSORY", 1), ("UPSELL", kinds + 1), ("RELATED", 2 * kinds))
    # Large shops have fewer, which nobody misses and seeding is the faster for.
    for kind, step in steps[: None if number < SMALLEST_SHOP else 2]:
        other = (number + step) % frame.count
        if other not in seen:
            seen.add(other)
            yield RelationRow(
                frame.shop_id, frame.product_id(number), kind, frame.product_id(other), position=len(seen) - 2
            )


def _pieces(frame: Frame, product: Design) -> list[Piece]:
    made_at = frame.made_at(product.number)
    return [
        Piece(
            product,
            position,
            frame.identities.of("variant", product.number * MOST_VARIANTS + position, made_at),
            chosen,
        )
        for position, chosen in enumerate(options_of(product))
    ]


def _product(frame: Frame, product: Design, product_id: uuid.UUID, reviews: Sequence[ReviewRow]) -> ProductRow:
    profile, fixed = frame.profile, frame.identities.fixed
    name, description = product.name(profile.locale), product.description(profile.locale)
    average, count = rating_of(reviews)
    return ProductRow(
        shop_id=frame.shop_id,
        id=product_id,
        product_type_id=fixed("product_type", product.item.type),
        category_id=fixed("category", product.item.category),
        slug=product.slug,
        name=name,
        description=description,
        vendor=product.brand,
        tags=product.tags,
        status=product.status,
        rating_average=average,
        rating_count=count,
        seo_title=f"{name} | {profile.name}",
        seo_description=description[:_SEO_CHARACTERS],
        external_ref=f"ERP-{product.number:06d}",
        search_config=profile.search_config,
        created_at=frame.made_at(product.number),
        updated_at=frame.made_at(product.number),
    )


def _variant(frame: Frame, product_id: uuid.UUID, piece: Piece) -> VariantRow:
    product = piece.design
    made_at = frame.made_at(product.number)
    codes = [option.value.slug.upper() for option in piece.options]
    return VariantRow(
        shop_id=frame.shop_id,
        id=piece.id,
        product_id=product_id,
        sku="-".join((product.item.code, f"{product.number:06d}", *codes)),
        name=_variant_name(piece, frame.profile.locale),
        barcode=_barcode(piece.number),
        weight_g=product.grams,
        position=piece.position,
        track_inventory=product.number % 47 != 41,  # noqa: PLR2004  (any remainder does)
        backorder_limit=piece.backorder_limit,
        external_ref=f"ERP-{product.number:06d}-{piece.position}",
        created_at=made_at,
        updated_at=made_at,
    )


def _variant_name(piece: Piece, locale: str) -> str:
    return " / ".join(option.value.name.in_locale(locale) for option in piece.options)


def _barcode(number: int) -> str:
    """Return an EAN-13 (GS1 General Specifications, 7.9) from the range that never leaves a company, 200 to 299."""
    digits = f"200{number:09d}"
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"


def _pictures(frame: Frame, product: Design, product_id: uuid.UUID, pieces: Sequence[Piece]) -> Iterator[MediaRow]:
    """Make the pictures: of the first variant, and of some others."""
    locale = frame.profile.locale
    for position, piece in enumerate(pieces[: 1 + product.number % _MOST_PICTURES]):
        color = piece.options[0].value
        picture = Picture(product.item.category, color.color or "#808080")
        yield MediaRow(
            shop_id=frame.shop_id,
            id=frame.identities.of("media", piece.number, frame.made_at(product.number)),
            product_id=product_id,
            variant_id=piece.id if position else None,
            url=picture.path,
            alt=f"{product.name(locale)}, {color.name.in_locale(locale)}",
            position=position,
        )


def _memberships(frame: Frame, number: int, product_id: uuid.UUID) -> Iterator[MembershipRow]:
    for collection in vocabulary().collections:
        if collection.every and number % collection.every == collection.offset:
            yield MembershipRow(
                frame.shop_id, frame.identities.fixed("collection", collection.slug), product_id, position=number
            )


def _translations(
    frame: Frame, product: Design, product_id: uuid.UUID, pieces: Sequence[Piece]
) -> Iterator[TranslationRow]:
    """Translate a product; large shops have some only in their own language."""
    if product.number >= SMALLEST_SHOP and product.number % 10:
        return
    for locale in frame.profile.translations:
        for field, value in (("name", product.name(locale)), ("description", product.description(locale))):
            yield TranslationRow(frame.shop_id, product_id, locale, field, "product", value)
        for piece in pieces:
            yield TranslationRow(frame.shop_id, piece.id, locale, "name", "variant", _variant_name(piece, locale))
