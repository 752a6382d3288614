"""A server that keeps answers, whose Redis is slow, out of reach or frozen, or whose database is."""

import asyncio
import contextlib

import pytest

from tests.overload.conftest import BUSY_SECONDS, DEADLINE_SECONDS, SOON, UNAVAILABLE, rest
from tests.proofs.processes import until

RESPONSE_CACHE = "on"


@pytest.fixture(params=["slow", "black hole", "frozen"])
def redis_outage(request, site):
    """Three ways for a Redis not to answer in time."""

    @contextlib.contextmanager
    def behaving(**faults):
        for name, value in faults.items():
            setattr(site.redis, name, value)
        if not faults:
            site.redis.swallow()
        try:
            yield
        finally:
            site.redis.heal()

    ways = {"slow": lambda: behaving(latency_seconds=1.0), "black hole": behaving, "frozen": site.frozen_redis}
    return ways[request.param]


async def test_a_redis_that_does_not_answer_costs_little_time_and_no_request(site, redis_outage):
    tasks = await site.server.tasks()
    with redis_outage():
        for _ in range(3):
            answers = await site.ask_all(5)
            assert {(answer.status, answer.code) for answer in answers} == {(200, None)}
            # At most a look-up of the answer, a charge and a claim wait for it, a quarter of a second each.
            assert max(answer.seconds for answer in answers) < 1.0 + BUSY_SECONDS

        async def is_degraded() -> bool:
            return await site.status() == "degraded"

        await until(is_degraded, seconds=SOON)
    await until(site.is_ready, seconds=SOON)
    await rest(site, tasks)


async def test_a_frozen_database_keeps_no_connection_for_answers_that_are_kept(site):
    tasks = await site.server.tasks()
    with site.frozen():
        # What is kept is answered until it is not known any more whether it is still so; then nobody can tell.
        async with asyncio.timeout(SOON):
            while (await site.ask(site.shops[0])).code not in UNAVAILABLE:
                pass
        for _ in range(2):
            answers = await site.ask_all(5)
            assert {answer.code for answer in answers} <= UNAVAILABLE
        await until(site.rests, seconds=DEADLINE_SECONDS + 2 * BUSY_SECONDS)
    await until(site.serves, seconds=SOON)
    await rest(site, tasks)
