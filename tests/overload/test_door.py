"""Who is let in, who waits, and who is told to come again: over real connections."""

import asyncio
import contextlib
import json
from urllib.parse import urlsplit

import pytest

from server.admission import gate as gates
from server.admission import line
from tests.overload.doors import CAPACITY, NOTE_COSTS, guarded
from tests.server.synthetic import GRAPHQL, PROBLEM

PAUSE = {"query": "{ pause }"}
HELLO = {"query": "{ hello }"}
NOTE = {"query": "mutation Note($text: String) { note(text: $text) }", "variables": {"text": "kept"}}
SCHEMA = {"query": "{ __schema { queryType { name } } }"}
SIGNED_IN = {"authorization": "Bearer of somebody whom the entrance remembers"}
SHOP = {"query": "{ shop }"}
SOON = 10.0


@pytest.fixture(params=[True, False], ids=["door", "endpoint"])
def has_door(request):
    """Both places that let requests in: the door, and for what came late to it the endpoint."""
    return request.param


async def until(condition):
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110  (there is no event)
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def filled(site, client, *, waiting=()):
    """Let one operation fill the place there is, and some others wait, in order."""
    tasks = [asyncio.create_task(client.post("/graphql", json=PAUSE))]
    await asyncio.wait_for(site.synthetic.waiting.wait(), SOON)
    for number, (body, headers) in enumerate(waiting, 1):
        tasks.append(asyncio.create_task(client.post("/graphql", json=body, headers=headers)))
        await until(lambda number=number: site.gate.waiting == number)
    yield tasks
    site.synthetic.resume.set()
    await asyncio.gather(*tasks)
    assert (site.gate.in_flight, site.gate.waiting) == (0, 0)


def refused(response):
    """Check that an answer is a refusal, whole and in its form."""
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.headers["cache-control"] == "no-store"
    [error] = response.json()["errors"]
    assert error["extensions"] == {
        "code": "OVERLOADED",
        "requestId": response.headers["x-request-id"],
        "retryAfterMs": 1000,
    }
    return True


async def test_who_finds_no_place_waits_for_one(has_door, monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 60)
    async with guarded(has_door=has_door) as site, site.client() as client:
        async with filled(site, client, waiting=[(HELLO, {}), (HELLO, {})]) as tasks:
            assert not any(task.done() for task in tasks)
        assert [task.result().status_code for task in tasks] == [200, 200, 200]
        assert site.synthetic.reported == []
        assert site.metrics.registry.get_sample_value("galleria_admission_wait_seconds_count", {"class": "query"}) == 2


async def test_who_finds_too_many_waiting_is_refused_at_once(has_door, monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(line, "AT_MOST", 1)
    async with guarded(has_door=has_door) as site, site.client() as client:
        async with filled(site, client, waiting=[(HELLO, {})]):
            answers = [await client.post("/graphql", json=HELLO) for _ in range(3)]
            assert all(refused(answer) for answer in answers)
            assert len({answer.headers["x-request-id"] for answer in answers}) == 3
            assert site.shed("query", "full") == 3
            labels = {"operation": "none", "status": "503", "code": "OVERLOADED"}
            assert site.metrics.registry.get_sample_value("galleria_requests_total", labels) == 3
        # The connection of those who were refused serves on.
        assert (await client.post("/graphql", json=HELLO)).json()["data"] == {"hello": "Hello you"}


async def test_a_refusal_has_the_form_that_the_client_wants(monkeypatch):
    monkeypatch.setattr(line, "AT_MOST", 0)
    async with guarded() as site, site.client() as client, filled(site, client):
        answer = await client.post("/graphql", json=HELLO, headers={"accept": GRAPHQL})
        assert refused(answer)
        assert answer.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
        problem = await client.post("/graphql", json=HELLO, headers={"accept": f"{PROBLEM}, application/json"})
        assert (problem.status_code, problem.headers["content-type"]) == (503, PROBLEM)
        assert problem.json()["requestId"] == problem.headers["x-request-id"]
        other = await client.post("/graphql", json=HELLO, headers={"accept": "image/png"})
        assert refused(other)


async def test_a_mutation_takes_the_place_of_a_query_and_a_query_that_of_introspection(has_door, monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(line, "AT_MOST", 1)
    async with guarded(has_door=has_door) as site, site.client() as client:
        site.synthetic.actor_kind = "staff"
        # What documents ask for is known once they were read.
        for body in (NOTE, SCHEMA):
            assert "errors" not in (await client.post("/graphql", json=body)).json()
        async with filled(site, client, waiting=[(SCHEMA, {})]) as tasks:
            query = asyncio.create_task(client.post("/graphql", json=HELLO))
            assert refused(await tasks[1])
            mutation = asyncio.create_task(client.post("/graphql", json=NOTE, headers=SIGNED_IN))
            assert refused(await query)
            assert refused(await client.post("/graphql", json=HELLO))
            assert refused(await client.post("/graphql", json=SCHEMA))
        assert (await mutation).json()["data"] == {"note": "kept"}
        assert [site.shed(*each) for each in (("introspection", "displaced"), ("query", "displaced"))] == [1, 1]
        assert [site.shed(*each) for each in (("query", "full"), ("introspection", "full"))] == [1, 1]


async def test_mutations_that_wait_for_each_other_take_no_place_of_queries(has_door, monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 60)
    async with guarded(has_door=has_door) as site, site.client() as client:
        writing = site.operations.writing
        # As if one waited for a lock.
        assert writing.take()
        mutations = [asyncio.create_task(client.post("/graphql", json=NOTE)) for _ in range(3)]
        await until(lambda: writing.waiting == 3)
        assert (site.gate.in_flight, site.synthetic.notes) == (0, [])
        assert (await client.post("/graphql", json=HELLO)).status_code == 200
        monkeypatch.setattr(line, "AT_MOST", 3)
        assert refused(await client.post("/graphql", json=NOTE))
        assert site.shed("query", "full") == 1
        writing.leave()
        assert [(await each).json()["data"] for each in mutations] == [{"note": "kept"}] * 3
        assert (writing.in_flight, site.gate.in_flight) == (0, 0)


async def test_nobody_chooses_how_important_he_is(monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(line, "AT_MOST", 1)
    both = 'mutation Note { note(text: "x") } query Hello { hello }'
    async with guarded() as site, site.client() as client:
        asked = {"query": both, "operationName": "Hello"}
        # It is known that this is a query.
        assert (await client.post("/graphql", json=HELLO)).status_code == 200
        for _ in range(2):
            # A document that was never seen is a query, whatever it begins with; and so is what is only called one.
            async with filled(site, client, waiting=[(HELLO, {})]) as tasks:
                assert refused(await client.post("/graphql", json=asked))
                unread = {"query": 'mutation Unknown { note(text: "y") }'}
                assert refused(await client.post("/graphql", json=unread))
            assert tasks[1].result().status_code == 200
            site.synthetic.resume.clear()
            site.synthetic.waiting.clear()
            assert (await client.post("/graphql", json=asked)).json()["data"] == {"hello": "Hello you"}
        assert site.synthetic.notes == []


@pytest.mark.parametrize("flood", [SHOP, NOTE], ids=["queries", "mutations"])
async def test_a_shop_that_floods_leaves_room_for_others(flood, has_door, monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(line, "AT_MOST", 3)
    async with guarded(has_door=has_door) as site, site.client() as client:
        busy, small = {"galleria-shop": "busy", **SIGNED_IN}, {"galleria-shop": "small"}
        for headers in (busy, small):
            await client.post("/graphql", json=flood, headers=headers)
        async with filled(site, client, waiting=[(flood, busy)] * 3) as tasks:
            asked = asyncio.create_task(client.post("/graphql", json=SHOP, headers=small))
            # The last of the busy shop has to go, and the small one is next but one.
            assert refused(await tasks[3])
            assert refused(await client.post("/graphql", json=flood, headers=busy))
            served = []
            for name, task in (("busy 1", tasks[1]), ("busy 2", tasks[2]), ("small", asked)):
                task.add_done_callback(lambda _, name=name: served.append(name))
        await asked
        assert served.index("small") < served.index("busy 2")


@pytest.mark.parametrize("headers", [{}, {"galleria-shop": "never seen", **SIGNED_IN}], ids=["anonymous", "unknown"])
async def test_who_has_not_shown_who_he_is_is_no_more_important_than_a_query(headers, has_door, monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(line, "AT_MOST", 1)
    async with guarded(has_door=has_door) as site, site.client() as client:
        # It is known that this is a mutation.
        await client.post("/graphql", json=NOTE)
        async with filled(site, client, waiting=[(HELLO, {})]) as tasks:
            assert refused(await client.post("/graphql", json=NOTE, headers=headers))
        assert tasks[1].result().status_code == 200
        assert site.shed("query", "full") == 1


async def test_a_mutation_that_has_to_wait_has_paid_and_gets_back_what_it_did_not_use(has_door, monkeypatch):
    monkeypatch.setattr(line, "AT_MOST", 0)
    async with guarded(has_door=has_door, budget=True) as site, site.client() as client:
        writing = site.operations.writing
        assert writing.take()
        left = []
        for _ in range(2):
            answer = await client.post("/graphql", json=NOTE)
            assert refused(answer)
            left.append(int(answer.headers["ratelimit"].partition("r=")[2].partition(";")[0]))
        assert left == [CAPACITY - 1, CAPACITY - 2]
        assert site.synthetic.notes == []
        writing.leave()
        assert (writing.in_flight, site.gate.in_flight) == (0, 0)


async def test_who_cannot_pay_for_his_mutation_takes_no_place_among_those_who_write(has_door, monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 60)
    async with guarded(has_door=has_door, budget=True) as site, site.client() as client:
        writing = site.operations.writing
        assert writing.take()
        payers = [asyncio.create_task(client.post("/graphql", json=NOTE)) for _ in range(CAPACITY // NOTE_COSTS)]
        await until(lambda: writing.waiting == len(payers))
        broke = await client.post("/graphql", json=NOTE)
        assert broke.json()["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert writing.waiting == len(payers)
        writing.leave()
        assert {(await payer).status_code for payer in payers} == {200}


async def test_who_has_waited_for_long_is_refused(has_door, monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 0.05)
    async with guarded(has_door=has_door) as site, site.client() as client, filled(site, client):
        assert refused(await client.post("/graphql", json=HELLO))
        assert site.shed("query", "late") == 1
        assert site.gate.waiting == 0


async def test_who_leaves_while_he_waits_frees_his_place_at_once(has_door, monkeypatch):
    monkeypatch.setattr(gates, "PATIENCE_SECONDS", 60)
    monkeypatch.setattr(line, "AT_MOST", 1)
    async with guarded(has_door=has_door) as site, site.client() as client:
        async with filled(site, client, waiting=[(HELLO, {})]) as tasks:
            tasks[1].cancel()
            await asyncio.wait([tasks[1]])
            await until(lambda: site.gate.waiting == 0)
            last = asyncio.create_task(client.post("/graphql", json=HELLO))
            await until(lambda: site.gate.waiting == 1)
            tasks.remove(tasks[1])
        assert (await last).status_code == 200
        assert site.synthetic.reported == []


async def test_a_body_that_comes_late_holds_no_place(monkeypatch):
    monkeypatch.setattr(line, "AT_MOST", 0)
    async with guarded() as site, site.client() as client:
        address = urlsplit(site.synthetic.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        body = json.dumps(HELLO).encode()
        head = f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        writer.write(f"{head}\r\n\r\n".encode())
        assert (await client.post("/graphql", json=HELLO)).status_code == 200
        assert site.gate.in_flight == 0
        async with filled(site, client):
            writer.write(body)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 503 ")
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
async def test_requests_in_one_go_are_decided_about_one_after_the_other(connection, monkeypatch):
    monkeypatch.setattr(line, "AT_MOST", 0)
    async with guarded() as site, site.client() as client, filled(site, client):
        address = urlsplit(site.synthetic.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        body = json.dumps(HELLO)
        lines = ["POST /graphql HTTP/1.1", "host: x", "content-type: application/json", f"content-length: {len(body)}"]
        first, last = ("\r\n".join([*lines, f"connection: {how}", "", body]) for how in ("keep-alive", connection))
        writer.write((first + last).encode())
        for _ in range(2):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 503 ")
            assert b"OVERLOADED" in await reader.readuntil(b"]}")
        if connection == "close":
            assert await reader.read() == b""
        assert site.shed("query", "full") == 2
        writer.close()
        await writer.wait_closed()
