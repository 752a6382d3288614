"""The relay as a process: it says what it needs, relays what others write, and ends when told to."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from tests import factories
from tests.servers import free_port

ROOT = Path(__file__).parent.parent.parent
_WAITING = text("SELECT count(*) AS waiting FROM outbox_event WHERE shop_id = :shop AND sequence IS NULL")


async def started(url, **more):
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "HOME", "COVERAGE_"))}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "relay"),
        cwd=ROOT,
        env=kept | {"GALLERIA_ENVIRONMENT": "development", "DATABASE_URL": url, **more},
        stderr=asyncio.subprocess.PIPE,
    )


async def said(process, words):
    """Read on until these words come, and return all lines up to them."""
    lines = b""
    async with asyncio.timeout(30):
        while words not in lines:
            line = await process.stderr.readline()
            assert line, lines
            lines += line
    return lines


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_relays_until_it_is_told_to_stop(postgres, redis_url, database, shop, number):
    process = await started(postgres.app_url, REDIS_URL=redis_url)
    assert b"Set REDIS_URL" not in await said(process, b"Relaying events")
    await factories.product(database, shop)
    async with asyncio.timeout(10):
        tenant = database.of_tenant(shop.id)
        while (await tenant.fetch(_WAITING, alone=True))[0].waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await tenant.close()
    process.send_signal(number)
    _, rest = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, rest) == (0, b"Stopped.\n")


async def test_without_redis_it_says_what_that_means(postgres):
    process = await started(postgres.app_url)
    assert b"Set REDIS_URL" in await said(process, b"Relaying events")
    process.send_signal(signal.SIGTERM)
    await process.communicate()


async def test_a_database_that_is_not_there_is_told_in_a_line():
    process = await started("postgresql://nobody:canary@127.0.0.1:1/nothing")
    _, rest = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 2
    assert rest.startswith(b"galleria: Cannot connect to postgresql://********@127.0.0.1:1/nothing")
    assert b"canary" not in rest


async def test_it_serves_probes_and_metrics_on_a_port_of_their_own(postgres, redis_url):
    with free_port() as reserved:
        port = reserved.getsockname()[1]
    process = await started(postgres.app_url, REDIS_URL=redis_url, GALLERIA_METRICS_PORT=str(port))
    await said(process, b"Relaying events")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for path in ("/livez", "/startupz"):
            assert (await client.get(path)).status_code == 200
        ready = await client.get("/readyz")
        metrics = (await client.get("/metrics")).text.splitlines()
    assert ready.status_code == 200
    assert ready.json()["checks"].keys() == {"database", "schema", "redis", "bus"}
    names = {line.split(" ")[0] for line in metrics}
    assert {"galleria_outbox_relayed_total", "galleria_outbox_lag_seconds", "galleria_ready"} <= names
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0


async def test_in_production_it_needs_no_keys_of_tokens(postgres, redis_url):
    process = await started(
        postgres.app_url, GALLERIA_ENVIRONMENT="production", REDIS_URL=redis_url, GALLERIA_METRICS_PORT="0"
    )
    await said(process, b"Relaying events")
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
