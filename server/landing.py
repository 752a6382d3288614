"""What the page at `/` shows of a running installation."""

from collections.abc import Iterator
from datetime import timedelta

from core.errors import RequestError
from core.settings import Settings
from resolvers.context import ROLES, Actor, ActorKind
from server.authentication import Grant, issue_token
from server.demo.profiles import PROFILES
from server.keys import KeySet, configured_keys
from server.pages import DemoShop, DemoToken, Landing
from server.tenancy import Naming, ShopDirectory, resolve_shop

TOKEN_LIFETIME = timedelta(hours=12)
"""As long as a working day; the tokens are for the machine that the page is read on."""


async def read_landing(settings: Settings, directory: ShopDirectory) -> Landing:
    """Return the demo shops that exist and tokens for them; nothing of either in production."""
    if not settings.is_development:
        return Landing(is_development=False)
    shops = [shop for profile in PROFILES if (shop := await _shop(directory, profile.slug)) is not None]
    keys = configured_keys(settings)
    tokens = [token for shop in shops for token in _tokens(settings, keys, shop.slug)]
    return Landing(
        is_development=True,
        shops=shops,
        tokens=tokens,
        token_minutes=int(TOKEN_LIFETIME.total_seconds() // 60),
    )


async def _shop(directory: ShopDirectory, slug: str) -> DemoShop | None:
    try:
        shop = await resolve_shop(directory, Naming(header=slug))
    except RequestError:
        return None
    return DemoShop(shop.slug, shop.name, shop.default_currency)


def _tokens(settings: Settings, keys: KeySet, slug: str) -> Iterator[DemoToken]:
    if keys.signing is None:
        return
    for holder, actor in _holders():
        grant = Grant(
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            shop=slug,
            actor=actor,
            lifetime=TOKEN_LIFETIME,
        )
        yield DemoToken(slug, holder, issue_token(keys, grant))


def _holders() -> Iterator[tuple[str, Actor]]:
    yield "Customer", Actor(ActorKind.CUSTOMER, "demo-customer")
    for role, permissions in ROLES.items():
        yield f"Staff: {role}", Actor(ActorKind.STAFF, f"demo-{role}", permissions)
