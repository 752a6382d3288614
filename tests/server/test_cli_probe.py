"""The probe as containers run it: it speaks to the server of its machine and answers by its exit code."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from server.health import PROBE_PATHS, Health, routes
from tests.servers import free_port, served

ROOT = Path(__file__).parent.parent.parent
PROBES = ("live", "ready", "startup")
WELL = ("alive", "ready", "started")


class Dependencies:
    """A database that is as far as it is told to be."""

    installed = "0003"

    def is_at_work(self) -> bool:
        return False

    async def ping(self) -> None:
        pass

    async def revision(self) -> str:
        return self.installed


@pytest.fixture
def dependencies():
    return Dependencies()


@pytest.fixture
async def address(dependencies):
    health = Health(dependencies, dependencies.revision, oldest_revision="0003")
    health.is_started = True
    async with served(Starlette(routes=routes(health))) as url:
        yield httpx.URL(url)


def probed(*arguments, **environ):
    """Run the probe to its end, with nothing set but what is given."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "COVERAGE_"))}
    return subprocess.run(  # noqa: S603 - the program is ours.
        [sys.executable, "-m", "server", "probe", *arguments],
        cwd=ROOT,
        env=kept | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def asked(address, *arguments, **environ):
    """Run it against a server of this event loop, which must meanwhile go on."""
    return await asyncio.to_thread(probed, *arguments, GALLERIA_PORT=str(address.port), **environ)


@pytest.mark.parametrize(
    ("arguments", "status"), [((), "alive"), *zip([(probe,) for probe in PROBES], WELL, strict=True)]
)
async def test_what_is_well_is_told_by_exit_code_0(address, arguments, status):
    done = await asked(address, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["status"] == status


async def test_what_is_not_well_is_told_by_exit_code_1(address, dependencies):
    dependencies.installed = "0002"
    done = await asked(address, "ready")
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["checks"]["schema"] == "at revision 0002, needs 0003; run the migrations"


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1"])  # noqa: S104 - nothing is bound to it.
async def test_it_finds_a_server_that_listens_on_every_address(address, host):
    assert (await asked(address, GALLERIA_HOST=host)).returncode == 0


def test_where_nothing_answers_it_says_where_it_asked():
    with free_port() as closed:
        port = closed.getsockname()[1]
        done = probed(GALLERIA_PORT=str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Nothing answers on 127.0.0.1 port {port}: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_none_is_told():
    done = probed(GALLERIA_PORT="tcp://10.0.0.1:8000")
    assert done.returncode == 2
    assert "GALLERIA_PORT must be a whole number" in done.stderr


def test_every_probe_can_be_asked():
    assert sorted(f"/{probe}z" for probe in PROBES) == sorted(PROBE_PATHS)
