"""What messages depend on, of whoever gets them."""

import dataclasses
import functools

from resolvers.context import Shop
from server.catalogue_versions import facts_of
from server.entrance import Caller


def audience_of(caller: Caller) -> object:
    """Return what answers to a caller depend on, as long as no field depends on who exactly he is."""
    return seen_of(caller.shop), caller.actor


@functools.lru_cache(maxsize=10_000)
def seen_of(shop: Shop) -> bytes:
    """Return a digest of what messages may depend on of a shop: the type `Shop`, and so its names, are in none."""
    return facts_of(dataclasses.replace(shop, slug="", name="", status=""))
