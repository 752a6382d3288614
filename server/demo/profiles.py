"""The three demo shops, and how large they can be."""

import dataclasses
import enum

LARGEST_SHOP = 100_000
"""Products; the words for names suffice for some more."""

SMALLEST_SHOP = 60


class Size(enum.StrEnum):
    """How large the shop `demo` is; the others are always small."""

    S = "S"
    M = "M"
    L = "L"


SIZES = {Size.S: SMALLEST_SHOP, Size.M: 10_000, Size.L: LARGEST_SHOP}
"""Products of the shop `demo`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Tariff:
    """How prices of a channel come from those in US cents.

    Attributes:
        rate: Minor units for a cent.
        step: What prices are multiples of, before `less` is taken off.
        less: Minor units below the round price, as shops like it.
    """

    rate: float
    step: int
    less: int = 0

    def price_minor(self, cents: int) -> int:
        """Return the price in the channel's currency."""
        return max(1, round(cents * self.rate / self.step)) * self.step - self.less


@dataclasses.dataclass(frozen=True, slots=True)
class Channel:
    """A channel of a demo shop; the first of a shop is its default."""

    slug: str
    name: str
    currency: str
    country: str
    tariff: Tariff
    prices_include_tax: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Profile:
    """A demo shop.

    Attributes:
        slug: Its slug.
        name: Its name.
        locale: Language of its own texts.
        translations: Languages that texts are translated to.
        search_config: Text search configuration of its products.
        channels: Its channels.
        warehouses: Names and countries of its two warehouses.
    """

    slug: str
    name: str
    locale: str
    translations: tuple[str, ...]
    search_config: str
    channels: tuple[Channel, ...]
    warehouses: tuple[tuple[str, str], tuple[str, str]]

    @property
    def host(self) -> str:
        """The host it answers to; names below localhost lead to the machine itself (RFC 6761, section 6.3)."""
        return f"{self.slug}.localhost"


PROFILES = (
    Profile(
        "demo-jp",
        "Galleria Tokyo",
        "ja",
        ("en",),
        "simple",
        (
            Channel("default", "オンラインストア", "JPY", "JP", Tariff(1.5, 100, 20)),
            Channel("wholesale", "卸売", "JPY", "JP", Tariff(0.95, 10), prices_include_tax=False),
        ),
        (("東京倉庫", "JP"), ("大阪倉庫", "JP")),
    ),
    Profile(
        "demo-kw",
        "Galleria Kuwait",
        "ar",
        ("en",),
        "arabic",
        (
            Channel("default", "المتجر الإلكتروني", "KWD", "KW", Tariff(3.1, 500, 50)),
            Channel("wholesale", "الجملة", "KWD", "KW", Tariff(1.9, 125), prices_include_tax=False),
        ),
        (("مستودع الكويت", "KW"), ("مستودع الأحمدي", "KW")),
    ),
    Profile(
        "demo",
        "Galleria Demo",
        "en",
        ("de", "ja"),
        "english",
        (
            Channel("default", "Online store", "USD", "US", Tariff(1.0, 100, 10), prices_include_tax=False),
            Channel("eu", "European Union", "EUR", "DE", Tariff(0.95, 100, 5)),
        ),
        (("Columbus warehouse", "US"), ("Leipzig warehouse", "DE")),
    ),
)
"""The shops, in the order in which they are made: `demo` last, so that it is there only when all are."""


def products_in(profile: Profile, size: Size) -> int:
    """Return how many products a shop has."""
    return SIZES[size] if profile.slug == "demo" else SMALLEST_SHOP
