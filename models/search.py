"""Text search: its configurations, and what it finds."""

import functools

from sqlalchemy import Integer, Text, func
from sqlalchemy.dialects.postgresql import REGCONFIG
from sqlalchemy.sql import bindparam, cast, column, false, true
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.sql.sqltypes import Uuid

from models.catalogue import CHANNEL
from models.scopes import Shape

_CONFIGS = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}


def search_config(locale: str) -> str:
    """Return the name of PostgreSQL's text search configuration for a locale.

    A language without one gets `simple`, which does not stem.
    """
    return _CONFIGS.get(locale.split("-", maxsplit=1)[0], "simple")


@functools.cache
def found(shape: Shape) -> TableValuedAlias:
    """Return what the search for `text` finds among the products that may be seen: product_id, rank."""
    return func.search_products(
        bindparam("text", type_=Text()),
        cast(bindparam("search_config", type_=Text()), REGCONFIG),
        CHANNEL,
        true() if shape.drafts else false(),
        bindparam("at_most", type_=Integer()),
    ).table_valued(column("product_id", Uuid()), column("rank", Integer()), name="found")
