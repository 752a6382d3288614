"""Certificates of a private authority are where the addresses of PostgreSQL and Redis say."""

import re

import pytest
from helm_python import HelmRenderError

from tests.helm.documents import PAGE
from tests.helm.pods import containers_of, pod_of
from tests.helm.rendering import render, title_of
from tests.helm.test_secrets import MONITORING, with_value

MOUNT = {"name": "certificates", "mountPath": "/run/certificates", "readOnly": True}


@pytest.mark.parametrize("kind", ["configMap", "secret"])
def test_every_pod_of_galleria_finds_them(kind):
    given = {f"existing{kind[0].upper()}{kind[1:]}": "company", "key": "root.pem"}
    found = {}
    for manifest in render(with_value("caCertificates", given)).manifests:
        if pod := pod_of(manifest):
            [found[title_of(manifest)]] = [each for each in pod["volumes"] if each["name"] == "certificates"]
            assert all(MOUNT in container["volumeMounts"] for container in containers_of(pod))
    assert sorted(title.partition("/")[0] for title in found) == ["Deployment", "Deployment", "Job", "Pod"]
    source = {kind: {"name": "company", "items": [{"key": "root.pem", "path": "ca.crt"}]}}
    for volume in found.values():
        assert volume["projected"] == {"defaultMode": 0o440, "sources": [source]}


def test_without_them_nothing_is_mounted():
    pods = [*filter(None, map(pod_of, render(MONITORING).manifests))]
    assert pods
    assert not any(volume["name"] == "certificates" for pod in pods for volume in pod["volumes"])


def test_they_are_given_in_one_way():
    with pytest.raises(HelmRenderError, match="Give caCertificates in one way"):
        render(with_value("caCertificates", {"existingConfigMap": "one", "existingSecret": "other"}))


def test_the_page_names_the_file_that_is_mounted():
    named = re.findall(r"(?:sslrootcert|ssl_ca_certs)=(\S+)", PAGE.read_text())
    assert named == [f"{MOUNT['mountPath']}/ca.crt"] * 2
