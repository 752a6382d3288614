"""Translations as those who edit them see them."""

from typing import Any

from loaders import catalogue
from models import translations as rows
from schema.lists import loads_list
from schema.views import view_of


@view_of(rows.Translation)
class Translation:
    """A text of an object in another locale than the shop's own."""

    locale: str
    field: str
    value: str


def translations() -> Any:
    """Declare the list of an object's translations: by default the texts of a product in a dozen locales."""
    return loads_list(
        catalogue.translations_of, 50, 250, description="Texts in other locales, by locale; for those who edit them."
    )
