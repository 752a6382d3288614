"""Customers and staff that a demo shop does not have: stock and prices that move, by the API like anybody's."""

import dataclasses
import http.client
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import orjson

from core.errors import ConfigurationError

LOW_STOCK = 5
"""Pieces below which a warehouse is filled up again."""

_TIMEOUT_SECONDS = 15.0
_LEVEL = "stockLevels(first: 1) { onHand version warehouse { id } }"
_LISTING = "listings(first: 5) { id version price { amount } compareAtPrice { amount } channel { isDefault } }"
_VARIANT = f"id {_LEVEL} {_LISTING}"
_READ = f"query Shelf($first: Int!) {{ products(first: $first) {{ nodes {{ variants(first: 2) {{ {_VARIANT} }} }} }} }}"
_READ_ONE = f"query Variant($id: ID!) {{ variant(id: $id) {{ {_VARIANT} }} }}"
_SET_STOCK = f"""
mutation SetStock($input: StockSetInput!, $version: Int!) {{
  payload: stockSet(input: $input, expectedVersion: $version) {{ variant {{ {_LEVEL} }} userErrors {{ code message }} }}
}}
"""
_SET_PRICE = """
mutation SetPrice($id: ID!, $version: Int!, $price: String!) {
  payload: listingUpdate(id: $id, expectedVersion: $version, input: { price: $price }) {
    listing { version price { amount } }
    userErrors { code message }
  }
}
"""


class TrafficStopped(Exception):
    """The server refuses, for a reason that will not pass by itself; the message says which."""


class ServerAway(Exception):
    """The server does not answer now, as while it is started again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Busy:
    """The budget is spent for now.

    Attributes:
        seconds: After how long there is enough again.
    """

    seconds: float


@dataclasses.dataclass(slots=True)
class Article:
    """A variant, as it was when it was last heard of.

    Attributes:
        id: Of the variant.
        warehouse_id: Where its stock lies.
        on_hand: Pieces there.
        stock_version: Of the count.
        listing_id: Of its price in the default channel.
        price: That price.
        at_most: The price before, which a lower one is shown beside; None where there is none.
        listing_version: Of the price.
    """

    id: str
    warehouse_id: str
    on_hand: int
    stock_version: int
    listing_id: str
    price: Decimal
    at_most: Decimal | None
    listing_version: int

    @classmethod
    def of(cls, variant: Mapping[str, Any]) -> "Article | None":
        """Read an answer; None for a variant without stock or without a price."""
        listing = next((each for each in variant["listings"] if each["channel"]["isDefault"]), None)
        if listing is None or not variant["stockLevels"]:
            return None
        [level] = variant["stockLevels"]
        before = listing["compareAtPrice"]
        return cls(
            id=variant["id"],
            warehouse_id=level["warehouse"]["id"],
            on_hand=level["onHand"],
            stock_version=level["version"],
            listing_id=listing["id"],
            price=Decimal(listing["price"]["amount"]),
            at_most=None if before is None else Decimal(before["amount"]),
            listing_version=listing["version"],
        )


class Client:
    """Asks a server over one connection, which is opened anew when it was lost.

    Args:
        url: Of the GraphQL endpoint.
        token: Of staff that may change stock and prices.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or parts.hostname is None:
            raise ConfigurationError(
                f"{url!r} is no address of a server: give one such as http://localhost:8000/graphql."
            )
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=_TIMEOUT_SECONDS)
        self._path = parts.path or "/graphql"
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any] | Busy:
        """Run an operation; return its data.

        Raises:
            ServerAway: There is no answer, or one that says to come later.
            TrafficStopped: It is refused.
        """
        body = orjson.dumps({"query": query, "variables": variables})
        try:
            self._connection.request("POST", self._path, body, self._headers)
            response = self._connection.getresponse()
            status, content = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ServerAway(f"The server does not answer: {error or type(error).__name__}.") from None
        return _result(status, content)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def shelf(client: Client, products: int) -> list[Article]:
    """Read what the traffic is about: the products that a shop lists first.

    Raises:
        ServerAway, TrafficStopped: See `Client.ask`; a budget that is spent already is a reason to come later.
    """
    data = client.ask(_READ, {"first": products})
    if isinstance(data, Busy):
        raise ServerAway("The budget of the shop is spent.")
    variants = [variant for product in data["products"]["nodes"] for variant in product["variants"]]
    found = [article for variant in variants if (article := Article.of(variant)) is not None]
    if not found:
        raise TrafficStopped("The shop sells nothing that has stock and a price: make the demo shops by `seed`.")
    return found


def sell_or_fill(client: Client, article: Article, chance: random.Random) -> bool | Busy:
    """Change the stock of an article; return whether that was done.

    Raises:
        ServerAway, TrafficStopped: See `Client.ask`.
    """
    change = chance.randint(15, 40) if article.on_hand < LOW_STOCK else -chance.randint(1, 3)
    counted = {"variantId": article.id, "warehouseId": article.warehouse_id, "onHand": max(0, article.on_hand + change)}
    data = client.ask(_SET_STOCK, {"input": counted, "version": article.stock_version})
    if isinstance(data, Busy):
        return data
    variant = data["payload"]["variant"]
    if variant is None:
        return _read_again(client, article)
    [level] = variant["stockLevels"]
    article.on_hand, article.stock_version = level["onHand"], level["version"]
    return True


def change_price(client: Client, article: Article, chance: random.Random) -> bool | Busy:
    """Change the price of an article by some per cent; return whether that was done.

    Raises:
        ServerAway, TrafficStopped: See `Client.ask`.
    """
    factor = Decimal(chance.choice((94, 96, 98, 102, 104, 106))) / 100
    if article.at_most is not None and article.price * 2 < article.at_most:
        factor = Decimal("1.2")
    smallest = Decimal(1).scaleb(int(article.price.as_tuple().exponent))
    price = max(smallest, (article.price * factor).quantize(smallest))
    if article.at_most is not None:
        price = min(price, article.at_most)
    asked = {"id": article.listing_id, "version": article.listing_version, "price": str(price)}
    data = client.ask(_SET_PRICE, asked)
    if isinstance(data, Busy):
        return data
    listing = data["payload"]["listing"]
    if listing is None:
        return _read_again(client, article)
    article.price, article.listing_version = Decimal(listing["price"]["amount"]), listing["version"]
    return True


def _read_again(client: Client, article: Article) -> bool | Busy:
    """Hear what somebody else has made of an article meanwhile; nothing was changed by us."""
    data = client.ask(_READ_ONE, {"id": article.id})
    if isinstance(data, Busy):
        return data
    fresh = None if data["variant"] is None else Article.of(data["variant"])
    if fresh is not None:
        for field in dataclasses.fields(Article):
            setattr(article, field.name, getattr(fresh, field.name))
    return False


def _result(status: int, content: bytes) -> dict[str, Any] | Busy:
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise TrafficStopped(f"That is no GraphQL server: it answers {status} without JSON.") from None
    if not isinstance(answer, dict) or ("errors" not in answer and "data" not in answer):
        raise TrafficStopped(f"That is no GraphQL server: it answers {status} and other JSON.")
    errors: list[dict[str, Any]] = answer.get("errors", [])
    if not errors:
        data: dict[str, Any] = answer["data"]
        return data
    extensions = errors[0].get("extensions", {})
    code = extensions.get("code")
    if code == "THROTTLED":
        return Busy(extensions["retryAfterMs"] / 1000)
    if code in {"OVERLOADED", "TIMEOUT"}:
        raise ServerAway(errors[0]["message"])
    raise TrafficStopped(errors[0]["message"])
