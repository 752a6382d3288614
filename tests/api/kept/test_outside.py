"""What caches outside may keep of kept answers, and for how long."""

import hashlib

from tests.api.caching import NAMES, process, until
from tests.api.isolation import MUTATIONS as ARGUMENTS
from tests.api.mutating import operation


async def persisted(process, made, query, **headers):
    """Send a query by GET as a client with persisted documents does."""
    sha256 = hashlib.sha256(query.encode()).hexdigest()
    extensions = f'{{"persistedQuery":{{"version":1,"sha256Hash":"{sha256}"}}}}'
    headers = {"Galleria-Shop": made.shop.slug, **headers}
    parameters = {"extensions": extensions}
    answer = await process.client.get("/graphql", params=parameters, headers=headers)
    if "PERSISTED_QUERY_NOT_FOUND" in answer.text:
        asking = {**headers, "GraphQL-Require-Preflight": "1"}
        await process.client.get("/graphql", params={**parameters, "query": query}, headers=asking)
        answer = await process.client.get("/graphql", params=parameters, headers=headers)
    return answer


async def test_a_persisted_query_by_get_may_be_kept_outside(writer, made):
    answer = await persisted(writer, made, NAMES)
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["age"] == "0"
    assert answer.headers["vary"] == "accept, authorization, galleria-shop"
    assert answer.json().keys() == {"data"}
    same = await persisted(writer, made, NAMES, **{"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == answer.headers["etag"]
    assert same.headers["cache-control"].startswith("public, max-age=6")


async def test_a_change_gives_another_tag(writer, made):
    tag = (await persisted(writer, made, NAMES)).headers["etag"]
    arguments = ARGUMENTS["productUpdate"](made)
    await writer.of(made)(operation("productUpdate", "__typename", arguments), arguments, role="owner")
    answer = await persisted(writer, made, NAMES, **{"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


async def test_what_lasts_less_may_be_kept_outside_for_less(settings, made):
    async with process(settings, http_max_age_seconds=3_600) as generous:
        short = await persisted(generous, made, "{ products(first: 1) { nodes { availability { quantity } } } }")
        long = await persisted(generous, made, NAMES)
    assert 54 <= int(short.headers["cache-control"].removeprefix("public, max-age=")) <= 60
    assert 3_240 <= int(long.headers["cache-control"].removeprefix("public, max-age=")) <= 3_600


async def test_what_somebody_signed_in_gets_is_kept_by_nobody_outside(writer, made):
    token = writer.of(made).token("customer")
    answer = await persisted(writer, made, NAMES, Authorization=f"Bearer {token}")
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "age" not in answer.headers


async def test_a_query_text_by_get_is_kept_by_nobody_outside(writer, made):
    headers = {"Galleria-Shop": made.shop.slug, "GraphQL-Require-Preflight": "1"}
    answer = await writer.client.get("/graphql", params={"query": NAMES}, headers=headers)
    assert answer.headers["cache-control"] == "private, no-cache"


async def test_an_answer_by_post_is_kept_by_nobody_outside(writer, made):
    answer = await writer.of(made)(NAMES)
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


async def test_the_age_grows(settings, made):
    async with process(settings) as single:
        await persisted(single, made, NAMES)

        async def is_older():
            return int((await persisted(single, made, NAMES)).headers["age"]) >= 1

        await until(is_older)
        answer = await persisted(single, made, NAMES)
    assert answer.headers["cache-control"] == f"public, max-age={60 + int(answer.headers['age'])}"
