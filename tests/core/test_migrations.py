"""Migrations as an operator runs them; what they do to tables is tested beside the models."""

from core import migrations


async def test_an_address_may_have_parameters(postgres, database):
    joined = "&" if "?" in postgres.owner_url else "?"
    await migrations.upgrade(f"{postgres.owner_url}{joined}sslmode=prefer")
    assert await migrations.current_revision(database) == migrations.newest_revision()
