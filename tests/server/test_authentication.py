"""Access tokens: the good one, and every way in which one can be bad."""

import base64
import contextlib
import dataclasses
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from core.errors import ConfigurationError, TokenExpired, Unauthenticated
from resolvers.context import ROLES, Actor, ActorKind, Permission
from server import authentication
from server.authentication import Authenticator, Grant, bearer_token, issue_token
from server.keys import KeySet, development_keys, load_keys

ISSUER, AUDIENCE = "test-issuer", "galleria"
SHOP = "01980000-0000-7000-8000-000000000001"
NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
STAFF = Actor(ActorKind.STAFF, "ada", ROLES["inventory"])
INVALID = "The access token is not valid; sign in again."


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def forward(self, **duration):
        self.now += timedelta(**duration)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> KeySet:
    return development_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def authenticator(keys, clock):
    return Authenticator(keys, issuer=ISSUER, audience=AUDIENCE, clock=clock)


@pytest.fixture
def issue(keys, clock):
    def issue(actor=STAFF, **changes):
        grant = Grant(issuer=ISSUER, audience=AUDIENCE, shop=SHOP, actor=actor, lifetime=timedelta(minutes=15))
        return issue_token(keys, dataclasses.replace(grant, **changes), clock=clock)

    return issue


@pytest.fixture
def forge(keys):
    """Sign whatever is asked for with the right key."""

    def forge(claims=None, header=None, without=()):
        members = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": NOW.timestamp(),
            "exp": NOW.timestamp() + 900,
            "sub": "ada",
            "shop": SHOP,
            "kind": "staff",
            **(claims or {}),
        }
        headers = {"alg": "EdDSA", "typ": "at+jwt", "kid": keys.signing.kid, **(header or {})}
        return signed(
            {name: value for name, value in headers.items() if name not in without},
            {name: value for name, value in members.items() if name not in without},
            keys.signing.key.key.sign,
        )

    return forge


def segment(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def signed(header, claims, sign):
    message = segment(header) + b"." + segment(claims)
    return (message + b"." + segment(sign(message))).decode()


def refused(authenticator, token):
    with pytest.raises(Unauthenticated) as refusal:
        authenticator.verified(token)
    assert refusal.value.message == INVALID
    assert refusal.value.code == "UNAUTHENTICATED"
    assert not refusal.value.extensions


def test_an_issued_token_proves_actor_shop_and_end(authenticator, issue):
    credentials = authenticator.verified(issue()).credentials
    assert credentials.actor == STAFF
    assert credentials.shop == SHOP
    assert credentials.expires_at == NOW + timedelta(minutes=15)


@pytest.mark.parametrize("kind", [ActorKind.CUSTOMER, ActorKind.STAFF, ActorKind.KEY])
def test_the_kind_of_actor_is_the_tokens(authenticator, issue, kind):
    assert authenticator.verified(issue(Actor(kind, "somebody"))).credentials.actor == Actor(kind, "somebody")


@pytest.mark.parametrize("kind", ["system", "anonymous", "root", "", None, 7, ["staff"]])
def test_no_token_makes_a_system_or_an_unknown_actor(authenticator, forge, kind):
    refused(authenticator, forge({"kind": kind}))


def test_unknown_permissions_are_ignored(authenticator, forge):
    token = forge({"permissions": ["catalogue:write", "everything:destroy", ""]})
    assert authenticator.verified(token).credentials.actor.permissions == {Permission.CATALOGUE_WRITE}


def test_a_customer_holds_no_permission(authenticator, forge):
    token = forge({"kind": "customer", "permissions": ["catalogue:write"]})
    assert authenticator.verified(token).credentials.actor == Actor(ActorKind.CUSTOMER, "ada")


@pytest.mark.parametrize("permissions", ["catalogue:write", {"catalogue:write": True}, [1], [["x"]], None])
def test_malformed_permissions_are_refused(authenticator, forge, permissions):
    refused(authenticator, forge({"permissions": permissions}))


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "sub", "shop", "kind"])
def test_each_required_claim_is_required(authenticator, forge, claim):
    refused(authenticator, forge(without=[claim]))
    refused(authenticator, forge({claim: None}))
    refused(authenticator, forge({claim: {}}))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "another-issuer"},
        {"iss": [ISSUER]},
        {"aud": "another-audience"},
        {"aud": ["another-audience"]},
        {"aud": [7]},
        {"sub": ""},
        {"sub": "x" * 256},
        {"shop": 7},
        {"shop": "x" * 256},
        {"exp": "2100-01-01"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": 10**400},
        {"iat": -1e300},
        {"nbf": "soon"},
    ],
)
def test_wrong_claims_are_refused(authenticator, forge, claims):
    refused(authenticator, forge(claims))


def test_one_audience_of_several_is_enough(authenticator, forge):
    assert authenticator.verified(forge({"aud": ["another", AUDIENCE]})).credentials.shop == SHOP


@pytest.mark.parametrize("token_type", ["at+jwt", "AT+JWT", "application/at+jwt"])
def test_access_tokens_are_told_by_their_type(authenticator, forge, token_type):
    assert authenticator.verified(forge(header={"typ": token_type})).credentials.shop == SHOP


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": "id+jwt"},
        {"typ": None},
        {"typ": ["at+jwt"]},
        {"kid": "unknown"},
        {"kid": "../../etc/passwd"},
        {"kid": None},
        {"kid": 7},
        {"kid": ["unknown"]},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "Ed448"},
        {"alg": None},
        {"alg": ["EdDSA"]},
        {"crit": ["exp"], "exp": 1},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
    ],
)
def test_wrong_headers_are_refused(authenticator, forge, header):
    refused(authenticator, forge(header=header))


@pytest.mark.parametrize("name", ["typ", "kid", "alg"])
def test_each_required_header_is_required(authenticator, forge, name):
    refused(authenticator, forge(without=[name]))


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c"])
def test_a_token_cannot_bring_its_own_key(authenticator, forge, name):
    intruder = Ed25519PrivateKey.generate()
    values = {"jwk": OKPAlgorithm.to_jwk(intruder.public_key(), as_dict=True), "x5c": ["AAAA"]}
    value = values.get(name, "https://intruder.example/keys")
    # Refused even when our own key signed it, and all the more when the key it brings did.
    refused(authenticator, forge(header={name: value}))
    [header, claims, _] = forge(header={name: value}).split(".")
    message = f"{header}.{claims}".encode()
    refused(authenticator, (message + b"." + segment(intruder.sign(message))).decode())


def test_no_algorithm_is_no_signature(authenticator, forge):
    [_, claims, signature] = forge().split(".")
    for header in ({"alg": "none", "typ": "at+jwt"}, {"alg": "None", "typ": "at+jwt", "kid": "x"}):
        for tail in ("", signature):
            refused(authenticator, f"{segment(header).decode()}.{claims}.{tail}")


def test_the_public_key_is_no_shared_secret(authenticator, forge, keys):
    public = keys.verification[keys.signing.kid].key
    [_, claims, _] = forge().split(".")
    header = segment({"alg": "HS256", "typ": "at+jwt", "kid": keys.signing.kid}).decode()
    message = f"{header}.{claims}".encode()
    hmac = jwt.get_algorithm_by_name("HS256")
    for secret in (public.public_bytes_raw(), OKPAlgorithm.to_jwk(public).encode()):
        refused(authenticator, f"{message.decode()}.{segment(hmac.sign(message, secret)).decode()}")


def test_another_key_under_the_same_name_is_refused(authenticator, keys):
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": keys.signing.kid}
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "shop": SHOP, "kind": "staff"}
    times = {"iat": NOW.timestamp(), "exp": NOW.timestamp() + 900}
    refused(authenticator, signed(header, {**claims, **times}, Ed25519PrivateKey.generate().sign))


def test_any_changed_character_is_refused(authenticator, forge):
    token = forge()
    for position in range(0, len(token), 7):
        other = "A" if token[position] != "A" else "B"
        refused(authenticator, token[:position] + other + token[position + 1 :])


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "eyJ",
        "ey" * 100,
        "null.null.null",
        f"{segment([]).decode()}.e30.AA",
        f"{segment(b'[' * 3000).decode()}.e30.AA",
        "é.ü.ß",
        "\ud800.\udfff.x",
        "\x00",
        "тoken",
        "١٢٣",
    ],
)
def test_garbage_is_refused(authenticator, token):
    refused(authenticator, token)


@given(some.text(max_size=200) | some.from_regex(r"\A[A-Za-z0-9_=-]{0,40}(\.[A-Za-z0-9_=-]{0,40}){0,4}\Z"))
def test_no_text_raises_anything_else(text):
    with pytest.raises(Unauthenticated):
        Authenticator(KeySet({}), issuer=ISSUER, audience=AUDIENCE).verified(text)


@given(
    some.dictionaries(
        some.sampled_from(["iss", "aud", "exp", "iat", "nbf", "sub", "shop", "kind", "permissions"]),
        some.none() | some.booleans() | some.floats() | some.integers() | some.text() | some.lists(some.text()),
        min_size=1,
    )
)
def test_no_signed_claims_raise_anything_else(keys, claims):
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": keys.signing.kid}
    good = {"iss": ISSUER, "aud": AUDIENCE, "iat": 0, "exp": 0, "sub": "ada", "shop": SHOP, "kind": "staff"}
    token = signed(header, {**good, **claims}, keys.signing.key.key.sign)
    # TokenExpired is the answer to claims that happen to be well-formed; anything else that is raised fails the test.
    with contextlib.suppress(Unauthenticated):
        Authenticator(keys, issuer=ISSUER, audience=AUDIENCE).verified(token)


def test_an_oversized_token_is_refused_before_it_is_read(authenticator, forge):
    largest = forge({"padding": "x" * 5_600})
    assert len(largest) <= authentication.TOKEN_LIMIT_BYTES
    assert authenticator.verified(largest).credentials.shop == SHOP
    larger = forge({"padding": "x" * 6_200})
    assert len(larger) > authentication.TOKEN_LIMIT_BYTES
    refused(authenticator, larger)
    refused(authenticator, "A" * 1_000_000)


def test_an_expired_token_says_so_after_the_leeway(authenticator, issue, clock):
    token = issue()
    clock.forward(minutes=15, seconds=29)
    assert authenticator.verified(token).credentials.shop == SHOP
    clock.forward(seconds=1)
    with pytest.raises(TokenExpired) as refusal:
        authenticator.verified(token)
    assert refusal.value.code == "TOKEN_EXPIRED"


def test_the_leeway_is_at_most_a_minute():
    assert timedelta(0) <= authentication.LEEWAY <= timedelta(seconds=60)


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_from_the_future_is_refused_beyond_the_leeway(authenticator, forge, claim):
    assert authenticator.verified(forge({claim: NOW.timestamp() + 30})).credentials.shop == SHOP
    refused(authenticator, forge({claim: NOW.timestamp() + 31}))


def test_a_verified_token_is_remembered_for_a_minute(clock, issue, keys):
    known = dict(keys.verification)
    authenticator = Authenticator(KeySet(known), issuer=ISSUER, audience=AUDIENCE, clock=clock)
    token = issue()
    credentials = authenticator.verified(token).credentials
    known.clear()
    clock.forward(seconds=59)
    assert authenticator.verified(token).credentials is credentials
    clock.forward(seconds=1)
    refused(authenticator, token)


def test_a_clock_set_back_does_not_prolong_the_memory(clock, issue, keys):
    known = dict(keys.verification)
    authenticator = Authenticator(KeySet(known), issuer=ISSUER, audience=AUDIENCE, clock=clock)
    token = issue()
    authenticator.verified(token)
    known.clear()
    clock.forward(seconds=-1)
    refused(authenticator, token)


def test_the_memory_ends_with_the_token(authenticator, issue, clock):
    token = issue(lifetime=timedelta(seconds=10))
    authenticator.verified(token)
    clock.forward(seconds=40)
    with pytest.raises(TokenExpired):
        authenticator.verified(token)


def test_the_memory_is_bounded_and_forgets_the_oldest(authenticator, issue, monkeypatch):
    monkeypatch.setattr(authentication, "CACHE_SIZE", 2)
    first, second, third = (issue() for _ in range(3))
    kept = [authenticator.verified(token).credentials for token in (first, second, third)]
    assert len(authenticator._verified) == 2
    assert authenticator.verified(second).credentials is kept[1]
    assert authenticator.verified(third).credentials is kept[2]
    assert authenticator.verified(first).credentials is not kept[0]


def test_a_refused_token_is_not_remembered(authenticator, forge):
    refused(authenticator, forge({"aud": "another"}))
    assert not authenticator._verified


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "HS256"])
def test_other_algorithms_verify_and_stay_bound_to_their_key(tmp_path, clock, algorithm):
    private, entry = other_pair(algorithm)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{**entry, "kid": "other"}]}))
    keys = load_keys(path, allow_shared_secrets=True)
    authenticator = Authenticator(keys, issuer=ISSUER, audience=AUDIENCE, clock=clock)
    claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": NOW, "exp": NOW, "sub": "ada", "shop": SHOP, "kind": "staff"}
    headers = {"typ": "at+jwt", "kid": "other"}
    assert authenticator.verified(jwt.encode(claims, private, algorithm, headers)).credentials.shop == SHOP
    stronger = {"ES256": None, "RS256": "PS256", "HS256": "HS512"}[algorithm]
    if stronger:
        refused(authenticator, jwt.encode(claims, private, stronger, headers))


def other_pair(algorithm):
    if algorithm == "ES256":
        elliptic = ec.generate_private_key(ec.SECP256R1())
        return elliptic, ECAlgorithm.to_jwk(elliptic.public_key(), as_dict=True)
    if algorithm == "RS256":
        rivest = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return rivest, RSAAlgorithm.to_jwk(rivest.public_key(), as_dict=True)
    secret = b"s" * 64
    return secret, {"kty": "oct", "k": segment(secret).decode()}


def test_nothing_is_issued_without_a_private_key(keys, clock):
    grant = Grant(issuer=ISSUER, audience=AUDIENCE, shop=SHOP, actor=STAFF, lifetime=timedelta(minutes=1))
    with pytest.raises(ConfigurationError, match="GALLERIA_TOKEN_KEYS"):
        issue_token(KeySet(keys.verification), grant, clock=clock)


def test_two_tokens_of_one_moment_differ(issue):
    assert issue() != issue()


@pytest.mark.parametrize(
    ("header", "token"),
    [(None, None), ("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("BEARER a.b.c", "a.b.c")],
)
def test_the_bearer_scheme_is_read(header, token):
    assert bearer_token(header) == token


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "abc", "Token abc"])
def test_another_scheme_is_refused(header):
    with pytest.raises(Unauthenticated, match="Authorization: Bearer"):
        bearer_token(header)
