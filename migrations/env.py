"""Runs the migrations; `core.migrations` gives the connection."""

import importlib
import pkgutil

from alembic import context
from sqlalchemy import Connection

import models
from models.base import Base

for module in pkgutil.iter_modules(models.__path__, "models."):
    importlib.import_module(module.name)

connection: Connection | None = context.config.attributes.get("connection")
if connection is None:
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
else:
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
with context.begin_transaction():
    # A migration that waits for a lock makes everybody else wait behind it; rather let it fail, and be tried again.
    context.execute("SET LOCAL lock_timeout = '2s'")
    context.run_migrations()
