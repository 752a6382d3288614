"""Budgets, through HTTP: charged, settled, spent, shared by processes, and kept while Redis is away."""

import asyncio
import contextlib
import dataclasses
import hashlib
import re
import time
from ipaddress import ip_network

import httpx
import pytest

from core.budgets import budgets
from core.variables import Secret
from server.app import create_app
from tests import factories, servers
from tests.servers import served

GRAPHQL = "application/graphql-response+json"
PAGE = "{ products(first: 10) { nodes { id } } }"
"""Costs 12 points: 2 for the page and one a product it may hold."""

SMALL = "{ shop { name } }"
"""Costs a point."""


@pytest.fixture(scope="module")
def serving(settings):
    """Return a function that serves the application with budgets and settings of the test's own."""

    @contextlib.asynccontextmanager
    async def serve(text, **changes):
        changes = {"budgets": budgets(text), "response_cache_bytes": 0} | changes
        application = create_app(dataclasses.replace(settings, **changes))
        async with served(application) as address, httpx.AsyncClient(base_url=address) as client:
            yield client

    return serve


@pytest.fixture
def ask(shop):
    """Return a function that asks the test's own shop."""

    async def run(client, query, *, token=None, **headers):
        headers = {"galleria-shop": shop.slug, "accept": GRAPHQL, **headers}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return await client.post("/graphql", json={"query": query}, headers=headers)

    return run


def code_of(answer):
    [error] = answer.json()["errors"]
    return error["extensions"]["code"]


def cost_of(answer):
    return answer.json()["extensions"]["cost"]


async def until_throttled(ask_once, *, at_most):
    """Ask again and again until it is refused, and return how often it was not."""
    for passed in range(at_most + 1):
        answer = await ask_once()
        if answer.status_code == 429:
            return passed, answer
    pytest.fail(f"still served after {at_most} requests")


async def until_served(ask_once):
    """Ask again and again until it is served; nothing but a request finds out, so there is no event to wait for."""
    await _until(ask_once, lambda answer: answer.status_code == 200)


async def _until(ask_once, holds):
    async with asyncio.timeout(10):
        while not holds(answer := await ask_once()):  # noqa: ASYNC110  (only asking shows it)
            await asyncio.sleep(0.05)
    return answer


async def test_an_answer_tells_the_budget_that_is_left(serving, ask):
    async with serving("shopper=100/1") as client:
        answer = await ask(client, PAGE)
        cost = cost_of(answer)
        assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (12, 2)
        # The shop has no products, so ten points came back.
        assert cost["throttleStatus"] == {"maximumAvailable": 100, "currentlyAvailable": 98, "restoreRate": 1}
        assert answer.headers["ratelimit-policy"] == '"shopper";q=100;w=100'
        assert answer.headers["ratelimit"] == '"shopper";r=98;t=2'


async def test_a_spent_budget_is_429_with_the_time_to_wait(serving, ask):
    async with serving("shopper=40/1") as client:
        passed, answer = await until_throttled(lambda: ask(client, PAGE), at_most=30)
        # Each costs two in the end, and the last one needs twelve at first.
        assert 15 <= passed <= 17
        assert code_of(answer) == "THROTTLED"
        assert "data" not in answer.json()
        [error] = answer.json()["errors"]
        wait = error["extensions"]["retryAfterMs"]
        assert 0 < wait <= 12_000
        assert answer.headers["retry-after"] == str(-(-wait // 1000))
        cost = error["extensions"]["cost"]
        assert cost["requestedQueryCost"] == 12
        assert cost["throttleStatus"]["currentlyAvailable"] < 12
        assert answer.headers["ratelimit"].startswith('"shopper";r=')
        # What is cheaper may still pass.
        assert (await ask(client, SMALL)).status_code == 200


async def test_problem_details_say_the_same(serving, ask):
    async with serving("shopper=12/1") as client:
        _, answer = await until_throttled(
            lambda: ask(client, PAGE, accept=f"{GRAPHQL}, application/problem+json"), at_most=5
        )
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.json()["status"], answer.json()["code"]) == (429, "THROTTLED")
        assert answer.headers["retry-after"]


async def test_who_waits_is_served_again(serving, ask):
    async with serving("shopper=12/1000") as client:
        for _ in range(30):
            answer = await ask(client, PAGE)
            if answer.status_code == 429:
                # What the server says is enough is what is tested.
                await asyncio.sleep(answer.json()["errors"][0]["extensions"]["retryAfterMs"] / 1000)
                answer = await ask(client, PAGE)
            assert answer.status_code == 200


async def test_an_operation_dearer_than_a_full_budget_is_not_told_to_wait(serving, ask):
    async with serving("shopper=10/1") as client:
        answer = await ask(client, PAGE)
        assert (answer.status_code, code_of(answer)) == (400, "COST_EXCEEDED")
        extensions = answer.json()["errors"][0]["extensions"]
        assert (extensions["requestedQueryCost"], extensions["maximumQueryCost"]) == (12, 10)
        assert "retry-after" not in answer.headers


async def test_each_signed_in_client_has_a_budget_of_its_own(serving, ask, api):
    async with serving("shopper=40/1,customer=40/1,staff=50/1") as client:
        await until_throttled(lambda: ask(client, PAGE), at_most=30)
        for role, subject in (("customer", "a"), ("customer", "b"), ("owner", "a"), ("owner", "b")):
            token = api.token(role, subject=subject)
            assert (await ask(client, PAGE, token=token)).status_code == 200
        await until_throttled(lambda: ask(client, PAGE, token=api.token("customer", subject="a")), at_most=30)
        assert (await ask(client, PAGE, token=api.token("customer", subject="b"))).status_code == 200


async def test_each_shop_has_a_budget_of_its_own(serving, ask, database):
    other = await factories.shop(database)
    async with serving("shopper=40/1") as client:
        await until_throttled(lambda: ask(client, PAGE), at_most=30)
        assert (await ask(client, PAGE, **{"galleria-shop": other.slug})).status_code == 200


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ nothing%d }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ shop { name %d", "GRAPHQL_PARSE_FAILED"),
        ("{ shop { name } } #%d" + "{ a" * 13 + " }" * 13, "GRAPHQL_PARSE_FAILED"),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
async def test_malformed_documents_cost_a_point_each(serving, ask, document, code, is_new):
    document = document.replace("#%d", "%d")
    async with serving("shopper=10/1") as client:
        answers = [await ask(client, document % (number if is_new else 0)) for number in range(20)]
        codes = [code_of(answer) for answer in answers]
        assert codes[:10] == [code] * 10
        assert codes[-5:] == ["THROTTLED"] * 5
        # What is not paid for is not even looked at.
        examined = re.search(r'galleria_documents_total{result="refused"} (\d+)', (await client.get("/metrics")).text)
        assert int(examined[1]) == (codes.count(code) if is_new else 1)


async def test_looking_up_unknown_hashes_costs_a_point_each(serving, shop):
    async with serving("shopper=10/1") as client:
        codes = []
        for number in range(20):
            sha256 = hashlib.sha256(str(number).encode()).hexdigest()
            body = {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256}}}
            answer = await client.post("/graphql", json=body, headers={"galleria-shop": shop.slug, "accept": GRAPHQL})
            codes.append(code_of(answer))
        assert codes[:10] == ["PERSISTED_QUERY_NOT_FOUND"] * 10
        assert codes[-5:] == ["THROTTLED"] * 5


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": SMALL, "operationName": "Other"}, "BAD_REQUEST"),
        ({"query": "query ($first: Int!) { products(first: $first) { nodes { id } } }"}, "BAD_USER_INPUT"),
        ({"query": "subscription { stockChanged { id } }"}, None),
    ],
)
async def test_what_cannot_run_costs_a_point_each(serving, shop, body, code):
    async with serving("shopper=40/1") as client:
        headers = {"galleria-shop": shop.slug, "accept": GRAPHQL}
        passed, _ = await until_throttled(lambda: client.post("/graphql", json=body, headers=headers), at_most=50)
        assert passed >= 15
        if code is not None:
            answer = await _until(
                lambda: client.post("/graphql", json=body, headers=headers),
                lambda answer: answer.status_code != 429,
            )
            assert code_of(answer) == code


async def test_a_price_that_is_only_asked_for_costs_a_point(serving, ask):
    async with serving("shopper=40/1") as client:
        for _ in range(9):
            answer = await ask(client, PAGE, **{"galleria-cost-dry-run": "1"})
            assert cost_of(answer)["requestedQueryCost"] == 12
        left = cost_of(await ask(client, PAGE))["throttleStatus"]["currentlyAvailable"]
        assert 40 - 9 - 2 <= left < 40 - 2


async def test_the_body_of_a_get_does_not_change_with_the_budget(serving, shop):
    async with serving("shopper=1000/1") as client:
        headers = {"galleria-shop": shop.slug, "accept": GRAPHQL, "graphql-require-preflight": "1"}
        first, second = [await client.get("/graphql", params={"query": PAGE}, headers=headers) for _ in range(2)]
        assert first.content == second.content
        assert first.headers["ratelimit"] != second.headers["ratelimit"]
        again = await client.get(
            "/graphql", params={"query": PAGE}, headers={**headers, "if-none-match": first.headers["etag"]}
        )
        assert again.status_code == 304


async def test_a_flood_does_not_starve_a_polite_client(serving, ask, api):
    """One client sends as fast as it can, forty at a time; another one asks now and then."""
    async with serving("shopper=1000/1,customer=200/20,staff=50/1,key=50/1,shop=2000/200") as client:
        flooding, served_to_flood = True, 0
        token, polite = api.token("customer", subject="flood"), api.token("customer", subject="polite")

        async def flood():
            nonlocal served_to_flood
            while flooding:
                served_to_flood += (await ask(client, PAGE, token=token)).status_code == 200

        floods = [asyncio.create_task(flood()) for _ in range(40)]
        started = time.monotonic()
        statuses = [(await ask(client, PAGE, token=polite)).status_code for _ in range(20)]
        took = time.monotonic() - started
        flooding = False
        await asyncio.gather(*floods)
        assert statuses == [200] * 20
        # Two points each; what it may be served is bounded, however fast it asks.
        assert served_to_flood <= (200 + 20 * (took + 2)) / 2


async def test_addresses_behind_a_proxy_have_budgets_of_their_own(serving, ask):
    async with serving("shopper=40/1", trusted_proxies=(ip_network("127.0.0.0/8"),)) as client:
        await until_throttled(lambda: ask(client, PAGE, **{"x-forwarded-for": "198.51.100.1"}), at_most=30)
        answer = await ask(client, PAGE, **{"x-forwarded-for": "198.51.100.2"})
        assert answer.status_code == 200
        # What the client itself claims stands to the left of what the proxy has seen.
        answer = await ask(client, PAGE, **{"x-forwarded-for": "198.51.100.2, 198.51.100.1"})
        assert answer.status_code == 429
        await until_throttled(lambda: ask(client, PAGE, **{"x-forwarded-for": "2001:db8::1"}), at_most=30)
        assert (await ask(client, PAGE, **{"x-forwarded-for": "2001:db8::2"})).status_code == 429
        assert (await ask(client, PAGE, **{"x-forwarded-for": "2001:db8:0:1::1"})).status_code == 200


async def test_nobody_else_is_believed_about_addresses(serving, ask):
    async with serving("shopper=40/1") as client:
        passed = 0
        for number in range(40):
            forwarded = f"198.51.100.{number}"
            answer = await ask(client, PAGE, **{"x-forwarded-for": forwarded, "forwarded": f"for={forwarded}"})
            passed += answer.status_code == 200
        assert passed < 20


async def test_two_processes_share_a_budget(serving, ask):
    async with serving("shopper=400/1") as one, serving("shopper=400/1") as other:
        started, passed = time.monotonic(), 0

        async def flood(client):
            nonlocal passed
            for _ in range(250):
                answer = await ask(client, SMALL)
                assert answer.status_code in {200, 429}
                passed += answer.status_code == 200

        await asyncio.gather(flood(one), flood(one), flood(other), flood(other))
        assert 395 <= passed <= 400 + (time.monotonic() - started)


@pytest.fixture
def own_port():
    with servers.free_port() as reserved:
        return reserved.getsockname()[1]


async def test_budgets_are_kept_while_redis_is_away(serving, ask, own_port):
    url = Secret(f"redis://127.0.0.1:{own_port}/0")
    async with serving("shopper=40/1", redis_url=url) as client:
        with servers.redis_at(own_port):
            await until_throttled(lambda: ask(client, PAGE), at_most=30)
        # The process knows nothing of what was spent, and a refusal holds for a tenth of a second.
        await until_served(lambda: ask(client, PAGE))
        passed, _ = await until_throttled(lambda: ask(client, PAGE), at_most=30)
        assert passed > 10
        with servers.redis_at(own_port):
            # It is asked again within a second, and knows nothing of it either.
            await until_served(lambda: ask(client, PAGE))
        scraped = (await client.get("/metrics")).text
        assert 'galleria_throttled_total{budget="own",client="shopper"}' in scraped
        assert "galleria_budget_errors_total" in scraped


async def test_requests_are_refused_while_redis_is_away_where_the_settings_say_so(serving, ask, own_port):
    url = Secret(f"redis://127.0.0.1:{own_port}/0")
    async with serving("shopper=40/1", redis_url=url, budget_outage="closed") as client:
        answer = await ask(client, PAGE)
        assert (answer.status_code, code_of(answer)) == (503, "OVERLOADED")
        assert answer.headers["retry-after"] == "1"
        with servers.redis_at(own_port):
            await until_served(lambda: ask(client, PAGE))
