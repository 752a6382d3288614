"""What can be heard of as it happens: the root fields of subscriptions."""

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from graphql import GraphQLResolveInfo, GraphQLSchema
from strawberry.types import Info

from core.ids import encode_global_id
from engine.loading import computed, loads, root_key
from loaders import catalogue
from resolvers import hearing, live, nodes
from resolvers.context import Context, Permission
from resolvers.scopes import scope_of
from schema.changes import PriceChange, StockChange, global_id, price_change, stock_change
from schema.cost import SUBSCRIPTION, costs
from schema.event_types import EventType
from schema.policies import Open, Policy, field, guarded
from schema.products import Product, Variant
from schema.root import ChannelArgument, LocaleArgument
from schema.scalars import BigInt
from schema.views import Node, type_name_of

_SEQUENCE = "Give it as `after` to go on behind this message."
_SNAPSHOT = "Whether this is no event but the present state, after events that are no longer kept."

After = Annotated[
    BigInt | None,
    strawberry.argument(
        description="The `sequence` of the last message that has arrived: all that follows it comes first, in order."
    ),
]
_IDS = "At most 250; of all where absent."
VariantIds = Annotated[list[strawberry.ID] | None, strawberry.argument(description=_IDS)]
ProductIds = Annotated[list[strawberry.ID] | None, strawberry.argument(description=_IDS)]
EventTypes = Annotated[
    list[EventType] | None, strawberry.argument(description="All that you may hear of where absent.")
]


def _message(description: str) -> Callable[[type[Any]], Any]:
    """Declare a type that shows messages."""

    def decorate(cls: type[Any]) -> Any:
        cls.is_type_of = classmethod(lambda own, message, _: getattr(message, "shows", "") == own.__name__)
        return strawberry.type(cls, description=description)

    return decorate


def _sequence() -> Any:
    return computed(BigInt, "sequence", description=_SEQUENCE)


def _named(name: str, declared: Any) -> Any:
    declared.graphql_name = name
    return declared


def _is_snapshot() -> Any:
    return computed(lambda event_id: event_id is None, "event_id", description=_SNAPSHOT)


@_message("Events that are no longer kept; where ids were given, their present state follows.")
class Gap:
    """View of `live.Gap`."""

    sequence: BigInt = _sequence()
    first: BigInt = _named("from", computed(BigInt, "first", description="The first sequence that is missing."))
    to: BigInt = computed(BigInt, "last", description="The last sequence that is missing.")


@_message("The stock of a variant has changed.")
class StockChanged:
    """View of `live.Message`."""

    sequence: BigInt = _sequence()
    is_snapshot: bool = _is_snapshot()
    occurred_at: datetime
    variant_id: strawberry.ID = computed(global_id("Variant"), "subject_id")
    variant: Variant | None = loads(
        catalogue.variant, key="subject_id", description="As it is now; null where it is gone, or not for you to see."
    )
    change: StockChange | None = guarded(
        computed(stock_change, "payload", description="Null in a snapshot."), Permission.INVENTORY_READ
    )


@_message("The price of a variant in the channel has changed.")
class PriceChanged:
    """View of `live.Message`."""

    sequence: BigInt = _sequence()
    is_snapshot: bool = _is_snapshot()
    occurred_at: datetime
    variant_id: strawberry.ID = computed(global_id("Variant"), "subject_id")
    variant: Variant | None = loads(
        catalogue.variant, key="subject_id", description="As it is now; null where it is gone, or not for you to see."
    )
    change: PriceChange | None = computed(price_change, "payload", description="Null in a snapshot.")


@_message("A product, a variant of it or one of its media has changed.")
class ProductChanged:
    """View of `live.Message`."""

    sequence: BigInt = _sequence()
    is_snapshot: bool = _is_snapshot()
    occurred_at: datetime
    type: EventType | None = strawberry.field(description="Null in a snapshot.")
    product_id: strawberry.ID = computed(global_id("Product"), "subject_id")
    product: Product | None = loads(
        catalogue.product, key="subject_id", description="As it is now; null where it is gone, or not for you to see."
    )


def _object_id(message: live.Message) -> str:
    aggregate = "variant" if message.type in hearing.FIGURES else str(message.type).partition(".")[0]
    return encode_global_id(type_name_of(aggregate), message.subject_id)


@_message("Something has happened in the shop.")
class ShopEvent:
    """View of `live.Message`."""

    sequence: BigInt = _sequence()
    id: strawberry.ID = computed(str, "event_id", description="The same each time that the event arrives.")
    type: EventType
    occurred_at: datetime
    object_id: strawberry.ID = computed(_object_id, description="Of what it has happened to.")
    stock_change: StockChange | None = computed(
        lambda message: stock_change(message.payload) if message.type == EventType.STOCK_CHANGED else None,
        description="Of STOCK_CHANGED.",
    )
    price_change: PriceChange | None = computed(
        lambda message: price_change(message.payload) if message.type == EventType.PRICE_CHANGED else None,
        description="Of PRICE_CHANGED.",
    )

    @strawberry.field(description="As it is now; null where it is gone, or not for you to see.")
    async def object(self, info: Info[Context, None]) -> Node | None:
        message = cast("live.Message", self)
        return cast("Node | None", await nodes.node(info.context, message.scope, _object_id(message)))


StockMessage = Annotated[StockChanged | Gap, strawberry.union("StockMessage")]
PriceMessage = Annotated[PriceChanged | Gap, strawberry.union("PriceMessage")]
ProductMessage = Annotated[ProductChanged | Gap, strawberry.union("ProductMessage")]
EventMessage = Annotated[ShopEvent | Gap, strawberry.union("EventMessage")]


def _from(policy: Policy, description: str) -> Callable[[Any], Any]:
    """Declare a subscription by the function that returns its source; `apply` makes a stream of events of that."""

    def declare(opens: Any) -> Any:
        return costs(*SUBSCRIPTION)(field(policy, description=description)(opens))

    return declare


@strawberry.type(description="What can be heard of as it happens. Every message has a sequence to resume after.")
class Subscription:
    """Each field returns a `live.Source`."""

    @_from(
        Open.ANYONE,
        "Changes of stock: in the warehouses that the channel sells from, or in all for those who may see them.",
    )
    async def stock_changed(
        self,
        info: Info[Context, None],
        variant_ids: VariantIds = None,
        after: After = None,
        channel: ChannelArgument = None,
        locale: LocaleArgument = None,
    ) -> StockMessage:
        scope = await scope_of(info.context, channel, locale)
        return cast("Any", hearing.stock(info.context, scope, variant_ids, after))

    @_from(Open.ANYONE, "Changes of prices in the channel, and of whether it sells something.")
    async def price_changed(
        self,
        info: Info[Context, None],
        variant_ids: VariantIds = None,
        after: After = None,
        channel: ChannelArgument = None,
        locale: LocaleArgument = None,
    ) -> PriceMessage:
        scope = await scope_of(info.context, channel, locale)
        return cast("Any", hearing.price(scope, variant_ids, after))

    @_from(Open.ANYONE, "Changes of products, of their variants and of their media.")
    async def product_changed(
        self,
        info: Info[Context, None],
        ids: ProductIds = None,
        after: After = None,
        channel: ChannelArgument = None,
        locale: LocaleArgument = None,
    ) -> ProductMessage:
        scope = await scope_of(info.context, channel, locale)
        return cast("Any", hearing.product(scope, ids, after))

    @_from(Open.STAFF, "All that happens in the shop, by type; each type takes a permission.")
    async def events(self, info: Info[Context, None], types: EventTypes = None, after: After = None) -> EventMessage:
        wanted = None if types is None else [str(each.value) for each in types]
        return cast("Any", hearing.events(info.context, wanted, after))


def apply(schema: GraphQLSchema) -> None:
    """Let each subscription field make a stream of its source, and show each message of it as it is."""
    assert schema.subscription_type is not None  # noqa: S101  (narrows the type)
    for declared in schema.subscription_type.fields.values():
        assert declared.resolve is not None  # noqa: S101  (narrows the type)
        declared.subscribe = functools.partial(_stream, declared.resolve)
        declared.resolve = _show


async def _stream(opens: Callable[..., Any], root: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> live.Stream:
    source = await opens(root, info, **arguments)
    return live.Stream(source, info.context)


def _show(message: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    """Show a message, and what is below it as its source sees it."""
    info.context.scopes[root_key(info.path)] = message.scope
    return message
