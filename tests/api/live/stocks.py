"""Stock that tests change, through the API."""

import dataclasses

from core.database import Database
from tests import factories
from tests.api.conftest import Api
from tests.api.mutating import done, id_of


@dataclasses.dataclass(slots=True)
class Stock:
    """A variant whose stock can be changed.

    Attributes:
        id: Of the variant.
    """

    api: Api
    id: str
    warehouse_id: str
    version: int

    async def set(self, on_hand: int) -> None:
        """Change the stock, over HTTP."""
        counted = {"variantId": self.id, "warehouseId": self.warehouse_id, "onHand": on_hand}
        shown = "variant { stockLevels { version } }"
        variant = await done(self.api, "stockSet", shown, input=counted, expectedVersion=self.version)
        self.version = variant["stockLevels"][0]["version"]


async def stocked(database: Database, api: Api, *, on_hand: int = 10) -> Stock:
    """Make a variant that is for sale in the shop of a client."""
    _, variant = await factories.sellable(database, api.shop, on_hand=on_hand)
    query = "query($id: ID!) { variant(id: $id) { stockLevels { version warehouse { id } } } }"
    asked = await api(query, {"id": id_of(variant)}, role="owner")
    [level] = asked.data["variant"]["stockLevels"]
    return Stock(api, id_of(variant), level["warehouse"]["id"], level["version"])
