"""Texts of objects in other locales than the shop's own."""

import dataclasses
import uuid
from collections.abc import Mapping, Sequence

from core.ids import decode_global_id
from core.writing import Transaction
from models import arrangements, writes
from models.attributes import Attribute, AttributeValue, ProductType
from models.base import Entity
from models.categories import Category
from models.collections import Collection
from models.products import Product, Variant
from models.translations import TRANSLATED, Translation
from resolvers.blocks import Work, alone
from resolvers.context import Context
from resolvers.refusals import Outcome, Refused, camel, invalid, not_found, snake
from resolvers.scopes import is_locale
from resolvers.texts import check_text

TRANSLATABLE: Mapping[str, type[Entity]] = {
    entity.__name__: entity
    for entity in (Attribute, AttributeValue, Category, Collection, Product, ProductType, Variant)
}


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """A text of an object.

    Attributes:
        field: As clients write it.
        value: None to delete the text.
    """

    field: str
    value: str | None


async def translate(context: Context, object_id: str, locale: str, texts: Sequence[Text]) -> Outcome:
    """Write texts of an object in a locale."""

    async def run(transaction: Transaction) -> uuid.UUID:
        type_name, own = decode_global_id(object_id) or ("", uuid.UUID(int=0))
        entity = TRANSLATABLE.get(type_name)
        if entity is None:
            raise Refused(not_found("id"))
        found = await transaction.execute(writes.row(entity, context.shop.id, own, locked=True))
        if found.first() is None:
            raise Refused(not_found("id"))
        _check(context, TRANSLATED[entity.__tablename__], locale, texts)
        values = {snake(text.field): text.value for text in texts}
        written = {column: value for column, value in values.items() if value is not None}
        if written:
            await transaction.execute(
                arrangements.translation_set(context.shop.id, entity.__tablename__, own, locale, written)
            )
        await transaction.execute(
            arrangements.translation_cleared(context.shop.id, own, locale, list(values.keys() - written.keys()))
        )
        return own

    return await alone(context, Work(run, Translation))


def _check(context: Context, possible: Sequence[str], locale: str, texts: Sequence[Text]) -> None:
    if not is_locale(locale) or locale == context.shop.default_locale:
        raise Refused(invalid("A locale is a tag such as de or pt-BR, another than the shop's own.", "locale"))
    names = [camel(column) for column in possible]
    for number, text in enumerate(texts):
        if text.field not in names:
            message = f"Only {', '.join(names)} can be translated here."
            raise Refused(invalid(message, "texts", str(number), "field"))
        if text.value is not None:
            check_text(snake(text.field), text.value, "texts", str(number), "value")
