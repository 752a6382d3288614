"""Translations as those who edit them see them."""

from models import translations as rows
from schema.views import view_of


@view_of(rows.Translation)
class Translation:
    """A text of an object in another locale than the shop's own."""

    locale: str
    field: str
    value: str
