"""Who may ask for a field. A root field without a policy stops the start: nothing is open by being forgotten."""

import enum
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema

from core.errors import Forbidden, Unauthenticated
from resolvers.context import Actor, ActorKind, Permission

T = TypeVar("T")


class Open(enum.Enum):
    """Policies that ask for no permission."""

    ANYONE = "anyone"
    CUSTOMERS = "customers"
    """Signed-in customers, and staff."""


Policy = Open | Permission

_POLICY = "policy"


def field(policy: Policy, *, description: str, deprecation_reason: str | None = None) -> Any:
    """Declare a field by its resolver, and who may ask for it."""
    return strawberry.field(description=description, deprecation_reason=deprecation_reason, metadata={_POLICY: policy})


def guarded(declared: Any, policy: Policy) -> Any:
    """Put a policy on a field that is declared otherwise, such as one that loads."""
    declared.metadata = {**declared.metadata, _POLICY: policy}
    return declared


def apply(schema: GraphQLSchema) -> None:
    """Wrap every field with a policy in its check.

    Raises:
        LookupError: A root field declares none.
    """
    roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
    for parent, name, declared in _fields(schema):
        policy = policy_of(declared)
        if policy is None:
            if parent in roots:
                raise LookupError(f"{parent.name}.{name} declares no policy")
            continue
        if policy is not Open.ANYONE and declared.resolve is not None:
            declared.resolve = _checked(declared.resolve, policy)


def matrix(schema: GraphQLSchema) -> list[tuple[str, str]]:
    """Return each field with a policy, as `Type.field`, and the policy's name; sorted."""
    rows = ((f"{parent.name}.{name}", policy_of(declared)) for parent, name, declared in _fields(schema))
    return sorted((name, str(policy.value)) for name, policy in rows if policy is not None)


def policy_of(declared: GraphQLField) -> Policy | None:
    """Return the policy of a field of the schema; None where it shares its parent's."""
    definition = declared.extensions.get("strawberry-definition")
    return definition.metadata.get(_POLICY) if definition is not None else None


def check(policy: Policy, actor: Actor) -> None:
    """Refuse an actor that a policy leaves out.

    Raises:
        Unauthenticated: Nobody is signed in.
        Forbidden: Somebody is, who may not.
    """
    if isinstance(policy, Permission):
        actor.require(policy)
    elif policy is Open.CUSTOMERS and actor.kind is ActorKind.ANONYMOUS:
        raise Unauthenticated("Sign in to do this.")
    elif policy is Open.CUSTOMERS and actor.kind is ActorKind.KEY:
        raise Forbidden("A key is nobody's customer.")


def _fields(schema: GraphQLSchema) -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType) and not each.name.startswith("__"):
            for name, declared in each.fields.items():
                yield each, name, declared


def _checked(resolve: Callable[..., Any], policy: Policy) -> Callable[..., Any]:
    @functools.wraps(resolve)
    def resolve_if_allowed(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        check(policy, info.context.actor)
        return resolve(source, info, **arguments)

    return resolve_if_allowed
