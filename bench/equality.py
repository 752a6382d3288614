"""Equal work: the answers of every server are Galleria's, byte for byte once keys are sorted."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import orjson

from bench.load import Sent, Turn
from bench.operations import Request, body, data_of, headers
from bench.servers import Running
from core.errors import ConfigurationError

_TIMEOUT_SECONDS = 30.0
_SHOWN = 80
"""Bytes on either side of a difference that a message shows."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answers:
    """What a server answered to the requests of an operation.

    Attributes:
        canonical: The data, to be compared.
        sizes: Bytes of the answers as sent.
    """

    canonical: Sequence[bytes]
    sizes: frozenset[int]


def answers(server: Running, requests: Sequence[Request], document: str) -> Answers:
    """Ask for everything once.

    Raises:
        ConfigurationError: An answer has errors.
    """
    canonicals: list[bytes] = []
    sizes: set[int] = set()
    with httpx.Client(base_url=server.url, timeout=_TIMEOUT_SECONDS) as client:
        for request in requests:
            answer = client.post("/graphql", content=body(request, document), headers=headers(request.token))
            canonicals.append(canonical(data_of(answer)))
            sizes.add(len(answer.content))
    return Answers(canonicals, frozenset(sizes))


def turn(requests: Sequence[Request], document: str, given: Answers) -> Turn:
    """Return requests as load, with what the answers must be."""
    sent = [Sent(f"Authorization: Bearer {each.token}", body(each, document)) for each in requests]
    return Turn(sent, given.sizes)


def canonical(data: Any) -> bytes:
    """Write data in the one way that equal data have: sorted keys, and 4.0 as 4, which JSON holds for the same."""
    return orjson.dumps(_plain(data), option=orjson.OPT_SORT_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def require_equal(expected: Answers, found: Answers) -> None:
    """Compare the answers of two servers.

    Raises:
        ConfigurationError: They differ; the message shows where.
    """
    for wanted, got in zip(expected.canonical, found.canonical, strict=True):
        if wanted == got:
            continue
        pairs = enumerate(zip(wanted, got, strict=False))
        place = next((number for number, (one, other) in pairs if one != other), min(len(wanted), len(got)))
        around = slice(max(0, place - _SHOWN), place + _SHOWN)
        raise ConfigurationError(
            f"answers {got[around].decode(errors='replace')!r} where Galleria has "
            f"{wanted[around].decode(errors='replace')!r}"
        )
