"""What the demo shops hold."""
# ruff: noqa: S608  (the tests put their statements together themselves)

from datetime import timedelta
from xml.etree import ElementTree  # noqa: ICN001  (one word less to know)

import httpx
import pytest
from sqlalchemy import delete, text
from starlette.applications import Starlette

from models.listings import ProductListing
from models.shops import shop_by_slug
from resolvers.derived import refresh
from server.demo.designs import design, variant_count
from server.demo.identities import REFERENCE
from server.demo.media import media_route
from server.demo.profiles import PROFILES, SIZES, SMALLEST_SHOP, Size, products_in
from tests.server.demo.reading import SLUGS, fingerprint, query, value


async def test_currencies_have_two_no_and_three_decimals(demo):
    found = {
        slug: (await query(demo, slug, "SELECT currency FROM channel ORDER BY is_default DESC, slug")) for slug in SLUGS
    }
    assert {slug: [row.currency for row in rows] for slug, rows in found.items()} == {
        "demo": ["USD", "EUR"],
        "demo-jp": ["JPY", "JPY"],
        "demo-kw": ["KWD", "KWD"],
    }
    default = "SELECT l.price_minor FROM listing l JOIN channel c ON c.id = l.channel_id AND c.is_default"
    assert {row.price_minor % 100 for row in await query(demo, "demo", default)} == {90}
    assert {row.price_minor % 100 for row in await query(demo, "demo-jp", default)} == {80}
    assert {row.price_minor % 500 for row in await query(demo, "demo-kw", default)} == {450}


async def test_shops_overlap_in_names_and_never_in_ids(demo):
    products = {slug: await query(demo, slug, "SELECT id, slug, name FROM product ORDER BY slug") for slug in SLUGS}
    skus = {slug: await query(demo, slug, "SELECT sku FROM variant ORDER BY sku") for slug in SLUGS}
    assert len(products["demo"]) == SMALLEST_SHOP
    assert len(skus["demo"]) == 3 * SMALLEST_SHOP
    for other in ("demo-jp", "demo-kw"):
        assert [row.slug for row in products[other]] == [row.slug for row in products["demo"]]
        assert skus[other] == skus["demo"]
        assert not {row.id for row in products[other]} & {row.id for row in products["demo"]}
        assert not {row.name for row in products[other]} & {row.name for row in products["demo"]}


async def test_ids_sort_by_creation(demo):
    for table in ("product", "review"):
        ids = await query(demo, "demo", f"SELECT id FROM {table} ORDER BY id")
        assert ids == await query(demo, "demo", f"SELECT id FROM {table} ORDER BY created_at, id")
    assert await value(demo, "demo", "SELECT bool_and(substr(id::text, 15, 1) = '7') FROM variant")


@pytest.mark.parametrize("slug", SLUGS)
async def test_ratings_are_those_of_the_approved_reviews(demo, slug):
    wrong = await query(
        demo,
        slug,
        """
        SELECT p.slug FROM product p LEFT JOIN review r ON r.product_id = p.id AND r.status = 'APPROVED'
        GROUP BY p.shop_id, p.id
        HAVING p.rating_count <> count(r.id) OR p.rating_average IS DISTINCT FROM round(avg(r.rating), 2)
        """,
    )
    assert wrong == []
    statuses = await query(demo, slug, "SELECT DISTINCT status FROM review ORDER BY status")
    assert [row.status for row in statuses] == ["APPROVED", "PENDING", "REJECTED"]
    [[first, last]] = await query(demo, slug, "SELECT min(created_at), max(created_at) FROM review")
    assert first >= REFERENCE - timedelta(days=90)
    assert last < REFERENCE


@pytest.mark.parametrize("slug", SLUGS)
async def test_listings_and_rule_collections_are_what_is_derived_from_the_products(demo, slug):
    derived = ("product_listing", "collection_product")
    before = await fingerprint(demo, slug)
    [found] = await demo.fetch_platform(shop_by_slug, slug=slug)
    async with demo.of_tenant(found.id).write() as transaction:
        ids = (await transaction.execute(text("SELECT id FROM product"))).scalars()
        members = "collection_id IN (SELECT id FROM collection WHERE kind = 'RULE')"
        gone = await transaction.execute(text(f"DELETE FROM collection_product WHERE {members} RETURNING 1"))
        assert gone
        await transaction.execute(delete(ProductListing))
        await refresh(transaction, ids)
        await transaction.commit()
    after = await fingerprint(demo, slug)
    assert [after[table] for table in derived] == [before[table] for table in derived]
    assert before["product_listing"][0] == 2 * SMALLEST_SHOP


@pytest.mark.parametrize("slug", SLUGS)
async def test_translations_and_rules_lead_to_rows_that_are_there(demo, slug):
    for entity in ("product", "variant", "category", "collection", "attribute", "attribute_value", "product_type"):
        counts = f"""
            SELECT count(*), count(e.id) FROM translation t LEFT JOIN {entity} e ON e.id = t.entity_id
            WHERE t.entity = '{entity}'
        """
        [[translated, there]] = await query(demo, slug, counts)
        assert translated == there > 0, entity
    rules = "SELECT count(*) FROM collection JOIN category k ON k.id = (rule->>'category')::uuid"
    assert await value(demo, slug, rules) == 1


async def test_the_cases_that_shops_must_get_right_are_there(demo):
    cases = {
        "last unit": "SELECT count(*) FROM stock_level WHERE on_hand = 1 AND allocated + reserved + safety = 0",
        "sold out": "SELECT count(*) FROM stock_level WHERE on_hand = 0 AND backorder_limit = 0",
        "backorder": "SELECT count(*) FROM stock_level WHERE allocated > on_hand",
        "all held": "SELECT count(*) FROM stock_level WHERE on_hand > 0 AND allocated + reserved = on_hand",
        "not tracked": "SELECT count(*) FROM variant WHERE NOT track_inventory",
        "draft": "SELECT count(*) FROM product WHERE status = 'DRAFT'",
        "archived": "SELECT count(*) FROM product WHERE status = 'ARCHIVED'",
        "scheduled": "SELECT count(*) FROM product_listing WHERE available_from > now() AND is_visible",
        "in one channel": "SELECT count(*) FROM (SELECT variant_id FROM listing WHERE is_published GROUP BY 1"
        " HAVING count(*) = 1) x",
        "in none": "SELECT count(*) FROM (SELECT variant_id FROM listing GROUP BY 1"
        " HAVING NOT bool_or(is_published)) x",
        "reduced": "SELECT count(*) FROM listing WHERE compare_at_minor > price_minor AND cost_minor < price_minor",
        "unpublished collection": "SELECT count(*) FROM collection WHERE NOT is_published",
        "three levels": "SELECT count(*) FROM category WHERE length(path) = 3 * 33",
        "one relation of each kind": "SELECT count(*) FROM (SELECT product_id FROM product_relation GROUP BY 1"
        " HAVING count(DISTINCT kind) = 3) x",
    }
    missing = [case for case, statement in cases.items() if not await value(demo, "demo", statement)]
    assert missing == []


async def test_every_kind_of_attribute_value_is_there(demo):
    columns = ("value_id", "text_value", "number_value", "boolean_value", "date_value")
    counts = ", ".join(f"count({column})" for column in columns)
    [found] = await query(demo, "demo", f"SELECT {counts} FROM attribute_assignment")
    assert all(found)
    one = f"SELECT bool_and(num_nonnulls({', '.join(columns)}) = 1) FROM attribute_assignment"
    assert await value(demo, "demo", one)
    swatches = "SELECT count(*) FROM attribute_value v JOIN attribute a ON a.id = v.attribute_id AND a.kind = 'SWATCH'"
    assert await value(demo, "demo", swatches) == await value(
        demo, "demo", "SELECT count(*) FROM attribute_value WHERE color ~ '^#[0-9a-f]{6}$'"
    )


def test_the_largest_size_has_a_hundred_thousand_names_and_three_times_as_many_variants():
    assert [products_in(PROFILES[-1], size) for size in Size] == [60, 10_000, 100_000]
    assert [products_in(PROFILES[0], size) for size in Size] == [60, 60, 60]
    numbers = range(SIZES[Size.L])
    assert len({design(number).slug for number in numbers}) == 100_000
    assert sum(variant_count(number) for number in numbers) == 300_000


async def test_pictures_are_drawn_by_the_server(demo):
    urls = [row.url for row in await query(demo, "demo", "SELECT DISTINCT url FROM media")]
    transport = httpx.ASGITransport(Starlette(routes=[media_route()]))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
        for url in urls:
            answer = await client.get(url)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "image/svg+xml"
            assert answer.headers["x-content-type-options"] == "nosniff"
            color = url[-10:-4]
            assert f'fill="#{color}"' in answer.text
            ElementTree.fromstring(answer.content)  # noqa: S314  (drawn by us)
        for name in (
            "shirts.svg",
            "nothing-ffffff.svg",
            "shirts-FFFFFF.svg",
            "shirts-ffffff.svg.exe",
            "%3Cscript%3E",
            "x" * 99,
        ):
            answer = await client.get(f"/demo-media/{name}")
            assert (answer.status_code, answer.text) == (404, "There is no such picture.")
