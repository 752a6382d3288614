"""Migrations as an operator runs them; what they do to tables is tested beside the models."""

import importlib

import alembic.util
import asyncpg
import pytest

from core import migrations


async def test_an_address_may_have_parameters(postgres, database):
    joined = "&" if "?" in postgres.owner_url else "?"
    await migrations.upgrade(f"{postgres.owner_url}{joined}sslmode=prefer")
    assert await migrations.current_revision(database) == migrations.newest_revision()


@pytest.mark.parametrize("revision", ["head", "0001"])
async def test_a_newer_database_is_left_as_it_is(newer_url, revision):
    assert await migrations.upgrade(newer_url, revision) == "9999"
    owner = await asyncpg.connect(newer_url)
    assert await owner.fetch("SELECT version_num FROM alembic_version") == [("9999",)]
    tables = "SELECT array_agg(tablename::text) FROM pg_tables WHERE schemaname = current_schema()"
    assert await owner.fetchval(tables) == ["alembic_version"]
    await owner.close()


async def test_a_revision_that_nobody_knows_is_not_migrated_to(postgres, database):
    with pytest.raises(alembic.util.CommandError, match="9999"):
        await migrations.upgrade(postgres.owner_url, "9999")
    assert await migrations.current_revision(database) == migrations.newest_revision()


def test_the_roles_are_those_of_the_first_migration():
    assert importlib.import_module("migrations.versions.0001_foundations").ROLES == migrations.ROLES
