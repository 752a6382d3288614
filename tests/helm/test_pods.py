"""The check of pods finds what it is to find; the chart's own pods have none of it."""

import copy

import pytest
import yaml

from tests.helm.pods import containers_of, pod_of, violations
from tests.helm.rendering import EXAMPLES, example

GOOD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "good"},
    "spec": {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "volumes": [{"name": "scratch", "emptyDir": {}}],
        "initContainers": [
            {"name": "first", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
        ],
        "containers": [
            {
                "name": "only",
                "ports": [{"containerPort": 8000}],
                "livenessProbe": {"httpGet": {"path": "/livez", "port": 8000}},
                "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
                "securityContext": {
                    "runAsUser": 10001,
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
                },
            }
        ],
    },
}
BAD = {
    "securityContext.runAsNonRoot=false": ["first: runAsNonRoot is not on", "only: runAsNonRoot is not on"],
    "securityContext.runAsUser=0": ["first: runAsUser is 0"],
    "securityContext.seccompProfile.type=Unconfined": [
        "first: seccompProfile is none of the runtime",
        "only: seccompProfile is none of the runtime",
    ],
    "securityContext.sysctls=[{name: kernel.msgmax, value: '1'}]": ["sysctl kernel.msgmax is set"],
    "securityContext.seLinuxOptions.type=spc_t": ["seLinuxOptions.type is one of its own"],
    "securityContext.appArmorProfile.type=Unconfined": ["appArmorProfile is Unconfined"],
    "securityContext.windowsOptions.hostProcess=true": ["hostProcess is on"],
    "hostNetwork=true": ["hostNetwork is on"],
    "hostPID=true": ["hostPID is on"],
    "hostIPC=true": ["hostIPC is on"],
    "volumes.0.hostPath.path=/": ["volume scratch is hostPath"],
    "containers.0.ports.0.hostPort=80": ["only: hostPort 80 is taken"],
    "containers.0.livenessProbe.httpGet.host=other": ["only: livenessProbe names a host"],
    "containers.0.lifecycle.postStart.tcpSocket.host=other": ["only: lifecycle.postStart names a host"],
    "containers.0.securityContext.privileged=true": ["only: privileged is on"],
    "containers.0.securityContext.allowPrivilegeEscalation=null": ["only: allowPrivilegeEscalation is not off"],
    "containers.0.securityContext.capabilities.drop=[NET_RAW]": ["only: capabilities are not all dropped"],
    "containers.0.securityContext.capabilities.add=[SYS_ADMIN]": ["only: capability SYS_ADMIN is added"],
    "containers.0.securityContext.procMount=Unmasked": ["only: procMount is not Default"],
    "containers.0.securityContext.runAsNonRoot=false": ["only: runAsNonRoot is not on"],
    "containers.0.securityContext.runAsUser=0": ["only: runAsUser is 0"],
    "containers.0.securityContext.seccompProfile.type=Unconfined": ["only: seccompProfile is none of the runtime"],
    "containers.0.securityContext.seLinuxOptions.role=r": ["only: seLinuxOptions.role is set"],
    "initContainers.0.securityContext.capabilities=null": ["first: capabilities are not all dropped"],
}


def changed(change):
    """Return the good pod with something else in it."""
    path, _, text = change.partition("=")
    pod = copy.deepcopy(GOOD)
    *parents, last = (int(key) if key.isdecimal() else key for key in path.split("."))
    place = pod["spec"]
    for key in parents:
        place = place[key] if isinstance(key, int) else place.setdefault(key, {})
    place.pop(last, None)
    value = yaml.safe_load(text)
    if value is not None:
        place[last] = value
    return pod


def test_a_restricted_pod_is_let_in():
    assert violations(GOOD) == []


@pytest.mark.parametrize("change", BAD)
def test_every_rule_of_the_standard_refuses(change):
    assert violations(changed(change)) == [f"Pod/good: {fault}" for fault in BAD[change]]


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"])
def test_pods_are_found_where_they_are_made(kind):
    made = {"template": {"spec": changed("hostPID=true")["spec"]}}
    spec = {"jobTemplate": {"spec": made}} if kind == "CronJob" else made
    assert violations({"kind": kind, "metadata": {"name": "made"}, "spec": spec}) == [f"{kind}/made: hostPID is on"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_all_pods_of_the_chart_are_restricted(path):
    assert [fault for manifest in example(path).manifests for fault in violations(manifest)] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_all_pods_of_the_chart_write_nowhere_and_speak_to_no_api_server(path):
    """What the standard leaves open, the chart closes."""
    for manifest in example(path).manifests:
        if (pod := pod_of(manifest)) is None:
            continue
        assert pod["automountServiceAccountToken"] is False
        for container in containers_of(pod):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"]["memory"]
