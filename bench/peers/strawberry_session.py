"""One transaction of the Strawberry peer for each request, in which row-level security knows the shop."""

import asyncio
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from strawberry.dataloader import DataLoader

from models.categories import Category

_SHOP_LIFETIME_SECONDS = 5.0
_TENANT = text("SELECT set_config('app.shop_id', :shop, true)")

engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"),
    pool_size=int(os.environ["POOL_SIZE"]),
    max_overflow=0,
    connect_args={"server_settings": {"jit": "off"}},
)
_shops: dict[str, tuple[Any, float]] = {}


async def shop_of(slug: str) -> Any:
    """Return id and default channel of a shop, looked up again every few seconds."""
    known = _shops.get(slug)
    if known is not None and time.monotonic() < known[1]:
        return known[0]
    found = text("SELECT id, default_channel_id FROM find_shop(NULL, :slug, NULL)")
    async with engine.connect() as connection:
        shop = (await connection.execute(found, {"slug": slug})).one()
    _shops[slug] = (shop, time.monotonic() + _SHOP_LIFETIME_SECONDS)
    return shop


class Session:
    """What one request reads and writes through; an ORM session takes one statement at a time."""

    def __init__(self, claims: Mapping[str, Any], shop: Any) -> None:
        self.claims = claims
        self.shop_id, self.channel_id = shop.id, shop.default_channel_id
        self._connection: AsyncConnection | None = None
        self._session: AsyncSession | None = None
        self._lock = asyncio.Lock()
        self._loaders: dict[tuple[Any, int | None], DataLoader[Any, Any]] = {}

    async def read(self, statement: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        """Return the rows of a statement, in the snapshot of the request."""
        async with self._lock:
            session = self._session or await self._begin()
            return (await session.execute(statement)).all()

    async def _begin(self) -> AsyncSession:
        connection = await engine.connect()
        await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._connection, self._session = connection, AsyncSession(connection, expire_on_commit=False)
        await self._session.execute(_TENANT, {"shop": str(self.shop_id)})
        return self._session

    async def close(self) -> None:
        """End the transaction."""
        if self._session is not None and self._connection is not None:
            await self._session.commit()
            await self._session.close()
            await self._connection.close()

    def loader(self, batch: Callable[..., Any], first: int | None = None) -> DataLoader[Any, Any]:
        """Return the loader of a relation and a number of rows."""
        loader = self._loaders.get((batch, first))
        if loader is None:
            loader = DataLoader(load_fn=lambda keys: batch(self, keys, first))
            self._loaders[batch, first] = loader
        return loader

    async def describe_category(self, category_id: uuid.UUID, description: str) -> Category | None:
        """Change a category and read it back, in one transaction."""
        if "catalogue:write" not in self.claims["permissions"]:
            raise PermissionError("catalogue:write")
        of_id = (Category.shop_id == self.shop_id, Category.id == category_id)
        async with AsyncSession(engine, expire_on_commit=False) as session:
            await session.execute(_TENANT, {"shop": str(self.shop_id)})
            changed = update(Category).where(*of_id).values(description=description, version=Category.version + 1)
            await session.execute(changed.execution_options(synchronize_session=False))
            category: Category | None = await session.scalar(select(Category).where(*of_id))
            await session.commit()
        return category
