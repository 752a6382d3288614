"""Every example is rendered to objects that every supported release of Kubernetes takes."""

import copy
import json

import pytest
from helm_python import lint

from tests.helm.kubernetes import CUSTOM, VERSIONS, carried, faults, group_of
from tests.helm.pods import containers_of, pod_of, references_of
from tests.helm.rendering import CHART, EXAMPLES, NAMESPACE, example, render, title_of, values_of

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "api"},
    "spec": {
        "selector": {"matchLabels": {"app": "api"}},
        "template": {
            "metadata": {"labels": {"app": "api"}},
            "spec": {"containers": [{"name": "api", "image": "galleria"}]},
        },
    },
}

each_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


@pytest.mark.parametrize("version", VERSIONS)
def test_there_are_schemas_of_every_release(version):
    """Of a release that is not carried, the one before would be taken in silence."""
    assert carried(version), f"kubernetes-validate carries no schemas of Kubernetes {version}: raise its version."


@pytest.mark.parametrize("version", VERSIONS)
def test_a_fault_is_found_in_every_release(version):
    assert faults(DEPLOYMENT, version) == []
    unknown, wrong = copy.deepcopy(DEPLOYMENT), copy.deepcopy(DEPLOYMENT)
    unknown["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Always"
    wrong["spec"]["replicas"] = "two"
    assert "imagePullPolice" in faults(unknown, version)[0]
    assert "spec.replicas: 'two' is not of type" in faults(wrong, version)[0]
    assert faults({**DEPLOYMENT, "kind": "Deploymint"}, version) == [
        f"Deploymint/api in {version}: there is no apps/v1"
    ]


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
@each_example
def test_lint_finds_nothing(path, version):
    report = lint(CHART, values_of(path), strict=True, namespace=NAMESPACE, kube_version=f"v{version}.0")
    assert report["errors"] == []
    # What is left is information, such as that there might be an icon.
    assert [message for message in report["messages"] if message["severity"] > 1] == []


@each_example
def test_every_object_is_taken_by_every_release(path):
    objects = [manifest for manifest in example(path).manifests if group_of(manifest) not in CUSTOM]
    assert [fault for version in VERSIONS for manifest in objects for fault in faults(manifest, version)] == []


@each_example
def test_objects_are_told_apart(path):
    titles = [f"{group_of(manifest)}/{title_of(manifest)}" for manifest in example(path).manifests]
    assert sorted(titles) == sorted(set(titles))


@each_example
def test_objects_say_what_they_belong_to(path):
    for manifest in example(path).manifests:
        labels = manifest["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "galleria"
        assert labels["app.kubernetes.io/instance"] == "shop"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert manifest["metadata"].get("namespace", NAMESPACE) == NAMESPACE


@each_example
def test_selectors_find_their_own_pods_alone(path):
    """A Service or a budget that finds the pods of another component would break both."""
    rendered = example(path)
    workloads = [manifest for manifest in rendered.manifests if manifest["kind"] in {"Deployment", "StatefulSet"}]
    found = {
        title_of(workload): [
            title_of(other)
            for other in workloads
            if workload["spec"]["selector"]["matchLabels"].items()
            <= other["spec"]["template"]["metadata"]["labels"].items()
        ]
        for workload in workloads
    }
    assert found == {title: [title] for title in found}
    for service in rendered.of_kind("Service"):
        selector = service["spec"]["selector"].items()
        assert any(selector <= other["spec"]["template"]["metadata"]["labels"].items() for other in workloads)


@each_example
def test_what_pods_refer_to_is_there_or_the_users_own(path):
    """Names of the release itself have to exist; all others come from the values."""
    rendered = example(path)
    made = {(manifest["kind"], manifest["metadata"]["name"]) for manifest in rendered.manifests}
    made |= {("Secret", name) for manifest in rendered.manifests for name in secrets_by_operators(manifest)}
    needed = {
        reference
        for manifest in rendered.manifests
        if (pod := pod_of(manifest))
        for reference in references_of(pod)
        if reference[1].startswith("shop-galleria")
    }
    assert needed
    assert needed - made == set()


def secrets_by_operators(manifest):
    """Name the Secrets that an operator makes of an object."""
    match manifest["kind"]:
        case "Cluster":
            return [f"{manifest['metadata']['name']}-{role}" for role in ("app", "superuser")]
        case "ExternalSecret":
            return [manifest["spec"]["target"]["name"]]
        case "Certificate":
            return [manifest["spec"]["secretName"]]
    return []


@each_example
def test_secrets_are_files_that_only_the_pod_reads(path):
    """Environments are shown by `describe`, and inherited by every child."""
    for pod in filter(None, map(pod_of, example(path).manifests)):
        for container in containers_of(pod):
            assert "secretKeyRef" not in json.dumps(container.get("env", []))
            assert not any("secretRef" in source for source in container.get("envFrom", []))
        for volume in pod.get("volumes", []):
            if "secret" in json.dumps(volume):
                assert next(volume[kind]["defaultMode"] for kind in ("secret", "projected") if kind in volume) == 0o440


@each_example
def test_pods_are_the_same_when_they_are_rendered_again(path):
    """Chance or a clock in a pod would roll all pods out anew at every upgrade."""
    before, after = ([*filter(None, map(template_of, render(values_of(path)).manifests))] for _ in range(2))
    assert before
    assert before == after


def template_of(manifest):
    """Return what pods are made after, their annotations included."""
    return manifest["spec"].get("template") if pod_of(manifest) else None
