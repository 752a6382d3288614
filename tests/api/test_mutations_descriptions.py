"""Attributes, reviews and translations: what is written shows at once."""

import pytest
from sqlalchemy import text

from tests import factories
from tests.api.mutating import done, id_of, listed, refusals, unchanged, write


async def test_attributes_of_each_kind_are_assigned_and_found(api, database, shop):
    product, variant = await factories.sellable(database, shop, slug="shirt")
    attributes = {}
    for kind in ("DROPDOWN", "MULTISELECT", "SWATCH", "REFERENCE", "NUMERIC", "BOOLEAN", "DATE", "TEXT"):
        shown = "attribute { id slug kind unit isFilterable isVariantSelection position version }"
        given = {"name": kind.title(), "kind": kind, "position": len(attributes), "unit": "cm"}
        attributes[kind] = await done(api, "attributeCreate", shown, input=given)
        assert attributes[kind] == {
            "id": attributes[kind]["id"],
            "slug": kind.lower(),
            "kind": kind,
            "unit": "cm",
            "isFilterable": True,
            "isVariantSelection": False,
            "position": len(attributes) - 1,
            "version": 1,
        }
    values = {
        kind: [
            await done(
                api,
                "attributeValueCreate",
                "attributeValue { id slug }",
                input={"attributeId": attributes[kind]["id"], "name": name, "color": "#ff0000"},
            )
            for name in ("Red", "Blue")
        ]
        for kind in ("DROPDOWN", "MULTISELECT", "SWATCH", "REFERENCE")
    }
    assert {each["slug"] for pair in values.values() for each in pair} == {"red", "blue"}
    given = [
        {"attributeId": attributes["DROPDOWN"]["id"], "valueIds": [values["DROPDOWN"][0]["id"]]},
        {"attributeId": attributes["MULTISELECT"]["id"], "valueIds": [each["id"] for each in values["MULTISELECT"]]},
        {"attributeId": attributes["SWATCH"]["id"], "valueIds": [values["SWATCH"][1]["id"]]},
        {"attributeId": attributes["REFERENCE"]["id"], "valueIds": [values["REFERENCE"][1]["id"]]},
        {"attributeId": attributes["NUMERIC"]["id"], "number": "12.50"},
        {"attributeId": attributes["BOOLEAN"]["id"], "boolean": False},
        {"attributeId": attributes["DATE"]["id"], "date": "2026-02-28"},
        {"attributeId": attributes["TEXT"]["id"], "text": "Wash cold"},
    ]
    shown = "product { attributes { attribute { kind } value { slug } number boolean date text } }"

    product_now = await done(api, "productAttributesSet", shown, id=id_of(product), attributes=given)
    shown = "variant { attributes { number } }"
    number = [{"attributeId": attributes["NUMERIC"]["id"], "number": "99"}]
    variant_now = await done(api, "variantAttributesSet", shown, id=id_of(variant), attributes=number)

    found = [{name: value for name, value in each.items() if value is not None} for each in product_now["attributes"]]
    assert {str(each) for each in found} == {
        str({"attribute": {"kind": kind}, **value})
        for kind, value in (
            ("DROPDOWN", {"value": {"slug": "red"}}),
            ("MULTISELECT", {"value": {"slug": "red"}}),
            ("MULTISELECT", {"value": {"slug": "blue"}}),
            ("SWATCH", {"value": {"slug": "blue"}}),
            ("REFERENCE", {"value": {"slug": "blue"}}),
            ("NUMERIC", {"number": "12.50"}),
            ("BOOLEAN", {"boolean": False}),
            ("DATE", {"date": "2026-02-28"}),
            ("TEXT", {"text": "Wash cold"}),
        )
    }
    assert variant_now == {"attributes": [{"number": "99"}]}
    for wanted, result in (
        ({"attribute": "multiselect", "values": ["blue"]}, ["shirt"]),
        ({"attribute": "dropdown", "values": ["blue"]}, []),
        ({"attribute": "numeric", "range": {"minimum": 99, "maximum": 99}}, ["shirt"]),
        ({"attribute": "boolean", "boolean": False}, ["shirt"]),
    ):
        assert await listed(api, filter={"attributes": [wanted]}) == result
    cleared = [{"attributeId": attributes["BOOLEAN"]["id"]}]
    await done(api, "productAttributesSet", id=id_of(product), attributes=cleared)
    assert await listed(api, filter={"attributes": [{"attribute": "boolean", "boolean": False}]}) == []


async def test_values_of_an_attribute_are_put_in_order_and_go_with_it(api, database, shop):
    attribute = await factories.attribute(database, shop, slug="colour")
    product, _ = await factories.sellable(database, shop)
    inputs = [{"attributeId": id_of(attribute), "name": name} for name in ("Red", "Red", "Blue")]
    shown = "attributeValue { id slug position }"

    made = await write(api, "attributeValueBulkCreate", shown, inputs=inputs)
    a, b, c = [each["attributeValue"] for each in made["results"]]
    ordered = await done(
        api, "attributeValueReorder", "attribute { values { slug } }", id=id_of(attribute), ids=[c["id"], a["id"]]
    )
    changed = await write(
        api, "attributeValueBulkUpdate", shown, changes=[{"id": b["id"], "input": {"slug": "crimson", "color": None}}]
    )
    assigned = [{"attributeId": id_of(attribute), "valueIds": [b["id"]]}]
    await done(api, "productAttributesSet", id=id_of(product), attributes=assigned)
    await done(api, "translationsSet", id=b["id"], locale="de", texts=[{"field": "name", "value": "Rot"}])
    kind = await done(api, "productTypeCreate", "productType { id slug version }", input={"name": "Shirt"})
    shown = "productType { attributes { slug } }"
    typed = await done(api, "productTypeAttributesSet", shown, id=kind["id"], attributeIds=[id_of(attribute)])

    assert [(each["slug"], each["position"]) for each in (a, b, c)] == [("red", 0), ("red-2", 1), ("blue", 2)]
    assert ordered == {"values": [{"slug": "blue"}, {"slug": "red"}, {"slug": "red-2"}]}
    assert changed["results"][0]["attributeValue"]["slug"] == "crimson"
    assert typed == {"attributes": [{"slug": "colour"}]}
    assert await done(api, "attributeValueDelete", "deletedId", id=a["id"]) == a["id"]
    assert await done(api, "attributeDelete", "deletedId", id=id_of(attribute), expectedVersion=1) == id_of(attribute)
    query = "query ($id: ID!) { product(id: $id) { attributes { text } } attributes { totalCount } }"
    assert (await api(query, {"id": id_of(product)})).data == {
        "product": {"attributes": []},
        "attributes": {"totalCount": 0},
    }
    assert await _translations(database, shop) == 0


async def _translations(database, shop) -> int:
    async with database.of_tenant(shop.id).write() as transaction:
        return (await transaction.execute(text("SELECT count(*) FROM translation"))).scalar_one()


async def test_reviews_show_once_approved_and_no_longer_when_rejected(api, database, shop):
    product, _ = await factories.sellable(database, shop, slug="shirt")
    await factories.sellable(database, shop, slug="other")
    shown = "review { id rating title body status author { name } }"
    given = {"productId": id_of(product), "rating": 4, "authorName": "Ada", "title": "Good", "body": "Fits."}
    query = """{
      product(slug: "shirt") { ratingAverage ratingCount reviews { totalCount nodes { title } } }
      products(sort: RATING) { nodes { slug } }
    }"""

    async def seen():
        data = (await api(query)).data
        shirt = data["product"]
        titles = [each["title"] for each in shirt["reviews"]["nodes"]]
        first = data["products"]["nodes"][0]["slug"]
        assert shirt["reviews"]["totalCount"] == len(titles) == shirt["ratingCount"]
        return shirt["ratingAverage"], titles, first

    review = await done(api, "reviewCreate", shown, role="customer", input=given)
    pending = await seen()
    async with unchanged(database, shop):
        twice = await refusals(api, "reviewCreate", role="customer", input=given)
    approved = await done(api, "reviewModerate", shown, role="catalogue", id=review["id"], status="APPROVED")
    shown_then = await seen()
    await write(api, "reviewBulkModerate", ids=[review["id"]], status="REJECTED")

    assert review == {
        "id": review["id"],
        "rating": 4,
        "title": "Good",
        "body": "Fits.",
        "status": "PENDING",
        "author": {"name": "Ada"},
    }
    assert pending == (None, [], "other")
    assert twice == [("DUPLICATE", "input.productId")]
    assert approved == {**review, "status": "APPROVED"}
    assert shown_then == (4.0, ["Good"], "shirt")
    assert await seen() == (None, [], "other")
    assert await done(api, "reviewDelete", "deletedId", id=review["id"]) == review["id"]


@pytest.mark.parametrize("type_name", ["category", "collection", "product_type"])
async def test_texts_are_translated_and_go_with_their_object(api, database, shop, type_name):
    row = await getattr(factories, type_name)(database, shop, name="Shirt")
    head = "".join(word.title() for word in type_name.split("_"))
    name = head[0].lower() + head[1:]
    query = f'query ($id: ID!) {{ nodes(ids: [$id], locale: "de-AT") {{ ... on {head} {{ name }} }} }}'

    async def name_now() -> str:
        return (await api(query, {"id": id_of(row)})).data["nodes"][0]["name"]

    async def translate(value: str | None):
        texts = [{"field": "name", "value": value}]
        shown = "translations { locale field value }"
        return await done(api, "translationsSet", shown, id=id_of(row), locale="de", texts=texts)

    first = await translate("Hemd")
    hemd = await name_now()
    await translate("Oberhemd")
    oberhemd = await name_now()
    last = await translate(None)

    assert first == [{"locale": "de", "field": "name", "value": "Hemd"}]
    assert (hemd, oberhemd, await name_now()) == ("Hemd", "Oberhemd", "Shirt")
    assert last == []
    await translate("Hemd")
    await done(api, f"{name}Delete", id=id_of(row))
    assert await _translations(database, shop) == 0
