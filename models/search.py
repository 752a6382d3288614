"""Text search configurations."""

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
