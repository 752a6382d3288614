"""What tests through the API share: a client that speaks GraphQL as whoever it is told to be."""

import dataclasses
from datetime import timedelta
from typing import Any

import httpx
import pytest

from core.settings import Settings
from resolvers.context import ROLES, Actor, ActorKind, Shop
from server.authentication import Grant, issue_token
from server.keys import configured_keys
from tests.replaying import may_be_replayed, replay


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    body: dict[str, Any]
    headers: httpx.Headers

    @property
    def data(self) -> Any:
        """The data of an answer without errors."""
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        """The codes of its errors."""
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]

    @property
    def statements(self) -> int:
        """How many statements it took."""
        return int(self.headers["galleria-statements"])


@dataclasses.dataclass(frozen=True, slots=True)
class Api:
    """Asks one shop.

    Attributes:
        replays: Whether each query is asked again of each executor.
    """

    client: httpx.AsyncClient
    settings: Settings
    shop: Shop
    replays: bool = True

    async def __call__(
        self, query: str, variables: dict[str, Any] | None = None, *, role: str | None = None, **headers: str
    ) -> Answer:
        """Run an operation as a shopper, as a customer (`role="customer"`) or as staff of a role."""
        headers = {"Galleria-Shop": self.shop.slug, "Accept": "application/graphql-response+json", **headers}
        if role is not None:
            headers["Authorization"] = f"Bearer {self.token(role)}"
        body = {"query": query, "variables": variables or {}}

        async def ask(executor: str | None = None) -> httpx.Response:
            who = {} if executor is None else {"Galleria-Executor": executor}
            return await self.client.post("/graphql", json=body, headers=headers | who)

        answer = await ask()
        if self.replays and answer.status_code == 200 and may_be_replayed(query):
            await replay(query, answer.content, ask)
        return Answer(answer.status_code, answer.json(), answer.headers)

    def token(self, role: str, *, subject: str = "tester") -> str:
        """Return a token of this shop for a role, or for a customer."""
        customer = role == "customer"
        actor = Actor(
            ActorKind.CUSTOMER if customer else ActorKind.STAFF, subject, frozenset() if customer else ROLES[role]
        )
        grant = Grant(
            issuer=self.settings.token_issuer,
            audience=self.settings.token_audience,
            shop=str(self.shop.id),
            actor=actor,
            lifetime=timedelta(minutes=5),
        )
        return issue_token(configured_keys(self.settings), grant)

    def of(self, shop: Shop) -> "Api":
        """Return the same for another shop."""
        return dataclasses.replace(self, shop=shop)


@pytest.fixture
def api(client: httpx.AsyncClient, settings: Settings, shop: Shop, request: pytest.FixtureRequest) -> Api:
    """A client of the test's own shop; with the mark `asked_once` it replays nothing."""
    return Api(client, settings, shop, replays=request.node.get_closest_marker("asked_once") is None)
