"""Answers that are kept: which ones, under which key, and what clients are told about it."""

import dataclasses
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from graphql import GraphQLSchema

from core.cache import Cache, Entry, Key
from core.stamps import Stamps
from engine.documents import Document, Operation
from engine.lifetimes import SecondsOf, lifetime_of
from server.graphql.answers import Answer
from server.graphql.contexts import OperationContext

OPERATIONS_KNOWN = 2_000
"""Operations whose lifetime is remembered."""

LONGEST_VARIABLES = 4_000
"""Bytes; longer ones hardly come twice, and a key is kept beside its answer."""

AudienceOf = Callable[[Any], bytes | None]
"""Returns what an answer depends on beside the operation, from the context: the same for all who are shown the same.

None where somebody is shown what others are not."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where the answer to a request is kept.

    Attributes:
        key: Its key.
        stamp: State of the shop's data that it is to be of.
        lifetime_seconds: How long it lasts.
    """

    key: Key
    stamp: str
    lifetime_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """Data that is kept, or was made and is kept from now on.

    Attributes:
        data: Value of the member `data`, as JSON.
        tag: Digest of it.
        is_hit: Whether nothing was executed for this request.
        age_seconds: For how long it has been there.
        lifetime_seconds: How long it lasts from its making on.
    """

    data: bytes
    tag: str
    is_hit: bool
    age_seconds: float
    lifetime_seconds: float

    def described(self) -> dict[str, Any]:
        """Return what developers see of it, as `extensions.cache`."""
        return {
            "hit": self.is_hit,
            "ageSeconds": round(self.age_seconds, 3),
            "ttlSeconds": round(max(0.0, self.lifetime_seconds - self.age_seconds), 3),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class _Lasting:
    seconds: float
    variables: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCache:
    """Answers to operations that everybody may ask and that everybody is given the same answer to.

    Attributes:
        schema: What operations are executed on.
        cache: Where answers are kept.
        stamps: The state of each shop's data.
        seconds_of: How long fields last.
        audience_of: See `AudienceOf`.
        generation: Stands for all that makes answers beside data: schema and code.
    """

    schema: GraphQLSchema
    cache: Cache
    stamps: Stamps
    seconds_of: SecondsOf
    audience_of: AudienceOf
    generation: bytes
    _known: OrderedDict[tuple[str, str | None], _Lasting] = dataclasses.field(default_factory=OrderedDict, init=False)

    async def place(
        self, context: OperationContext, document: Document, operation: Operation, variables: dict[str, Any]
    ) -> Place | None:
        """Return where the answer to a request is kept; None where it must not be.

        Whatever the answer is made of must be read after this.
        """
        lasting = self._lasting(document, operation)
        if not lasting.seconds:
            return None
        audience = self.audience_of(context)
        if audience is None:
            return None
        given = _canonical({name: value for name, value in variables.items() if name in lasting.variables})
        if len(given) > LONGEST_VARIABLES:
            return None
        shop_id = context.shop.id
        name = b"\0".join((self.generation, audience, document.sha256.encode(), (operation.name or "").encode(), given))
        stamp = self.stamps.known(shop_id) or await self.stamps.current(shop_id)
        return Place(Key(shop_id, name), stamp, lasting.seconds)

    def note(self, place: Place, document: Document, operation: Operation, variables: Mapping[str, Any]) -> None:
        """Take note of a request whose answer is kept; nobody wants to know here."""

    def find(self, place: Place) -> Kept | None:
        """Return what this process keeps."""
        entry = self.cache.peek(place.key, place.stamp)
        return None if entry is None else self._kept(entry, is_hit=True)

    async def find_or_make(self, place: Place, make: Callable[[], Awaitable[bytes | None]]) -> Kept | None:
        """Return what is kept here or elsewhere, or make it; see `core.cache.Cache.get_or_make`."""
        is_made = False

        async def noting() -> bytes | None:
            nonlocal is_made
            is_made = True
            return await make()

        entry = await self.cache.get_or_make(place.key, place.stamp, place.lifetime_seconds, noting)
        return None if entry is None else self._kept(entry, is_hit=not is_made)

    def _kept(self, entry: Entry, *, is_hit: bool) -> Kept:
        return Kept(entry.body, entry.tag, is_hit, self.cache.age_of(entry), entry.lifetime_seconds)

    def _lasting(self, document: Document, operation: Operation) -> _Lasting:
        key = (document.sha256, operation.name)
        lasting = self._known.get(key)
        if lasting is not None:
            self._known.move_to_end(key)
            return lasting
        seconds = 0.0
        if document.tree is not None and not operation.introspects:
            seconds = lifetime_of(self.schema, document.tree, operation.node, self.seconds_of)
        names = frozenset(each.variable.name.value for each in operation.node.variable_definitions or ())
        lasting = self._known[key] = _Lasting(seconds, names)
        if len(self._known) > OPERATIONS_KNOWN:
            self._known.popitem(last=False)
        return lasting


def with_age(answer: Answer, kept: Kept, *, is_public: bool, max_age_seconds: int) -> Answer:
    """Tell caches outside of the process for how long an answer to a GET is good.

    They are not told of changes, hence the bound; and only what anybody gets by the same address alone is theirs to
    share, anything else has to be asked for again.

    Args:
        answer: With its validator.
        kept: What is kept of it.
        is_public: Whether nobody is signed in, and the address names a persisted document.
        max_age_seconds: For how long from now on, at most.
    """
    if answer.code is None and is_public and max_age_seconds:
        age = int(kept.age_seconds)
        lasts = min(int(kept.lifetime_seconds), age + max_age_seconds)
        answer.headers["cache-control"] = f"public, max-age={lasts}"
        answer.headers["age"] = str(age)
    return answer


def _canonical(variables: dict[str, Any]) -> bytes:
    return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS) if variables else b""
