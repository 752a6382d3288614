"""Reviews as clients see them."""

from datetime import datetime

import strawberry

from engine.loading import column, of_rows, same_row
from models import products as rows
from schema.enums import ReviewStatus
from schema.views import Node, view_of


@of_rows
@strawberry.type(description="Who wrote a review, as shown beside it.")
class ReviewAuthor:
    """View of the review's own row."""

    name: str = column("author_name", description="The name given.")


@view_of(rows.Review)
class Review(Node):
    """What a customer thinks of a product."""

    rating: int
    title: str
    body: str
    status: ReviewStatus
    created_at: datetime
    author: ReviewAuthor = same_row(description="Who wrote it.")
