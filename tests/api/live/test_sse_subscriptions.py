"""Subscriptions by streams of events: news, where they are taken up again, and what is refused."""

import contextlib
import dataclasses
import hashlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from core.budgets import budgets
from tests import factories
from tests.api.live.stocks import stocked
from tests.api.live.streams import EVENTS, PATIENCE_SECONDS, STOCK, Following, endpoint

PLAIN = "subscription { news: stockChanged { ... on StockChanged { sequence variant { availability { quantity } } } } }"
PREFLIGHT = {"graphql-require-preflight": "1"}
Follow = Callable[..., contextlib.AbstractAsyncContextManager[Following]]


@pytest.fixture(scope="module")
async def live(settings):
    async with endpoint(settings) as opened:
        yield opened


@pytest.fixture
async def stock(api, database):
    return await stocked(database, api)


@pytest.fixture
def follow(live, shop) -> Follow:
    """Opens streams."""

    @contextlib.asynccontextmanager
    async def opened(
        query: str = STOCK,
        *,
        method: str = "POST",
        url: str = live.url,
        headers: dict[str, str] | None = None,
        **variables,
    ) -> AsyncIterator[Following]:
        sent = {"Accept": EVENTS, "Galleria-Shop": shop.slug, **(headers or {})}
        body = {"params": {"query": query}} if method == "GET" else {"json": {"query": query, "variables": variables}}
        async with (
            httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as client,
            client.stream(method, "/graphql", headers=sent, **body) as response,
        ):
            yield Following(response)

    return opened


async def refusal(follow: Follow, *arguments, **options) -> tuple[int, str, httpx.Response]:
    """Ask for a stream that is refused."""
    async with follow(*arguments, **options) as stream:
        await stream.response.aread()
        [error] = stream.response.json()["errors"]
        return stream.response.status_code, error["extensions"]["code"], stream.response


async def test_news_come_as_they_happen(follow, stock):
    async with follow(ids=[stock.id]) as stream:
        headers = stream.response.headers
        assert stream.response.status_code == 200
        assert headers["content-type"] == "text/event-stream; charset=utf-8"
        assert headers["transfer-encoding"] == "chunked"
        assert headers["cache-control"] == "no-store"
        assert headers["x-accel-buffering"] == "no"
        assert "accept" in headers["vary"]
        assert headers["x-request-id"]
        for on_hand in (9, 7, 8):
            await stock.set(on_hand)
            assert await stream.quantity() == on_hand


async def test_a_lost_stream_goes_on_after_the_last_event(follow, stock):
    async with follow(ids=[stock.id]) as stream:
        await stock.set(9)
        assert await stream.quantity() == 9
        last = stream.reader.last_id
    for on_hand in (8, 7, 6):
        await stock.set(on_hand)
    async with follow(ids=[stock.id], headers={"Last-Event-ID": last}) as stream:
        sequences = []
        for _ in range(3):
            # The object is read as it is now; what has happened is in the sequence.
            assert await stream.quantity() == 6
            sequences.append(int(stream.reader.last_id))
        assert sequences == sorted({*sequences, int(last)})[1:]
        await stock.set(5)
        assert await stream.quantity() == 5


async def test_a_stream_that_was_lost_before_its_first_event_misses_none(follow, stock):
    async with follow(ids=[stock.id]) as stream:
        await stream.opened()
        first = stream.reader.last_id
    await stock.set(4)
    async with follow(ids=[stock.id], headers={"Last-Event-ID": first}) as stream:
        assert await stream.quantity() == 4
        assert int(stream.reader.last_id) > int(first)


async def test_the_header_wins_over_the_argument(follow, stock):
    for on_hand in (9, 8):
        await stock.set(on_hand)
    async with follow(ids=[stock.id], after="0") as stream:
        sequences = [(await stream.event()).id for _ in range(2)]
    async with follow(ids=[stock.id], after="0", headers={"Last-Event-ID": sequences[0]}) as stream:
        assert (await stream.event()).id == sequences[1]
    async with follow(ids=[stock.id], after="0", headers={"Last-Event-ID": ""}) as stream:
        assert (await stream.event()).id == sequences[0]


async def test_a_document_without_the_argument_is_taken_up_too(follow, stock):
    await stock.set(9)
    async with follow(PLAIN, headers={"Last-Event-ID": "0"}) as stream:
        assert await stream.quantity() == 9


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_get_serves_subscriptions_with_the_preflight_header(follow, stock, method):
    async with follow(PLAIN, method=method, headers=PREFLIGHT) as stream:
        await stock.set(3)
        assert await stream.quantity() == 3


async def test_get_of_a_kept_document_is_what_a_browser_can_open_by_itself(live, shop, stock):
    query = PLAIN.replace("subscription", "subscription Kept")
    sha256 = hashlib.sha256(query.encode()).hexdigest()
    headers = {"Accept": EVENTS, "Galleria-Shop": shop.slug}
    async with httpx.AsyncClient(base_url=live.url, timeout=PATIENCE_SECONDS) as client:
        body = {"query": query, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256}}}
        async with client.stream("POST", "/graphql", json=body, headers=headers) as first:
            assert first.status_code == 200
        params = {"documentId": f"sha256:{sha256}"}
        async with client.stream("GET", "/graphql", params=params, headers=headers) as response:
            await stock.set(2)
            assert await Following(response).quantity() == 2


async def test_get_without_either_is_refused(follow):
    status, code, _ = await refusal(follow, "subscription { stockChanged { __typename } }", method="GET")
    assert (status, code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("accept", ["application/json, text/event-stream", f"application/json;q=0.9, {EVENTS};q=0.1"])
async def test_who_accepts_json_too_gets_a_stream_for_a_subscription_alone(follow, stock, accept):
    async with follow(headers={"Accept": accept}, ids=[stock.id]) as stream:
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        await stock.set(1)
        assert await stream.quantity() == 1
    async with follow("{ shop { name } }", headers={"Accept": accept}) as stream:
        assert stream.response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/*, */*"])
async def test_who_names_no_stream_is_told_how_to_get_one(follow, accept):
    async with follow(headers={"Accept": accept}) as stream:
        await stream.response.aread()
        [error] = stream.response.json()["errors"]
        assert error["message"].endswith("accept text/event-stream.")


@pytest.mark.parametrize("garbage", ["x", "-1", "1.5", "7, 8", "9" * 19, "9" * 5_000, "null", "0x10"])
async def test_an_id_that_is_none_is_refused(follow, stock, garbage):
    status, code, response = await refusal(follow, ids=[stock.id], headers={"Last-Event-ID": garbage})
    assert (status, code) == (400, "BAD_REQUEST")
    assert response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("ahead", [1, 10**6, 10**17])
async def test_an_id_from_the_future_is_refused(follow, stock, ahead):
    async with follow(ids=[stock.id]) as stream:
        await stock.set(9)
        await stream.quantity()
        last = int(stream.reader.last_id)
    status, code, response = await refusal(follow, ids=[stock.id], headers={"Last-Event-ID": str(last + ahead)})
    assert (status, code) == (400, "BAD_USER_INPUT")
    assert response.json()["errors"][0]["extensions"]["latestSequence"] == str(last)


async def test_an_id_of_another_shop_brings_nothing_of_that_shop(follow, api, database, stock):
    other = await factories.shop(database)
    foreign = await stocked(database, api.of(other))
    for on_hand in range(5):
        await foreign.set(on_hand)
    async with follow(ids=[foreign.id], headers={"Galleria-Shop": other.slug}, after="0") as stream:
        sequences = [(await stream.event()).id for _ in range(5)]
    status, code, _ = await refusal(follow, ids=[stock.id], headers={"Last-Event-ID": sequences[-1]})
    assert (status, code) == (400, "BAD_USER_INPUT")
    async with follow(ids=[foreign.id, stock.id], headers={"Last-Event-ID": "0"}) as stream:
        await foreign.set(9)
        await stock.set(8)
        event = await stream.event()
        assert event.data["data"]["news"]["variantId"] == stock.id


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Authorization": "Bearer nonsense"}, 401, "UNAUTHENTICATED"),
        ({"Galleria-Shop": "nowhere"}, 404, "SHOP_NOT_FOUND"),
    ],
)
async def test_who_is_not_served_gets_a_status(follow, headers, status, code):
    assert (await refusal(follow, headers=headers))[:2] == (status, code)


@pytest.mark.parametrize(("role", "status", "code"), [(None, 401, "UNAUTHENTICATED"), ("customer", 403, "FORBIDDEN")])
async def test_what_is_for_staff_is_refused_to_others(follow, api, role, status, code):
    headers = {} if role is None else {"Authorization": f"Bearer {api.token(role)}"}
    found = await refusal(follow, "subscription { events { __typename } }", headers=headers)
    assert found[:2] == (status, code)


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("subscription { nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", {}, "GRAPHQL_PARSE_FAILED"),
        ("subscription { stockChanged { __typename } priceChanged { __typename } }", {}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_a_document_that_is_wrong_is_a_result(follow, query, variables, code):
    async with follow(query, **variables) as stream:
        assert stream.response.status_code == 200
        result, end = await stream.rest()
    assert [error["extensions"]["code"] for error in result.data["errors"]] == [code]
    assert (end.name, end.data) == ("complete", None)


@pytest.mark.parametrize("after", ["x", -1, "1.5", {"a": 1}])
async def test_an_argument_that_is_wrong_is_refused(follow, after):
    status, code, _ = await refusal(follow, after=after)
    assert (status, code) == (400, "BAD_USER_INPUT")


async def test_a_dry_run_opens_nothing(follow, live):
    async with follow(headers={"Galleria-Cost-Dry-Run": "1"}) as stream:
        result, end = await stream.rest()
    assert result.data["extensions"]["cost"]["requestedQueryCost"] > 0
    assert end.name == "complete"
    assert live.sample("galleria_streams") == 0


async def test_a_spent_budget_refuses_and_later_ends_a_stream(follow, settings, stock):
    poor = dataclasses.replace(settings, budgets=budgets("shopper=40/1"), redis_url=None)
    async with endpoint(poor) as live:
        async with follow(url=live.url, ids=[stock.id]) as stream:
            for on_hand in range(60):
                await stock.set(on_hand + 20)
            *_, last = await stream.rest()
        assert last.name == "next"
        assert last.data["errors"][0]["extensions"]["code"] == "THROTTLED"
        # Time enough for the points of the next opening, and of some events.
        assert stream.reader.retry_ms == last.data["errors"][0]["extensions"]["retryAfterMs"] >= 30_000
        assert stream.reader.last_id == last.data["errors"][0]["extensions"]["sequence"]
        status, code, response = await refusal(follow, url=live.url, ids=[stock.id])
    assert (status, code) == (429, "THROTTLED")
    assert int(response.headers["retry-after"]) > 0
