"""Makes answers that are asked for often again when a shop's catalogue has changed, before somebody asks."""

import asyncio
import dataclasses
import uuid
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog

from core.cache import Key
from core.database import Database
from core.errors import RequestError
from engine.documents import Document, DocumentStore, Operation
from server.graphql.caching import Place, ResponseCache
from server.tallies import Tally
from server.tenancy import Naming, ShopDirectory, resolve_shop
from server.warming import Request, warm

ANSWERS_AT_MOST = 20
"""Answers of a shop that are made again after a change."""

USES = 2
"""How often an answer was asked for since it was last made again; once is no habit yet."""

PAUSE_SECONDS = 1.0
"""From one time to the next for a shop, so that a stream of writes makes no storm of reads."""

SHOPS_AT_ONCE = 200
"""Shops with changes that are followed at the same time; readers of others make their answers themselves."""

REQUESTS_KNOWN = 2_000
LONGEST_TEXT = 8_000
"""Characters; longer documents are seldom sent in full by many."""

PATIENCE_SECONDS = 2.0
"""How long a quiet moment is waited for; after that the readers have made what they need themselves."""

_LOOKS_EVERY_SECONDS = 0.02
_BREATH_SECONDS = 0.002
"""Between two answers, for requests that came meanwhile."""

_log = structlog.get_logger(area="cache")


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """How an answer was asked for.

    Attributes:
        text: The document.
        operation: Name of the operation; empty where it has none.
        variables: As JSON, which takes a tenth of the memory of what it says.
    """

    text: str
    operation: str
    variables: bytes


class Recipes:
    """How answers were asked for, by their key; what was not asked for longest leaves first."""

    def __init__(self) -> None:
        self._recipes: OrderedDict[Key, Recipe] = OrderedDict()
        self._shops: Counter[uuid.UUID] = Counter()

    def note(self, key: Key, document: Document, operation: Operation, variables: Mapping[str, Any]) -> None:
        """Remember how an answer is asked for."""
        if key in self._recipes:
            self._recipes.move_to_end(key)
            return
        if len(document.text) > LONGEST_TEXT:
            return
        declared = [each.variable.name.value for each in operation.node.variable_definitions or ()]
        given = {name: variables[name] for name in declared if name in variables}
        self._recipes[key] = Recipe(document.text, operation.name or "", orjson.dumps(given))
        self._shops[key.tenant] += 1
        if len(self._recipes) > REQUESTS_KNOWN:
            self.forget(next(iter(self._recipes)))

    def forget(self, key: Key) -> None:
        """Remember an answer no longer."""
        if self._recipes.pop(key, None) is not None:
            self._shops[key.tenant] -= 1
            if not self._shops[key.tenant]:
                del self._shops[key.tenant]

    def get(self, key: Key) -> Recipe | None:
        """Return how an answer was asked for, if that is known."""
        return self._recipes.get(key)

    def knows(self, shop_id: uuid.UUID) -> bool:
        """Tell whether any answer of a shop is known."""
        return shop_id in self._shops

    def of(self, shop_id: uuid.UUID) -> Sequence[Key]:
        """Return the keys of a shop's answers."""
        return [key for key in self._recipes if key.tenant == shop_id]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NotedResponses(ResponseCache):
    """A response cache that notes how its answers are asked for.

    Attributes:
        recipes: Where.
    """

    recipes: Recipes

    def note(self, place: Place, document: Document, operation: Operation, variables: Mapping[str, Any]) -> None:
        """Remember how an answer is asked for."""
        self.recipes.note(place.key, document, operation, variables)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kitchen:
    """What making an answer takes.

    Attributes:
        database: Where the catalogues are; the job waits while requests use more than half of its connections.
        directory: Where shops are found.
        store: The documents.
        responses: Where answers are kept.
        deadline_seconds: What one answer may take.
    """

    database: Database
    directory: ShopDirectory
    store: DocumentStore
    responses: NotedResponses
    deadline_seconds: float

    @property
    def is_quiet(self) -> bool:
        """Whether there is room for what nobody waits for."""
        reads = self.database.reads
        return reads.in_use * 2 <= reads.settings.at_most


class Remaking:
    """The job that makes answers again: one at a time in a process, and once for all processes that share a Redis.

    Attributes:
        remade: Answers by what came of them: `made`, `found` (another process was faster), `failed`, or `busy` (left to
            the readers, since the database had no room).
    """

    def __init__(self, kitchen: Kitchen) -> None:
        self.remade = Tally("galleria_response_cache_remade", "Kept answers made again after a change.", ("result",))
        self._kitchen = kitchen
        self._turn = asyncio.Lock()
        self._following: dict[uuid.UUID, asyncio.Task[None]] = {}
        self._again: set[uuid.UUID] = set()
        self._is_open = False

    def open(self) -> None:
        """Begin to follow changes."""
        self._is_open = True

    async def close(self) -> None:
        """Drop what is under way; whoever waits for an answer makes it in its place."""
        self._is_open = False
        tasks = list(self._following.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def changed(self, shop_id: uuid.UUID) -> None:
        """Take note that a shop's catalogue may have changed; what has not is left as it is."""
        if shop_id in self._following:
            self._again.add(shop_id)
        elif self._is_open and self._kitchen.responses.recipes.knows(shop_id) and len(self._following) < SHOPS_AT_ONCE:
            task = self._following[shop_id] = asyncio.get_running_loop().create_task(self._follow(shop_id))
            task.add_done_callback(lambda _: self._end(shop_id))

    async def _follow(self, shop_id: uuid.UUID) -> None:
        is_changed = True
        while is_changed:
            self._again.discard(shop_id)
            await self._remake_hottest(shop_id)
            await asyncio.sleep(PAUSE_SECONDS)
            is_changed = shop_id in self._again

    def _end(self, shop_id: uuid.UUID) -> None:
        del self._following[shop_id]
        if shop_id in self._again:
            # It changed between the last look and this callback.
            self._again.discard(shop_id)
            self.changed(shop_id)

    async def _remake_hottest(self, shop_id: uuid.UUID) -> None:
        responses = self._kitchen.responses
        keys = responses.recipes.of(shop_id)
        try:
            stamp = await responses.stamps.current(shop_id)
        except (RequestError, OSError):
            # Readers are told that the database is away, and make anew what they ask for later.
            return
        for key in responses.cache.hottest(keys, stamp, at_most=ANSWERS_AT_MOST, uses=USES):
            async with self._turn:
                result = await self._remade_when_quiet(key)
            self.remade.add((result,))
            if result == "busy":
                return
            await asyncio.sleep(_BREATH_SECONDS)

    async def _remade_when_quiet(self, key: Key) -> str:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                # Nobody tells when a connection comes free but to those who queue for it, which this is not to do.
                while not self._kitchen.is_quiet:  # noqa: ASYNC110
                    await asyncio.sleep(_LOOKS_EVERY_SECONDS)
        except TimeoutError:
            return "busy"
        try:
            async with asyncio.timeout(self._kitchen.deadline_seconds):
                return await self._remade(key)
        except (RequestError, OSError):
            return "failed"
        except Exception as error:  # noqa: BLE001 - a job that ends by it would never make anything again.
            _log.warning("An answer could not be made again", error=type(error).__name__)
            return "failed"

    async def _remade(self, key: Key) -> str:
        kitchen = self._kitchen
        recipes = kitchen.responses.recipes
        recipe = recipes.get(key)
        if recipe is None or not kitchen.store.knows(recipe.text):
            recipes.forget(key)
            return "failed"
        shop = await resolve_shop(kitchen.directory, Naming(claim=str(key.tenant)))
        document = kitchen.store.get(recipe.text)
        request = Request(document, document.operations[recipe.operation], orjson.loads(recipe.variables))
        warmed = await warm(kitchen.database, shop, kitchen.responses, request)
        if warmed is None:
            return "failed"
        if warmed.key != key:
            # What is known of the shop itself has changed: nobody is given the answer of this key any more.
            recipes.forget(key)
        return "made" if warmed.is_made else "found"
