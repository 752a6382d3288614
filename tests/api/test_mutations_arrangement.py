"""Categories and collections: what is written shows at once."""

from tests import factories
from tests.api.mutating import done, id_of, listed, write

CATEGORY = "category { id slug name position parent { name } ancestors { name } children { name } version }"


async def _category(api, name: str, **given):
    return await done(api, "categoryCreate", CATEGORY, input={"name": name, **given})


async def test_a_category_that_moves_takes_all_below_it_along(api, database, shop):
    clothes, shoes = await _category(api, "Clothes"), await _category(api, "Shoes")
    shirts = await _category(api, "Shirts", parentId=clothes["id"])
    blue = await _category(api, "Blue", parentId=shirts["id"], slug="blue-ones", description="D", seoTitle="S")
    await factories.sellable(database, shop, slug="shirt")
    product = (await api('{ product(slug: "shirt") { id } }')).data["product"]["id"]
    await done(api, "productUpdate", id=product, input={"categoryId": blue["id"]})
    rule = {"category": shoes["id"]}
    collection = await done(api, "collectionCreate", "collection { id }", input={"name": "Shoes", "rule": rule})
    before = [await listed(api, filter={"category": each["id"]}) for each in (clothes, shoes)]

    moved = await done(api, "categoryUpdate", CATEGORY, id=shirts["id"], input={"parentId": shoes["id"]})

    assert blue["ancestors"] == [{"name": "Clothes"}, {"name": "Shirts"}]
    assert (blue["slug"], blue["position"], blue["version"]) == ("blue-ones", 0, 1)
    assert before == [["shirt"], []]
    assert moved["ancestors"] == [{"name": "Shoes"}]
    assert [await listed(api, filter={"category": each["id"]}) for each in (clothes, shoes)] == [[], ["shirt"]]
    query = "query ($id: ID!) { category(id: $id) { ancestors { name } products { nodes { slug } } } }"
    below = {"ancestors": [{"name": "Shoes"}, {"name": "Shirts"}], "products": {"nodes": [{"slug": "shirt"}]}}
    assert (await api(query, {"id": blue["id"]})).data["category"] == below
    assert await listed(api, filter={"collection": collection["id"]}) == ["shirt"]
    top = await done(api, "categoryUpdate", CATEGORY, id=shirts["id"], input={"parentId": None})
    assert (top["parent"], top["ancestors"]) == (None, [])
    assert await listed(api, filter={"collection": collection["id"]}) == []


async def test_products_of_a_deleted_category_stay_without_one(api, database, shop):
    category = await _category(api, "Shirts")
    product, _ = await factories.sellable(database, shop, slug="shirt")
    await done(api, "productUpdate", id=id_of(product), input={"categoryId": category["id"]})
    rule = {"category": category["id"]}
    collection = await done(api, "collectionCreate", "collection { id }", input={"name": "Shirts", "rule": rule})
    filled = await listed(api, filter={"collection": collection["id"]})

    assert await done(api, "categoryDelete", "deletedId", id=category["id"], expectedVersion=1) == category["id"]

    assert filled == ["shirt"]
    assert await listed(api) == ["shirt"]
    assert await listed(api, filter={"collection": collection["id"]}) == []
    assert (await api('{ product(slug: "shirt") { category { id } } }')).data["product"] == {"category": None}


async def test_children_and_roots_are_put_in_order(api):
    top, other = await _category(api, "Top"), await _category(api, "Other")
    a, b, c = [(await _category(api, name, parentId=top["id"]))["id"] for name in "abc"]

    shown = await done(api, "categoryReorder", CATEGORY, id=top["id"], ids=[c, a])
    payload = await write(api, "categoryReorder", CATEGORY, ids=[other["id"]])

    assert [each["name"] for each in shown["children"]] == ["c", "a", "b"]
    assert payload == {"category": None, "userErrors": []}
    roots = (await api("{ categories { name } }")).data["categories"]
    assert [each["name"] for each in roots] == ["Other", "Top"]
    deleted = await write(api, "categoryBulkDelete", "deletedId", ids=[top["id"], b], errorPolicy="SKIP_FAILED")
    assert [each["deletedId"] for each in deleted["results"]] == [None, b]
    assert deleted["results"][0]["userErrors"][0]["code"] == "IN_USE"


async def test_a_collection_is_picked_by_hand_in_an_order(api, database, shop):
    a, b, c = [id_of((await factories.sellable(database, shop, slug=slug))[0]) for slug in "abc"]
    shown = "collection { kind isPublished version products { totalCount nodes { slug } } }"
    made = await done(api, "collectionCreate", "collection { id }", input={"name": "Best"})

    async def slugs(mutation: str, **arguments) -> list[str]:
        changed = await done(api, mutation, shown, id=made["id"], **arguments)
        assert (changed["kind"], changed["isPublished"]) == ("MANUAL", True)
        nodes = [each["slug"] for each in changed["products"]["nodes"]]
        assert changed["products"]["totalCount"] == len(nodes)
        return nodes

    assert await slugs("collectionProductsAdd", productIds=[b, a]) == ["b", "a"]
    assert await slugs("collectionProductsAdd", productIds=[c, b]) == ["b", "a", "c"]
    assert await slugs("collectionProductsReorder", ids=[c]) == ["c", "b", "a"]
    assert await slugs("collectionProductsRemove", productIds=[b]) == ["c", "a"]
    assert await slugs("collectionUpdate", input={"name": "Better"}) == ["c", "a"]
    hidden = await done(
        api, "collectionUpdate", "collection { isPublished }", id=made["id"], input={"isPublished": False}
    )
    assert hidden == {"isPublished": False}
    query = "query ($id: ID!) { collection(id: $id) { name } }"
    assert (await api(query, {"id": made["id"]})).data["collection"] is None
    assert await done(api, "collectionDelete", "deletedId", id=made["id"]) == made["id"]


async def test_a_rule_decides_again_whenever_a_product_changes(api, database, shop):
    product, variant = await factories.sellable(database, shop, slug="shirt", price_minor=5_000, tags=["new"])
    listing = await api(
        "query ($id: ID!) { variant(id: $id) { listings { id } } }", {"id": id_of(variant)}, role="owner"
    )
    listing_id = listing.data["variant"]["listings"][0]["id"]
    review = await factories.review(database, shop, product, rating=5, status="PENDING")
    rules = {
        "tags": {"tags": ["new"]},
        "vendor": {"vendor": "Acme"},
        "price": {"priceFromMinor": "1000", "priceToMinor": "2000"},
        "rating": {"ratingFrom": 4.5},
        "all": {},
    }
    made = {
        name: await done(api, "collectionCreate", "collection { id kind }", input={"name": name, "rule": rule})
        for name, rule in rules.items()
    }

    async def filled() -> set[str]:
        return {name for name, each in made.items() if await listed(api, filter={"collection": each["id"]})}

    assert {each["kind"] for each in made.values()} == {"RULE"}
    assert await filled() == {"tags", "all"}
    await done(api, "productUpdate", id=id_of(product), input={"vendor": "Acme", "tags": []})
    assert await filled() == {"vendor", "all"}
    await done(api, "listingUpdate", id=listing_id, input={"price": "15"}, expectedVersion=1)
    assert await filled() == {"vendor", "price", "all"}
    await done(api, "reviewModerate", id=id_of(review), status="APPROVED")
    assert await filled() == {"vendor", "price", "rating", "all"}
    await done(api, "collectionUpdate", id=made["vendor"]["id"], input={"rule": {"vendor": "Other"}})
    await done(api, "reviewDelete", id=id_of(review))
    assert await filled() == {"price", "all"}
    by_hand = await done(api, "collectionUpdate", "collection { kind }", id=made["all"]["id"], input={"rule": None})
    await done(api, "productDelete", id=id_of(product))
    await done(api, "productRestore", id=id_of(product))
    assert by_hand == {"kind": "MANUAL"}
    assert await filled() == {"price", "all"}


async def test_prices_of_rules_are_those_of_the_default_channel(api, database, shop):
    _, variant = await factories.sellable(database, shop, slug="shirt", price_minor=5_000)
    channel = await factories.channel(database, shop)
    await factories.listing(database, shop, variant, channel_id=channel.id, price_minor=1_500)
    rule = {"priceToMinor": "2000"}
    collection = await done(api, "collectionCreate", "collection { id }", input={"name": "Cheap", "rule": rule})
    before = await listed(api, filter={"collection": collection["id"]})

    await done(api, "channelUpdate", id=id_of(channel), input={"isDefault": True})

    assert before == []
    assert await listed(api, filter={"collection": collection["id"]}) == ["shirt"]
