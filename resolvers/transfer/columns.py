"""The columns of a product file: their names then and now, and where a file has them.

The names are those of Shopify's product export, the older set of them; `NEWER` leads from the newer set to it.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from core.errors import FileRefused

MOST_COLUMNS = 1_000
MOST_OPTIONS = 9
"""Shopify has three; we write more where a shop uses more."""

HANDLE, TITLE, BODY, VENDOR, CATEGORY = "Handle", "Title", "Body (HTML)", "Vendor", "Product Category"
TYPE, TAGS, PUBLISHED, STATUS = "Type", "Tags", "Published", "Status"
SEO_TITLE, SEO_DESCRIPTION = "SEO Title", "SEO Description"
SKU, BARCODE, GRAMS = "Variant SKU", "Variant Barcode", "Variant Grams"
TRACKER, QUANTITY, POLICY = "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Inventory Policy"
PRICE, COMPARE_AT, COST = "Variant Price", "Variant Compare At Price", "Cost per item"
IMAGE, IMAGE_POSITION, IMAGE_ALT, VARIANT_IMAGE = "Image Src", "Image Position", "Image Alt Text", "Variant Image"

PRODUCT_COLUMNS = (TITLE, BODY, VENDOR, CATEGORY, TYPE, TAGS, STATUS, SEO_TITLE, SEO_DESCRIPTION)
MAPPED = frozenset(
    {
        *(HANDLE, PUBLISHED, *PRODUCT_COLUMNS),
        *(SKU, BARCODE, GRAMS, TRACKER, QUANTITY, POLICY, PRICE, COMPARE_AT, COST, VARIANT_IMAGE),
        *(IMAGE, IMAGE_POSITION, IMAGE_ALT),
    }
)
"""Columns that Galleria has a place for; the others are kept as they are."""

USUAL: Mapping[str, str] = {
    "Variant Fulfillment Service": "manual",
    "Variant Requires Shipping": "true",
    "Variant Taxable": "true",
    "Variant Weight Unit": "g",
    "Gift Card": "false",
}
"""What an export says where nothing else is known; an import need not keep it."""

_BEFORE_OPTIONS = (HANDLE, TITLE, BODY, VENDOR, CATEGORY, TYPE, TAGS, PUBLISHED)
_BEFORE_OTHERS = (
    *(SKU, GRAMS, TRACKER, QUANTITY, POLICY, "Variant Fulfillment Service", PRICE, COMPARE_AT),
    *("Variant Requires Shipping", "Variant Taxable", "Unit Price Total Measure", "Unit Price Total Measure Unit"),
    *("Unit Price Base Measure", "Unit Price Base Measure Unit", BARCODE, IMAGE, IMAGE_POSITION, IMAGE_ALT),
    *("Gift Card", SEO_TITLE, SEO_DESCRIPTION),
    *(
        f"Google Shopping / {name}"
        for name in (
            *("Google Product Category", "Gender", "Age Group", "MPN", "Condition", "Custom Product"),
            *("Custom Label 0", "Custom Label 1", "Custom Label 2", "Custom Label 3", "Custom Label 4"),
        )
    ),
)
_BEFORE_MARKETS = (VARIANT_IMAGE, "Variant Weight Unit", "Variant Tax Code", COST)
_MARKET = re.compile(r"(included|price|compare.at price) / ", re.IGNORECASE)
_OF_VARIANT = re.compile(r"(variant|unit price|included /|price /|compare.at price /)", re.IGNORECASE)
_OPTION = re.compile(r"option([1-9]) (name|value)")

NEWER: Mapping[str, str] = {
    "url handle": HANDLE,
    "description": BODY,
    "standard product type": CATEGORY,
    "standardized product type": CATEGORY,
    "custom product type": TYPE,
    "published on online store": PUBLISHED,
    "sku": SKU,
    "barcode": BARCODE,
    "variant barcodes": BARCODE,
    "weight value (grams)": GRAMS,
    "weight unit for display": "Variant Weight Unit",
    "inventory tracker": TRACKER,
    "inventory quantity": QUANTITY,
    "continue selling when out of stock": POLICY,
    "price": PRICE,
    "compare-at price": COMPARE_AT,
    "charge tax": "Variant Taxable",
    "tax code": "Variant Tax Code",
    "requires shipping": "Variant Requires Shipping",
    "fulfillment service": "Variant Fulfillment Service",
    "product image url": IMAGE,
    "variant image url": VARIANT_IMAGE,
    "google shopping / manufacturer part number (mpn)": "Google Shopping / MPN",
}
_NAMES = {
    **{name.casefold(): name for name in (*MAPPED, *_BEFORE_OTHERS, *_BEFORE_MARKETS)},
    **{f"option{number} linked to": f"Option{number} Linked To" for number in range(1, MOST_OPTIONS + 1)},
    **NEWER,
}


@dataclasses.dataclass(frozen=True, slots=True)
class OptionColumns:
    """Where a file has an option's name and value; None where it does not."""

    name: int | None
    value: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """Where a file has what.

    Attributes:
        places: Place of each mapped column that the file has.
        options: Columns of option 1, 2 …
        product_extras: Name and place of each further column that tells something of the product.
        variant_extras: The same of variants.
        width: Cells in a full row.
    """

    places: Mapping[str, int]
    options: Sequence[OptionColumns]
    product_extras: Sequence[tuple[str, int]]
    variant_extras: Sequence[tuple[str, int]]
    width: int

    @property
    def has_variants(self) -> bool:
        """Whether any column of the file tells something of variants."""
        return bool(self.options) or any(name in self.places for name in (SKU, PRICE, BARCODE, QUANTITY))


def layout_of(header: Sequence[str]) -> Layout:
    """Find the columns of a file by its header, in any order and case.

    Raises:
        FileRefused: It is not the header of a product file.
    """
    if len(header) > MOST_COLUMNS:
        raise FileRefused(f"Line 1: the header has {len(header):,} columns; remove all but {MOST_COLUMNS:,}.")
    names = [canonical(cell) for cell in header]
    _refuse_twice(names)
    if HANDLE not in names:
        raise FileRefused(
            "Line 1: the header has no column Handle (or URL handle). "
            "Give a product CSV as Shopify exports it, with its header."
        )
    places = {name: place for place, name in enumerate(names) if name in MAPPED}
    extras = [(name, place) for place, name in enumerate(names) if name and not _is_mapped(name)]
    return Layout(
        places=places,
        options=_options(names),
        product_extras=tuple(extra for extra in extras if not _OF_VARIANT.match(extra[0])),
        variant_extras=tuple(extra for extra in extras if _OF_VARIANT.match(extra[0])),
        width=len(names),
    )


def canonical(name: str) -> str:
    """Return the older name of a column; that of an unknown column is its own."""
    cleaned = " ".join(name.split())
    folded = cleaned.casefold()
    option = _OPTION.fullmatch(folded)
    return f"Option{option[1]} {option[2].title()}" if option else _NAMES.get(folded, cleaned)


def exported(option_count: int, extras: Sequence[str]) -> list[str]:
    """Return the columns of an export.

    Args:
        option_count: Options of the variant that has most.
        extras: Names of the columns that imports kept, in any order.
    """
    options = [
        f"Option{number} {part}"
        for number in range(1, max(3, min(option_count, MOST_OPTIONS)) + 1)
        for part in ("Name", "Value", "Linked To")
    ]
    fixed = {*_BEFORE_OPTIONS, *options, *_BEFORE_OTHERS, *_BEFORE_MARKETS, STATUS}
    others = sorted(name for name in set(extras) - fixed)
    markets = [name for name in others if _MARKET.match(name)]
    return [
        *(*_BEFORE_OPTIONS, *options, *_BEFORE_OTHERS),
        *(name for name in others if not _MARKET.match(name)),
        *(*_BEFORE_MARKETS, *markets, STATUS),
    ]


def _is_mapped(name: str) -> bool:
    return name in MAPPED or _OPTION.fullmatch(name.casefold()) is not None


def _refuse_twice(names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if name and count > 1:
            first = names.index(name)
            second = names.index(name, first + 1)
            raise FileRefused(
                f"Line 1: columns {first + 1} and {second + 1} of the header are both {name}; remove one of them."
            )


def _options(names: Sequence[str]) -> tuple[OptionColumns, ...]:
    found: list[OptionColumns] = []
    for number in range(1, MOST_OPTIONS + 1):
        name, value = f"Option{number} Name", f"Option{number} Value"
        if name not in names and value not in names:
            break
        found.append(
            OptionColumns(
                names.index(name) if name in names else None,
                names.index(value) if value in names else None,
            )
        )
    return tuple(found)
