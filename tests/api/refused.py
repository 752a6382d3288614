"""Mutations that are to be refused, by which code, and which argument is to blame.

A text that is `$name` stands for the id of the row of that name; see `test_mutations_refused.world`.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A mutation that is refused.

    Attributes:
        mutation: Its name.
        expected: The code and the path, such as `INVALID input.slug`.
        arguments: What is given.
        number: Tells cases apart that are alike.
    """

    mutation: str
    expected: str
    arguments: dict[str, Any]
    number: int = dataclasses.field(default_factory=lambda: next(_numbers))

    def __str__(self) -> str:
        return f"{self.mutation}-{self.expected}-{self.number}".replace(" ", "-")

    def filled(self, ids: Mapping[str, str]) -> dict[str, Any]:
        """Return the arguments with ids for names."""
        return {name: _filled(value, ids) for name, value in self.arguments.items()}


def _filled(value: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, ids) for each in value]
    return ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def make(mutation: str, expected: str, **given: Any) -> Case:
    """A creation, by the fields of its input."""
    return Case(f"{mutation}Create", expected, {"input": given})


def change(mutation: str, expected: str, row: str, **given: Any) -> Case:
    """A change of a row, by the fields of its input; listings need a version."""
    version = {"expectedVersion": 1} if mutation == "listing" else {}
    return Case(f"{mutation}Update", expected, {"id": f"${row}", "input": given, **version})


def on(mutation: str, expected: str, row: str, **arguments: Any) -> Case:
    """Another mutation of a row."""
    return Case(mutation, expected, {"id": f"${row}", **arguments})


NAMED = {
    "channel": ("yen", {"name": "New", "currency": "USD"}),
    "productType": ("type", {"name": "New"}),
    "attribute": ("colour", {"name": "New", "kind": "TEXT"}),
    "attributeValue": ("red", {"name": "New", "attributeId": "$colour"}),
    "category": ("branch", {"name": "New"}),
    "collection": ("manual", {"name": "New"}),
    "product": ("product", {"name": "New"}),
    "warehouse": ("warehouse", {"name": "New"}),
}
"""What has a name and a slug: a row of it, and what it is made from."""


def names() -> Iterator[Case]:
    bad = {
        "INVALID input.slug": [{"slug": slug} for slug in ("Not A Slug", "-a", "a--b", "ä", "", "a" * 121, "a\n")],
        "TOO_LONG input.slug": [{"slug": "a" * 256}],
        "TOO_LONG input.name": [{"name": "n" * 256}],
        "REQUIRED input.name": [{"name": name} for name in ("", " ")],
    }
    for kind, (row, valid) in NAMED.items():
        for expected, changes in bad.items():
            for given in changes:
                yield make(kind, expected, **{**valid, **given})
                yield change(kind, expected, row, **given)
        yield change(kind, "REQUIRED input.name", row, name=None)
        yield change(kind, "REQUIRED input.slug", row, slug=None)
        duplicate = {"colour": "size", "red": "blue", "product": "other"}.get(row, row)
        if duplicate != row:
            yield change(kind, "DUPLICATE input.slug", row, slug=duplicate)


def amounts() -> Iterator[Case]:
    listing = {"channelId": "$channel", "variantId": "$variant", "price": "1"}
    for field in ("price", "compareAtPrice", "cost"):
        for amount in ("-1", "1.001", "1e3", "", " ", "1" + "0" * 18, "abc", "1.2.3", "NaN", "Infinity", "\u0661"):
            yield make("listing", f"INVALID input.{field}", **{**listing, field: amount})
    yield make("listing", "INVALID input.price", **{**listing, "channelId": "$yen", "price": "100.5"})
    yield make("listing", "DUPLICATE input.variantId", **listing)
    yield make("listing", "NOT_FOUND input.variantId", **{**listing, "variantId": "$gone_variant"})
    yield change("listing", "INVALID input.price", "listing", price="-1")
    yield change("listing", "REQUIRED input.price", "listing", price=None)
    yield change("listing", "REQUIRED input.isPublished", "listing", isPublished=None)
    yield change("listing", "NOT_FOUND id", "gone_listing", price="1")
    for instant in ("2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        yield change("listing", "INVALID input.availableFrom", "listing", availableFrom=instant)


def assignments() -> Iterator[Case]:
    for number in ("NaN", "sNaN", "Infinity", "1e15", "-1e15", "0.0000000001", "1e999999"):
        yield _assigned("INVALID attributes.0.number", attributeId="$size", number=number)
    yield _assigned("NOT_FOUND attributes.0.valueIds", attributeId="$colour", valueIds=["$big"])
    yield _assigned("INVALID attributes.0.valueIds", attributeId="$colour", valueIds=["$red", "$blue"])
    yield _assigned("INVALID attributes.0.text", attributeId="$colour", text="red")
    yield _assigned("INVALID attributes.0.valueIds", attributeId="$size", valueIds=["$red"])
    yield _assigned("INVALID attributes.0.boolean", attributeId="$note", text="a", boolean=False)
    yield _assigned("TOO_LONG attributes.0.text", attributeId="$note", text="t" * 10_001)
    two = [{"attributeId": "$note", "text": "a"}, {"attributeId": "x"}]
    yield on("productAttributesSet", "NOT_FOUND attributes.1.attributeId", "product", attributes=two)
    yield on("productAttributesSet", "TOO_MANY attributes", "product", attributes=[{"attributeId": "$note"}] * 101)
    yield on("variantAttributesSet", "NOT_FOUND id", "gone_variant", attributes=[])


def _assigned(expected: str, **given: Any) -> Case:
    return on("productAttributesSet", expected, "product", attributes=[given])


def collections() -> Iterator[Case]:
    for expected, rule in (
        ("INVALID input.rule.priceFromMinor", {"priceFromMinor": "-1"}),
        ("INVALID input.rule.priceToMinor", {"priceToMinor": "9" * 18}),
        ("INVALID input.rule.priceToMinor", {"priceFromMinor": "2", "priceToMinor": "1"}),
        ("INVALID input.rule.ratingFrom", {"ratingFrom": 5.5}),
        ("TOO_LONG input.rule.vendor", {"vendor": "v" * 256}),
        ("REQUIRED input.rule.tags.1", {"tags": ["a", " "]}),
        ("TOO_MANY input.rule.tags", {"tags": ["a"] * 251}),
        ("NOT_FOUND input.rule.category", {"category": "nonsense"}),
    ):
        yield make("collection", expected, name="New", rule=rule)
        yield change("collection", expected, "rule", rule=rule)
    yield on("collectionProductsAdd", "INVALID id", "rule", productIds=["$product"])
    yield on("collectionProductsRemove", "INVALID id", "rule", productIds=["$product"])
    yield on("collectionProductsReorder", "INVALID id", "rule", ids=[])
    yield on("collectionProductsAdd", "NOT_FOUND productIds", "manual", productIds=["$gone"])
    yield on("collectionProductsReorder", "NOT_FOUND ids", "manual", ids=["$other"])


def stock() -> Iterator[Case]:
    for expected, version, given in (
        ("INVALID input.onHand", 0, {"onHand": -1}),
        ("INVALID input.safety", 0, {"onHand": 1, "safety": -1}),
        ("NOT_FOUND input.variantId", 0, {"onHand": 1, "variantId": "$gone_variant"}),
        ("VERSION_CONFLICT expectedVersion", 7, {"onHand": 1}),
        ("VERSION_CONFLICT expectedVersion", -1, {"onHand": 1}),
    ):
        count = {"variantId": "$variant", "warehouseId": "$warehouse", **given}
        yield Case("stockSet", expected, {"input": count, "expectedVersion": version})


def stale() -> Iterator[Case]:
    for kind, row in (
        *((kind, row) for kind, (row, _) in NAMED.items() if kind != "attributeValue"),
        ("variant", "variant"),
        ("listing", "listing"),
    ):
        for version in (0, 2, -1, 2_147_483_647):
            arguments = {"id": f"${row}", "expectedVersion": version}
            given = {"price": "5"} if kind == "listing" else {"name": "New"}
            yield Case(f"{kind}Update", "VERSION_CONFLICT expectedVersion", {**arguments, "input": given})
            yield Case(f"{kind}Delete", "VERSION_CONFLICT expectedVersion", arguments)
    yield on("productArchive", "VERSION_CONFLICT expectedVersion", "product", expectedVersion=2)


OTHERS = [
    make("channel", "INVALID input.currency", name="New", currency="XXX"),
    make("channel", "INVALID input.currency", name="New", currency="usd"),
    make("channel", "INVALID input.defaultCountry", name="New", currency="USD", defaultCountry="Germany"),
    change("channel", "INVALID input.isDefault", "channel", isDefault=False),
    change("channel", "IN_USE input.currency", "channel", currency="EUR"),
    on("channelDelete", "IN_USE id", "channel"),
    change("warehouse", "INVALID input.country", "warehouse", country="de"),
    on("warehouseDelete", "IN_USE id", "main"),
    on("categoryDelete", "IN_USE id", "branch"),
    change("category", "INVALID input.parentId", "top", parentId="$second"),
    change("category", "INVALID input.parentId", "top", parentId="$top"),
    make("category", "INVALID input.parentId", name="New", parentId="$deepest"),
    change("category", "INVALID input.parentId", "branch", parentId="$seventh"),
    Case("categoryReorder", "NOT_FOUND ids", {"ids": ["$second"]}),
    make("product", "DUPLICATE input.slug", name="New", slug="product"),
    make("product", "DUPLICATE input.externalRef", name="New", externalRef="REF"),
    make("product", "REQUIRED input.tags.1", name="New", tags=["a", ""]),
    make("product", "TOO_MANY input.tags", name="New", tags=["a"] * 251),
    change("product", "TOO_LONG input.tags.0", "product", tags=["t" * 256]),
    change("product", "REQUIRED input.status", "product", status=None),
    change("product", "TOO_LONG input.description", "product", description="d" * 100_001),
    change("product", "INVALID input.externalRef", "product", externalRef=" "),
    on("productUpdate", "NOT_FOUND id", "gone", input={"name": "New"}),
    on("productArchive", "NOT_FOUND id", "gone"),
    on("productDelete", "NOT_FOUND id", "gone"),
    on("productRestore", "DUPLICATE id", "gone"),
    make("variant", "DUPLICATE input.sku", productId="$product", sku="SKU"),
    make("variant", "DUPLICATE input.externalRef", productId="$product", externalRef="VARIANT"),
    make("variant", "INVALID input.sku", productId="$product", sku=""),
    change("variant", "INVALID input.weightG", "variant", weightG=-1),
    change("variant", "INVALID input.backorderLimit", "variant", backorderLimit=-1),
    change("variant", "REQUIRED input.trackInventory", "variant", trackInventory=None),
    change("variant", "REQUIRED input.position", "variant", position=None),
    make("variant", "NOT_FOUND input.productId", productId="$gone"),
    change("variant", "NOT_FOUND id", "gone_variant", name="New"),
    on("variantRestore", "NOT_FOUND id", "gone_variant"),
    on("variantReorder", "NOT_FOUND ids", "product", ids=["$variant", "$other_variant"]),
    on("variantReorder", "TOO_MANY ids", "product", ids=["$variant"] * 251),
    on("variantReorder", "NOT_FOUND id", "gone", ids=[]),
    *(
        make("media", "INVALID input.url", productId="$product", url=url)
        for url in ("javascript:alert(1)", "data:text/html,x", "//evil.example/1.jpg", "", "https://a.example/ b", "x")
    ),
    make("media", "NOT_FOUND input.productId", productId="$gone", url="/1"),
    make("media", "NOT_FOUND input.variantId", productId="$product", url="/1", variantId="$other_variant"),
    make("media", "NOT_FOUND input.variantId", productId="$product", url="/1", variantId="$gone_variant"),
    change("media", "REQUIRED input.url", "media", url=None),
    change("media", "TOO_LONG input.alt", "media", alt="a" * 501),
    change("media", "NOT_FOUND id", "gone_media", alt="New"),
    make("attributeValue", "INVALID input.attributeId", attributeId="$note", name="New"),
    make("attributeValue", "DUPLICATE input.slug", attributeId="$colour", name="New", slug="red"),
    on("attributeValueReorder", "NOT_FOUND ids", "colour", ids=["$big"]),
    on("productTypeAttributesSet", "NOT_FOUND attributeIds", "type", attributeIds=["$note", "$red"]),
    on("relatedProductsSet", "INVALID productIds", "product", productIds=["$product"]),
    on("relatedProductsSet", "TOO_MANY productIds", "product", productIds=["$other"] * 51),
    make("review", "INVALID input.rating", productId="$other", rating=0, authorName="Ada"),
    make("review", "INVALID input.rating", productId="$other", rating=6, authorName="Ada"),
    make("review", "REQUIRED input.authorName", productId="$other", rating=5, authorName=" "),
    make("review", "TOO_LONG input.body", productId="$other", rating=5, authorName="A", body="b" * 10_001),
    make("review", "DUPLICATE input.productId", productId="$product", rating=5, authorName="Ada"),
    on("translationsSet", "INVALID locale", "product", locale="en", texts=[]),
    on("translationsSet", "INVALID locale", "product", locale="Deutsch!", texts=[]),
    *(
        on("translationsSet", expected, "product", locale="de", texts=[{"field": field, "value": value}])
        for expected, field, value in (
            ("INVALID texts.0.field", "slug", "x"),
            ("INVALID texts.0.field", "seo_title", "x"),
            ("TOO_LONG texts.0.value", "name", "n" * 256),
            ("REQUIRED texts.0.value", "name", " "),
        )
    ),
    on("translationsSet", "NOT_FOUND id", "media", locale="de", texts=[]),
]

CASES = [*names(), *amounts(), *assignments(), *collections(), *stock(), *stale(), *OTHERS]
