"""Nothing is open by being forgotten."""

from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import GraphQLSchema, graphql_sync

from core.errors import Forbidden, Unauthenticated
from resolvers.context import ANONYMOUS, SYSTEM, Actor, ActorKind, Permission
from schema import policies
from schema.build import build
from schema.policies import Open, check, field, permissions_page

PAGE = Path(__file__).parent.parent.parent / "docs" / "permissions.md"

CUSTOMER = Actor(ActorKind.CUSTOMER, "ada")
STAFF = Actor(ActorKind.STAFF, "bob", frozenset({Permission.CATALOGUE_READ}))
KEY = Actor(ActorKind.KEY, "key")


def schema_of(query: type[Any], mutation: type[Any] | None = None) -> GraphQLSchema:
    schema: GraphQLSchema = strawberry.Schema(query, mutation)._schema
    return schema


@strawberry.type
class Declared:
    @field(Open.ANYONE, description="Open.")
    def open(self) -> int:
        return 1

    @field(Permission.CATALOGUE_READ, description="Guarded.")
    def guarded(self) -> int:
        return 2


@strawberry.type
class Forgotten:
    @strawberry.field
    def forgotten(self) -> int:
        return 1


@strawberry.type
class ForgottenPlain:
    plain: int = 1


@pytest.mark.parametrize("root", [Forgotten, ForgottenPlain])
def test_a_root_field_without_a_policy_stops_the_start(root):
    with pytest.raises(LookupError, match=rf"{root.__name__}\.\w+ declares no policy"):
        policies.apply(schema_of(root))
    with pytest.raises(LookupError, match=root.__name__):
        policies.apply(schema_of(Declared, root))


class _Info:
    def __init__(self, actor: Actor) -> None:
        self.actor = actor


def test_a_policy_is_checked_before_the_field_runs():
    schema = schema_of(Declared)
    policies.apply(schema)

    refused = graphql_sync(schema, "{ open guarded }", Declared(), _Info(CUSTOMER))
    allowed = graphql_sync(schema, "{ open guarded }", Declared(), _Info(STAFF))

    assert isinstance(refused.errors[0].original_error, Forbidden)
    assert allowed.data == {"open": 1, "guarded": 2}


@pytest.mark.parametrize(
    ("policy", "actor", "refusal"),
    [
        (Open.ANYONE, ANONYMOUS, None),
        (Open.CUSTOMERS, ANONYMOUS, Unauthenticated),
        (Open.CUSTOMERS, CUSTOMER, None),
        (Open.CUSTOMERS, STAFF, None),
        (Open.CUSTOMERS, KEY, Forbidden),
        (Permission.CATALOGUE_READ, ANONYMOUS, Unauthenticated),
        (Permission.CATALOGUE_READ, CUSTOMER, Forbidden),
        (Permission.CATALOGUE_READ, KEY, Forbidden),
        (Permission.CATALOGUE_READ, STAFF, None),
        (Permission.CATALOGUE_WRITE, STAFF, Forbidden),
        (Permission.CATALOGUE_WRITE, SYSTEM, None),
    ],
)
def test_who_is_refused(policy, actor, refusal):
    if refusal is None:
        check(policy, actor)
    else:
        with pytest.raises(refusal):
            check(policy, actor)


def test_the_page_of_permissions_is_up_to_date():
    printed = permissions_page(build())

    assert PAGE.read_text() == printed, (
        "Permissions have changed. If that is meant: python -m server schema --permissions > docs/permissions.md"
    )
    assert "| `Query.warehouses` | `inventory:read` | no | no | yes | yes | yes | yes |" in printed
    assert "| `Query.products` | `anyone` | yes | yes | yes | yes | yes | yes |" in printed
