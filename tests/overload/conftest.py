"""A server of its own between faulty networks, on a PostgreSQL and a Redis of its own that may be frozen."""

import asyncio
import contextlib
import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterable, Iterator

import asyncpg
import httpx
import psutil
import pytest

from core import embedded, migrations
from core.database import Database
from core.embedded_cluster import APPLICATION, OWNER
from resolvers.context import Shop
from server.keys import development_keys
from tests import factories
from tests.overload.faults import Faults, faulty
from tests.proofs.processes import OBSERVED, Server, servers, until
from tests.servers import folder, free_port, redis_at

DEADLINE_SECONDS = 2
SOON = 20.0
UNAVAILABLE = {"TIMEOUT", "OVERLOADED"}
LEEWAY_SECONDS = 1.0
"""On top of the deadline; a machine that is busy with tests gets some more."""

BUSY_SECONDS = 2.0
PRODUCTS = "{ products(first: 5) { nodes { slug } } }"


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """What became of a request.

    Attributes:
        status: Of the answer.
        code: Of its first error; None where there is none.
        slugs: The products that it names.
        seconds: How long it took.
    """

    status: int
    code: str | None
    slugs: tuple[str, ...]
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """A server, what it depends on, and the shops that it serves.

    Attributes:
        server: The server.
        postgres: The network between it and PostgreSQL.
        redis: The same of Redis.
        postmaster: Of PostgreSQL.
        redis_process: Of Redis.
        owner: A connection that sees everything, past the faulty network.
        shops: Some shops, each with a product of its own.
        slugs: Of the products, by shop.
        client: Asks the server.
    """

    server: Server
    postgres: Faults
    redis: Faults
    postmaster: psutil.Process
    redis_process: "subprocess.Popen[bytes]"
    owner: asyncpg.Connection
    shops: tuple[Shop, ...]
    slugs: dict[str, tuple[str, ...]]
    client: httpx.AsyncClient

    async def ask(self, shop: Shop, query: str = PRODUCTS) -> Answered:
        began = time.monotonic()
        answer = await self.client.post("/graphql", json={"query": query}, headers={"galleria-shop": shop.slug})
        body = answer.json()
        errors, data = body.get("errors"), body.get("data")
        slugs = tuple(node["slug"] for node in data["products"]["nodes"]) if data and "products" in data else ()
        code = errors[0]["extensions"]["code"] if errors else None
        return Answered(answer.status_code, code, slugs, time.monotonic() - began)

    async def ask_all(self, times: int) -> list[Answered]:
        return await asyncio.gather(*(self.ask(shop) for _ in range(times) for shop in self.shops))

    async def serves(self) -> bool:
        """Tell whether each shop sees its own products and no others."""
        found = [(shop.slug, await self.ask(shop)) for shop in self.shops]
        assert all(answer.slugs in {(), self.slugs[slug]} for slug, answer in found)
        return all(answer.slugs == self.slugs[slug] for slug, answer in found)

    async def status(self, path: str = "/readyz") -> str:
        return (await self.client.get(path)).json()["status"]

    async def is_ready(self) -> bool:
        return await self.status() == "ready"

    async def rests(self) -> bool:
        """Tell whether no connection is taken, and no operation runs or waits."""
        figures = await self.figures()
        names = [f'galleria_pool_connections{{pool="{pool}",state="in_use"}}' for pool in ("reads", "writes")]
        names += [
            f'galleria_admission_{figure}{{gate="{gate}"}}'
            for figure in ("in_flight", "waiting")
            for gate in ("all", "writing")
        ]
        return all(figures[name] == 0 for name in names)

    async def figures(self) -> dict[str, float]:
        """Return what the server has measured, by the name and the labels of each."""
        metrics = await self.client.get(self.server.metrics_url)
        lines = (line.rsplit(" ", 1) for line in metrics.text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in lines}

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop every process of PostgreSQL for as long as the block runs; connections are taken, and nobody answers."""
        # The first one stops, and so no more begin while the others do.
        self.postmaster.suspend()
        processes = [self.postmaster, *self.postmaster.children(recursive=True)]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
        try:
            yield
        finally:
            for process in reversed(processes):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    @contextlib.contextmanager
    def frozen_redis(self) -> Iterator[None]:
        self.redis_process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.redis_process.send_signal(signal.SIGCONT)


async def rest(site: Site, tasks: int) -> None:
    """Wait until the process has as many tasks as before, or fewer."""
    await until(site.rests, seconds=SOON)

    async def is_so() -> bool:
        return await site.server.tasks() <= tasks

    await until(is_so, seconds=SOON)


def check_refusals(answers: Iterable[Answered], *, busy_seconds: float = BUSY_SECONDS) -> None:
    """Check that nothing was answered but refusals that say why, each in time."""
    answers = list(answers)
    assert {answer.code for answer in answers} <= UNAVAILABLE, answers
    slow = [each for each in answers if each.seconds > DEADLINE_SECONDS + LEEWAY_SECONDS + busy_seconds]
    assert not slow, slow
    assert {answer.status for answer in answers} <= {200, 503, 504}


@pytest.fixture(scope="module")
async def running(request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """A server; its module says by `RESPONSE_CACHE` whether it keeps answers."""
    async with contextlib.AsyncExitStack() as stack:
        place = stack.enter_context(folder())
        cluster = embedded.start(place / "postgresql", durable=False)
        stack.callback(cluster.stop)
        assert cluster.running is not None
        owner_url, url = cluster.url(OWNER), cluster.url(APPLICATION)
        await migrations.upgrade(owner_url)
        with free_port() as reserved:
            port = reserved.getsockname()[1]
        redis_process = stack.enter_context(redis_at(port))
        database = await Database.connect(url)
        stack.push_async_callback(database.close)
        shops = tuple([await factories.shop(database) for _ in range(2)])
        slugs = {}
        for shop in shops:
            product, _ = await factories.sellable(database, shop)
            slugs[shop.slug] = (product.slug,)
        owner = await asyncpg.connect(owner_url)
        stack.push_async_callback(owner.close)
        faults, faulty_url = await stack.enter_async_context(faulty(url))
        redis, redis_url = await stack.enter_async_context(faulty(f"redis://127.0.0.1:{port}/0"))
        development_keys(place)
        kept = ("PATH", "HOME", "COVERAGE_")
        environ = {
            **{name: value for name, value in os.environ.items() if name.startswith(kept)},
            "GALLERIA_ENVIRONMENT": "production",
            "GALLERIA_DATA": str(place),
            "GALLERIA_TOKEN_KEYS": str(place / "token-keys.json"),
            "GALLERIA_TOKEN_ISSUER": "https://issuer.example",
            "GALLERIA_OWNER_DATABASE_URL": owner_url,
            "GALLERIA_DEADLINE_SECONDS": str(DEADLINE_SECONDS),
            "GALLERIA_POOL_SIZE": "4",
            "GALLERIA_RESPONSE_CACHE": request.module.RESPONSE_CACHE,
            "GALLERIA_DRAIN_SECONDS": "0",
            "GALLERIA_BUDGETS": "shopper=1000000/1000000,shop=10000000/10000000",
            "DATABASE_URL": faulty_url,
            "REDIS_URL": redis_url,
        }
        [server] = await stack.enter_async_context(servers(1, environ, command=OBSERVED))
        client = await stack.enter_async_context(
            httpx.AsyncClient(base_url=server.url, timeout=60, limits=httpx.Limits(max_connections=None))
        )
        postmaster = psutil.Process(cluster.running.process.pid)
        yield Site(server, faults, redis, postmaster, redis_process, owner, shops, slugs, client)


@pytest.fixture
async def site(running: Site) -> AsyncIterator[Site]:
    """The server, as it is when nothing is wrong; and in the end it is so again, in the same process."""
    await until(running.serves, seconds=SOON)
    await until(running.is_ready, seconds=SOON)
    await until(running.rests, seconds=SOON)
    process = running.server.process.pid
    yield running
    for faults in (running.postgres, running.redis):
        faults.heal()
    await until(running.serves, seconds=SOON)
    await until(running.is_ready, seconds=SOON)
    await until(running.rests, seconds=SOON)
    assert running.server.process.pid == process
    assert running.server.process.returncode is None
