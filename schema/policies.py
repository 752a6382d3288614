"""Who may ask for a field. A root field without a policy stops the start: nothing is open by being forgotten."""

import enum
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLField, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema

from core.errors import Forbidden, Unauthenticated
from engine.fields import CARRIES, GUARD
from resolvers.context import ANONYMOUS, ROLES, Actor, ActorKind, Context, Permission

T = TypeVar("T")


class Open(enum.Enum):
    """Policies that ask for no permission."""

    ANYONE = "anyone"
    CUSTOMERS = "customers"
    """Signed-in customers, and staff."""
    STAFF = "staff"
    """Staff and keys, whatever they hold; what comes of it depends on that."""


Policy = Open | Permission

_POLICY = "policy"
_PERSONAL = "personal"


def field(policy: Policy, *, description: str, carries: bool = False) -> Any:
    """Declare a field by its resolver, and who may ask for it.

    Args:
        policy: Who.
        description: For clients.
        carries: Whether the resolver reads with what the context's `carried` says, so that what lies below the field
            comes with the same statement.
    """
    return strawberry.field(description=description, metadata={_POLICY: policy, CARRIES: carries})


def guarded(declared: Any, policy: Policy) -> Any:
    """Put a policy on a field that is declared otherwise, such as one that loads."""
    declared.metadata = {**declared.metadata, _POLICY: policy}
    return declared


def personal(declared: Any) -> Any:
    """Say that the value of a field depends on who exactly asks, beyond what his kind and permissions are.

    Answers with it are never shared. Whoever forgets to say it reads an actor without a subject where they are.
    """
    declared.metadata = {**declared.metadata, _PERSONAL: True}
    return declared


def is_personal(declared: GraphQLField) -> bool:
    """Tell whether the value of a field depends on who exactly asks."""
    definition = declared.extensions.get("strawberry-definition")
    is_said = definition is not None and definition.metadata.get(_PERSONAL, False)
    return bool(is_said) or policy_of(declared) is Open.CUSTOMERS


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
            declared.extensions[GUARD] = functools.partial(_guard, policy)


def permissions_page(schema: GraphQLSchema) -> str:
    """Return the matrix of fields and actors as a page of Markdown, as `docs/permissions.md` holds it."""
    header = ["Field", "Policy", *_ACTORS]
    lines = [header, ["---"] * len(header)]
    for parent, name, declared in sorted(_fields(schema), key=lambda row: (row[0].name, row[1])):
        policy = policy_of(declared)
        if policy is not None:
            allowed = ["yes" if _is_allowed(policy, actor) else "no" for actor in _ACTORS.values()]
            lines.append([f"`{parent.name}.{name}`", f"`{policy.value}`", *allowed])
    return "\n".join([_PAGE_HEAD, *(f"| {' | '.join(cells)} |" for cells in lines), ""])


_PAGE_HEAD = """\
# Who may ask for what

Printed by `python -m server schema --permissions`. A field that is not listed shares the policy of the object it is a
field of; what of the rows an actor sees (drafts, its own) is decided with each statement.
"""

_ACTORS: Mapping[str, Actor] = {
    "shopper": ANONYMOUS,
    "customer": Actor(ActorKind.CUSTOMER),
    **{role: Actor(ActorKind.STAFF, role, permissions) for role, permissions in ROLES.items()},
}


def _is_allowed(policy: Policy, actor: Actor) -> bool:
    try:
        check(policy, actor)
    except (Forbidden, Unauthenticated):
        return False
    return True


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
    elif policy is Open.STAFF and actor.kind is ActorKind.ANONYMOUS:
        raise Unauthenticated("Sign in to do this.")
    elif policy is Open.STAFF and actor.kind is ActorKind.CUSTOMER:
        raise Forbidden("This is for staff.")


def _guard(policy: Policy, context: Context) -> None:
    check(policy, context.actor)


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
