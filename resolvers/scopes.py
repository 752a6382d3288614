"""What a root field's subtree is seen through."""

import dataclasses
import re

from core.errors import BadUserInput
from models import shops as rows
from models.scopes import Scope
from resolvers.context import Context

_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


async def scope_of(context: Context, channel: str | None, locale: str | None) -> Scope:
    """Return the scope that a root field's arguments mean.

    Args:
        context: Of the operation.
        channel: Slug; the shop's default channel where it is None.
        locale: BCP 47 tag; the shop's own texts where it is None or the shop's own locale.

    Raises:
        BadUserInput: The shop has no such channel, or the locale is no locale.
    """
    scope = context.default_scope()
    if channel is None and locale is None:
        return scope
    if channel is not None:
        row = await context.database.fetch_one(rows.channel_by_slug, slug=channel)
        if row is None:
            raise BadUserInput("This shop has no such channel; `channels` lists them.", argument="channel")
        scope = dataclasses.replace(scope, channel_id=row.id)
    if locale is not None and not is_locale(locale):
        raise BadUserInput("A locale is a tag such as de or pt-BR.", argument="locale")
    own = locale is None or locale == context.shop.default_locale
    return dataclasses.replace(scope, locale=None if own else locale)


def is_locale(text: str) -> bool:
    """Tell whether a text has the form of a BCP 47 language tag."""
    return _LOCALE.fullmatch(text) is not None
