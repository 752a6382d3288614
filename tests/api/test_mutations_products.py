"""Products, variants, prices, media and stock: what is written shows at once, also in listings."""

from tests import factories
from tests.api.mutating import done, id_of, listed, refusals, unchanged, write


async def test_a_product_with_everything_is_made_in_full(api, database, shop):
    kind = await factories.product_type(database, shop, name="Clothes")
    category = await factories.category(database, shop, name="Shirts")
    shown = """product {
      slug name description status vendor tags seoTitle seoDescription externalRef version ratingCount
      productType { name } category { name } priceRange { minimum { amount } } availability { isAvailable } }"""

    made = await done(
        api,
        "productCreate",
        shown,
        role="catalogue",
        input={
            "name": "  Überhemd №1 ",
            "description": "<p>Soft</p>",
            "status": "ACTIVE",
            "vendor": "Acme",
            "tags": ["a", "b", "a"],
            "seoTitle": "Title",
            "seoDescription": "Words",
            "externalRef": "R1",
            "productTypeId": id_of(kind),
            "categoryId": id_of(category),
        },
    )

    assert made == {
        "slug": "uberhemd-no1",
        "name": "  Überhemd №1 ",
        "description": "<p>Soft</p>",
        "status": "ACTIVE",
        "vendor": "Acme",
        "tags": ["a", "b"],
        "seoTitle": "Title",
        "seoDescription": "Words",
        "externalRef": "R1",
        "version": 1,
        "ratingCount": 0,
        "productType": {"name": "Clothes"},
        "category": {"name": "Shirts"},
        "priceRange": None,
        "availability": None,
    }


async def test_a_product_is_for_sale_once_it_has_a_price(api):
    product = await done(api, "productCreate", "product { id slug }", input={"name": "Shirt", "status": "ACTIVE"})
    variant = await done(
        api,
        "variantCreate",
        "variant { id sku name position weightG trackInventory version product { slug } price { amount } }",
        input={"productId": product["id"], "sku": "S-1", "weightG": 200, "trackInventory": False},
    )
    channel = (await api("{ channels { id } }")).data["channels"][0]["id"]
    assert await listed(api) == []

    listing = await done(
        api,
        "listingCreate",
        """listing { price { amount amountMinor currency } compareAtPrice { amount } cost { amount }
            isPublished version }""",
        input={
            "channelId": channel,
            "variantId": variant["id"],
            "price": "1,234.50",
            "compareAtPrice": "1000",
            "cost": "0.00",
        },
    )

    assert variant == {
        "id": variant["id"],
        "sku": "S-1",
        "name": "",
        "position": 0,
        "weightG": 200,
        "trackInventory": False,
        "version": 1,
        "product": {"slug": "shirt"},
        "price": None,
    }
    assert listing == {
        "price": {"amount": "1234.50", "amountMinor": "123450", "currency": "USD"},
        "compareAtPrice": {"amount": "1000.00"},
        "cost": {"amount": "0.00"},
        "isPublished": True,
        "version": 1,
    }
    assert await listed(api) == ["shirt"]
    again = await api('query { variant(sku: "S-1") { price { amount } availability { isAvailable quantity } } }')
    assert again.data["variant"] == {
        "price": {"amount": "1234.50"},
        "availability": {"isAvailable": True, "quantity": None},
    }


async def _two(database, shop):
    """A cheap product and a dear one, with the listing of each."""
    made = []
    for slug, price in (("cheap", 1_000), ("dear", 2_000)):
        product = await factories.product(database, shop, slug=slug)
        variant = await factories.variant(database, shop, product)
        made.append((product, variant, await factories.listing(database, shop, variant, price_minor=price)))
    return made


async def test_a_price_moves_a_product_in_the_listing(api, database, shop):
    [_, (_, _, dear)] = await _two(database, shop)
    assert await listed(api) == ["cheap", "dear"]

    shown = "listing { price { amount } version }"
    changed = await done(api, "listingUpdate", shown, id=id_of(dear), input={"price": "0.50"}, expectedVersion=1)

    assert changed == {"price": {"amount": "0.50"}, "version": 2}
    assert await listed(api) == ["dear", "cheap"]
    assert await listed(api, filter={"price": {"maximum": "0.50"}}) == ["dear"]


async def test_what_is_not_published_or_not_yet_is_not_found(api, database, shop):
    [(_, _, cheap), (_, _, dear)] = await _two(database, shop)

    await done(api, "listingUpdate", id=id_of(cheap), input={"isPublished": False}, expectedVersion=1)
    hidden = await listed(api)
    await done(api, "listingUpdate", id=id_of(dear), input={"availableFrom": "2999-01-01T00:00:00Z"}, expectedVersion=1)
    scheduled = await listed(api)
    await done(api, "listingUpdate", id=id_of(cheap), input={"isPublished": True}, expectedVersion=2)
    await done(api, "listingUpdate", id=id_of(dear), input={"availableFrom": None}, expectedVersion=2)

    assert (hidden, scheduled) == (["dear"], [])
    assert await listed(api) == ["cheap", "dear"]


async def test_a_deleted_price_ends_the_sale(api, database, shop):
    [(_, _, cheap), (_, _, dear)] = await _two(database, shop)

    assert await done(api, "listingDelete", "deletedId", id=id_of(cheap), expectedVersion=1) == id_of(cheap)
    one = await listed(api)
    bulk = await write(api, "listingBulkDelete", "deletedId", ids=[id_of(dear)])

    assert one == ["dear"]
    assert bulk == {"applied": 1, "results": [{"deletedId": id_of(dear), "userErrors": []}]}
    assert await listed(api) == []


async def test_status_decides_what_is_found(api, database, shop):
    [(cheap, _, _), _] = await _two(database, shop)
    by_id = "query ($id: ID!) { product(id: $id) { slug } }"

    archived = await done(api, "productArchive", "product { status version }", id=id_of(cheap), expectedVersion=1)
    found = await listed(api), (await api(by_id, {"id": id_of(cheap)})).data["product"]
    for status in ("DRAFT", "ACTIVE"):
        await done(api, "productUpdate", id=id_of(cheap), input={"status": status})

    assert archived == {"status": "ARCHIVED", "version": 2}
    assert found == (["dear"], None)
    assert await listed(api) == ["cheap", "dear"]


async def test_a_deleted_product_goes_with_its_variants_and_comes_back(api, database, shop):
    [(cheap, variant, _), _] = await _two(database, shop)
    lost = await factories.variant(database, shop, cheap, sku="LOST")
    await done(api, "variantDelete", id=id_of(lost))
    by_sku = "query ($sku: String!) { variant(sku: $sku) { version product { slug } } }"

    assert await done(api, "productDelete", "deletedId", id=id_of(cheap), expectedVersion=1) == id_of(cheap)
    gone = await listed(api), (await api(by_sku, {"sku": variant.sku}, role="owner")).data["variant"]
    restored = await done(api, "productRestore", "product { slug version variants { sku } }", id=id_of(cheap))

    assert gone == (["dear"], None)
    assert restored == {"slug": "cheap", "version": 3, "variants": [{"sku": variant.sku}]}
    assert await listed(api) == ["cheap", "dear"]
    assert (await api(by_sku, {"sku": variant.sku})).data["variant"] == {"version": 3, "product": {"slug": "cheap"}}


async def test_what_a_deleted_product_had_is_free_and_then_missed(api, database, shop):
    [(cheap, variant, _), (dear, _, _)] = await _two(database, shop)
    await done(api, "productDelete", id=id_of(cheap))
    taken = {"productId": id_of(dear), "sku": variant.sku}
    other = await done(api, "variantCreate", "variant { id }", input=taken)

    async with unchanged(database, shop):
        refused = await write(api, "productRestore", "product { id }", id=id_of(cheap))
    await done(api, "variantUpdate", id=other["id"], input={"sku": None})

    assert refused["product"] is None
    [error] = refused["userErrors"]
    assert (error["code"], error["path"], error["field"]) == ("DUPLICATE", ["id"], "sku")
    await done(api, "productRestore", id=id_of(cheap))


async def test_a_variant_comes_back(api, database, shop):
    product, variant = await factories.sellable(database, shop)

    await done(api, "variantDelete", id=id_of(variant), expectedVersion=1)
    gone = await listed(api)
    restored = await done(api, "variantRestore", "variant { sku version price { amount } }", id=id_of(variant))

    assert gone == []
    assert restored == {"sku": variant.sku, "version": 3, "price": {"amount": "10.00"}}
    assert await listed(api) == [product.slug]


async def test_what_is_as_wanted_makes_no_new_version(api, database, shop):
    [(cheap, variant, listing), _] = await _two(database, shop)

    async with unchanged(database, shop):
        await done(api, "productUpdate", id=id_of(cheap), input={})
        await done(api, "productUpdate", id=id_of(cheap), input={"slug": "cheap", "tags": []})
        await done(api, "variantUpdate", id=id_of(variant), input={"sku": variant.sku, "weightG": None})
        await done(api, "listingUpdate", id=id_of(listing), input={"price": "10.0"}, expectedVersion=1)
        await done(api, "productRestore", id=id_of(cheap))
        assert await refusals(api, "productUpdate", id=id_of(cheap), input={}, expectedVersion=2)


async def test_null_empties(api, database, shop):
    product = await factories.product(
        database, shop, description="Words", vendor="Acme", tags=["a"], seo_title="T", external_ref="R"
    )
    emptied = dict.fromkeys(("description", "vendor", "tags", "seoTitle", "externalRef"))

    changed = await done(
        api,
        "productUpdate",
        "product { description vendor tags seoTitle externalRef }",
        id=id_of(product),
        input=emptied,
    )

    assert changed == {"description": "", "vendor": None, "tags": [], "seoTitle": None, "externalRef": None}


async def test_variants_and_media_are_put_in_order(api, database, shop):
    product = await factories.product(database, shop)
    variants = [await done(api, "variantCreate", "variant { id }", input={"productId": id_of(product)}) for _ in "abc"]
    first = await done(
        api,
        "mediaCreate",
        "media { id kind url alt position }",
        input={
            "productId": id_of(product),
            "variantId": variants[0]["id"],
            "url": "https://images.example/1.mp4",
            "kind": "VIDEO",
            "alt": "Turning",
        },
    )
    second = await done(api, "mediaCreate", "media { id position }", input={"productId": id_of(product), "url": "/2"})
    a, b, c = (each["id"] for each in variants)
    shown = "product { variants { id position media { id } } media { id } }"

    by_variant = await done(api, "variantReorder", shown, id=id_of(product), ids=[c, a])
    by_media = await done(api, "mediaReorder", shown, id=id_of(product), ids=[second["id"]])

    assert first == {
        "id": first["id"],
        "kind": "VIDEO",
        "url": "https://images.example/1.mp4",
        "alt": "Turning",
        "position": 0,
    }
    assert second["position"] == 1
    assert [(each["id"], each["position"]) for each in by_variant["variants"]] == [(c, 0), (a, 1), (b, 2)]
    assert [each["media"] for each in by_variant["variants"]] == [[], [{"id": first["id"]}], []]
    assert by_media["media"] == [{"id": second["id"]}, {"id": first["id"]}]
    changed = await done(api, "mediaUpdate", "media { alt }", id=first["id"], input={"alt": None, "variantId": None})
    assert changed == {"alt": ""}
    assert await done(api, "mediaDelete", "deletedId", id=first["id"]) == first["id"]
    left = await api("query ($id: ID!) { product(id: $id) { media { id } } }", {"id": id_of(product)}, role="owner")
    assert left.data["product"] == {"media": [{"id": second["id"]}]}


async def test_related_products_are_replaced_kind_by_kind(api, database, shop):
    own, a, b = [await factories.product(database, shop, slug=slug) for slug in ("own", "a", "b")]
    shown = "product { related { slug } upsell: related(kind: UPSELL) { slug } }"

    first = await done(api, "relatedProductsSet", shown, id=id_of(own), productIds=[id_of(b), id_of(a), id_of(b)])
    await done(api, "relatedProductsSet", shown, id=id_of(own), productIds=[id_of(a)], kind="UPSELL")
    last = await done(api, "relatedProductsSet", shown, id=id_of(own), productIds=[])

    assert first == {"related": [{"slug": "b"}, {"slug": "a"}], "upsell": []}
    assert last == {"related": [], "upsell": [{"slug": "a"}]}
