"""What an import changes: each thing before and after."""

import dataclasses
from collections.abc import Sequence

from resolvers.transfer.state import Image, Product, Variant


@dataclasses.dataclass(frozen=True, slots=True)
class VariantChange:
    """A variant that a file tells of; `before` is None for a new one."""

    before: Variant | None
    after: Variant

    @property
    def is_own(self) -> bool:
        """Whether the variant itself changes, apart from its options, price and stock."""
        return self.before is None or _bare(self.before) != _bare(self.after)

    @property
    def has_options(self) -> bool:
        """Whether its options change."""
        return self.after.options != (self.before.options if self.before else ())

    @property
    def has_price(self) -> bool:
        """Whether its price changes."""
        return self.after.price is not None and (self.before is None or self.before.price != self.after.price)

    @property
    def has_stock(self) -> bool:
        """Whether its stock changes."""
        return self.after.stock is not None and (self.before is None or self.before.stock != self.after.stock)

    @property
    def is_any(self) -> bool:
        """Whether anything changes."""
        return self.before != self.after


@dataclasses.dataclass(frozen=True, slots=True)
class ImageChange:
    """An image that a file tells of; `before` is None for a new one."""

    before: Image | None
    after: Image

    @property
    def is_any(self) -> bool:
        """Whether anything changes."""
        return self.before != self.after


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A product that a file tells of, with what belongs to it; `before` is None for a new one."""

    before: Product | None
    after: Product
    variants: Sequence[VariantChange] = ()
    images: Sequence[ImageChange] = ()

    @property
    def is_own(self) -> bool:
        """Whether the product itself changes."""
        return self.before != self.after

    @property
    def is_any(self) -> bool:
        """Whether anything changes."""
        return (
            self.is_own
            or any(variant.is_any for variant in self.variants)
            or any(image.is_any for image in self.images)
        )


def _bare(variant: Variant) -> Variant:
    return dataclasses.replace(variant, options=(), price=None, stock=None)
