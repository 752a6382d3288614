"""What tells caches that answers of a shop have become old: its version, and when time alone changes them next."""

import uuid

from sqlalchemy import BigInteger, CheckConstraint, cast, delete, func, insert, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import Executable, literal, select

from models.base import Statement, Tenant, of_shop
from models.listings import Listing

MOST_ROWS = 100
"""Rows of a shop before they are merged; reading fewer is not worth being faster."""


class CatalogueChange(Tenant):
    """A transaction that changed something, or several merged into one; a trigger of every table writes it.

    The sum of a shop's `step` is its version: it grows at each commit, and never by the same amount, so that a database
    that is restored or made anew comes by no version that another one had.
    """

    __tablename__ = "catalogue_change"
    __table_args__ = (CheckConstraint("step > 0", name="step"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    step: Mapped[int] = mapped_column(BigInteger, server_default=text("(1 + floor(random() * 4294967295))::bigint"))


_next_change = select(func.min(Listing.available_from)).where(of_shop(Listing), Listing.available_from > func.now())

catalogue_version: Statement = select(
    cast(func.coalesce(func.sum(CatalogueChange.step), 0), BigInteger).label("version"),
    func.count().label("changes"),
    _next_change.scalar_subquery().label("next_change"),
    func.extract("epoch", _next_change.scalar_subquery() - func.now()).label("seconds_until"),
).where(of_shop(CatalogueChange))
"""Return one row: the version, how many changes it is the sum of, and when a listing begins to be sold next.

What is visible follows from the rows and from the time; between two such moments it follows from the rows alone.
"""


def changes_merged(shop_id: uuid.UUID) -> Executable:
    """Merge a shop's changes into one row, and leave their sum as it is in every snapshot.

    Rows that another process is merging at the same time are left to it.
    """
    columns = CatalogueChange.__table__.c
    mergeable = select(columns.id).where(columns.shop_id == shop_id).with_for_update(skip_locked=True)
    gone = (
        delete(CatalogueChange)
        .where(columns.shop_id == shop_id, columns.id.in_(mergeable))
        .returning(columns.step)
        .cte("gone")
    )
    total = select(literal(shop_id), cast(func.sum(gone.c.step), BigInteger)).having(func.count() > 0)
    return insert(CatalogueChange).from_select(["shop_id", "step"], total)
