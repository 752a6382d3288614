"""`python -m server verify`, against a real server and against some that are none."""

import asyncio
import contextlib
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from core.errors import ConfigurationError
from resolvers.context import ROLES, Actor, ActorKind
from server.authentication import Grant, issue_token
from server.keys import configured_keys
from server.verifying import Target, VerificationFailed, verify
from tests.servers import free_port, served

ROOT = Path(__file__).parent.parent.parent
_COLLECTIONS = text("SELECT count(*) AS there FROM collection")
_EVENTS = text("SELECT type FROM outbox_event WHERE aggregate = 'collection' ORDER BY sequence")


def token(settings, shop, role="owner"):
    return issue_token(
        configured_keys(settings),
        Grant(
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            shop=shop.slug,
            actor=Actor(ActorKind.STAFF, "verifier", ROLES[role]),
            lifetime=timedelta(minutes=5),
        ),
    )


async def verified(url, *, shop=None, token=None, seconds=30.0):
    """Verify in a thread, since the server may be served by this event loop; return what was said."""
    target = Target(url=url, shop=shop and shop.slug, token=token, seconds=seconds)
    return await asyncio.to_thread(lambda: list(verify(target)))


@contextlib.asynccontextmanager
async def answering(status, body):
    """Serve probes that are well, and one answer to every operation."""

    async def well(_):
        return PlainTextResponse("{}")

    async def answer(_):
        return body if isinstance(body, PlainTextResponse) else JSONResponse(body, status_code=status)

    routes = [Route(path, well) for path in ("/livez", "/readyz", "/startupz")]
    async with served(Starlette(routes=[*routes, Route("/graphql", answer, methods=["POST"])])) as address:
        yield address


async def test_without_a_shop_it_looks_at_the_server_alone(base_url):
    assert await verified(base_url) == [
        "It is alive, started and ready.",
        "It answers GraphQL. Name a shop to have it read and followed.",
    ]


async def test_without_a_token_it_reads(base_url, shop):
    assert await verified(base_url, shop=shop) == [
        "It is alive, started and ready.",
        "It answers a query.",
        "It answers a query over a WebSocket. Give a token to have it write, and tell of that.",
    ]


async def test_with_a_token_it_writes_and_hears_of_it_and_leaves_nothing(base_url, shop, settings, database):
    assert await verified(base_url, shop=shop, token=token(settings, shop)) == [
        "It is alive, started and ready.",
        "It answers a query.",
        "It makes a change once, though it is asked for twice.",
        "It tells a subscriber of that change.",
    ]
    tenant = database.of_tenant(shop.id)
    assert [row.there for row in await tenant.fetch(_COLLECTIONS)] == [0]
    [created, changed, deleted] = await tenant.fetch(_EVENTS)
    assert (created.type, changed.type, deleted.type) == (
        "collection.created",
        "collection.updated",
        "collection.deleted",
    )
    await tenant.close()


async def test_a_token_that_may_not_write_is_said_so(base_url, shop, settings):
    with pytest.raises(VerificationFailed, match=r"/graphql answers .*catalogue:write"):
        await verified(base_url, shop=shop, token=token(settings, shop, role="support"))


async def test_an_unknown_shop_is_said_so(base_url, shop):
    target = Target(url=base_url, shop=f"{shop.slug}-not", token=None, seconds=10)
    with pytest.raises(VerificationFailed, match="No such shop"):
        await asyncio.to_thread(lambda: list(verify(target)))


async def test_nobody_there_is_said_so():
    with free_port() as reserved, pytest.raises(VerificationFailed, match="does not answer"):
        await verified(f"http://127.0.0.1:{reserved.getsockname()[1]}")


async def test_a_probe_that_is_not_well_is_quoted():
    async def unready(_):
        return PlainTextResponse("not migrated", status_code=503)

    async with served(Starlette(routes=[Route("/livez", unready)])) as address:
        with pytest.raises(VerificationFailed, match="/livez says 503: not migrated"):
            await verified(address)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (PlainTextResponse("hello"), "no GraphQL"),
        (["data"], "no GraphQL"),
        ({"errors": [{"message": "Broken.", "extensions": {"code": "INTERNAL"}}]}, "INTERNAL"),
    ],
)
async def test_a_server_that_answers_otherwise_is_none_of_ours(body, said):
    async with answering(200, body) as address:
        with pytest.raises(VerificationFailed, match=said):
            await verified(address)


async def test_a_server_without_websockets_is_said_so(shop):
    async with answering(200, {"data": {"shop": {"slug": shop.slug}}}) as address:
        with pytest.raises(VerificationFailed, match=r"The WebSocket ws://\S+ broke"):
            await verified(address, shop=shop)


@pytest.mark.parametrize("url", ["localhost:8000", "http://localhost:8000/graphql", "ftp://localhost"])
async def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(ConfigurationError, match="give one such as"):
        await verified(url)


async def run(*arguments, **variables):
    """Run the command as a process, as a test pod does."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "HOME", "COVERAGE_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "verify", *arguments),
        cwd=ROOT,
        env=kept | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, error = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, printed.decode(), error.decode()


async def test_as_a_command_it_reads_its_token_from_a_file(base_url, shop, settings, tmp_path):
    file = tmp_path / "token"
    file.write_text(token(settings, shop) + "\n")
    code, printed, error = await run("--url", base_url, "--shop", shop.slug, GALLERIA_VERIFY_TOKEN_FILE=str(file))
    assert (code, error) == (0, "")
    assert "It tells a subscriber of that change." in printed


async def test_as_a_command_it_fails_with_a_sentence():
    with free_port() as reserved:
        code, _, error = await run("--url", f"http://127.0.0.1:{reserved.getsockname()[1]}")
    assert code == 1
    assert error.startswith("galleria: 127.0.0.1:")


async def test_as_a_command_it_wants_to_know_whose_token_it_has():
    code, _, error = await run(GALLERIA_VERIFY_TOKEN="canary")
    assert code == 2
    assert "Name the shop" in error
    assert "canary" not in error
