"""What tests through the API share: a client that speaks GraphQL as whoever it is told to be."""

import dataclasses
import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.settings import Settings
from resolvers.context import ROLES, Actor, ActorKind, Shop
from server.authentication import Grant, issue_token
from server.keys import configured_keys
from tests.replaying import MUTATING_EXECUTORS, Transcript, may_be_replayed, replay


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
        transcript: Of the mutations, whose executor it names; None leaves the choice to the server.
    """

    client: httpx.AsyncClient
    settings: Settings
    shop: Shop
    replays: bool = True
    transcript: Transcript | None = None

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

        is_replayed = may_be_replayed(query)
        transcript = None if is_replayed else self.transcript
        answer = await ask(None if transcript is None else transcript.executor)
        if transcript is not None:
            transcript.note(answer.content)
        if self.replays and answer.status_code == 200 and is_replayed:
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let each executor run the tests of mutations, but for those that are marked `asked_once`."""
    is_of_mutations = metafunc.module.__name__.rpartition(".")[2].startswith("test_mutations")
    is_asked_once = metafunc.definition.get_closest_marker("asked_once") is not None
    if "api" in metafunc.fixturenames and is_of_mutations and not is_asked_once:
        metafunc.parametrize("api", MUTATING_EXECUTORS, indirect=True)


@pytest.fixture
def api(
    client: httpx.AsyncClient,
    settings: Settings,
    shop: Shop,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """A client of the test's own shop; with the mark `asked_once` it replays nothing."""
    replays = request.node.get_closest_marker("asked_once") is None
    transcript = None
    if hasattr(request, "param"):
        same = request.node.nodeid.replace(f"[{request.param}", "[")
        name = hashlib.sha256(same.encode()).hexdigest()
        transcript = Transcript(_shared_folder(request.config, tmp_path_factory), name, request.param)
    yield Api(client, settings, shop, replays=replays, transcript=transcript)
    if transcript is not None:
        transcript.compare()


def _shared_folder(config: pytest.Config, factory: pytest.TempPathFactory) -> Path:
    """Return a folder of this run for all processes that take part."""
    own = factory.getbasetemp()
    folder = (own.parent if hasattr(config, "workerinput") else own) / "transcripts"
    folder.mkdir(exist_ok=True)
    return folder
