"""Which media type a client wants its answer in, and which one it has sent."""

import dataclasses
import enum
import functools

from server.graphql.refusals import NotAcceptable, UnsupportedMediaType

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
PROBLEM = "application/problem+json"
EVENT_STREAM = "text/event-stream"

_PREFERENCE = (GRAPHQL_RESPONSE, JSON)
"""Where a client names both with the same weight."""

_NO_WILDCARD = 2
"""Specificity of a media range that is a media type (RFC 9110, section 12.5.1)."""


class Streaming(enum.Enum):
    """Which operations a client wants to be answered by a stream of events."""

    NEVER = enum.auto()
    SUBSCRIPTIONS = enum.auto()
    ALWAYS = enum.auto()


@dataclasses.dataclass(frozen=True, slots=True)
class _Range:
    """One media range of an `Accept` header."""

    name: str
    weight: float

    @property
    def specificity(self) -> int:
        return 0 if self.name == "*/*" else 1 if self.name.endswith("/*") else _NO_WILDCARD

    def covers(self, media_type: str) -> bool:
        return self.name in {media_type, "*/*"} or (self.name == "application/*")


@functools.lru_cache(maxsize=256)
def negotiate(accept: str) -> str:
    """Return the media type of the answer that the client likes best.

    A type that is named beats one that a wildcard covers; what a client does not say is `application/json`, which
    every client of GraphQL reads.

    Args:
        accept: The `Accept` header, empty where there is none.

    Raises:
        NotAcceptable: The client accepts none of ours.
    """
    if not accept.strip():
        return JSON
    ranges = _ranges(accept)
    best, best_rank = "", (0.0, 0)
    for media_type in _PREFERENCE:
        rank = _rank(ranges, media_type)
        is_tie_of_wildcards = rank == best_rank and rank[1] < _NO_WILDCARD
        if rank[0] > 0 and (rank > best_rank or is_tie_of_wildcards):
            best, best_rank = media_type, rank
    if not best:
        raise NotAcceptable(f"Answers are {GRAPHQL_RESPONSE}, {JSON} or {EVENT_STREAM}; accept one of them.")
    return best


@functools.lru_cache(maxsize=256)
def accepts_problem(accept: str) -> bool:
    """Tell whether the client names RFC 9457 problem details; a wildcard does not."""
    return any(found.name == PROBLEM and found.weight > 0 for found in _ranges(accept))


@functools.lru_cache(maxsize=256)
def streaming_of(accept: str) -> Streaming:
    """Tell which operations are to be answered by a stream of events.

    Only who names the type gets one: all of `*/*` was written with one answer in mind. Who names JSON as well, as
    many clients do, gets a stream for what only a stream can bring.

    Args:
        accept: The `Accept` header, empty where there is none.
    """
    ranges = _ranges(accept)
    weight = max((found.weight for found in ranges if found.name == EVENT_STREAM), default=0.0)
    if weight == 0:
        return Streaming.NEVER
    is_first = (weight, _NO_WILDCARD) > max(_rank(ranges, media_type) for media_type in _PREFERENCE)
    return Streaming.ALWAYS if is_first else Streaming.SUBSCRIPTIONS


def check_content(content_type: str | None, content_encoding: str | None) -> None:
    """Refuse a body that is not plain JSON in UTF-8.

    Raises:
        UnsupportedMediaType: By its headers it is something else, or it does not say what it is.
    """
    if content_encoding is not None and content_encoding.strip().lower() != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.")
    name, _, parameters = (content_type or "").partition(";")
    if name.strip().lower() != JSON or not _is_utf_8(parameters):
        raise UnsupportedMediaType(f"Send the header Content-Type: {JSON} and a body in UTF-8.")


def _ranges(accept: str) -> list[_Range]:
    return [found for part in accept.split(",") if (found := _range(part)) is not None]


def _range(text: str) -> _Range | None:
    """Read one media range; None where it asks for another charset or cannot be read."""
    name, _, parameters = text.strip().lower().partition(";")
    weight = 1.0
    for parameter in parameters.split(";"):
        key, _, value = (side.strip() for side in parameter.partition("="))
        if key == "q":
            weight = _weight(value)
    return _Range(name.strip(), weight) if _is_utf_8(parameters) else None


def _weight(text: str) -> float:
    # Three decimals at most (RFC 9110, 12.4.2), which also keeps "inf" and "nan" out.
    is_number = len(text) <= len("0.000") and text.replace(".", "", 1).isdecimal()
    return min(float(text), 1.0) if is_number else 0.0


def _is_utf_8(parameters: str) -> bool:
    """Tell whether the charset among parameters is UTF-8, or not said, which is the same for JSON."""
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset" and value.strip().strip('"').lower() not in {"utf-8", "utf8"}:
            return False
    return True


def _rank(ranges: list[_Range], media_type: str) -> tuple[float, int]:
    """Return the weight of a media type by the most specific range that covers it, and how specific that is."""
    covering = [found for found in ranges if found.covers(media_type)]
    if not covering:
        return 0.0, 0
    closest = max(covering, key=lambda found: (found.specificity, found.weight))
    return closest.weight, closest.specificity
