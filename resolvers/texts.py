"""Texts that clients write: how long they may be, and what they must look like."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from models.base import LONGEST_SLUG, SLUG_PATTERN
from resolvers.refusals import ErrorCode, Refusal, Refused, input_path

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


def check_texts(values: Mapping[str, Any]) -> None:
    """Refuse texts that their columns cannot hold; see `check_text`."""
    for column, value in values.items():
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            if isinstance(text, str):
                check_text(column, text)


def check_text(column: str, text: str) -> None:
    """Refuse a text that a column cannot hold.

    Raises:
        Refused: It is too long, has the wrong form, or says nothing where something is needed.
    """
    longest = _LONGER_TEXTS.get(column, _LONGEST_TEXT)
    if len(text) > longest:
        raise Refused(Refusal(ErrorCode.TOO_LONG, f"At most {longest:,} characters.", input_path(column)))
    if "\0" in text:
        raise Refused(Refusal(ErrorCode.INVALID, "A text cannot hold the character NUL.", input_path(column)))
    if column == "name" and not text.strip():
        raise Refused(Refusal(ErrorCode.REQUIRED, "A name cannot be empty.", input_path(column)))
    if column == "slug" and not (re.fullmatch(SLUG_PATTERN, text) and len(text) <= LONGEST_SLUG):
        message = f"A slug is words of a-z and 0-9 with hyphens between them, {LONGEST_SLUG} characters at most."
        raise Refused(Refusal(ErrorCode.INVALID, message, input_path(column)))


def slug_of(text: str) -> str:
    """Return a text's letters and digits as a slug, with room for a number behind it; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[: LONGEST_SLUG - 10].strip("-")
