"""Demo shops: something to look at from the first start on, the same on every machine."""

import functools
from collections.abc import Iterable

from rich.progress import Progress

from core.database import Database
from core.settings import Settings
from server import postgresql
from server.demo.profiles import PROFILES, Profile, Size, products_in
from server.demo.seeding import STEPS, frame_of, is_complete, remove_shop, seed_shop

_DEFAULT = PROFILES[-1].slug
"""The shop that stands for all, since it is made last."""

_CONNECTIONS = 2


async def ensure_demo(settings: Settings, progress: Progress, *, size: Size = Size.S) -> bool:
    """Make the demo shops where there is no shop `demo`; complete them where that was interrupted.

    Args:
        settings: With the addresses of a migrated database.
        progress: Gets a bar for each shop.
        size: How large `demo` is to be.

    Returns:
        Whether shops were made.
    """
    database = postgresql.opening(settings, pool_size=_CONNECTIONS)
    try:
        if await is_complete(database, _DEFAULT):
            return False
        missing = [profile for profile in PROFILES if not await is_complete(database, profile.slug)]
        await make_shops(database, postgresql.owner_url(settings), missing, size, progress)
    finally:
        await database.close()
    return True


async def make_shops(
    database: Database, owner_url: str, profiles: Iterable[Profile], size: Size, progress: Progress
) -> None:
    """Make demo shops, in place of those that are there.

    Args:
        database: Where.
        owner_url: Address of the same database for the role that owns the tables.
        profiles: Which shops.
        size: How large `demo` is to be.
        progress: Gets a bar for each shop.
    """
    for profile in profiles:
        count = products_in(profile, size)
        task = progress.add_task(profile.slug, total=count * STEPS)
        await remove_shop(database, profile.slug)
        await seed_shop(database, owner_url, frame_of(profile, count), functools.partial(progress.advance, task))
