"""Slugs for names and handles that have none of their own."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterator

from models.base import LONGEST_SLUG

_DIGEST_CHARACTERS = 8
_OTHERS = re.compile(r"[^a-z0-9]+")


def candidates(name: str) -> Iterator[str]:
    """Give the slugs that a name may have, best first; the last one has a digest of the name and is its alone."""
    plain = slug_of(name)
    digest = hashlib.sha256(name.casefold().encode()).hexdigest()[:_DIGEST_CHARACTERS]
    if plain:
        yield plain
    yield f"{plain[: LONGEST_SLUG - _DIGEST_CHARACTERS - 1].rstrip('-')}-{digest}".lstrip("-")


def slug_of(name: str) -> str:
    """Return the letters and digits of a name, without accents, in the form of a slug; empty where it has none."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _OTHERS.sub("-", plain).strip("-")[:LONGEST_SLUG].rstrip("-")


def free_slug(name: str, taken: Collection[str]) -> str:
    """Return the best slug of a name that is not taken."""
    *better, last = candidates(name)
    return next((slug for slug in better if slug not in taken), last)
