"""Copies rows into tenant tables in bulk.

COPY into a table under row-level security is refused, so rows are copied to a temporary table and inserted from there,
under the policies like any others.
"""

from collections.abc import Iterable

import asyncpg

from server.demo.rows import TABLES, Row

_COPIED_AS_TEXT = {"search_config": "regconfig"}
"""Columns whose type the binary form of COPY cannot carry, with that type."""


async def stage(connection: asyncpg.Connection) -> None:
    """Make the temporary tables, which end with the transaction."""
    for row, table in TABLES.items():
        columns = ", ".join(
            f"{column}::text AS {column}" if column in _COPIED_AS_TEXT else column for column in row._fields
        )
        await connection.execute(
            f"CREATE TEMPORARY TABLE staged_{table} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA"  # noqa: S608  (names of ours)
        )


async def insert(connection: asyncpg.Connection, kind: type[Row], rows: Iterable[Row]) -> None:
    """Insert rows of one kind.

    Args:
        connection: One on which `stage` was called, in the same transaction.
        kind: Their class.
        rows: Any number that fits in memory.
    """
    table = TABLES[kind]
    await connection.copy_records_to_table(f"staged_{table}", records=rows, columns=kind._fields)
    values = ", ".join(
        f"{column}::{_COPIED_AS_TEXT[column]}" if column in _COPIED_AS_TEXT else column for column in kind._fields
    )
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(kind._fields)}) SELECT {values} FROM staged_{table}; TRUNCATE staged_{table}"  # noqa: S608  (names of ours)
    )
