"""What the pages for people show of a running installation: demo shops, and tokens for them."""

from collections.abc import Iterator
from datetime import timedelta

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.errors import RequestError
from core.settings import Settings
from resolvers.context import ROLES, Actor, ActorKind
from server import graphiql
from server.authentication import Grant, issue_token
from server.demo.profiles import PROFILES
from server.keys import KeySet, configured_keys
from server.pages import DemoShop, DemoToken, Landing
from server.tenancy import Naming, ShopDirectory, resolve_shop

_EXAMPLE_SHOP = "demo"

TOKEN_LIFETIME = timedelta(hours=12)
"""As long as a working day; the tokens are for the machine that the page is read on."""


async def read_landing(settings: Settings, directory: ShopDirectory, request: Request) -> Landing:
    """Return the demo shops that exist and tokens for them; nothing of either in production."""
    if not settings.is_development:
        return Landing(is_development=False)
    keys = _keys(settings, request)
    shops = [
        shop
        for profile in sorted(PROFILES, key=lambda each: each.slug)
        if (shop := await _shop(directory, profile.slug)) is not None
    ]
    tokens = [token for shop in shops for token in _tokens(settings, keys, shop.slug)]
    return Landing(
        is_development=True,
        shops=shops,
        tokens=tokens,
        token_minutes=int(TOKEN_LIFETIME.total_seconds() // 60),
    )


def examples_route(settings: Settings) -> Route:
    """Return the route of GraphiQL's examples; those that write bring a token of the demo shop's owner."""
    examples = orjson.loads((graphiql.FOLDER / "examples.json").read_bytes())

    async def show(request: Request) -> Response:
        owner = Actor(ActorKind.STAFF, "demo-owner", ROLES["owner"])
        token = _token(settings, _keys(settings, request), _EXAMPLE_SHOP, owner)
        writing = {"Authorization": f"Bearer {token}"} if token else {}
        body = [
            {**each, "headers": {**each["headers"], **writing}} if "\nmutation " in each["query"] else each
            for each in examples
        ]
        return Response(orjson.dumps(body), media_type="application/json", headers={"Cache-Control": "no-store"})

    return Route("/graphiql/examples.json", show)


async def _shop(directory: ShopDirectory, slug: str) -> DemoShop | None:
    try:
        shop = await resolve_shop(directory, Naming(header=slug))
    except RequestError:
        return None
    return DemoShop(shop.slug, shop.name, shop.default_currency)


_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def _keys(settings: Settings, request: Request) -> KeySet | None:
    """Return the keys to sign tokens with, for a visitor on this very machine.

    On an address that others reach too, the tokens would be for anybody. A page whose name is made to stand for
    this machine (DNS rebinding) names itself as the host.
    """
    is_local = settings.host in _LOCAL_HOSTS and request.url.hostname in _LOCAL_HOSTS
    return configured_keys(settings) if is_local else None


def _tokens(settings: Settings, keys: KeySet | None, slug: str) -> Iterator[DemoToken]:
    for holder, actor in _holders():
        token = _token(settings, keys, slug, actor)
        if token is not None:
            yield DemoToken(slug, holder, token)


def _token(settings: Settings, keys: KeySet | None, slug: str, actor: Actor) -> str | None:
    """Return a token; None where no key can sign one."""
    if keys is None or keys.signing is None:
        return None
    grant = Grant(
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        shop=slug,
        actor=actor,
        lifetime=TOKEN_LIFETIME,
    )
    return issue_token(keys, grant)


def _holders() -> Iterator[tuple[str, Actor]]:
    yield "Customer", Actor(ActorKind.CUSTOMER, "demo-customer")
    for role, permissions in ROLES.items():
        yield f"Staff: {role}", Actor(ActorKind.STAFF, f"demo-{role}", permissions)
