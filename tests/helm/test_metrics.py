"""Alerts and panels ask for metrics that a server tells, by labels that these have."""

import importlib

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.settings import load_settings
from tests.helm.queries import grouped_by, of_dashboards, of_rules, selections
from tests.helm.rendering import CHART, EXAMPLES, example
from tests.server.test_cli_relay import said, started
from tests.server.test_verify import token, verified
from tests.servers import free_port, served

TARGET_LABELS = {"app_kubernetes_io_component", "app_kubernetes_io_instance", "namespace", "pod"}
"""What Prometheus puts on each series: where it was read."""

MONITORING = example(CHART / "ci" / "monitoring.yaml")


@pytest.fixture
async def told(postgres, redis_url, shop, tmp_path):
    """All samples of a server that has been busy, and of a relay of its own: labels and their values, by name."""
    with free_port() as reserved:
        port = reserved.getsockname()[1]
    relay = await started(postgres.app_url, REDIS_URL=redis_url, GALLERIA_METRICS_PORT=str(port))
    try:
        await said(relay, b"Relaying events")
        environ = {
            "GALLERIA_ENVIRONMENT": "development",
            "GALLERIA_DATA": str(tmp_path),
            "DATABASE_URL": postgres.app_url,
            "GALLERIA_OWNER_DATABASE_URL": postgres.owner_url,
            "REDIS_URL": redis_url,
            # Some shopper has to be refused.
            "GALLERIA_BUDGETS": "shopper=100/1",
        }
        settings = load_settings(environ)
        async with (
            served(importlib.import_module("server.app").create_app(settings)) as address,
            httpx.AsyncClient(timeout=30) as client,
        ):
            await verified(address, shop=shop, token=token(settings, shop))
            await until_throttled(client, address, shop)
            pages = [await client.get(f"{url}/metrics") for url in (address, f"http://127.0.0.1:{port}")]
    finally:
        relay.kill()
        await relay.communicate()
    return samples(page.text for page in pages)


async def until_throttled(client, address, shop):
    for count in range(1, 100):
        ask = {"query": f"{{ products(first: {count}) {{ nodes {{ id name }} }} }}"}
        answer = await client.post(f"{address}/graphql", json=ask, headers={"galleria-shop": shop.slug})
        if "THROTTLED" in answer.text:
            return
    pytest.fail(f"No budget was spent: {answer.text}")


def samples(pages):
    found = {}
    for page in pages:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                found.setdefault(sample.name, []).append(sample.labels)
    return found


def faults(queries, told):
    """Say what queries ask for that nobody tells; what rules record is told by them."""
    told = {**told, **{name: [{}] for name, _ in queries if ":" in name}, "up": [{}]}
    for title, query in queries:
        asked = selections(query)
        for selection in asked:
            yield from (f"{title}: {fault}" for fault in faults_of(selection, told))
        known = {name for selection in asked for sample in told.get(selection.metric, []) for name in sample}
        yield from (f"{title}: grouped by {name}" for name in grouped_by(query) - known - TARGET_LABELS)


def faults_of(selection, told):
    known = told.get(selection.metric)
    if known is None:
        yield f"nobody tells {selection.metric}"
        return
    for name, value in selection.labels.items():
        values = {sample[name] for sample in known if name in sample}
        if not values and name not in TARGET_LABELS:
            yield f"{selection.metric} has no {name}"
        elif values and value and value not in values:
            yield f"{selection.metric} never has {value} as {name}"


def test_faults_of_queries_are_found():
    told = {"galleria_pool_connections": [{"pool": "reads", "state": "in_use"}]}
    queries = [
        ("right", 'max by (pool) (galleria_pool_connections{namespace="n",state="in_use"})'),
        ("name", "galleria_pool_connection{}"),
        ("label", 'galleria_pool_connections{stat="in_use"}'),
        ("value", 'galleria_pool_connections{state="used"}'),
        ("group", "sum by (state, pod, pol) (galleria_pool_connections{})"),
    ]
    assert list(faults(queries, told)) == [
        "name: nobody tells galleria_pool_connection",
        "label: galleria_pool_connections has no stat",
        "value: galleria_pool_connections never has used as state",
        "group: grouped by pol",
    ]
    with pytest.raises(ValueError, match="Say of which release"):
        selections("sum(galleria_ready)")


def of_autoscalers(rendered):
    """Give what autoscalers follow, as queries."""
    for scaler in rendered.of_kind("HorizontalPodAutoscaler"):
        for metric in (each["pods"]["metric"] for each in scaler["spec"]["metrics"] if "pods" in each):
            labels = metric.get("selector", {}).get("matchLabels", {})
            yield metric["name"], metric["name"] + "{" + ",".join(f'{key}="{labels[key]}"' for key in labels) + "}"


async def test_a_server_tells_what_alerts_and_panels_ask_for(told):
    [rule] = MONITORING.of_kind("PrometheusRule")
    queries = [*of_rules(rule), *of_dashboards(MONITORING.of_kind("ConfigMap"))]
    assert len(queries) > 40
    queries += of_autoscalers(example(CHART / "ci" / "production.yaml"))
    assert list(faults(queries, told)) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_series_says_where_it_was_read(path):
    """Alerts and panels tell releases and components apart by labels of the pods."""
    rendered = example(path)
    wanted = {"app.kubernetes.io/component", "app.kubernetes.io/instance"}
    for monitor in rendered.of_kind("ServiceMonitor"):
        assert wanted <= {*monitor["spec"]["podTargetLabels"]}
