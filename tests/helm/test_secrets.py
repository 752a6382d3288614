"""Secrets of the chart are its own, those of others stay untouched, and a change of one reaches who reads it."""

import copy

import pytest
from helm_python import HelmRenderError

from tests.helm.rendering import CHART, render, values_of

MONITORING = values_of(CHART / "ci" / "monitoring.yaml")
BY_VALUE = {
    **MONITORING,
    "secrets": {
        "databaseUrl": {"value": "postgresql://app:one@database:5432/galleria"},
        "ownerDatabaseUrl": {"value": "postgresql://owner:one@database:5432/galleria"},
        "redisUrl": {"value": "redis://:one@cache:6379/0"},
        "tokenKeys": {"value": '{"keys": []}'},
    },
}
OWN = [f"shop-galleria-{name}" for name in ("secrets", "external", "migrations-secrets", "migrations-external")]


def with_value(path, value, base=MONITORING):
    """Return values with another one at a path such as `secrets.databaseUrl`."""
    values = copy.deepcopy(base)
    place = values
    *parents, last = path.split(".")
    for name in parents:
        place = place.setdefault(name, {})
    place[last] = value
    return values


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("secret", ["databaseUrl", "ownerDatabaseUrl", "redisUrl", "tokenKeys"])
def test_a_secret_of_the_users_cannot_have_a_name_of_the_charts(secret, name):
    """As a hook's the chart would delete it, as a part of the release it would empty it."""
    values = with_value(f"secrets.{secret}", {"existingSecret": name})
    with pytest.raises(HelmRenderError, match=f"Call the Secret of secrets.{secret}.existingSecret something other"):
        render(values)


@pytest.mark.parametrize(
    "path",
    [
        "caCertificates.existingSecret",
        "verify.token.existingSecret",
        "cloudnativepg.applicationSecret",
        "certificate.secretName",
    ],
)
def test_no_other_secret_has_a_name_of_the_charts(path):
    with pytest.raises(HelmRenderError, match=f"Call the Secret of {path} something other than {OWN[0]}"):
        render(with_value(path, OWN[0]))


def test_secrets_that_exist_are_not_made():
    assert render(MONITORING).of_kind("Secret") == []


def test_secrets_given_as_values_are_made():
    made = {secret["metadata"]["name"]: secret["stringData"] for secret in render(BY_VALUE).of_kind("Secret")}
    given = {name: secret["value"] for name, secret in BY_VALUE["secrets"].items()}
    assert made == {
        OWN[0]: {
            "database-url": given["databaseUrl"],
            "redis-url": given["redisUrl"],
            "token-keys.json": given["tokenKeys"],
        },
        OWN[2]: {"owner-database-url": given["ownerDatabaseUrl"]},
    }


def checksums(values):
    """Return the annotations that a Deployment's pods are told apart by, by its name."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["metadata"]["annotations"]
        for each in render(values).of_kind("Deployment")
    }


@pytest.mark.parametrize(
    ("path", "value", "restarted"),
    [
        ("secrets.databaseUrl.value", "postgresql://app:two@database:5432/galleria", {"", "-relay"}),
        ("secrets.redisUrl.value", "redis://:two@cache:6379/0", {"", "-relay"}),
        ("secrets.tokenKeys.value", '{"keys": [{}]}', {""}),
        ("secrets.ownerDatabaseUrl.value", "postgresql://owner:two@database:5432/galleria", set()),
        ("config.poolSize", 11, {"", "-relay"}),
        ("service.port", 81, set()),
    ],
)
def test_a_change_starts_those_anew_who_read_it(path, value, restarted):
    before, after = checksums(BY_VALUE), checksums(with_value(path, value, BY_VALUE))
    assert {name for name in before if before[name] != after[name]} == {f"shop-galleria{name}" for name in restarted}
