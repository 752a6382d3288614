"""What is measured: the pages of a storefront, each with the answer that it must get."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import httpx
import orjson

from core.errors import ConfigurationError

SHOP = "demo"
LISTED, RELATED, REVIEWS = 24, 8, 10

_LISTING = """
query Listing($category: ID!) {
  products(filter: {category: $category}, first: 24) {
    nodes {
      id name slug ratingAverage ratingCount
      category { id name slug }
      media(first: 1) { url alt }
      variants(first: 3) { id sku name price { amount currency } availability { isAvailable quantity } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

_DETAIL = """
query Detail($slug: String!) {
  product(slug: $slug) {
    id name slug description ratingAverage ratingCount
    category { id name slug }
    media(first: 10) { url alt }
    attributes(first: 20) { attribute { name unit } value { name color } text number boolean }
    variants(first: 50) { id sku name price { amount currency } availability { isAvailable quantity } }
    related(first: 8) { id name slug media(first: 1) { url alt } }
    reviews(first: 10) { nodes { id rating title body createdAt author { name } } pageInfo { hasNextPage endCursor } }
  }
}
"""

_TINY = "query Tiny($slug: String!) { product(slug: $slug) { id name } }"

_CANDIDATES = """
{
  products(first: 100, sort: RATING) {
    nodes { id slug category { id } variants(first: 50) { id } reviews { totalCount } }
  }
}
"""

_RELATE = """
mutation Relate($id: ID!, $related: [ID!]!) {
  relatedProductsSet(id: $id, productIds: $related) { product { id } userErrors { message } }
}
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """A request that is measured.

    Attributes:
        name: As in the results.
        body: JSON, as it is sent.
        rows: Objects that its answer must hold at least, by the path to their list; `*` stands for any element.
    """

    name: str
    body: bytes
    rows: Mapping[str, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """An operation whose answer was found right.

    Attributes:
        operation: The operation.
        answer_bytes: Size of its answer, the same each time.
        statements: SQL statements that it takes.
        rows: Rows that they give.
    """

    operation: Operation
    answer_bytes: int
    statements: int
    rows: int


def operations(client: httpx.Client, token: str) -> list[Operation]:
    """Return what is measured, over the best rated product that has most to show.

    Args:
        client: Of a server.
        token: Of the shop's staff: the product is given related products, of which demo shops have few.
    """
    products = _data(_post(client, _body(_CANDIDATES)))["products"]["nodes"]
    chosen = max(products, key=lambda each: (min(each["reviews"]["totalCount"], REVIEWS), len(each["variants"])))
    related = [each["id"] for each in products if each is not chosen][:RELATED]
    told = _data(_post(client, _body(_RELATE, id=chosen["id"], related=related), Authorization=f"Bearer {token}"))
    if told["relatedProductsSet"]["userErrors"]:
        raise ConfigurationError(f"The server refuses related products: {told['relatedProductsSet']['userErrors']}")
    listed = {"products.nodes": LISTED, "products.nodes.*.variants": 2 * LISTED, "products.nodes.*.media": LISTED}
    shown = {
        "product.variants": len(chosen["variants"]),
        "product.related": RELATED,
        "product.reviews.nodes": REVIEWS,
        "product.media": 1,
        "product.attributes": 1,
    }
    return [
        Operation("listing", _body(_LISTING, category=chosen["category"]["id"]), listed),
        Operation("detail", _body(_DETAIL, slug=chosen["slug"]), shown),
        Operation("tiny", _body(_TINY, slug=chosen["slug"]), {"product.id": 1}),
    ]


def check(client: httpx.Client, operation: Operation) -> Checked:
    """Ask once and look at the answer; the server must be one that tells its statements.

    Raises:
        ConfigurationError: The answer has errors or lacks rows.
    """
    answer = _post(client, operation.body)
    data = _data(answer)
    for path, least in operation.rows.items():
        found = count(data, path)
        if found < least:
            raise ConfigurationError(
                f"{operation.name} has {found} of {least} at {path}: measure a larger shop (--size M)."
            )
    statements, rows = (int(answer.headers[f"galleria-{name}"]) for name in ("statements", "rows"))
    return Checked(operation, len(answer.content), statements, rows)


def count(value: Any, path: str) -> int:
    """Count what is at the end of a path with dots; a list counts as its elements, and `*` stands for each of them."""
    step, _, rest = path.partition(".")
    if step == "*":
        return sum(count(element, rest) for element in value)
    if step:
        return count(value[step], rest)
    return len(value) if isinstance(value, list) else int(value is not None)


def _body(query: str, **variables: object) -> bytes:
    return orjson.dumps({"query": query, "variables": variables})


def _post(client: httpx.Client, body: bytes, **more: str) -> httpx.Response:
    own = {"Content-Type": "application/json", "Accept": "application/graphql-response+json", "Galleria-Shop": SHOP}
    return client.post("/graphql", content=body, headers={**own, **more})


def _data(answer: httpx.Response) -> Any:
    parsed = orjson.loads(answer.content)
    if answer.status_code != httpx.codes.OK or "errors" in parsed:
        raise ConfigurationError(f"The server answers {answer.status_code}: {answer.text[:500]}")
    return parsed["data"]
