"""Warehouses and stock."""

import uuid
from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Aggregate, Tenant, references, slug_check, unique_while


class Warehouse(Aggregate):
    """A place where stock lies."""

    __tablename__ = "warehouse"
    __table_args__ = (slug_check(), unique_while("warehouse", "slug"))

    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    country: Mapped[str | None] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))


class ChannelWarehouse(Tenant):
    """A warehouse that a channel sells from, in order of priority."""

    __tablename__ = "channel_warehouse"
    __table_args__ = (
        references("channel", "channel_id"),
        references("warehouse", "warehouse_id"),
        Index("ix_channel_warehouse_warehouse_id", "shop_id", "warehouse_id"),
    )

    channel_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    warehouse_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    priority: Mapped[int] = mapped_column(Integer, server_default="0")


class StockLevel(Tenant):
    """How much of a variant a warehouse has; available = on_hand - allocated - reserved - safety."""

    __tablename__ = "stock_level"
    __table_args__ = (
        references("warehouse", "warehouse_id"),
        references("variant", "variant_id"),
        CheckConstraint("on_hand >= 0 AND allocated >= 0 AND reserved >= 0 AND safety >= 0", name="not_negative"),
        CheckConstraint("backorder_limit >= 0", name="backorder_limit"),
        CheckConstraint("allocated + reserved <= on_hand + backorder_limit", name="not_oversold"),
        Index("ix_stock_level_warehouse_id", "shop_id", "warehouse_id"),
    )

    variant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    warehouse_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    on_hand: Mapped[int] = mapped_column(Integer, server_default="0")
    allocated: Mapped[int] = mapped_column(Integer, server_default="0")
    reserved: Mapped[int] = mapped_column(Integer, server_default="0")
    safety: Mapped[int] = mapped_column(Integer, server_default="0")
    backorder_limit: Mapped[int] = mapped_column(Integer, server_default="0")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
