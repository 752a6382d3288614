"""Several processes on one port: all serve, one that dies is replaced, and they end together."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.workers import ATTEMPTS
from tests.api.live.sockets import socket
from tests.proofs.processes import ROOT, SERVE, servers, until
from tests.servers import free_port

WORKERS = 2
SEVERAL = (*SERVE, "--workers", str(WORKERS))
TIMEOUT_SECONDS = 90
QUERY = {"query": "{ shop { slug } }"}


@pytest.fixture
def environ(site):
    return {**site.environ, "GALLERIA_DRAIN_SECONDS": "1"}


@contextlib.asynccontextmanager
async def supervised(environ):
    """Run a supervisor with workers."""
    several = {**environ, "GALLERIA_WORKERS": str(WORKERS)}
    async with asyncio.timeout(TIMEOUT_SECONDS), servers(1, several) as [server]:
        yield server


def children(server):
    """Return the processes of the workers, by the place that each has."""
    pid = server.process.pid
    found = {}
    # Any of them, and the supervisor itself, may end while we look.
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
                if "server.workers" in command:
                    found[command[3]] = int(child)
    return found


def runs(pid):
    """Tell whether there is a process."""
    return Path(f"/proc/{pid}/cmdline").exists()


async def samples(server, name):
    """Return the values of a metric by the worker that measured it."""
    async with httpx.AsyncClient(timeout=30) as client:
        text = (await client.get(server.metrics_url)).text
    families = [each for each in text_string_to_metric_families(text) if each.name == name]
    assert len(families) == 1, text
    return {sample.labels["worker"]: sample.value for sample in families[0].samples}


async def ask(server, shop):
    """Ask once, over a connection of its own."""
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        answer = await client.post("/graphql", json=QUERY, headers={"galleria-shop": shop.slug})
    assert answer.json()["data"]["shop"]["slug"] == shop.slug


async def sums(server, name):
    """Return what the workers have counted, of each the sum over its other labels."""
    async with httpx.AsyncClient(timeout=30) as client:
        text = (await client.get(server.metrics_url)).text
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name:
                worker = sample.labels["worker"]
                found[worker] = found.get(worker, 0) + sample.value
    return found


async def test_all_serve_one_that_is_killed_is_replaced_and_all_end_together(site, environ):
    async with supervised(environ) as server:
        before = children(server)
        assert set(before) == {"1", "2"}
        assert await samples(server, "galleria_worker_up") == {"1": 1, "2": 1}

        async def both_served():
            await asyncio.gather(*(ask(server, site.shop) for _ in range(20)))
            return len(await sums(server, "galleria_requests_total")) == WORKERS

        await until(both_served)
        assert min((await samples(server, "process_resident_memory_bytes")).values()) > 0

        os.kill(before["1"], signal.SIGKILL)
        for _ in range(5):
            await asyncio.gather(*(ask(server, site.shop) for _ in range(10)))

        async def is_replaced():
            return await samples(server, "galleria_worker_up") == {"1": 1, "2": 1}

        await until(is_replaced)
        after = children(server)
        pids = after.values()
        assert after["1"] != before["1"]
        assert after["2"] == before["2"]
        assert await samples(server, "galleria_worker_restarts") == {"1": 1, "2": 0}

        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(socket(server.url, introduce=site.shop)) for _ in range(4)]
            server.send(signal.SIGTERM)
            closings = await asyncio.gather(*(client.closed() for client in clients))
        assert {code for code, _ in closings} == {1012}
        assert await server.ended() == 0
    assert server.errors[-1] == "Stopped."
    assert not any(map(runs, pids))


async def test_workers_do_not_outlive_a_supervisor_that_is_killed(site, environ):
    async with supervised(environ) as server:
        await ask(server, site.shop)
        workers = children(server)
        await server.kill()

        async def are_gone():
            return not any(map(runs, workers.values()))

        await until(are_gone, seconds=30)
        # The port is free for the next.
        await server.start()
        await ask(server, site.shop)


async def test_a_second_signal_does_not_wait(site):
    environ = {**site.environ, "GALLERIA_DRAIN_SECONDS": "600"}
    async with supervised(environ) as server, socket(server.url, introduce=site.shop) as client:
        server.send(signal.SIGTERM)

        async def is_unready():
            async with httpx.AsyncClient(base_url=server.url) as probe:
                return (await probe.get("/readyz")).status_code == httpx.codes.SERVICE_UNAVAILABLE

        await until(is_unready)
        server.send(signal.SIGTERM)
        assert (await client.closed())[0] == 1012
        assert await server.ended() == 0


async def test_a_worker_that_dies_again_and_again_is_given_up(environ):
    async with supervised(environ) as server:
        server.is_taking = False
        killed = set()
        while server.process.returncode is None:
            pid = children(server).get("1")
            if pid is not None and pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.01)
        assert await server.ended() == 2
    # The first time it had been there for a while.
    assert len(killed) in {ATTEMPTS, ATTEMPTS + 1}
    assert server.errors[-1].startswith(
        "galleria: Worker 1 ended as soon as it had started, 5 times in a row, at last by signal 9"
    )


async def test_wrong_settings_are_not_tried_again(site):
    with free_port() as reserved:
        port = reserved.getsockname()[1]
    wrong = {
        **site.environ,
        "GALLERIA_PORT": str(port),
        "GALLERIA_METRICS_PORT": "0",
        # Only those who serve read it, and not who watches over them.
        "GALLERIA_TOKEN_KEYS": str(ROOT / "README.md"),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *SEVERAL), cwd=ROOT, env=wrong, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    async with asyncio.timeout(TIMEOUT_SECONDS):
        _, errors = await process.communicate()
    last = errors.decode().splitlines()[-1]
    assert process.returncode == 2
    assert last.startswith("galleria: Worker ")
    assert "ended as soon as it had started, at last by status 2" in last
    assert "README.md cannot be read as JSON" in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_several_without_a_redis_are_refused_in_production(site):
    alone = {name: value for name, value in site.environ.items() if name != "REDIS_URL"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *SEVERAL), cwd=ROOT, env=alone, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    async with asyncio.timeout(TIMEOUT_SECONDS):
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert errors.decode().startswith(
        "galleria: GALLERIA_WORKERS=2 needs REDIS_URL: without it each process has budgets"
    )
    assert urlsplit(site.environ["REDIS_URL"]).scheme == "redis"
