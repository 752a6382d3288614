"""`python -m server keys`, in development and in production."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from resolvers.context import ROLES, Actor, ActorKind
from server.authentication import Authenticator
from server.cli import main
from server.keys import development_keys, load_keys


@pytest.fixture
def development(monkeypatch, tmp_path):
    """Settings of a fresh data folder."""
    for name in ("DATABASE_URL", "REDIS_URL", "GALLERIA_TOKEN_KEYS", "GALLERIA_TOKEN_ISSUER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GALLERIA_ENVIRONMENT", "development")
    monkeypatch.setenv("GALLERIA_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def production(monkeypatch, tmp_path):
    """Settings that name a key file, which the test writes."""
    path = tmp_path / "keys.json"
    monkeypatch.setenv("GALLERIA_ENVIRONMENT", "production")
    monkeypatch.setenv("DATABASE_URL", "postgresql://galleria@database.invalid/galleria")
    monkeypatch.setenv("GALLERIA_TOKEN_ISSUER", "issuer")
    monkeypatch.setenv("GALLERIA_TOKEN_KEYS", str(path))
    return path


def write_keys(path, folder, *, is_private):
    development_keys(folder)
    [made] = folder.glob("*.json")
    [entry] = json.loads(made.read_bytes())["keys"]
    if not is_private:
        del entry["d"]
    path.write_text(json.dumps({"keys": [entry]}))


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["keys", "token", *arguments])
    printed = capsys.readouterr()
    return ended.value.code, printed.out.strip(), printed.err


def read(token, keys, issuer="galleria-development"):
    credentials = Authenticator(keys, issuer=issuer, audience="galleria").verified(token).credentials
    return credentials, credentials.expires_at - datetime.now(UTC)


@pytest.mark.parametrize("role", ROLES)
def test_a_token_of_each_role(capsys, development, role):
    code, token, _ = run(capsys, "--as", "staff", "--shop", "demo", "--role", role)
    credentials, lifetime = read(token, development_keys(development))
    assert code == 0
    assert credentials.actor == Actor(ActorKind.STAFF, f"staff-{role}", ROLES[role])
    assert credentials.shop == "demo"
    assert timedelta(hours=11, minutes=59) < lifetime <= timedelta(hours=12)


def test_staff_is_the_owner_unless_told_otherwise(capsys, development):
    shop = str(uuid.uuid4())
    _, token, _ = run(capsys, "--as", "staff", "--shop", shop, "--minutes", "5", "--subject", "ada")
    credentials, lifetime = read(token, development_keys(development))
    assert credentials.actor == Actor(ActorKind.STAFF, "ada", ROLES["owner"])
    assert credentials.shop == shop
    assert lifetime <= timedelta(minutes=5)


def test_a_customer_has_no_permission_and_no_role(capsys, development):
    _, token, _ = run(capsys, "--as", "customer", "--shop", "demo")
    credentials, _ = read(token, development_keys(development))
    assert credentials.actor == Actor(ActorKind.CUSTOMER, "customer")
    code, out, error = run(capsys, "--as", "customer", "--shop", "demo", "--role", "owner")
    assert (code, out) == (2, "")
    assert "leave --role out" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--as", "staff", "--shop", "demo", "--role", "king"), "owner"),
        (("--as", "system", "--shop", "demo"), "customer"),
        (("--as", "staff"), "--shop"),
        (("--as", "staff", "--shop", "No such form"), "--shop"),
        (("--as", "staff", "--shop", "demo", "--minutes", "0"), "--minutes"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_made(capsys, development, arguments, message):
    code, out, error = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in error
    assert not development.exists()


def test_production_refuses_without_a_signing_key(capsys, production, tmp_path):
    write_keys(production, tmp_path / "made", is_private=False)
    code, out, error = run(capsys, "--as", "staff", "--shop", "demo")
    assert (code, out) == (2, "")
    assert "private Ed25519 JWK" in error


def test_production_signs_with_its_key_for_a_quarter_of_an_hour(capsys, production, tmp_path):
    write_keys(production, tmp_path / "made", is_private=True)
    code, token, _ = run(capsys, "--as", "staff", "--shop", "demo", "--role", "support")
    credentials, lifetime = read(token, load_keys(production), "issuer")
    assert code == 0
    assert credentials.actor.permissions == ROLES["support"]
    assert lifetime <= timedelta(minutes=15)


def test_new_keys_sign_and_are_new_each_time(production, capsys):
    """They need no settings, since they come before them."""
    seen = set()
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            main(["keys", "new"])
        assert end.value.code == 0
        production.write_text(capsys.readouterr().out)
        keys = load_keys(production)
        assert keys.signing is not None
        assert keys.signing.kid.startswith("galleria-")
        seen.add(keys.signing.kid)
    assert len(seen) == 2
