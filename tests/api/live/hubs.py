"""What tests of the hub have in common: a hub on the real database, a relay, and subscribers that remember."""

import asyncio
import contextlib
import dataclasses
import uuid

import orjson

from core.bus import BusInProcess, Nudge
from core.clock import system_clock
from engine.documents import DocumentStore
from engine.price import MOST
from loaders import Loaders
from resolvers.context import ANONYMOUS, ROLES, Actor, ActorKind, Context
from resolvers.feeds import Feeds
from schema.build import build
from server.entrance import Caller
from server.graphql.costs import Costs
from server.graphql.operating import Chosen
from server.graphql.requests import GraphQLRequest
from server.live.hub import Hub
from tests.resolvers.feeding import number

TIMEOUT_SECONDS = 20
STORE = DocumentStore(build())

STOCK = """subscription($ids: [ID!], $after: BigInt) { stockChanged(variantIds: $ids, after: $after) {
  __typename ... on StockChanged { sequence isSnapshot variantId variant { sku availability { quantity } } }
  ... on Gap { sequence from to } } }"""
PRICE = """subscription($ids: [ID!], $after: BigInt, $channel: String) {
  priceChanged(variantIds: $ids, after: $after, channel: $channel) {
  __typename ... on PriceChanged { sequence isSnapshot variantId variant { price { amount } } change {
    channel { slug } before { ...figures } after { ...figures } } } ... on Gap { sequence from to } } }
fragment figures on PriceFigures { isPublished price { amountMinor currency } compareAtPrice { amount } }"""
PRODUCT = """subscription($ids: [ID!], $after: BigInt) { productChanged(ids: $ids, after: $after) {
  __typename ... on ProductChanged { sequence isSnapshot type productId product { name status } }
  ... on Gap { sequence from to } } }"""
EVENTS = """subscription($types: [EventType!], $after: BigInt) { events(types: $types, after: $after) {
  __typename ... on ShopEvent { sequence id type objectId object { __typename id }
    stockChange { before { onHand } after { onHand available } } priceChange { after { isPublished } } }
  ... on Gap { sequence from to } } }"""


def staff(role="owner", subject="tester"):
    return Actor(ActorKind.STAFF, subject, ROLES[role])


class Door:
    """An entrance without tokens: `changes` says who a caller is by now, or why he is nobody."""

    def __init__(self, database):
        self.database = database
        self.changes = {}
        self.opened = 0
        self.statistics = []

    def known(self, caller):
        return None if caller in self.changes else caller

    async def again(self, caller):
        now = self.changes.get(caller, caller)
        if isinstance(now, Exception):
            raise now
        return now

    def open(self, caller):
        self.opened += 1
        tenant = self.database.of_tenant(caller.shop.id)
        self.statistics.append(tenant.statistics)
        return Context(
            shop=caller.shop, actor=caller.actor, database=tenant, loaders=Loaders(tenant), clock=system_clock
        )


class Collected:
    """A subscriber that remembers."""

    def __init__(self, caller):
        self.caller = caller
        self.results = []
        self.sequences = []
        self.failures = None
        self._changed = asyncio.Event()

    def deliver(self, sequence, payload):
        self.sequences.append(sequence)
        self.results.append(orjson.loads(payload))
        self._changed.set()

    async def drained(self):
        """Read at once, always."""

    def finish(self, failures):
        assert self.failures is None
        self.failures = list(failures)
        self._changed.set()

    @property
    def messages(self):
        assert not [each["errors"] for each in self.results if "errors" in each]
        return [next(iter(each["data"].values())) for each in self.results]

    async def until(self, is_there):
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not is_there():
                self._changed.clear()
                await self._changed.wait()

    async def has(self, count):
        await self.until(lambda: len(self.results) >= count or self.failures is not None)
        assert self.failures is None, self.failures
        return self.messages

    async def is_over(self):
        await self.until(lambda: self.failures is not None)
        return self.failures


@dataclasses.dataclass
class Live:
    """A hub with all that it needs."""

    database: object
    shop: object
    bus: BusInProcess
    feeds: Feeds
    door: Door
    hub: Hub
    reported: list

    async def relay(self, shop=None):
        """Give what was announced its sequence, let everybody know, and return the last one."""
        shop = shop or self.shop
        sequence = await number(self.database, shop)
        await self.bus.publish([Nudge(shop.id, sequence)])
        return sequence

    async def subscribe(self, text, actor=ANONYMOUS, *, payer=None, shop=None, subscriber=None, **variables):
        """Subscribe and return the subscriber, with the subscription."""
        subscriber = subscriber or Collected(Caller(shop or self.shop, actor))
        chosen = choose(text, variables)
        request = GraphQLRequest(text, None, None, variables, {})
        subscriber.subscription = await self.hub.subscribe(chosen, request, subscriber.caller, subscriber, payer=payer)
        return subscriber

    async def change(self, statement, shop=None):
        async with self.database.of_tenant((shop or self.shop).id).write() as transaction:
            await transaction.execute(statement)
            await transaction.commit()


def choose(text, variables):
    document = STORE.get(text)
    assert not document.failures, document.failures
    operation = document.operation(None)
    return Chosen(document, operation, Costs.of(operation.price, variables, {}, at_most=MOST))


@contextlib.asynccontextmanager
async def living(database, shop):
    bus, reported = BusInProcess(), []
    feeds, door = Feeds(database, bus), Door(database)
    hub = Hub(feeds, door, STORE, report=lambda error, _: reported.append(error))
    try:
        yield Live(database, shop, bus, feeds, door, hub, reported)
    finally:
        await hub.close()
        assert (len(hub), len(feeds), hub.executions) == (0, 0, 0)
        assert reported == []


def row_id(text):
    return uuid.UUID(text)
