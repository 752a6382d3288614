"""What tests of feeds have in common: shops with events, a relay, and a gate before the database."""

import asyncio
import contextlib
import uuid
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy import func, insert, literal, select

from core.bus import Nudge
from models import outbox
from models.base import of_shop
from models.outbox import OutboxEvent

TIMEOUT_SECONDS = 20

_waiting = select(func.count()).where(of_shop(OutboxEvent), OutboxEvent.sequence.is_(None))


async def announce(database, shop, count, **columns):
    """Write events that wait for their sequence, in one transaction."""
    values = {"shop_id": shop.id, "aggregate": "product", "type": "product.updated"} | columns
    table = OutboxEvent.__table__.c
    given = [literal(value, table[name].type) for name, value in values.items()]
    rows = func.generate_series(1, count).table_valued("number")
    chosen = select(*given, func.gen_random_uuid(), func.gen_random_uuid()).select_from(rows)
    async with database.of_tenant(shop.id).write() as transaction:
        await transaction.execute(insert(OutboxEvent).from_select([*values, "id", "aggregate_id"], chosen))
        await transaction.commit()


async def number(database, shop):
    """Give all waiting events of a shop their sequence, with what others have waiting, and return the last one."""
    while (await fetch(database, shop, _waiting))[0][0]:
        await database.fetch_platform(outbox.relay, at_most=1_000)
    return (await fetch(database, shop, outbox.position))[0].sequence


async def relay(database, bus, shop, count=0):
    """Announce events, relay them and nudge; return the last sequence."""
    if count:
        await announce(database, shop, count)
    sequence = await number(database, shop)
    await bus.publish([Nudge(shop.id, sequence)])
    return sequence


async def stored(database, shop, after):
    """Return the ids of all events after a sequence, in order."""
    rows = await fetch(database, shop, outbox.events_after, after=after, limit=1_000_000)
    assert [row.sequence for row in rows] == list(range(after + 1, after + 1 + len(rows)))
    return [row.id for row in rows]


async def forget(postgres, shop, through):
    """Delete the events up to a sequence, as the relay does with old ones."""
    await _as_definer(
        postgres,
        shop,
        f"DELETE FROM outbox_event WHERE shop_id = $1 AND sequence <= {through}",  # noqa: S608  (a number)
        f"UPDATE outbox_position SET oldest = {through} + 1 WHERE shop_id = $1",  # noqa: S608
    )


async def set_back(postgres, shop, sequence):
    """Leave what there was when a sequence was the last one, as a database that is restored does."""
    await _as_definer(
        postgres,
        shop,
        f"DELETE FROM outbox_event WHERE shop_id = $1 AND sequence > {sequence}",  # noqa: S608  (a number)
        f"UPDATE outbox_position SET sequence = {sequence} WHERE shop_id = $1",  # noqa: S608
    )


async def _as_definer(postgres, shop, *statements):
    """Change what servers may only read."""
    connection = await asyncpg.connect(postgres.owner_url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL ROLE galleria_definer")
            for statement in statements:
                await connection.execute(statement, shop.id)
    finally:
        await connection.close()


async def settled(feed):
    """Wait until a feed reads nothing."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        await asyncio.sleep(0)
        while feed._reading is not None:
            await asyncio.wait([feed._reading])


async def fetch(database, shop, statement, **values):
    tenant = database.of_tenant(shop.id)
    try:
        return await tenant.fetch(statement, alone=True, **values)
    finally:
        await tenant.close()


class Heard:
    """A subscriber that remembers."""

    def __init__(self):
        self.events = []
        self.pages = []
        self._changed = asyncio.Event()

    def __call__(self, events):
        self.pages.append(len(events))
        self.events += events
        self._changed.set()

    @property
    def ids(self) -> list[uuid.UUID]:
        return [event.id for event in self.events]

    @property
    def sequences(self) -> list[int]:
        return [event.sequence for event in self.events]

    async def reaches(self, sequence):
        """Wait until an event was heard."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not self.events or self.events[-1].sequence < sequence:
                self._changed.clear()
                await self._changed.wait()


class Gate:
    """Stands before a server: what it answers can be held back, and the way to it be cut."""

    def __init__(self):
        self.url = ""
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.is_held = asyncio.Event()
        self.is_refused = asyncio.Event()
        self._is_cut = False
        self._writers = set()

    def hold(self):
        self.is_held.clear()
        self.is_open.clear()

    def cut(self):
        self._is_cut = True
        for writer in self._writers:
            writer.transport.abort()

    def mend(self):
        self._is_cut = False

    async def serve(self, host, port, reader, writer):
        if self._is_cut:
            self.is_refused.set()
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection(host, port)
        self._writers |= {writer, there_writer}
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer, gated=True))
        self._writers -= {writer, there_writer}

    async def _pass(self, reader, writer, *, gated=False):
        while data := await reader.read(65_536):
            if gated and not self.is_open.is_set():
                self.is_held.set()
                await self.is_open.wait()
            writer.write(data)
        writer.close()


@contextlib.asynccontextmanager
async def gated(url):
    """Put a gate before a server."""
    parts, gate = urlsplit(url), Gate()
    server = await asyncio.start_server(
        lambda reader, writer: gate.serve(parts.hostname, parts.port, reader, writer), "127.0.0.1", 0
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        gate.url = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()
        yield gate
