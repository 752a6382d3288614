"""Checks pods against the Pod Security Standard "restricted", as Kubernetes 1.37 words it."""

from collections.abc import Iterator
from typing import Any

from tests.helm.rendering import Manifest, title_of

Spec = dict[str, Any]

VOLUMES = frozenset({"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"}) | frozenset(
    {"image", "persistentVolumeClaim", "projected", "secret"}
)
CAPABILITIES = frozenset({"NET_BIND_SERVICE"})
SECCOMP = frozenset({"RuntimeDefault", "Localhost"})
SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})
SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
HANDLERS = ("livenessProbe", "readinessProbe", "startupProbe")


def pod_of(manifest: Manifest) -> Spec | None:
    """Return the specification of the pods that an object makes, if it makes any."""
    match manifest["kind"]:
        case "Pod":
            return manifest["spec"]
        case "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job":
            return manifest["spec"]["template"]["spec"]
        case "CronJob":
            return manifest["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return None


def violations(manifest: Manifest) -> list[str]:
    """Say what the standard refuses in the pods that an object makes."""
    pod = pod_of(manifest)
    if pod is None:
        return []
    found = [*_of_pod(pod)]
    for container in containers_of(pod):
        found += (f"{container['name']}: {fault}" for fault in _of_container(container, pod.get("securityContext", {})))
    return [f"{title_of(manifest)}: {fault}" for fault in found]


def containers_of(pod: Spec) -> list[Spec]:
    """Return all containers of a pod."""
    return [
        container for key in ("initContainers", "containers", "ephemeralContainers") for container in pod.get(key, [])
    ]


def references_of(pod: Spec) -> Iterator[tuple[str, str]]:
    """Give kind and name of what has to be there before a pod starts."""
    if account := pod.get("serviceAccountName"):
        yield "ServiceAccount", account
    for volume in pod.get("volumes", []):
        sources = [volume, *volume.get("projected", {}).get("sources", [])]
        yield from (("Secret", _name_of(source["secret"])) for source in sources if "secret" in source)
        yield from (("ConfigMap", source["configMap"]["name"]) for source in sources if "configMap" in source)
    for source in (source for container in containers_of(pod) for source in container.get("envFrom", [])):
        yield from (("ConfigMap", source[key]["name"]) for key in source.keys() & {"configMapRef"})


def _name_of(secret: Spec) -> str:
    """Return the name of a Secret, which volumes and projections call differently."""
    return secret.get("secretName") or secret["name"]


def _of_pod(pod: Spec) -> Iterator[str]:
    yield from (f"{key} is on" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key))
    for volume in pod.get("volumes", []):
        yield from (f"volume {volume['name']} is {kind}" for kind in volume.keys() - VOLUMES - {"name"})
    context = pod.get("securityContext", {})
    yield from _of_kernel(context)
    for sysctl in context.get("sysctls", []):
        if sysctl["name"] not in SYSCTLS:
            yield f"sysctl {sysctl['name']} is set"


def _of_container(container: Spec, inherited: Spec) -> Iterator[str]:
    own = container.get("securityContext", {})
    capabilities = own.get("capabilities", {})
    if own.get("privileged"):
        yield "privileged is on"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not off"
    if "ALL" not in capabilities.get("drop", []):
        yield "capabilities are not all dropped"
    yield from (f"capability {name} is added" for name in capabilities.get("add", []) if name not in CAPABILITIES)
    if own.get("procMount", "Default") != "Default":
        yield "procMount is not Default"
    yield from _of_kernel(own)
    yield from _of_identity({**inherited, **own})
    yield from _of_host(container)


def _of_kernel(context: Spec) -> Iterator[str]:
    """Check what a pod and a container may both say of the kernel's own protections."""
    selinux = context.get("seLinuxOptions", {})
    if selinux.get("type", "") not in SELINUX_TYPES:
        yield "seLinuxOptions.type is one of its own"
    yield from (f"seLinuxOptions.{key} is set" for key in ("user", "role") if selinux.get(key))
    if context.get("appArmorProfile", {}).get("type") == "Unconfined":
        yield "appArmorProfile is Unconfined"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield "hostProcess is on"


def _of_identity(context: Spec) -> Iterator[str]:
    """Check who a container runs as; what it says goes before what its pod says."""
    if context.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not on"
    if context.get("runAsUser") == 0:
        yield "runAsUser is 0"
    if context.get("seccompProfile", {}).get("type") not in SECCOMP:
        yield "seccompProfile is none of the runtime"


def _of_host(container: Spec) -> Iterator[str]:
    """Check that a container takes no port of its host, and that no probe asks another host."""
    yield from (f"hostPort {port['hostPort']} is taken" for port in container.get("ports", []) if port.get("hostPort"))
    handlers = {key: container.get(key, {}) for key in HANDLERS}
    handlers |= {f"lifecycle.{key}": handler for key, handler in container.get("lifecycle", {}).items()}
    for name, handler in handlers.items():
        if any(handler.get(action, {}).get("host") for action in ("httpGet", "tcpSocket")):
            yield f"{name} names a host"
