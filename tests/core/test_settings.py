"""Settings: typed, named in every complaint, secrets never shown."""

import dataclasses
from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.setting_variables import VARIABLES
from core.settings import EMBEDDED_FOLDER, Environment, Settings, load_settings, variables
from core.variables import Secret
from server.cli.settings import table

DATABASE_URL = "postgresql://galleria_app:hunter2@db.example:5432/galleria"


@pytest.fixture
def production(tmp_path):
    """The least that production needs."""
    keys = tmp_path / "keys.json"
    keys.write_text('{"keys": []}')
    return {
        "DATABASE_URL": DATABASE_URL,
        "GALLERIA_TOKEN_KEYS": str(keys),
        "GALLERIA_TOKEN_ISSUER": "https://issuer.example",
    }


def test_defaults_of_production(production):
    settings = load_settings(production)

    assert settings.environment is Environment.PRODUCTION
    assert not settings.is_development
    assert settings.database_url == Secret(DATABASE_URL)
    assert settings.owner_database_url == Secret(DATABASE_URL)
    assert settings.redis_url is None
    assert (settings.host, settings.port, settings.metrics_port) == ("127.0.0.1", 8000, 9100)
    assert settings.data == Path(".data")
    assert settings.token_issuer == "https://issuer.example"
    assert settings.token_audience == "galleria"
    assert (settings.pool_size, settings.deadline_seconds, settings.body_limit_bytes) == (10, 10, 1_000_000)
    assert settings.cors_origins == ()
    assert settings.default_shop is None
    assert (settings.budget_outage, settings.trusted_proxies, settings.proxy_header) == ("open", (), "x-forwarded-for")
    assert str(settings.budgets) == variables()["budgets"].default


def test_budgets_that_are_not_named_keep_their_default(production):
    budgets = load_settings({**production, "GALLERIA_BUDGETS": " key=50000/2500, shop=900000/9000 ,"}).budgets
    assert str(budgets) == "shopper=2000/100,customer=2000/100,staff=10000/500,key=50000/2500,shop=900000/9000"


def test_networks_of_proxies(production):
    settings = load_settings({**production, "GALLERIA_TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8,192.0.2.1"})
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "fd00::/8", "192.0.2.1/32"]


def test_defaults_of_development(tmp_path):
    settings = load_settings({"GALLERIA_ENVIRONMENT": "development", "GALLERIA_DATA": str(tmp_path)})

    assert settings.is_development
    assert settings.database_url is None
    assert settings.token_keys is None
    assert settings.token_issuer == "galleria-development"
    assert settings.default_shop == "demo"
    assert settings.metrics_port == 0


def test_a_data_folder_with_an_embedded_database_means_development(tmp_path):
    (tmp_path / EMBEDDED_FOLDER).mkdir()
    assert load_settings({"GALLERIA_DATA": str(tmp_path)}).is_development


@pytest.mark.parametrize("told", [{"GALLERIA_ENVIRONMENT": "production"}, {"DATABASE_URL": DATABASE_URL}])
def test_an_embedded_database_never_overrules_what_is_set(production, tmp_path, told):
    (tmp_path / EMBEDDED_FOLDER).mkdir()
    settings = load_settings({**production, **told, "GALLERIA_DATA": str(tmp_path)})
    assert not settings.is_development


@pytest.mark.parametrize("name", ["DATABASE_URL", "GALLERIA_TOKEN_KEYS", "GALLERIA_TOKEN_ISSUER"])
@pytest.mark.parametrize("empty", [False, True])
def test_production_names_what_is_missing(production, tmp_path, name, empty):
    production["GALLERIA_DATA"] = str(tmp_path)
    del production[name]
    if empty:
        production[name] = ""
    with pytest.raises(ConfigurationError, match=rf"^Set {name} \("):
        load_settings(production)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("GALLERIA_ENVIRONMENT", "prod", "must be development or production, not 'prod'"),
        ("DATABASE_URL", "mysql://db/galleria", "must be a URL that starts with postgresql:// or postgres://"),
        ("DATABASE_URL", "postgresql://db:0/galleria", "must be a URL that starts with postgresql:// or postgres://"),
        ("DATABASE_URL", "postgresql://db:port/x", "must be a URL that starts with postgresql:// or postgres://"),
        ("DATABASE_URL", "postgresql://", "must be a URL that starts with postgresql:// or postgres://"),
        ("REDIS_URL", "localhost:6379", "must be a URL that starts with redis:// or rediss:// or unix://"),
        ("GALLERIA_PORT", "tcp://10.0.0.1:80", "must be a whole number from 1 to 65535, not 'tcp://10.0.0.1:80'"),
        ("GALLERIA_PORT", "0", "must be a whole number from 1 to 65535, not '0'"),
        ("GALLERIA_PORT", "65536", "must be a whole number from 1 to 65535, not '65536'"),
        ("GALLERIA_PORT", "-1", "must be a whole number from 1 to 65535, not '-1'"),
        ("GALLERIA_TOKEN_KEYS", "/nowhere/keys.json", "must name a file that exists, not '/nowhere/keys.json'"),
        ("GALLERIA_RESPONSE_CACHE", "0", "must be on, off or a whole number of MiB, not '0'"),
        ("GALLERIA_RESPONSE_CACHE", "64MB", "must be on, off or a whole number of MiB, not '64MB'"),
        (
            "GALLERIA_CORS_ORIGINS",
            "https://a.example, https://b.example/path",
            "must be origins such as https://shop.example separated by commas, not 'https://b.example/path'",
        ),
        (
            "GALLERIA_CORS_ORIGINS",
            "*",
            "must be origins such as https://shop.example separated by commas, not '*'",
        ),
        (
            "GALLERIA_BUDGETS",
            "shopper=2000",
            "must name shopper, customer, staff, key, shop once, as in shopper=2000/100, not 'shopper=2000'",
        ),
        (
            "GALLERIA_BUDGETS",
            "guest=2000/100",
            "must name shopper, customer, staff, key, shop once, as in shopper=2000/100, not 'guest=2000/100'",
        ),
        (
            "GALLERIA_BUDGETS",
            "key=1/1,key=2/2",
            "must name shopper, customer, staff, key, shop once, as in shopper=2000/100, not 'key=2/2'",
        ),
        ("GALLERIA_BUDGETS", "key=0/1", "must have points from 1 to 50000000, not key=0/1"),
        ("GALLERIA_BUDGETS", "shop=50000001/1", "must have points from 1 to 50000000, not shop=50000001/1"),
        (
            "GALLERIA_BUDGETS",
            "shop=19999/100",
            "must give the shop at least twice the points of each client, not shop=19999/100 for staff=10000/500",
        ),
        ("GALLERIA_BUDGET_OUTAGE", "ajar", "must be open or closed, not 'ajar'"),
        ("GALLERIA_PROXY_HEADER", "x-real-ip", "must be x-forwarded-for or forwarded, not 'x-real-ip'"),
        (
            "GALLERIA_TRUSTED_PROXIES",
            "10.0.0.1/8",
            "must be networks such as 10.0.0.0/8 separated by commas: 10.0.0.1/8 has host bits set",
        ),
    ],
)
def test_a_wrong_value_is_named(production, name, text, complaint):
    with pytest.raises(ConfigurationError) as raised:
        load_settings({**production, name: text})
    assert str(raised.value) == f"{name} {complaint}."


def test_a_wrong_url_is_not_quoted(production):
    with pytest.raises(ConfigurationError) as raised:
        load_settings({**production, "DATABASE_URL": "mysql://user:hunter2@db/galleria"})
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(("text", "mebibytes"), [("on", 64), ("off", 0), ("256", 256)])
def test_the_response_cache_has_a_size(production, text, mebibytes):
    assert load_settings(production).response_cache_bytes == 64 * 1_048_576
    settings = load_settings(production | {"GALLERIA_RESPONSE_CACHE": text})
    assert settings.response_cache_bytes == mebibytes * 1_048_576


def test_origins_are_separated_by_commas(production):
    settings = load_settings({**production, "GALLERIA_CORS_ORIGINS": "https://a.example, http://localhost:3000,"})
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")


def test_a_file_may_hold_the_value(production, tmp_path):
    mounted = tmp_path / "url"
    mounted.write_text("redis://:hunter2@cache.example:6379/0\n")
    settings = load_settings({**production, "REDIS_URL_FILE": str(mounted)})
    assert settings.redis_url == Secret("redis://:hunter2@cache.example:6379/0")


def test_a_value_and_a_file_contradict_each_other(production, tmp_path):
    with pytest.raises(ConfigurationError, match=r"^Set DATABASE_URL or DATABASE_URL_FILE, not both\.$"):
        load_settings({**production, "DATABASE_URL_FILE": str(tmp_path / "url")})


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_an_unreadable_file_is_named(production, tmp_path, content):
    mounted = tmp_path / "url"
    if content is not None:
        mounted.write_bytes(content)
    del production["DATABASE_URL"]
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL_FILE must name a readable text file"):
        load_settings({**production, "DATABASE_URL_FILE": str(mounted)})


def test_secrets_are_never_shown(production):
    settings = load_settings({**production, "REDIS_URL": "redis://:hunter2@cache.example:6379/0"})
    shown = f"{settings!r} {settings.database_url} {settings.redis_url}"

    assert "hunter2" not in shown
    assert str(settings.database_url) == "postgresql://********@db.example:5432/galleria"
    assert str(Secret("postgresql:///galleria?host=/run&password=hunter2")) == "********"


def test_the_documented_table_is_current():
    assert Path("docs/settings.md").read_text() == table(), (
        "run: python -m server settings --markdown > docs/settings.md"
    )


def test_what_a_command_makes_no_use_of_may_be_missing(production):
    del production["GALLERIA_TOKEN_ISSUER"], production["GALLERIA_TOKEN_KEYS"]
    settings = load_settings(production, without={"token_issuer", "token_keys"})
    assert settings.token_keys is None
    with pytest.raises(ConfigurationError, match=r"^Set GALLERIA_TOKEN_ISSUER"):
        load_settings(production, without={"token_keys"})


def test_every_field_has_its_variable_and_every_variable_its_field():
    assert list(VARIABLES) == [field.name for field in dataclasses.fields(Settings)]
    assert len({variable.name for variable in VARIABLES.values()}) == len(VARIABLES)
