"""What subscribers send, the same to all servers, and what they are told."""

from collections.abc import Sequence
from typing import Any

import orjson

from bench.live.hall import Hello
from core.errors import ConfigurationError

ROOT_FIELD = "stockChanged"

DOCUMENT = """
subscription Live($ids: [ID!]!, $after: BigInt) {
  stockChanged(variantIds: $ids, after: $after) {
    ... on StockChanged {
      sequence
      isSnapshot
      occurredAt
      variantId
      variant { id sku availability { isAvailable quantity } }
    }
  }
}
"""


def hello(token: str, ids: Sequence[str], after: str) -> Hello:
    """Return how somebody subscribes.

    Args:
        token: Who it is.
        ids: The variants that he wants to hear of.
        after: The sequence of the last event that he knows of.
    """
    init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}
    payload = {"query": DOCUMENT, "variables": {"ids": ids, "after": after}}
    return Hello(orjson.dumps(init), orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}))


def event_of(message: bytes) -> dict[str, Any]:
    """Return what a message says of an event.

    Raises:
        ConfigurationError: It is an error, or says nothing.
    """
    payload = orjson.loads(message)["payload"]
    event = (payload.get("data") or {}).get(ROOT_FIELD)
    if payload.get("errors") or not event or event["variant"] is None:
        raise ConfigurationError(f"A subscriber was told: {message[:500].decode('utf-8', 'replace')}")
    return dict(event)


def shape(value: Any) -> Any:
    """Return what a value is made of: members, and types of values."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return type(value).__name__
