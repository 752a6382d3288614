"""Categories: a tree by materialised path."""

import uuid

from sqlalchemy import CheckConstraint, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Aggregate, references, slug_check, unique_while

DEEPEST_CATEGORY = 8
"""Levels of the tree."""


class Category(Aggregate):
    """A node of the category tree.

    `path` holds the ids from the root to the category itself, 32 hexadecimal digits and a slash each, in C collation:
    a subtree is a range of it, and range comparison keeps its index under row-level security, LIKE would not.
    """

    __tablename__ = "category"
    __table_args__ = (
        slug_check(),
        unique_while("category", "slug"),
        references("category", "parent_id", on_delete="RESTRICT"),
        CheckConstraint(f"length(path) BETWEEN 33 AND {33 * DEEPEST_CATEGORY}", name="path"),
        Index("ix_category_path", "shop_id", "path"),
        Index("ix_category_parent_id", "shop_id", "parent_id", "position", "id"),
    )

    parent_id: Mapped[uuid.UUID | None]
    path: Mapped[str] = mapped_column(Text(collation="C"))
    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="")
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    seo_title: Mapped[str | None] = mapped_column(Text)
    seo_description: Mapped[str | None] = mapped_column(Text)
