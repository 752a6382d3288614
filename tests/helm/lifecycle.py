"""Runs a release through its life, with Helm itself, against the stub of the Kubernetes API."""

import contextlib
import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from helm_python import Config, HelmError

from tests.helm.cluster import Cluster, Place
from tests.helm.rendering import CHART, NAMESPACE, RELEASE, chart, values_of
from tests.helm.stub_api import served

MIGRATIONS, TEST = f"{RELEASE}-galleria-migrations", f"{RELEASE}-galleria-verify"
TIMEOUT_SECONDS = 60
OPTIONS: dict[str, Any] = {"wait": "hookOnly", "timeout": TIMEOUT_SECONDS}


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """What one command did.

    Attributes:
        title: What was done.
        calls: What Helm wrote to the cluster, in order.
        failure: What Helm said when it failed; empty otherwise.
        deployment: The revision in which the cluster has the Deployment of the API afterwards.
    """

    title: str
    calls: tuple[str, ...]
    failure: str
    deployment: str | None


@contextlib.contextmanager
def opened(cluster: Cluster) -> Iterator[Config]:
    """Let Helm work on a cluster that a stub serves."""
    with (
        served(cluster) as kubeconfig,
        # Releases are kept in memory: in Secrets they would be sent as Protocol Buffers, which the stub does not read.
        Config(kubeconfig_content=kubeconfig, namespace=NAMESPACE, storage_driver="memory") as helm,
    ):
        yield helm


def life(cluster: Cluster) -> Iterator[Step]:
    """Install a release, upgrade it, let a migration fail and try again, test it, roll back, uninstall."""
    values = values_of(CHART / "ci" / "production.yaml")
    with opened(cluster) as helm:

        def upgrade(version: str) -> object:
            return helm.upgrade(chart(), RELEASE, tagged(values, version), **OPTIONS)

        def step(title: str, action: Callable[[], object]) -> Step:
            return _done(cluster, title, action)

        yield step("install 1", lambda: helm.install(chart(), RELEASE, tagged(values, "1"), **OPTIONS))
        yield step("test", lambda: helm.test(RELEASE, timeout=TIMEOUT_SECONDS))
        yield step("upgrade to 2", lambda: upgrade("2"))
        cluster.failing |= {MIGRATIONS, TEST}
        yield step("upgrade to 3, whose migration fails", lambda: upgrade("3"))
        yield step("test, which fails", lambda: helm.test(RELEASE, timeout=TIMEOUT_SECONDS))
        cluster.failing.clear()
        yield step("upgrade to 3 again", lambda: upgrade("3"))
        yield step("roll back to 1", lambda: helm.rollback(RELEASE, version=1, **OPTIONS))
        yield step("uninstall", lambda: helm.uninstall(RELEASE, **OPTIONS))


def operate(cluster: Cluster) -> None:
    """Make the Secret that CloudNativePG makes of a database."""
    name = f"{RELEASE}-galleria-postgresql-app"
    place = Place(f"api/v1/namespaces/{NAMESPACE}/secrets", "secrets", name)
    cluster.write("create", place, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}})


def tagged(values: Mapping[str, Any], tag: str) -> dict[str, Any]:
    """Return values with another image in them."""
    return {**values, "image": {**values.get("image", {}), "tag": tag, "digest": ""}}


def _done(cluster: Cluster, title: str, action: Callable[[], object]) -> Step:
    before, failure = len(cluster.calls), ""
    try:
        action()
    except HelmError as error:
        failure = str(error)
    there = {title.partition("/")[2]: None for title in cluster.titles() if title.startswith("Deployment/")}
    revision = None
    if f"{RELEASE}-galleria" in there:
        revision = cluster.get("Deployment", f"{RELEASE}-galleria")["metadata"]["resourceVersion"]
    return Step(title, tuple(ordered(cluster.calls[before:])), failure, revision)


def ordered(calls: Sequence[str]) -> list[str]:
    """Put what is done to objects of one kind in the order of their names: Helm does it at the same time."""
    return [call for _, same in itertools.groupby(calls, what_of) for call in sorted(same)]


def what_of(call: str) -> str:
    """Return verb and kind of a call."""
    return call.partition("/")[0]


def trace(steps: Sequence[Step]) -> str:
    """Write down what Helm did, for the documentation."""
    lines = []
    for step in steps:
        lines.append(step.title)
        for what, calls in itertools.groupby(step.calls, what_of):
            lines.append(f"    {what} {', '.join(call.partition('/')[2] for call in calls)}")
        if step.failure:
            lines.append(f"    failed: {step.failure}")
    return "\n".join(lines) + "\n"
