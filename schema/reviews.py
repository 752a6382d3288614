"""Reviews as clients see them."""

from datetime import datetime
from typing import cast

import strawberry

from core.statements import Row
from models import products as rows
from schema.enums import ReviewStatus
from schema.views import Node, view_of


@strawberry.type(description="Who wrote a review, as shown beside it.")
class ReviewAuthor:
    """View of the review's own row."""

    @strawberry.field(description="The name given.")
    def name(self) -> str:
        return cast("str", cast("Row", self).author_name)


@view_of(rows.Review)
class Review(Node):
    """What a customer thinks of a product."""

    rating: int
    title: str
    body: str
    status: ReviewStatus
    created_at: datetime

    @strawberry.field(description="Who wrote it.")
    def author(self) -> ReviewAuthor:
        return cast("ReviewAuthor", self)
