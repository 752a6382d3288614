"""Queries and mutations over sockets, and who asks them."""

import asyncio
import hashlib

import httpx

from tests.api.live.sockets import ACK, SHOP_NAME, refused, socket

CREATE = 'mutation { categoryCreate(input: {name: "Lamps"}) { category { name } userErrors { code } } }'


async def test_query_is_answered_and_completed(base_url, api):
    async with socket(base_url, introduce=api.shop) as client:
        answer = await client.ask("1", SHOP_NAME)
        assert answer["data"] == {"shop": {"name": api.shop.name}}
        assert answer["extensions"]["cost"]["actualQueryCost"] == 1


async def test_payload_of_init_may_be_left_out_or_null(base_url):
    for message in ({"type": "connection_init"}, {"type": "connection_init", "payload": None}):
        async with socket(base_url, additional_headers={"Galleria-Shop": "nobody"}) as client:
            await client.send(message)
            assert (await client.closed())[0] == 4403


async def test_shop_is_named_by_header_of_the_handshake(base_url, api):
    for payload in ({}, {"payload": None}):
        async with socket(base_url, additional_headers={"Galleria-Shop": api.shop.slug}) as client:
            await client.send({"type": "connection_init", **payload})
            assert await client.receive() == ACK
            assert (await client.ask("1", SHOP_NAME))["data"] == {"shop": {"name": api.shop.name}}


async def test_mutation_runs_as_whoever_the_token_names(base_url, api):
    bearer = f"Bearer {api.token('owner')}"
    for payload in ({"authorization": bearer}, {"Authorization": bearer}, {"headers": {"authorization": bearer}}):
        async with socket(base_url) as client:
            await client.introduce(**payload)
            assert (await client.ask("1", CREATE))["data"]["categoryCreate"]["userErrors"] == []
    async with socket(base_url, additional_headers={"Authorization": bearer}) as client:
        await client.introduce()
        assert (await client.ask("1", CREATE))["data"]["categoryCreate"]["category"] == {"name": "Lamps"}


async def test_mutation_of_a_shopper_is_refused_and_others_live_on(base_url, api):
    async with socket(base_url, introduce=api.shop) as client:
        answer = await client.ask("1", CREATE)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
        assert (await client.ask("2", SHOP_NAME))["data"]


async def test_document_that_is_wrong_ends_its_operation_alone(base_url, api):
    async with socket(base_url, introduce=api.shop) as client:
        for query, code in (
            ("{", "GRAPHQL_PARSE_FAILED"),
            ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
            ("query($a: Int!) { products(first: $a) { totalCount } }", "BAD_USER_INPUT"),
        ):
            await client.subscribe("same", query)
            assert refused(await client.receive(), code)
        assert (await client.ask("same", SHOP_NAME))["data"]


async def test_operations_run_at_the_same_time(base_url, api):
    async with socket(base_url, introduce=api.shop) as client:
        for number in range(20):
            await client.subscribe(str(number), SHOP_NAME)
        received = [await client.receive() for _ in range(40)]
        assert {message["id"] for message in received if message["type"] == "complete"} == {*map(str, range(20))}


async def test_pings_are_answered_with_their_payload_also_before_init(base_url, api):
    async with socket(base_url) as client:
        await client.send({"type": "ping", "payload": {"at": 1}})
        assert await client.receive() == {"type": "pong", "payload": {"at": 1}}
        await client.send({"type": "pong"})
        await client.introduce(**{"galleria-shop": api.shop.slug})
        await client.send({"type": "ping"})
        assert await client.receive() == {"type": "pong"}


async def test_persisted_documents_are_kept_and_found(base_url, api):
    digest = hashlib.sha256(SHOP_NAME.encode()).hexdigest()
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
    async with socket(base_url, introduce=api.shop) as client:
        await client.send({"type": "subscribe", "id": "1", "payload": {"extensions": persisted}})
        assert refused(await client.receive(), "PERSISTED_QUERY_NOT_FOUND")
        assert (await client.ask("1", SHOP_NAME, extensions=persisted))["data"]
        await client.send({"type": "subscribe", "id": "1", "payload": {"documentId": f"sha256:{digest}"}})
        assert (await client.receive())["payload"]["data"]


async def test_extensions_ask_for_the_price(base_url, api):
    async with socket(base_url, introduce=api.shop) as client:
        explained = await client.ask("1", SHOP_NAME, extensions={"headers": {"Galleria-Cost-Debug": "1"}})
        assert explained["extensions"]["cost"]["fields"]
        priced = await client.ask("1", SHOP_NAME, extensions={"headers": {"galleria-cost-dry-run": "1"}})
        assert "data" not in priced
        assert priced["extensions"]["cost"]["requestedQueryCost"] == 1


async def test_completed_operation_says_no_more_and_frees_its_id(base_url, api):
    async with socket(base_url, introduce=api.shop) as client:
        await client.subscribe("1", SHOP_NAME)
        await client.send({"type": "complete", "id": "1"})
        await client.send({"type": "complete", "id": "unknown"})
        answer = await client.ask("1", "{ __typename }")
        assert answer["data"] == {"__typename": "Query"}


async def test_each_operation_leaves_a_line_and_metrics(base_url, api, capfd):
    name = f"Name{api.shop.id.hex}"
    async with httpx.AsyncClient(base_url=base_url) as http, socket(base_url, introduce=api.shop) as client:
        await client.ask("1", f"query {name} {SHOP_NAME}")
        metrics = (await http.get("/metrics")).text
    assert 'galleria_requests_total{code="none",operation="query",status="200"}' in metrics
    assert "galleria_sockets_open 1" in metrics.replace(".0", "")
    await asyncio.sleep(0)
    lines = [line for line in capfd.readouterr().out.splitlines() if name in line]
    assert len(lines) == 1
    assert "route='/graphql (socket)'" in lines[0] or '"route":"/graphql (socket)"' in lines[0]
