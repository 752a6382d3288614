"""What pods are told is what the server takes, and what is said in two places agrees."""

import pytest
from helm_python import HelmRenderError

from core.budgets import DEFAULT
from core.settings import load_settings, variables
from tests.helm.environment import environ_of
from tests.helm.pods import pod_of
from tests.helm.rendering import CHART, EXAMPLES, example, render, title_of, values_of

NOT_USED = {"relay": ("token_keys",), "migrate": ("token_keys", "token_issuer")}
"""Settings that a command can do without; the rest it is given."""

each_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


def servers(release):
    """Give title, pod and container of whatever runs a command that reads the settings."""
    for manifest in release.manifests:
        pod = pod_of(manifest) or {"containers": []}
        for container in pod["containers"]:
            if container.get("args", [""])[0] in {"serve", "relay", "migrate"}:
                yield title_of(manifest), pod, container


@each_example
def test_the_server_takes_what_it_is_told(path, tmp_path):
    release = example(path)
    known = {variable.name for variable in variables().values()}
    for title, pod, container in servers(release):
        environ = environ_of(container, pod, release, tmp_path)
        settings = load_settings(environ, without=NOT_USED.get(container["args"][0], ()))
        assert settings.database_url.value.startswith("postgresql://"), title
        assert {name.removesuffix("_FILE") for name in environ if name.startswith("GALLERIA_")} <= known, title


def test_values_reach_the_server(tmp_path):
    path = CHART / "ci" / "production.yaml"
    release, values = example(path), values_of(path)
    [(pod, container)] = [
        (pod, container) for title, pod, container in servers(release) if title == "Deployment/shop-galleria"
    ]
    settings = load_settings(environ_of(container, pod, release, tmp_path))
    assert settings.pool_size == values["config"]["poolSize"]
    assert list(settings.cors_origins) == values["config"]["corsOrigins"]
    assert settings.budget_outage == values["config"]["budgetOutage"]
    shopper = values["config"]["budgets"]["shopper"]
    assert (settings.budgets.shopper.capacity, settings.budgets.shopper.per_second) == (*shopper.values(),)


@each_example
def test_pods_are_given_the_time_that_they_take_to_stop(path, tmp_path):
    release = example(path)
    for title, pod, container in servers(release):
        if container["args"] != ["serve"]:
            continue
        settings = load_settings(environ_of(container, pod, release, tmp_path))
        waited = container["lifecycle"]["preStop"]["sleep"]["seconds"] if "lifecycle" in container else 0
        assert pod["terminationGracePeriodSeconds"] >= waited + settings.drain_seconds + settings.deadline_seconds, (
            title
        )


@each_example
def test_probes_and_monitors_ask_at_the_ports_of_the_server(path, tmp_path):
    release = example(path)
    for title, pod, container in servers(release):
        if container["args"][0] == "migrate":
            continue
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        settings = load_settings(
            environ_of(container, pod, release, tmp_path), without=NOT_USED.get(container["args"][0], ())
        )
        assert ports["metrics"] == settings.metrics_port, title
        assert ports.get("http", settings.port) == settings.port, title
        probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")]
        assert [probe["path"] for probe in probes] == ["/startupz", "/livez", "/readyz"]
        assert {probe["port"] for probe in probes} == {"http" if "http" in ports else "metrics"}


@each_example
def test_who_scales_is_one_alone(path):
    """With `replicas` beside an autoscaler each upgrade would undo what that one did."""
    release = example(path)
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in release.of_kind("HorizontalPodAutoscaler")}
    for deployment in release.of_kind("Deployment"):
        assert ("replicas" in deployment["spec"]) != (deployment["metadata"]["name"] in scaled)


@each_example
def test_no_pod_is_left_open(path):
    """Each is under a policy for both directions, whatever other policies let through."""
    release = example(path)
    policies = [policy["spec"] for policy in release.of_kind("NetworkPolicy")]
    for manifest in release.manifests:
        if not policies or pod_of(manifest) is None:
            continue
        template = manifest if manifest["kind"] == "Pod" else manifest["spec"]["template"]
        labels = template["metadata"]["labels"].items()
        closed = {
            direction
            for policy in policies
            if policy["podSelector"].get("matchLabels", {}).items() <= labels
            for direction in policy["policyTypes"]
        }
        assert closed == {"Ingress", "Egress"}, title_of(manifest)


def test_the_chart_knows_the_budgets_that_are_not_named():
    """Helm refuses what the server would, and no more, though it learns of the others' budgets nowhere."""
    least = 2 * max(rate.capacity for client, rate in DEFAULT.items() if client != "shop")
    values = values_of(CHART / "ci" / "minimal.yaml")

    def rendered(capacity):
        budgets = {"shop": {"capacity": capacity, "perSecond": 1}}
        return render({**values, "config": {**values["config"], "budgets": budgets}})

    assert rendered(least).files
    with pytest.raises(HelmRenderError, match=f"Set config.budgets.shop.capacity to at least {least}"):
        rendered(least - 1)
