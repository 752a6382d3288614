"""Texts that clients write: how long they may be, and what they must look like."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from models.base import LONGEST_SLUG, SLUG_PATTERN
from resolvers.refusals import ErrorCode, Refusal, Refused, camel, invalid, required, too_many

_LONGEST_TEXT = 255
_LONGER_TEXTS = {
    "alt": 500,
    "body": 10_000,
    "description": 100_000,
    "seo_description": 1_000,
    "text_value": 10_000,
    "url": 2_000,
}
"""Characters of texts that may be longer than `_LONGEST_TEXT`."""


_NEVER_BLANK = {"name", "author_name"}
_LIST_ITEMS = 250
"""Elements of a list in the input, as everywhere in the API."""


def check_texts(values: Mapping[str, Any], *path: str, optional: Collection[str] = ()) -> None:
    """Refuse texts that their columns cannot hold, also those in lists and in objects.

    Args:
        values: By column; what is no text is left to others.
        path: Of the object that holds them, where that is not the input itself.
        optional: Columns that may hold an empty text, whatever they are called.
    """
    for column, value in values.items():
        own = (*(path or ("input",)), camel(column))
        if isinstance(value, str):
            if value or column not in optional:
                check_text(column, value, *own)
        elif isinstance(value, Mapping):
            check_texts(value, *own)
        elif isinstance(value, list):
            _check_list(value, own)


def _check_list(texts: Sequence[str], path: tuple[str, ...]) -> None:
    if len(texts) > _LIST_ITEMS:
        raise Refused(too_many(_LIST_ITEMS, *path))
    for number, text in enumerate(texts):
        if not text.strip():
            raise Refused(required(*path, str(number)))
        check_text("", text, *path, str(number))


def check_text(column: str, text: str, *path: str) -> None:
    """Refuse a text that a column cannot hold.

    Raises:
        Refused: It is too long, has the wrong form, or says nothing where something is needed.
    """
    longest = _LONGER_TEXTS.get(column, _LONGEST_TEXT)
    if len(text) > longest:
        raise Refused(Refusal(ErrorCode.TOO_LONG, f"At most {longest:,} characters.", path))
    if column in _NEVER_BLANK and not text.strip():
        raise Refused(required(*path))
    form, message = _FORMS.get(column, (None, ""))
    if form is not None and not form.fullmatch(text):
        raise Refused(invalid(message, *path))


_NOT_BLANK = (re.compile(r"\S(.*\S)?"), "This has no blanks around it; null empties it.")
_COUNTRY = (re.compile(r"[A-Z]{2}"), "A country is an ISO 3166 code such as DE.")
_FORMS = {
    "slug": (
        re.compile(rf"(?=.{{1,{LONGEST_SLUG}}}$){SLUG_PATTERN[1:-1]}"),
        f"A slug is words of a-z and 0-9 with hyphens between them, {LONGEST_SLUG} characters at most.",
    ),
    "url": (
        re.compile(r"(https?://[^/\s]|/(?!/))[^\s\x00-\x1f]*"),
        "An address starts with https://, http:// or a single /, and has no blanks.",
    ),
    "country": _COUNTRY,
    "default_country": _COUNTRY,
    "sku": _NOT_BLANK,
    "barcode": _NOT_BLANK,
    "external_ref": _NOT_BLANK,
}
"""What a text must look like, and what to say where it does not."""


def slug_of(text: str) -> str:
    """Return a text's letters and digits as a slug, with room for a number behind it; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[: LONGEST_SLUG - 10].strip("-")
