"""What the products of the demo shops are: the same in every shop, so that slugs and SKUs overlap."""

import dataclasses
import itertools
import random
from collections.abc import Sequence

from server.demo.vocabulary import Item, Value, Words, vocabulary

MOST_VARIANTS = 5
"""Variants a product; three on average."""

_STRIDE = 1_000_003
"""A prime above the number of combinations of words, so that steps of it meet each once before any comes again."""

_ONE_COLOR_UP_TO = 3
_BRAND_NEW = 0.12
_REDUCED = 0.2


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """What a variant has chosen of one axis."""

    attribute: str
    value: Value


@dataclasses.dataclass(frozen=True, slots=True)
class Design:
    """A product as all shops have it.

    Attributes:
        number: From 0.
        item: What it is.
        line: First word of its name.
        style: Second word of its name.
        material: Slug of what it is made of.
        brand: Who makes it.
        cents: Its price in US cents.
        is_reduced: Whether that is less than it was.
        is_new: Whether it is shown as new.
    """

    number: int
    item: Item
    line: Words
    style: Words
    material: str
    brand: str
    cents: int
    is_reduced: bool
    is_new: bool

    @property
    def slug(self) -> str:
        """Its slug, which no other number has."""
        return self.name("en").lower().replace(" ", "-")

    @property
    def status(self) -> str:
        """DRAFT and ARCHIVED now and then, else ACTIVE."""
        if self.number % 20 == 7:  # noqa: PLR2004  (any remainder does)
            return "DRAFT"
        return "ARCHIVED" if self.number % 30 == 11 else "ACTIVE"  # noqa: PLR2004

    @property
    def tags(self) -> list[str]:
        """Words to find it by."""
        marks = [mark for mark, is_set in (("sale", self.is_reduced), ("new", self.is_new)) if is_set]
        return [self.item.parents[0], self.material, *marks]

    @property
    def grams(self) -> int:
        """What one piece weighs."""
        lightest, heaviest = self.item.grams
        return lightest + self.number * 37 % (heaviest - lightest)

    def name(self, locale: str) -> str:
        """Return its name."""
        words = vocabulary()
        return words.name.in_locale(locale).format(
            line=self.line.in_locale(locale),
            style=self.style.in_locale(locale),
            material=words.materials[self.material].in_locale(locale),
            item=self.item.name.in_locale(locale),
        )

    def description(self, locale: str) -> str:
        """Return what is told of it: an opening, a detail, a closing."""
        words = vocabulary()
        details = words.details[self.item.type]
        sentences = (
            words.openings[self.number % len(words.openings)],
            details[self.number // 3 % len(details)],
            words.closings[self.number // 7 % len(words.closings)],
        )
        text = " ".join(sentence.in_locale(locale) for sentence in sentences)
        return text.format(name=self.name(locale), brand=self.brand)

    def chance(self, purpose: str) -> random.Random:
        """Return the dice for one purpose; the same throws each time, whatever is thrown for other purposes."""
        return random.Random(f"{purpose}/{self.number}")  # noqa: S311  (no secret comes of it)


def design(number: int) -> Design:
    """Return the product of a number."""
    words = vocabulary()
    place, kind = divmod(number, len(words.items))
    item = words.items[kind]
    combinations = len(words.lines) * len(words.styles) * len(item.materials)
    rest, line = divmod((place + kind) * _STRIDE % combinations, len(words.lines))
    material, style = divmod(rest, len(words.styles))
    dice = random.Random(number)  # noqa: S311  (no secret comes of it)
    lowest, highest = item.cents
    return Design(
        number=number,
        item=item,
        line=words.lines[line],
        style=words.styles[style],
        material=item.materials[material],
        brand=words.brands[line % len(words.brands)],
        cents=round(lowest + (highest - lowest) * dice.random() ** 2),
        is_reduced=dice.random() < _REDUCED,
        is_new=dice.random() < _BRAND_NEW,
    )


def variant_count(number: int) -> int:
    """Return how many variants a product has: one to five, whatever its kind is, and three on average."""
    return 1 + (number + number // len(vocabulary().items)) % MOST_VARIANTS


def options_of(product: Design) -> Sequence[tuple[Option, ...]]:
    """Return what each variant of a product has chosen: colors, or colors and sizes."""
    words = vocabulary()
    count = variant_count(product.number)
    dice = product.chance("options")
    first, *more = words.product_types[product.item.type].axes
    colors = dice.sample(words.attributes[first].values, count)
    if not more:
        return [(Option(first, color),) for color in colors]
    sizes = words.attributes[more[0]].values
    shown = 1 if count <= _ONE_COLOR_UP_TO else 2
    width = -(-count // shown)
    start = dice.randrange(len(sizes) - width + 1)
    pairs = itertools.product(colors[:shown], sizes[start : start + width])
    return [(Option(first, color), Option(more[0], size)) for color, size in itertools.islice(pairs, count)]
