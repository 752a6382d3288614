"""Writers who let things happen in a shop, and what they know to have happened."""

import asyncio
import dataclasses
import random
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import httpx
from sqlalchemy import update

from core.database import Database
from core.ids import encode_global_id
from models.inventory import StockLevel
from models.products import Product
from resolvers.context import Shop
from tests import factories

VARIANTS = 20
STOCK_SET = """mutation($input: StockSetInput!, $version: Int!) { stockSet(input: $input, expectedVersion: $version) {
  variant { stockLevels { version } } userErrors { code message } } }"""
LEVEL = "query($id: ID!) { variant(id: $id) { stockLevels { version onHand warehouse { id } } } }"


@dataclasses.dataclass(slots=True)
class Writer:
    """Writes to the database, as a process would that nobody kills.

    Attributes:
        written: Events of what was committed, as far as it goes by what was written.
    """

    database: Database
    shop: Shop
    variants: list[uuid.UUID]
    products: list[uuid.UUID]
    chance: random.Random
    written: int = 0
    _news: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    async def write(self, at_most: int) -> None:
        """Change the stock of some variants, and at times a product, in one transaction; at times undo it."""
        chosen = self.chance.sample(self.variants, self.chance.randint(1, min(at_most, len(self.variants))))
        stock = update(StockLevel).where(StockLevel.variant_id.in_(chosen))
        async with self.database.of_tenant(self.shop.id).write() as transaction:
            await transaction.execute(stock.values(on_hand=StockLevel.on_hand % 1_000 + 1))
            renamed = 0
            if self.chance.random() < 0.2:
                product = update(Product).where(Product.id == self.chance.choice(self.products))
                await transaction.execute(product.values(name=factories.unique("Product")))
                renamed = 1
            if self.chance.random() < 0.1:
                return
            await transaction.commit()
        self.written += len(chosen) + renamed
        self._news.set()

    async def run(self, is_enough: Callable[[], bool], *, at_most: int = 5) -> None:
        """Write until it is enough."""
        while not is_enough():
            await self.write(at_most)

    async def reaches(self, count: int) -> None:
        """Wait until so many events were written."""
        while self.written < count:
            self._news.clear()
            await self._news.wait()


async def writer(database: Database, shop: Shop, chance: random.Random) -> Writer:
    """Return a writer with variants of its own, lest two writers wait for each other."""
    made = [await factories.sellable(database, shop) for _ in range(VARIANTS)]
    return Writer(database, shop, [variant.id for _, variant in made], [product.id for product, _ in made], chance)


@dataclasses.dataclass(slots=True)
class Keeper:
    """Counts stock through the API, again and again, of whichever server there is.

    Attributes:
        confirmed: Each quantity that a server said to have written; none comes twice.
        interrupted: Requests that no answer came to.
    """

    variant: uuid.UUID
    headers: dict[str, str]
    pick: Callable[[], Awaitable[str]]
    confirmed: list[int] = dataclasses.field(default_factory=list)
    interrupted: int = 0
    _on_hand: int = 10_000

    async def run(self, is_enough: Callable[[], bool]) -> None:
        """Count until it is enough."""
        while not is_enough():
            url = await self.pick()
            try:
                async with httpx.AsyncClient(base_url=url, headers=self.headers, timeout=30) as client:
                    await self._count(client, is_enough)
            except httpx.TransportError:
                self.interrupted += 1

    async def _count(self, client: httpx.AsyncClient, is_enough: Callable[[], bool]) -> None:
        variant = encode_global_id("Variant", self.variant)
        [level] = (await _ask(client, LEVEL, id=variant))["variant"]["stockLevels"]
        version = level["version"]
        while not is_enough():
            self._on_hand += 1
            counted = {"variantId": variant, "warehouseId": level["warehouse"]["id"], "onHand": self._on_hand}
            answer = (await _ask(client, STOCK_SET, input=counted, version=version))["stockSet"]
            if answer["userErrors"]:
                # What was under way when a server was killed may be committed a moment later.
                assert {error["code"] for error in answer["userErrors"]} == {"VERSION_CONFLICT"}, answer
                return
            self.confirmed.append(self._on_hand)
            version = answer["variant"]["stockLevels"][0]["version"]


async def _ask(client: httpx.AsyncClient, query: str, **variables: Any) -> Any:
    answer = await client.post("/graphql", json={"query": query, "variables": variables})
    body = answer.json()
    assert "errors" not in body, body
    return body["data"]


async def keeper(database: Database, shop: Shop, headers: dict[str, str], pick: Callable[[], Awaitable[str]]) -> Keeper:
    """Return a keeper with a variant of his own."""
    _, variant = await factories.sellable(database, shop)
    return Keeper(variant.id, headers, pick)


@dataclasses.dataclass(frozen=True, slots=True)
class Outbox:
    """What has happened in a shop, as the database has it."""

    owner: asyncpg.Connection
    shop: Shop

    async def sequences(self, kind: str | None = None, *, after: int = 0) -> list[int]:
        """Return the sequences of all events, or of those of a type."""
        rows = await self.owner.fetch(
            "SELECT sequence FROM outbox_event WHERE shop_id = $1 AND sequence > $2 "
            "AND ($3::text IS NULL OR type = $3) ORDER BY sequence",
            self.shop.id,
            after,
            kind,
        )
        return [row["sequence"] for row in rows]

    async def counted(self, variant: uuid.UUID) -> list[int]:
        """Return the quantities of a variant that events tell of, in order."""
        rows = await self.owner.fetch(
            "SELECT (payload->'after'->>'onHand')::int AS on_hand FROM outbox_event "
            "WHERE shop_id = $1 AND aggregate_id = $2 AND type = 'stock.changed' ORDER BY sequence",
            self.shop.id,
            variant,
        )
        return [row["on_hand"] for row in rows]

    async def grow_old(self, through: int) -> None:
        """Let the events up to a sequence have been relayed before all that is kept."""
        await self.owner.execute(
            "UPDATE outbox_event SET relayed_at = now() - interval '31 days' WHERE shop_id = $1 AND sequence <= $2",
            self.shop.id,
            through,
        )

    async def last(self) -> int:
        """Return the last sequence that was given."""
        query = "SELECT sequence FROM outbox_position WHERE shop_id = $1"
        return int(await self.owner.fetchval(query, self.shop.id))

    async def is_relayed(self) -> bool:
        """Tell whether each event has its sequence."""
        waiting = "SELECT count(*) FROM outbox_event WHERE shop_id = $1 AND sequence IS NULL"
        return not int(await self.owner.fetchval(waiting, self.shop.id))
