"""What has happened: stock that is counted anew, by mutations of Galleria and by events handed to its peers."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import orjson

from bench.live.posting import request
from core.errors import ConfigurationError

_TIMEOUT_SECONDS = 30.0
_READ = """
query Levels($after: String) {
  products(first: 20, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { variants(first: 5) { id stockLevels(first: 1) { onHand version warehouse { id } } } }
  }
}
"""
_SET = """
mutation Set($input: StockSetInput!, $version: Int!) {
  stockSet(input: $input, expectedVersion: $version) { userErrors { code message } }
}
"""
_SET_MANY = """
mutation SetMany($changes: [StockChangeInput!]!) {
  stockBulkSet(changes: $changes) { results { userErrors { code message } } }
}
"""

ACCEPTED = b'"userErrors":[]'
"""In the answer to a mutation that has changed something."""

ACCEPTED_BY_PEERS = b"{}"


@dataclasses.dataclass(slots=True)
class Level:
    """The stock of a variant in a warehouse.

    Attributes:
        variant_id: Of the variant.
        warehouse_id: Of the warehouse.
        on_hand: Pieces that lie there.
        version: Of the count.
        step: What is added next; then it is taken away again.
    """

    variant_id: str
    warehouse_id: str
    on_hand: int
    version: int
    step: int = 1

    def change(self) -> Mapping[str, Any]:
        """Count anew; return the input of the mutation that says so."""
        self.on_hand += self.step
        self.step = -self.step
        self.version += 1
        counted = {"variantId": self.variant_id, "warehouseId": self.warehouse_id, "onHand": self.on_hand}
        return {"input": counted, "expectedVersion": self.version - 1}


def read_levels(url: str, token: str) -> Sequence[Level]:
    """Return a level of each variant of the shop that has one.

    Raises:
        ConfigurationError: The server does not tell.
    """
    found: list[Level] = []
    after = None
    with httpx.Client(timeout=_TIMEOUT_SECONDS, headers={"Authorization": f"Bearer {token}"}) as client:
        while True:
            answer = client.post(f"{url}/graphql", json={"query": _READ, "variables": {"after": after}})
            told = answer.json()
            if not told.get("data"):
                raise ConfigurationError(f"Galleria does not tell its stock: {answer.text[:500]}")
            page = told["data"]["products"]
            found += [level for product in page["nodes"] for each in product["variants"] if (level := _level(each))]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


def _level(variant: Mapping[str, Any]) -> Level | None:
    for each in variant["stockLevels"]:
        return Level(variant["id"], each["warehouse"]["id"], each["onHand"], each["version"])
    return None


def one_mutation(level: Level, token: str) -> bytes:
    """Return the request that counts a level anew."""
    change = level.change()
    variables = {"input": change["input"], "version": change["expectedVersion"]}
    return _mutation(_SET, variables, token)


def many_mutations(levels: Sequence[Level], token: str) -> bytes:
    """Return the request that counts several levels anew, in one transaction."""
    return _mutation(_SET_MANY, {"changes": [level.change() for level in levels]}, token)


def _mutation(document: str, variables: Mapping[str, Any], token: str) -> bytes:
    body = orjson.dumps({"query": document, "variables": variables})
    return request("/graphql", {"Authorization": f"Bearer {token}"}, body)


@dataclasses.dataclass(slots=True)
class Told:
    """What a peer is told, by what Galleria says of an event of its own.

    Attributes:
        event: The event.
        sequence: Of the last one that the peer was told.
    """

    event: Mapping[str, Any]
    sequence: int = 0

    def publication(self, token: str) -> bytes:
        """Return the request that hands the next event to a peer."""
        self.sequence += 1
        event = {"__typename": "StockChanged", **self.event, "sequence": str(self.sequence)}
        return request("/publish", {"Authorization": f"Bearer {token}"}, orjson.dumps(event))
