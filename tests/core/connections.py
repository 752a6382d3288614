"""What tests do to the connections of a pool."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import asyncpg

from core.database import Database
from tests.servers import Postgres


async def in_use(database: Database) -> int:
    """Count the connections that somebody still has once nothing goes on unseen."""
    await database.reads.settled()
    return database.reads.in_use


async def end_backends(database: Database, postgres: Postgres) -> None:
    """End the server processes of all connections for reads, and wait until they are gone."""
    processes = [each.driver.get_server_pid() for each in database.reads._connections]
    killer = await asyncpg.connect(postgres.app_url)
    for process in processes:
        await killer.fetchval("SELECT pg_terminate_backend($1, 5000)", process)
    await killer.close()


def end_backends_unseen(database: Database, postgres: Postgres) -> None:
    """Do the same while the event loop stands still, so that nobody has heard of it yet."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, end_backends(database, postgres)).result()


async def wait_for_lock(watcher: asyncpg.Connection, key: int) -> None:
    """Wait until somebody waits for an advisory lock."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid::int8 = $1"
    while await watcher.fetchval(waiting, key) == 0:
        pass
