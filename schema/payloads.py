"""What mutations answer: the object written, or why it was not."""

import dataclasses
from collections.abc import Sequence
from typing import Any, cast

import strawberry

from core.ids import encode_global_id
from engine.loading import loads
from loaders import catalogue as relations
from resolvers import refusals
from resolvers.refusals import Outcome
from schema.attributes import Attribute, AttributeValue, ProductType
from schema.cost import OBJECT_OF_NO_COST, at_most
from schema.products import Category, Collection, Media, Product, Variant
from schema.reviews import Review
from schema.selling import Listing, Warehouse
from schema.shops import Channel
from schema.translations import Translation, translations

MOST_REFUSALS = 250
"""Refusals of one mutation, for tools that add up prices; they cost nothing, since nothing is read for them."""

strawberry.enum(refusals.ErrorCode, description="Why something was refused.")


@strawberry.interface(description="Why a mutation, or a part of it, was not done.")
class UserError:
    """View of `resolvers.refusals.Refusal`."""

    code: refusals.ErrorCode
    message: str = strawberry.field(description="For people.")
    path: list[str] | None = strawberry.field(description="Of the argument to blame.")


def _is(refusal: type[refusals.Refusal]) -> Any:
    def is_type_of(_: type, value: object, __: object) -> bool:
        return type(value) is refusal

    return classmethod(is_type_of)


@strawberry.type(description="A refusal that needs no more than words.", directives=OBJECT_OF_NO_COST)
class InputError(UserError):
    """View of `Refusal`."""

    is_type_of = _is(refusals.Refusal)


@strawberry.type(description="Somebody else has changed the object since you read it.", directives=OBJECT_OF_NO_COST)
class VersionConflict(UserError):
    """View of `VersionConflict`."""

    current_version: int
    is_type_of = _is(refusals.VersionConflict)


@strawberry.type(description="Another object has a value that must be unique.", directives=OBJECT_OF_NO_COST)
class Duplicate(UserError):
    """View of `Duplicate`."""

    field: str = strawberry.field(description="The field of the input.")
    existing_id: strawberry.ID | None = strawberry.field(description="The other object.")
    is_type_of = _is(refusals.Duplicate)


def _user_errors() -> Any:
    def resolve(root: strawberry.Parent[Any]) -> list[UserError]:
        return cast("list[UserError]", root.refusals)

    return strawberry.field(
        resolver=resolve,
        description="Empty where all went well; nothing was written otherwise.",
        directives=at_most(MOST_REFUSALS),
    )


def _payload(shown: type[Any], name: str, relation: Any) -> type[Any]:
    """Make the payload type of the mutations of a type: the object, read again after the write, and the refusals."""
    body = {
        "__annotations__": {name: shown | None, "user_errors": list[UserError]},
        name: loads(relation, description="As it is now; null where nothing was written."),
        "user_errors": _user_errors(),
    }
    made = type(f"{shown.__name__}Payload", (), body)
    return strawberry.type(
        made, description=f"What a mutation of one {shown.__name__} did.", directives=OBJECT_OF_NO_COST
    )


def _bulk_payload(payload: type[Any]) -> type[Any]:
    """Make the payload type of the bulk mutations of a type."""
    name = payload.__name__.removesuffix("Payload")

    def results(root: strawberry.Parent[Any]) -> Any:
        return root.outcomes

    def applied(root: strawberry.Parent[Any]) -> int:
        return sum(not outcome.refusals for outcome in root.outcomes)

    results.__annotations__["return"] = list[payload]  # type: ignore[valid-type]
    body = {
        "results": strawberry.field(resolver=results, description="One for each element of the input, in its order."),
        "applied": strawberry.field(resolver=applied, description="How many were written."),
    }
    made = type(f"{name}BulkPayload", (), body)
    return strawberry.type(
        made, description=f"What a mutation of many {name} objects did.", directives=OBJECT_OF_NO_COST
    )


@strawberry.type(description="What was done to the translations of an object.", directives=OBJECT_OF_NO_COST)
class TranslationsPayload:
    """View of an `Outcome` whose id is the object's."""

    translations: list[Translation] | None = translations()
    user_errors: list[UserError] = _user_errors()


ChannelPayload = _payload(Channel, "channel", relations.channel)
ProductTypePayload = _payload(ProductType, "product_type", relations.product_type)
AttributePayload = _payload(Attribute, "attribute", relations.attribute)
AttributeValuePayload = _payload(AttributeValue, "attribute_value", relations.attribute_value)
CategoryPayload = _payload(Category, "category", relations.category)
CollectionPayload = _payload(Collection, "collection", relations.collection)
ProductPayload = _payload(Product, "product", relations.product)
VariantPayload = _payload(Variant, "variant", relations.variant)
MediaPayload = _payload(Media, "media", relations.media)
ListingPayload = _payload(Listing, "listing", relations.listing)
ReviewPayload = _payload(Review, "review", relations.written_review)
WarehousePayload = _payload(Warehouse, "warehouse", relations.warehouse)

ProductBulkPayload = _bulk_payload(ProductPayload)
VariantBulkPayload = _bulk_payload(VariantPayload)
ListingBulkPayload = _bulk_payload(ListingPayload)
MediaBulkPayload = _bulk_payload(MediaPayload)
CategoryBulkPayload = _bulk_payload(CategoryPayload)
CollectionBulkPayload = _bulk_payload(CollectionPayload)
AttributeValueBulkPayload = _bulk_payload(AttributeValuePayload)
ReviewBulkPayload = _bulk_payload(ReviewPayload)


@dataclasses.dataclass(frozen=True, slots=True)
class Deletion:
    """What a deletion did."""

    type_name: str
    outcome: Outcome

    @property
    def refusals(self) -> tuple[refusals.Refusal, ...]:
        """Why nothing was deleted."""
        return self.outcome.refusals


@strawberry.type(description="What a deletion did.", directives=OBJECT_OF_NO_COST)
class DeletePayload:
    """View of `Deletion`."""

    user_errors: list[UserError] = _user_errors()

    @strawberry.field(description="The object that is gone; null where nothing was deleted.")
    def deleted_id(self) -> strawberry.ID | None:
        deletion = cast("Deletion", self)
        row_id = deletion.outcome.id
        return None if row_id is None else strawberry.ID(encode_global_id(deletion.type_name, row_id))


@dataclasses.dataclass(frozen=True, slots=True)
class Bulk:
    """What a bulk mutation did."""

    outcomes: Sequence[Outcome | Deletion]


DeleteBulkPayload = _bulk_payload(DeletePayload)
