"""What the rows of a product file say, read from their cells."""

import dataclasses
import enum
from collections.abc import Mapping
from typing import Any, Final, TypeVar

ValueT = TypeVar("ValueT")


class Keep(enum.Enum):
    """The value of what a file says nothing about: it stays as it is."""

    KEEP = enum.auto()


KEEP: Final = Keep.KEEP


@dataclasses.dataclass(frozen=True, slots=True)
class ProductCells:
    """What a row says of a product; None empties a column.

    Attributes:
        category: Names from the root down.
        extras: Cells of further columns, by name; empty ones are left out.
        emptied: Names of the further columns whose cell is empty, so that what was kept of them goes.
    """

    name: str | Keep = KEEP
    description: str | Keep = KEEP
    vendor: str | Keep | None = KEEP
    type_name: str | Keep | None = KEEP
    category: tuple[str, ...] | Keep | None = KEEP
    tags: tuple[str, ...] | Keep = KEEP
    status: str | Keep = KEEP
    seo_title: str | Keep | None = KEEP
    seo_description: str | Keep | None = KEEP
    extras: Mapping[str, str] = dataclasses.field(default_factory=dict)
    emptied: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class VariantCells:
    """What a row says of a variant.

    Attributes:
        line: Where the row starts.
        options: Name and value of each option in order, the name empty where the file does not say it; empty for a
            product's only variant, KEEP where the row has none.
        image: Address of the variant's own image.
    """

    line: int
    options: tuple[tuple[str, str], ...] | Keep = KEEP
    sku: str | Keep | None = KEEP
    barcode: str | Keep | None = KEEP
    weight_g: int | Keep = KEEP
    tracker: str | Keep | None = KEEP
    continues: bool | Keep = KEEP
    quantity: int | Keep = KEEP
    price_minor: int | Keep = KEEP
    compare_at_minor: int | Keep | None = KEEP
    cost_minor: int | Keep | None = KEEP
    is_published: bool | Keep = KEEP
    image: str | Keep | None = KEEP
    extras: Mapping[str, str] = dataclasses.field(default_factory=dict)
    emptied: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class ImageCells:
    """What a row says of an image of the product."""

    line: int
    url: str
    position: int | Keep = KEEP
    alt: str | Keep = KEEP


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """Something that an operator should know about a row.

    Attributes:
        line: Where the row starts.
        handle: Its product.
        reason: What is wrong, and what to do.
        is_refusal: Whether the row, or the part of it that the reason names, was left out; else it was corrected.
    """

    line: int
    handle: str
    reason: str
    is_refusal: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One row, read.

    Attributes:
        size: Characters.
        is_titled: Whether it has a title, so that its empty cells empty a product's columns.
        option_names: Of each option column, empty where the row does not name it.
        is_published: Whether shoppers see the product.
        is_product_refused: Whether what it says of the product cannot be used.
    """

    line: int
    handle: str
    size: int
    is_titled: bool = False
    product: ProductCells | None = None
    variant: VariantCells | None = None
    image: ImageCells | None = None
    option_names: tuple[str, ...] = ()
    is_published: bool | Keep = KEEP
    is_product_refused: bool = False
    notes: tuple[Note, ...] = ()


def given(value: ValueT | Keep, otherwise: ValueT) -> ValueT:
    """Return what the file says, or else what there is."""
    return otherwise if isinstance(value, Keep) else value


CellsT = TypeVar("CellsT", ProductCells, VariantCells, ImageCells)


def overlaid(below: CellsT, above: CellsT) -> CellsT:
    """Return what two rows say of the same thing: the one above has the last word, where its cell is not empty."""
    values = {
        field.name: _said(getattr(below, field.name), getattr(above, field.name)) for field in dataclasses.fields(above)
    }
    if not isinstance(above, ImageCells) and not isinstance(below, ImageCells):
        values["extras"] = {**below.extras, **above.extras}
        values["emptied"] = (below.emptied | above.emptied) - set(values["extras"])
    return dataclasses.replace(above, **values)


def _said(below: Any, above: Any) -> Any:
    is_empty = above is KEEP or above is None or above in ("", ())
    return below if is_empty and below is not KEEP else above
