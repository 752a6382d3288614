"""What is measured: five operations of a storefront and its office, over several shops."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson

from bench.shops import Shopper
from core.errors import ConfigurationError

NAMES = ("listing", "detail", "tiny", "deep", "mutation")
LISTED, VARIANTS, RELATED, REVIEWS = 24, 3, 8, 10
CATEGORIES = 8
"""Of each shop that the mutation changes: more rows than there are connections, so that none waits for another."""

_DOCUMENTS = Path(__file__).with_name("operations.graphql")

_CANDIDATES = "{ products(first: 100, sort: RATING) { nodes { id slug ratingCount category { id } } } }"

_PARTS = """
query Parts($slug: String!) {
  product(slug: $slug) {
    variants(first: 3) { id }
    category { id slug products(first: 25) { nodes { id } } }
  }
}
"""

_RELATE = """
mutation Relate($id: ID!, $related: [ID!]!) {
  relatedProductsSet(id: $id, productIds: $related) { product { id } userErrors { message } }
}
"""

_Row = Mapping[str, Any]
_Rows = Sequence[_Row]

_DESCRIPTIONS = ("Everything for a quiet evening at home.", "Everything for a noisy evening in town.")
"""Set in turn: a change each time, and the answers of all servers stay the same."""


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """Something to be asked.

    Attributes:
        operation: One of `NAMES`.
        shop: Slug of the shop.
        token: Who asks.
        variables: The same for every server.
    """

    operation: str
    shop: str
    token: str
    variables: Mapping[str, str]


def documents(path: Path = _DOCUMENTS) -> Mapping[str, str]:
    """Read a file of operations; each starts a line, and its name in small letters is one of `NAMES`."""
    text = path.read_text(encoding="utf-8")
    parts = [
        part.strip() for part in re.split(r"^(?=query|mutation|fragment)", text, flags=re.MULTILINE) if part.strip()
    ]
    return {part.split(maxsplit=1)[1].partition("(")[0].lower(): " ".join(part.split()) for part in parts}


def body(request: Request, document: str) -> bytes:
    """Return a request as it is sent."""
    return orjson.dumps(
        {"query": document, "operationName": request.operation.capitalize(), "variables": request.variables}
    )


def requests(client: httpx.Client, shoppers: Sequence[Shopper]) -> Mapping[str, Sequence[Request]]:
    """Choose what is asked of each shop: a full page, and the product that has most to show.

    Args:
        client: Of Galleria; the chosen products are given related ones, of which demo shops have few.
        shoppers: The shops.

    Returns:
        By operation; the shops follow each other in turn.
    """
    found: dict[str, list[Request]] = {name: [] for name in NAMES}
    changes: list[Sequence[str]] = []
    for shopper in shoppers:
        products = ask(client, shopper.customer, _CANDIDATES)["products"]["nodes"]
        category, product = _chosen(client, shopper, products)
        changes.append(_changed(shopper, products))
        variables = {
            "listing": {"category": category["id"]},
            "detail": {"slug": product["slug"]},
            "tiny": {"slug": product["slug"]},
            "deep": {"slug": category["slug"]},
        }
        for name, given in variables.items():
            found[name].append(Request(name, shopper.shop, shopper.customer, given))
    for description in _DESCRIPTIONS:
        for place in range(CATEGORIES):
            for shopper, ids in zip(shoppers, changes, strict=True):
                given = {"id": ids[place], "description": description}
                found["mutation"].append(Request("mutation", shopper.shop, shopper.staff, given))
    return found


def _chosen(client: httpx.Client, shopper: Shopper, products: _Rows) -> tuple[_Row, _Row]:
    """Return a category that fills a page, and a product of it that has enough of everything, with related ones."""
    reviewed = (each for each in products if each["ratingCount"] >= REVIEWS)
    for product in reviewed:
        parts = ask(client, shopper.customer, _PARTS, slug=product["slug"])["product"]
        category = parts["category"]
        if category and len(category["products"]["nodes"]) > LISTED and len(parts["variants"]) == VARIANTS:
            break
    else:
        raise ConfigurationError(f"No product of {shopper.shop} has enough to show: measure a larger shop.")
    related = [each["id"] for each in products if each is not product][:RELATED]
    told = ask(client, shopper.staff, _RELATE, id=product["id"], related=related)["relatedProductsSet"]
    if told["userErrors"]:
        raise ConfigurationError(f"The server refuses related products: {told['userErrors']}")
    return category, product


def _changed(shopper: Shopper, products: _Rows) -> Sequence[str]:
    ids = sorted({each["category"]["id"] for each in products if each["category"]})
    if len(ids) < CATEGORIES:
        raise ConfigurationError(f"{shopper.shop} has too few categories: measure a larger shop.")
    return ids[:CATEGORIES]


def headers(token: str) -> dict[str, str]:
    """Return the headers that every server is sent."""
    return {
        "Content-Type": "application/json",
        "Accept": "application/graphql-response+json, application/json",
        "Authorization": f"Bearer {token}",
    }


def ask(client: httpx.Client, token: str, document: str, **variables: object) -> Any:
    """Return the data of an answer.

    Raises:
        ConfigurationError: It has errors.
    """
    given = orjson.dumps({"query": document, "variables": variables})
    return data_of(client.post("/graphql", content=given, headers=headers(token)))


def data_of(answer: httpx.Response) -> Any:
    """Return the data of an answer.

    Raises:
        ConfigurationError: It has errors.
    """
    parsed = orjson.loads(answer.content)
    if answer.status_code != httpx.codes.OK or "errors" in parsed:
        raise ConfigurationError(f"{answer.url} answers {answer.status_code}: {answer.text[:500]}")
    return parsed["data"]
