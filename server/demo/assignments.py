"""Attribute values of demo products and their variants."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from server.demo.designs import Design
from server.demo.frames import Frame
from server.demo.rows import AssignmentRow
from server.demo.selling import Piece
from server.demo.vocabulary import Attribute, vocabulary

_MOST = 32
"""More than any product has, so that numbers of assignments do not meet."""

_RELEASED_BEFORE = timedelta(days=30)


def assignment_rows(frame: Frame, product: Design, pieces: Sequence[Piece]) -> Iterator[AssignmentRow]:
    """Make the values that a product has itself, then those that its variants have chosen."""
    words, fixed = vocabulary(), frame.identities.fixed
    product_id, made_at = frame.product_id(product.number), frame.made_at(product.number)
    number = product.number * _MOST
    for position, slug in enumerate(words.product_types[product.item.type].attributes):
        row_id = frame.identities.of("attribute_assignment", number, made_at)
        column, value = _value(frame, product, words.attributes[slug])
        row = AssignmentRow(frame.shop_id, row_id, product_id, None, fixed("attribute", slug), position=position)
        yield row._replace(**{column: value})
        number += 1
    for piece in pieces:
        for position, option in enumerate(piece.options):
            yield AssignmentRow(
                frame.shop_id,
                frame.identities.of("attribute_assignment", number, made_at),
                product_id,
                piece.id,
                fixed("attribute", option.attribute),
                fixed("attribute_value", f"{option.attribute}/{option.value.slug}"),
                position=position,
            )
            number += 1


def _value(frame: Frame, product: Design, attribute: Attribute) -> tuple[str, Any]:
    """Return the column that holds a product's value of an attribute, and the value."""
    if attribute.slug == "material":
        return "value_id", frame.identities.fixed("attribute_value", f"material/{product.material}")
    if attribute.values:
        slug = attribute.values[product.number // 4 % len(attribute.values)].slug
        return "value_id", frame.identities.fixed("attribute_value", f"{attribute.slug}/{slug}")
    match attribute.kind:
        case "NUMERIC":
            return "number_value", Decimal(product.grams if attribute.slug == "weight" else 6 + product.number % 40)
        case "BOOLEAN":
            return "boolean_value", product.number // 2 % 3 > 0
        case "DATE":
            return "date_value", (frame.made_at(product.number) - _RELEASED_BEFORE).date()
        case _:
            return "text_value", f"{product.item.code}-{product.line.en[:2].upper()}{product.number % 900 + 100}"
