"""What concerns the shop alone is told to its staff, and to nobody else, whoever changes it through the API."""

import contextlib

import httpx
import pytest

from tests import factories
from tests.api.live.streams import EVENTS, PATIENCE_SECONDS, Following
from tests.api.mutating import done, id_of
from tests.resolvers.feeding import number

PRODUCT = "subscription { productChanged { ... on ProductChanged { sequence type productId } } }"


@contextlib.asynccontextmanager
async def following(url, **headers):
    """Follow by a stream, from when it has begun to answer."""
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as client,
        client.stream("POST", "/graphql", json={"query": PRODUCT}, headers={"Accept": EVENTS} | headers) as response,
    ):
        yield Following(response)


async def types(stream, count):
    """Return the types of the next events."""
    return [(await stream.event()).data["data"]["productChanged"]["type"] for _ in range(count)]


@pytest.fixture
async def sold(api, database):
    """A product on sale, its variant, and the listing of that."""
    product, variant = await factories.sellable(database, api.shop)
    await number(database, api.shop)
    query = "query($id: ID!) { variant(id: $id) { version product { version } listings { id version } } }"
    found = (await api(query, {"id": id_of(variant)}, role="owner")).data["variant"]
    return product, variant, found


async def test_a_purchase_price_and_a_reference_are_for_staff(base_url, api, sold):
    product, variant, found = sold
    [listing] = found["listings"]
    shopper = {"galleria-shop": api.shop.slug}
    staff = {"authorization": f"Bearer {api.token('owner')}"}
    async with following(base_url, **shopper) as heard, following(base_url, **staff) as heard_by_staff:
        version = {"expectedVersion": listing["version"]}
        await done(api, "listingUpdate", id=listing["id"], input={"cost": "1.23"}, **version)
        version = {"expectedVersion": found["version"]}
        await done(api, "variantUpdate", id=id_of(variant), input={"externalRef": "erp-7"}, **version)
        version = {"expectedVersion": found["product"]["version"]}
        changed = await done(
            api, "productUpdate", "product { version }", id=id_of(product), input={"externalRef": "erp-8"}, **version
        )
        version = {"expectedVersion": changed["version"]}
        await done(api, "productUpdate", id=id_of(product), input={"name": "Heard"}, **version)
        told = await types(heard_by_staff, 4)
        [first] = await types(heard, 1)
        assert heard.reader.last_id == heard_by_staff.reader.last_id
    assert told == ["VARIANT_UPDATED", "VARIANT_UPDATED", "PRODUCT_UPDATED", "PRODUCT_UPDATED"]
    assert first == "PRODUCT_UPDATED"
