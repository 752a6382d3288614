"""The words that demo shops are made of, from `vocabulary.json`."""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

_FILE = Path(__file__).with_name("vocabulary.json")


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """A text in the languages of the demo shops; what has no translation is the same as in English."""

    en: str
    de: str = ""
    ja: str = ""
    ar: str = ""

    def in_locale(self, locale: str) -> str:
        """Return the text in a locale."""
        text: str = getattr(self, locale)
        return text or self.en


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """A value that an attribute offers."""

    slug: str
    name: Words
    color: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Attribute:
    """A property of products or variants."""

    slug: str
    kind: str
    name: Words
    unit: str | None = None
    is_variant_selection: bool = False
    is_filterable: bool = True
    values: tuple[Value, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class ProductType:
    """A kind of product.

    Attributes:
        slug: Its slug.
        name: Its name.
        attributes: Slugs of what its products have.
        axes: Slugs of what its variants differ in.
    """

    slug: str
    name: Words
    attributes: tuple[str, ...]
    axes: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """What the products of a category are.

    Attributes:
        category: Slug of the category.
        parents: Slugs above it, the root first.
        code: Start of the SKUs.
        name: One piece of it.
        type: Slug of the product type.
        materials: Slugs of what it may be made of.
        cents: Lowest and highest price, in US cents.
        grams: Lowest and highest weight.
    """

    category: str
    parents: tuple[str, ...]
    code: str
    name: Words
    type: str
    materials: tuple[str, ...]
    cents: tuple[int, int]
    grams: tuple[int, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Category:
    """A node of the category tree."""

    slug: str
    name: Words
    parents: tuple[str, ...]
    position: int


@dataclasses.dataclass(frozen=True, slots=True)
class Phrase:
    """What a review says."""

    title: Words
    body: Words


@dataclasses.dataclass(frozen=True, slots=True)
class Collection:
    """A collection; every `every`th product from `offset` on, or what the rule finds."""

    slug: str
    name: Words
    description: Words
    every: int = 0
    offset: int = 0
    is_published: bool = True
    rule: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words."""

    lines: tuple[Words, ...]
    styles: tuple[Words, ...]
    brands: tuple[str, ...]
    materials: Mapping[str, Words]
    attributes: Mapping[str, Attribute]
    product_types: Mapping[str, ProductType]
    categories: tuple[Category, ...]
    items: tuple[Item, ...]
    name: Words
    openings: tuple[Words, ...]
    details: Mapping[str, tuple[Words, ...]]
    closings: tuple[Words, ...]
    phrases: Mapping[int, tuple[Phrase, ...]]
    authors: Mapping[str, tuple[str, ...]]
    collections: tuple[Collection, ...]


@functools.cache
def vocabulary() -> Vocabulary:
    """Return the words, read once."""
    data = orjson.loads(_FILE.read_bytes())
    nodes = list(_walk(data["categories"], ()))
    attributes = {entry["slug"]: _attribute(entry) for entry in data["attributes"]}
    return Vocabulary(
        lines=_words(data["lines"]),
        styles=_words(data["styles"]),
        brands=tuple(data["brands"]),
        materials={value.slug: value.name for value in attributes["material"].values},
        attributes=attributes,
        product_types={entry["slug"]: _product_type(entry) for entry in data["product_types"]},
        categories=tuple(category for category, _ in nodes),
        items=tuple(_item(category, item) for category, item in nodes if item),
        name=Words(**data["name"]),
        openings=_words(data["openings"]),
        details={kind: _words(sentences) for kind, sentences in data["details"].items()},
        closings=_words(data["closings"]),
        phrases=_phrases(data["reviews"]),
        authors={locale: tuple(names) for locale, names in data["authors"].items()},
        collections=tuple(_collection(entry) for entry in data["collections"]),
    )


def _words(entries: list[dict[str, str]]) -> tuple[Words, ...]:
    return tuple(Words(**entry) for entry in entries)


def _attribute(entry: dict[str, Any]) -> Attribute:
    values = tuple(Value(**value | {"name": Words(**value["name"])}) for value in entry.get("values", ()))
    return Attribute(**entry | {"name": Words(**entry["name"]), "values": values})


def _product_type(entry: dict[str, Any]) -> ProductType:
    return ProductType(entry["slug"], Words(**entry["name"]), tuple(entry["attributes"]), tuple(entry["axes"]))


def _collection(entry: dict[str, Any]) -> Collection:
    return Collection(**entry | {"name": Words(**entry["name"]), "description": Words(**entry["description"])})


def _walk(entries: list[dict[str, Any]], parents: tuple[str, ...]) -> Iterator[tuple[Category, dict[str, Any] | None]]:
    """Go through the tree, parents before children."""
    for position, entry in enumerate(entries):
        yield Category(entry["slug"], Words(**entry["name"]), parents, position), entry.get("item")
        yield from _walk(entry.get("children", []), (*parents, entry["slug"]))


def _item(category: Category, entry: dict[str, Any]) -> Item:
    return Item(
        category=category.slug,
        parents=category.parents,
        code=entry["code"],
        name=Words(**entry["name"]),
        type=entry["type"],
        materials=tuple(entry["materials"]),
        cents=tuple(entry["cents"]),
        grams=tuple(entry["grams"]),
    )


def _phrases(bands: list[dict[str, Any]]) -> dict[int, tuple[Phrase, ...]]:
    """Return what may be said, by number of stars."""
    found: dict[int, tuple[Phrase, ...]] = {}
    for band in bands:
        phrases = tuple(Phrase(Words(**entry["title"]), Words(**entry["body"])) for entry in band["phrases"])
        lowest, highest = band["ratings"]
        found |= dict.fromkeys(range(lowest, highest + 1), phrases)
    return found
