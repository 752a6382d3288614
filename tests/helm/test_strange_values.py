"""Values at the edge: what Kubernetes would refuse is refused, what it takes is taken, and numbers stay numbers."""

import re

import pytest
from helm_python import HelmRenderError, HelmValuesError

from tests.helm.rendering import CHART, EXAMPLES, chart, render, values_of
from tests.helm.test_secrets import MONITORING, with_value
from tests.helm.valid import leaves

GATEWAY = values_of(CHART / "ci" / "gateway.yaml")
SELECTOR = {"matchLabels": {"app": "shop"}}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_large_numbers_are_written_out(path):
    """A template writes a million as 1e+06, which is no whole number to whoever reads it."""
    values = values_of(path)
    for leaf, part in leaves(chart().values):
        if part.get("maximum", 0) >= 1_000_000 and leaf[:2] != ("config", "budgets"):
            values = with_value(".".join(leaf), part["maximum"], values)
    rendered = render(values).files.values()
    assert [found for text in rendered for found in re.findall(r".*\de\+\d+.*", text) if "expr" not in text] == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("networkPolicy.database.to", [{"ipBlock": {"cidr": "nonsense"}}]),
        ("networkPolicy.database.to", [{"ipBlock": {"cidr": "10.0.0.0"}}]),
        ("networkPolicy.database.to", [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["all"]}}]),
        ("networkPolicy.database.to", [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": SELECTOR}]),
        ("networkPolicy.database.to", [{}]),
        ("api.resources.limits", {"cpus": "1"}),
        ("api.resources.limits", {"cpu": "much"}),
    ],
)
def test_what_kubernetes_refuses_is_refused(path, value):
    with pytest.raises(HelmValuesError, match=path.replace(".", "/")):
        chart().validate_schema(with_value(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("networkPolicy.database.to", [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]),
        ("networkPolicy.database.to", [{"ipBlock": {"cidr": "fd00:10::/64"}}, {"ipBlock": {"cidr": "::/0"}}]),
        ("networkPolicy.database.to", [{"namespaceSelector": SELECTOR, "podSelector": SELECTOR}]),
        ("api.resources.limits", {"cpu": 1, "ephemeral-storage": "1Gi"}),
        ("api.resources.requests", {"cpu": 0.5}),
    ],
)
def test_what_kubernetes_takes_is_taken(path, value):
    assert render(with_value(path, value)).files


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("api.podDisruptionBudget", {"minAvailable": "99%", "maxUnavailable": ""}, "minAvailable below 2"),
        ("api.podDisruptionBudget", {"minAvailable": "51%", "maxUnavailable": ""}, "minAvailable below 2"),
        ("certificate.renewBefore", "2161h", "Set certificate.renewBefore to less than duration"),
        ("certificate.duration", "1h30m", "Set certificate.renewBefore to less than duration"),
        ("extraEnv.PATH", "/opt", "Leave PATH out of extraEnv"),
        ("extraEnv.PYTHONPATH", "/opt", "Leave PYTHONPATH out of extraEnv"),
    ],
)
def test_what_cannot_work_is_refused(path, value, sentence):
    with pytest.raises(HelmRenderError, match=sentence):
        render(with_value(path, value, GATEWAY))


def test_half_of_two_pods_may_go():
    values = with_value("api.podDisruptionBudget", {"minAvailable": "50%", "maxUnavailable": ""})
    [budget] = [
        each for each in render(values).of_kind("PodDisruptionBudget") if "relay" not in each["metadata"]["name"]
    ]
    assert budget["spec"]["minAvailable"] == "50%"


OURS = {"app.kubernetes.io/instance": "theirs", "team": "shops"}


def test_labels_of_users_replace_none_of_ours():
    """One key twice would be refused; another value would hide a pod from whoever selects it."""
    values = MONITORING
    places = ["api", "relay", "migrations", "verify"]
    for path in [f"{place}.podLabels" for place in places] + [
        f"monitoring.{part}.labels" for part in ("serviceMonitor", "prometheusRule", "dashboard")
    ]:
        values = with_value(path, OURS, values)
    hooks = {"helm.sh/hook": "pre-install", "example.com/note": "seen"}
    rendered = render(with_value("verify.podAnnotations", hooks, values))
    labelled = [manifest["metadata"]["labels"] for manifest in rendered.manifests]
    labelled += [
        manifest["spec"]["template"]["metadata"]["labels"]
        for manifest in rendered.manifests
        if "template" in manifest.get("spec", {})
    ]
    assert {labels["app.kubernetes.io/instance"] for labels in labelled} == {"shop"}
    assert sum(labels.get("team") == "shops" for labels in labelled) == len(places) + 3
    [pod] = rendered.of_kind("Pod")
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert pod["metadata"]["annotations"]["example.com/note"] == "seen"
