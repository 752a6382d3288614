"""Custom resources have the fields and the values that those who define them know."""

import copy

import pytest

from tests.helm.custom import unknown_fields, wrong_values
from tests.helm.kubernetes import CUSTOM, group_of
from tests.helm.rendering import EXAMPLES, example

ROUTE = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "api"},
    "spec": {"rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "timeouts": {"request": "30s"}}]},
}
SECRET = {
    "apiVersion": "external-secrets.io/v1",
    "kind": "ExternalSecret",
    "metadata": {"name": "keys"},
    "spec": {
        "refreshInterval": "1h",
        "secretStoreRef": {"kind": "SecretStore", "name": "vault"},
        "data": [{"secretKey": "key", "remoteRef": {"key": "galleria"}}],
    },
}


@pytest.fixture(scope="module")
def custom():
    """All custom resources of all examples, those that are the same taken once."""
    found = [manifest for path in EXAMPLES for manifest in example(path).manifests if group_of(manifest) in CUSTOM]
    return [manifest for position, manifest in enumerate(found) if manifest not in found[:position]]


def test_wrong_values_are_found(node):
    wrong = copy.deepcopy([ROUTE, SECRET])
    wrong[0]["spec"]["rules"][0]["matches"][0]["path"]["type"] = "Suffix"
    wrong[1]["spec"]["data"] = "all"
    assert wrong_values(node, [ROUTE, SECRET]) == []
    assert wrong_values(node, wrong) == [
        "HTTPRoute/api: data/spec/rules/0/matches/0/path/type must be equal to one of the allowed values",
        "ExternalSecret/keys: data/spec/data must be array",
    ]


def test_unknown_fields_are_found(node, tmp_path_factory):
    wrong = copy.deepcopy([ROUTE, SECRET])
    wrong[0]["spec"]["rules"][0]["timeouts"]["idle"] = "30s"
    wrong[1]["spec"]["data"][0]["remoteRef"]["keys"] = "galleria"
    assert unknown_fields(node, [ROUTE, SECRET], tmp_path_factory.mktemp("good")) == []
    route, secret = unknown_fields(node, wrong, tmp_path_factory.mktemp("wrong"))
    assert route.startswith("HTTPRoute/api: ")
    assert "'\"idle\"' does not exist in type 'IHTTPRouteTimeouts'" in route
    assert secret.startswith("ExternalSecret/keys: ")
    assert "'\"keys\"' does not exist in type 'IExternalSecretDataRemoteRef'" in secret


def test_all_custom_resources_are_as_their_schemas_say(node, custom):
    assert wrong_values(node, custom) == []


def test_all_custom_resources_have_known_fields_alone(node, custom, tmp_path):
    assert unknown_fields(node, custom, tmp_path) == []
