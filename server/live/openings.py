"""What subscriptions ask for: told apart, and remembered for a moment, since after a restart thousands ask the same."""

import dataclasses
import hashlib
import time
from collections.abc import Callable, Container
from typing import Any, Final

import orjson

from resolvers.context import Actor
from resolvers.live import Source
from server.entrance import Caller
from server.graphql.operating import Chosen
from server.live.audiences import seen_of
from server.live.traits import Traits

MEMORY_SECONDS: Final = 5.0
"""How long it may take until a change of a channel is seen by those who subscribe to it; that of a shop takes as
long."""

SOURCES_KNOWN: Final = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What a client subscribes to.

    Attributes:
        chosen: The operation.
        variables: Those that the operation has; by others nobody is told anything else.
        traits: Of the document.
        caller: As whom messages are made: without a subject, unless they are for one actor alone.
        told: Digest of all that messages depend on beside the variables.
    """

    chosen: Chosen
    variables: dict[str, Any]
    traits: Traits
    caller: Caller
    told: bytes

    def variables_without(self, names: Container[str]) -> bytes:
        """Return the variables but some, always in the same order."""
        others = {name: value for name, value in self.variables.items() if name not in names}
        return orjson.dumps(others, option=orjson.OPT_SORT_KEYS)


def asked_of(chosen: Chosen, variables: dict[str, Any], caller: Caller, traits: Traits) -> Asked:
    """Return what a caller asks for by an operation and the variables that came with it."""
    names = {each.variable.name.value for each in chosen.operation.node.variable_definitions or ()}
    declared = {name: value for name, value in variables.items() if name in names}
    actor = caller.actor
    if not traits.is_personal:
        # Whatever is shared cannot depend on a subject that nobody knows.
        actor = Actor(actor.kind, None, actor.permissions)
    told = digest_of(
        seen_of(caller.shop),
        repr((actor.kind, actor.subject, sorted(actor.permissions))).encode(),
        chosen.document.sha256.encode(),
        (chosen.operation.name or "").encode(),
    )
    return Asked(chosen, declared, traits, Caller(caller.shop, actor), told)


def digest_of(*parts: bytes) -> bytes:
    """Return a digest of parts, which cannot be moved from one into the next."""
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        digest.update(len(part).to_bytes(4))
        digest.update(part)
    return digest.digest()


class Openings:
    """The sources of what was subscribed to a moment ago; where each resumes is his own.

    Args:
        timer: Tells seconds.
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._known: dict[bytes, tuple[Source, float]] = {}

    def find(self, asked: Asked) -> Source | None:
        """Return the source of what is asked for, if the same was asked for a moment ago and allowed."""
        known = self._known.get(_key(asked))
        if known is None or self._timer() >= known[1]:
            return None
        coerced = asked.chosen.operation.executable.coerced(asked.variables)
        if isinstance(coerced, list):
            return None
        # A subscription has one root field, and so one place for a cursor.
        after = next((coerced.coerced.get(name) for name in asked.traits.cursors), known[0].after)
        return dataclasses.replace(known[0], after=after)

    def keep(self, asked: Asked, source: Source) -> None:
        """Remember a source that was allowed."""
        key = _key(asked)
        self._known.pop(key, None)
        self._known[key] = source, self._timer() + MEMORY_SECONDS
        if len(self._known) > SOURCES_KNOWN:
            del self._known[next(iter(self._known))]


def _key(asked: Asked) -> bytes:
    return digest_of(asked.told, asked.variables_without(asked.traits.cursors))
