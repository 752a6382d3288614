"""A server whose database is slow, cut off, out of reach or frozen: over HTTP, and seen from outside."""

import asyncio
import contextlib
import time

import httpx
import pytest

from server.admission.limit import START
from server.admission.line import AT_MOST
from tests.overload.conftest import (
    BUSY_SECONDS,
    DEADLINE_SECONDS,
    LEEWAY_SECONDS,
    PRODUCTS,
    SOON,
    UNAVAILABLE,
    check_refusals,
    rest,
)
from tests.proofs.processes import until

RESPONSE_CACHE = "off"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'galleria_app'"


async def test_a_slow_network_slows_answers_and_nothing_else(site):
    site.postgres.latency_seconds = 0.025

    answers = await site.ask_all(5)

    assert {(answer.status, answer.code) for answer in answers} == {(200, None)}
    assert min(answer.seconds for answer in answers) > 0.05


async def test_a_narrow_network_slows_answers_and_nothing_else(site):
    site.postgres.bytes_per_second = 125_000

    answers = await site.ask_all(5)

    assert {(answer.status, answer.code) for answer in answers} == {(200, None)}


async def test_a_storm_of_resets_poisons_no_connection_and_mixes_no_shops(site):
    tasks = await site.server.tasks()
    ends = time.monotonic() + 1.5

    async def reset():
        while time.monotonic() < ends:
            site.postgres.reset()
            await asyncio.sleep(0.03)

    async def ask(shop):
        answers = []
        while time.monotonic() < ends:
            answers.append(await site.ask(shop))
        assert {answer.slugs for answer in answers} <= {(), site.slugs[shop.slug]}
        assert {answer.code for answer in answers} <= {None, *UNAVAILABLE}

    async with asyncio.TaskGroup() as running:
        running.create_task(reset())
        for shop in site.shops * 3:
            running.create_task(ask(shop))

    await until(site.serves, seconds=SOON)
    await rest(site, tasks)


@pytest.fixture(params=["black hole", "frozen"])
def outage(request, site):
    """Two ways for a database to take what is sent and never to answer."""

    @contextlib.contextmanager
    def swallowed():
        site.postgres.swallow()
        try:
            yield
        finally:
            site.postgres.heal()

    return {"black hole": swallowed, "frozen": site.frozen}[request.param]


async def test_a_database_that_does_not_answer_holds_no_request_and_no_connection(site, outage):
    tasks = await site.server.tasks()
    with outage():
        check_refusals(await site.ask_all(20))
        assert await site.status() == "unready"
        assert await site.status("/livez") == "alive"
        # By now nobody waits for anything, though the database is as it was.
        await until(site.rests, seconds=DEADLINE_SECONDS + 2 * BUSY_SECONDS)
        check_refusals(await site.ask_all(2))

    # Healed without a restart; no shop sees what belongs to another.
    began = time.monotonic()
    await until(site.serves, seconds=SOON)
    assert time.monotonic() - began < DEADLINE_SECONDS + LEEWAY_SECONDS + 2 * BUSY_SECONDS
    await rest(site, tasks)


async def test_a_frozen_database_holds_back_no_request_that_comes_to_a_full_house(site):
    async def is_full() -> bool:
        figures = await site.figures()
        running, limit = (figures[f'galleria_admission_{name}{{gate="all"}}'] for name in ("in_flight", "limit"))
        return running >= limit

    with site.frozen():
        first = [asyncio.create_task(site.ask(site.shops[0])) for _ in range(START + AT_MOST)]
        await until(is_full, seconds=SOON)
        # All places are taken by those who wait for the database: the next one hears that there is none, and that
        # before any of them has heard anything.
        answer = await site.ask(site.shops[1])
        ended = {task.result().code for task in first if task.done()}
        assert (answer.status, answer.code) == (503, "OVERLOADED")
        assert ended <= {"OVERLOADED"}
        # So many at once keep their client busy, too, where it has no core of its own.
        check_refusals(await asyncio.gather(*first), busy_seconds=SOON)


async def test_a_client_that_leaves_cancels_its_statement_in_the_database(site):
    async with site.owner.transaction():
        await site.owner.execute("LOCK TABLE product IN ACCESS EXCLUSIVE MODE")
        async with httpx.AsyncClient(base_url=site.server.url, timeout=60) as client:
            headers = {"galleria-shop": site.shops[0].slug}
            asking = asyncio.create_task(client.post("/graphql", json={"query": PRODUCTS}, headers=headers))

            async def is_waiting() -> bool:
                return bool(await site.owner.fetchval(WAITING))

            await until(is_waiting, seconds=SOON)
            began = time.monotonic()
            asking.cancel()
            await asyncio.wait([asking])

            async def is_cancelled() -> bool:
                return not await site.owner.fetchval(WAITING)

            await until(is_cancelled, seconds=SOON)
            # Not because its time was up.
            assert time.monotonic() - began < DEADLINE_SECONDS
        await until(site.rests, seconds=SOON)


async def test_a_lock_is_waited_for_until_the_deadline_and_no_longer(site):
    async with site.owner.transaction():
        await site.owner.execute("LOCK TABLE product IN ACCESS EXCLUSIVE MODE")
        answers = await site.ask_all(2)
        check_refusals(answers)
        assert max(answer.seconds for answer in answers) > DEADLINE_SECONDS - LEEWAY_SECONDS
        await until(site.rests, seconds=SOON)
        assert await site.owner.fetchval(WAITING) == 0
