"""Who asks: access tokens verified, and issued for development."""

import dataclasses
import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from core.clock import Clock, system_clock
from core.errors import ConfigurationError, TokenExpired, Unauthenticated
from resolvers.context import Actor, ActorKind, Permission
from server.keys import KeySet

TOKEN_TYPE = "at+jwt"  # noqa: S105 - a media type (RFC 9068, 2.1), not a secret.
TOKEN_LIMIT_BYTES = 8192
LEEWAY = timedelta(seconds=30)
"""How far the clocks of issuer and server may differ; 60 s is the most that is tolerable."""

CACHE_LIFETIME = timedelta(seconds=60)
CACHE_SIZE = 10_000
"""Verified tokens that are remembered; each costs about 1 kB, a verification about 0.1 ms."""

_TOKEN_TYPES = frozenset({TOKEN_TYPE, f"application/{TOKEN_TYPE}"})
# Headers by which a token would bring its own key (RFC 8725, 3.10) or ask for rules of its own (RFC 7515, 4.1.11).
_FORBIDDEN_HEADERS = frozenset({"jku", "x5u", "jwk", "x5c", "crit", "b64"})
_REQUIRED_CLAIMS = ("iss", "aud", "exp", "iat", "sub", "shop")
_CLAIM_LENGTH = 255
_KINDS: Mapping[str, ActorKind] = {kind.value: kind for kind in (ActorKind.CUSTOMER, ActorKind.STAFF, ActorKind.KEY)}
_PERMISSIONS: Mapping[str, Permission] = {permission.value: permission for permission in Permission}
_INVALID = "The access token is not valid; sign in again."


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """What a verified token proves.

    Attributes:
        actor: Who asks.
        shop: The `shop` claim: id of the shop as a uuid, or its slug.
        expires_at: When the token ends; within the leeway it may still be accepted after that.
    """

    actor: Actor
    shop: str
    expires_at: datetime


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an issued token shall prove.

    Attributes:
        issuer: Its `iss`.
        audience: Its `aud`.
        shop: Its `shop`: a uuid, or a slug.
        actor: A customer, a staff account or a key, with a subject.
        lifetime: From now on.
    """

    issuer: str
    audience: str
    shop: str
    actor: Actor
    lifetime: timedelta


@dataclasses.dataclass(frozen=True, slots=True)
class Verified:
    """A token that was verified.

    Attributes:
        credentials: What it proves.
        since: When it was verified.
        until: When it is to be verified again.
    """

    credentials: Credentials
    since: datetime
    until: datetime

    def holds_at(self, now: datetime) -> bool:
        """Tell whether it need not be verified again; a clock that was set back must not prolong anything."""
        return self.since <= now < self.until


class Authenticator:
    """Verifies access tokens of one issuer, and remembers the good ones for a minute.

    Attributes:
        clock: What the times in tokens are compared with.
    """

    def __init__(self, keys: KeySet, *, issuer: str, audience: str, clock: Clock = system_clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self.clock = clock
        self._verified: dict[bytes, Verified] = {}

    def verified(self, token: str) -> Verified:
        """Verify a token.

        Args:
            token: What follows `Bearer` in the Authorization header.

        Raises:
            Unauthenticated: The token is not one of ours; the message does not say why.
            TokenExpired: It was, until it expired.
        """
        if len(token) > TOKEN_LIMIT_BYTES or not token.isascii():
            raise Unauthenticated(_INVALID)
        now = self.clock()
        digest = hashlib.sha256(token.encode("ascii")).digest()
        known = self._verified.get(digest)
        if known is not None and known.holds_at(now):
            return known
        credentials = _credentials_of(self._claims_of(token), now)
        verified = Verified(credentials, now, min(now + CACHE_LIFETIME, credentials.expires_at))
        self._remember(digest, verified)
        return verified

    def _claims_of(self, token: str) -> dict[str, Any]:
        try:
            key = self._key_of(jwt.get_unverified_header(token))
            return jwt.decode(
                token,
                key,
                [key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                # PyJWT would judge times by the machine's clock and round them; see `_credentials_of`.
                options={
                    "require": list(_REQUIRED_CLAIMS),
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(_INVALID) from error

    def _key_of(self, header: Mapping[str, Any]) -> jwt.PyJWK:
        token_type, kid = header.get("typ"), header.get("kid")
        if not isinstance(token_type, str) or token_type.lower() not in _TOKEN_TYPES:
            raise Unauthenticated(_INVALID)
        if not _FORBIDDEN_HEADERS.isdisjoint(header) or not isinstance(kid, str):
            raise Unauthenticated(_INVALID)
        key = self._keys.verification.get(kid)
        if key is None:
            raise Unauthenticated(_INVALID)
        return key

    def _remember(self, digest: bytes, verified: Verified) -> None:
        if verified.until <= verified.since:
            return
        # Removed first, so that the dictionary stays in the order of verification.
        self._verified.pop(digest, None)
        while len(self._verified) >= CACHE_SIZE:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = verified


def bearer_token(authorization: str | None) -> str | None:
    """Return the token of an Authorization header (RFC 6750, 2.1); None without the header.

    Raises:
        Unauthenticated: The header uses another scheme, or holds no token.
    """
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send the access token as “Authorization: Bearer <token>”.")
    return token.strip()


def issue_token(keys: KeySet, grant: Grant, *, clock: Clock = system_clock) -> str:
    """Sign an access token.

    Raises:
        ConfigurationError: There is no private key to sign with.
    """
    if keys.signing is None:
        raise ConfigurationError(
            "No key to sign tokens with; put a private Ed25519 JWK into the file that GALLERIA_TOKEN_KEYS names."
        )
    now = clock()
    claims = {
        "iss": grant.issuer,
        "aud": grant.audience,
        "iat": int(now.timestamp()),
        "exp": int((now + grant.lifetime).timestamp()),
        "jti": uuid.uuid4().hex,
        "sub": grant.actor.subject,
        "shop": grant.shop,
        "kind": grant.actor.kind.value,
        "permissions": sorted(grant.actor.permissions),
    }
    return jwt.encode(claims, keys.signing.key, headers={"typ": TOKEN_TYPE, "kid": keys.signing.kid})


def _credentials_of(claims: Mapping[str, Any], now: datetime) -> Credentials:
    expires_at = _time_of(claims["exp"])
    not_before = max(_time_of(claims["iat"]), _time_of(claims.get("nbf", 0)))
    shop, subject = _text_of(claims["shop"]), _text_of(claims["sub"])
    kind = _KINDS.get(_text_of(claims.get("kind")))
    if kind is None or not_before > now + LEEWAY:
        raise Unauthenticated(_INVALID)
    if expires_at <= now - LEEWAY:
        raise TokenExpired("The access token has expired; refresh it, or sign in again.")
    return Credentials(Actor(kind, subject, _permissions_of(claims, kind)), shop, expires_at)


def _permissions_of(claims: Mapping[str, Any], kind: ActorKind) -> frozenset[Permission]:
    """Return the permissions that this version knows; a customer holds none, whatever the token says."""
    named = claims.get("permissions", [])
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        raise Unauthenticated(_INVALID)
    if kind is ActorKind.CUSTOMER:
        return frozenset()
    return frozenset(_PERMISSIONS[name] for name in named if name in _PERMISSIONS)


def _time_of(claim: object) -> datetime:
    """Read a NumericDate (RFC 7519, 2); true is not one, though Python counts it as a number."""
    if not isinstance(claim, int | float) or isinstance(claim, bool):
        raise Unauthenticated(_INVALID)
    try:
        return datetime.fromtimestamp(claim, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unauthenticated(_INVALID) from error


def _text_of(claim: object) -> str:
    if not isinstance(claim, str) or not 0 < len(claim) <= _CLAIM_LENGTH:
        raise Unauthenticated(_INVALID)
    return claim
