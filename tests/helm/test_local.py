"""The files of docs/kubernetes.md's local cluster, which lets in restricted pods alone."""

import re

import pytest

from tests.helm.documents import PAGE
from tests.helm.kubernetes import VERSIONS, faults
from tests.helm.pods import pod_of, references_of, violations
from tests.helm.rendering import CHART, manifests_of, render, values_of

LOCAL = CHART.parent / "local"
DATABASE = list(manifests_of((LOCAL / "postgresql.yaml").read_text()))
RELEASE = render(values_of(LOCAL / "values.yaml"), name="galleria", namespace="galleria").manifests


def test_its_namespace_lets_every_pod_in():
    assert [fault for manifest in (*DATABASE, *RELEASE) for fault in violations(manifest)] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_its_database_is_taken_by_every_release(version):
    assert [fault for manifest in DATABASE for fault in faults(manifest, version)] == []


def test_the_page_makes_the_secret_with_all_that_is_mounted():
    [made] = re.findall(r"create secret generic galleria \\\n((?:.*\\\n)*.*)\n", PAGE.read_text())
    given = set(re.findall(r"--from-(?:literal|file)=([-.\w]+)", made))
    secrets = {manifest["metadata"]["name"] for manifest in RELEASE if manifest["kind"] == "Secret"}
    wanted = {
        (name, key)
        for manifest in (*DATABASE, *RELEASE)
        for name, key in _keys_of(pod_of(manifest) or {})
        if name not in secrets
    }
    assert wanted == {("galleria", key) for key in given}


def _keys_of(pod):
    """Give the Secret and the key of each secret that a pod mounts."""
    for volume in pod.get("volumes", []):
        for source in (volume, *volume.get("projected", {}).get("sources", [])):
            secret = source.get("secret", {})
            yield from ((secret.get("secretName") or secret["name"], item["key"]) for item in secret.get("items", []))


def test_the_page_names_what_is_installed():
    """Names in its commands are those of the release."""
    names = {f"{manifest['kind'].lower()}/{manifest['metadata']['name']}" for manifest in (*DATABASE, *RELEASE)}
    asked = set(re.findall(r"(?:deployment|service|statefulset)/[-\w]+", PAGE.read_text().partition("## What to")[0]))
    assert asked
    assert asked <= names
    assert {name for manifest in RELEASE for _, name in references_of(pod_of(manifest) or {})} >= {"galleria"}
