"""The channel that is meant where a request names none."""

from tests import factories

MAKE = 'mutation { channelCreate(input: {name: "New", currency: "USD", isDefault: true}) { channel { id isDefault } } }'
PRICES = "{ products { nodes { priceRange { minimum { amount } } } } }"


async def test_a_new_default_channel_is_meant_from_the_next_request_on(api, shop, database):

    await factories.sellable(database, shop)
    before = await api(PRICES)
    assert len(before.data["products"]["nodes"]) == 1

    made = await api(MAKE, role="owner")
    after = await api(PRICES)

    assert made.data["channelCreate"]["channel"]["isDefault"] is True
    assert after.data["products"]["nodes"] == []
