"""What the stub of the Kubernetes API knows: objects, each at once as it would be in the end."""

import base64
import contextlib
import dataclasses
import queue
import re
import threading
from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]

KINDS = {
    "v1": ["ConfigMap", "Event", "Namespace", "Pod", "Secret", "Service", "ServiceAccount"],
    "apps/v1": ["Deployment", "ReplicaSet", "StatefulSet"],
    "autoscaling/v2": ["HorizontalPodAutoscaler"],
    "batch/v1": ["Job"],
    "networking.k8s.io/v1": ["Ingress", "NetworkPolicy"],
    "policy/v1": ["PodDisruptionBudget"],
    "gateway.networking.k8s.io/v1": ["HTTPRoute"],
    "postgresql.cnpg.io/v1": ["Cluster", "Pooler"],
    "monitoring.coreos.com/v1": ["PodMonitor", "PrometheusRule", "ServiceMonitor"],
}
PLURALS = {
    re.sub("ys$", "ies", re.sub("sss$", "sses", f"{kind.lower()}s")): (group, kind)
    for group, kinds in KINDS.items()
    for kind in kinds
}
"""What paths call a kind, with its group and its name."""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where an object or a list of them is.

    Attributes:
        collection: Path of the list.
        plural: What it lists.
        name: Of the object; empty where the list is meant.
    """

    collection: str
    plural: str
    name: str


@dataclasses.dataclass(slots=True)
class Cluster:
    """What the stub knows.

    Attributes:
        version: The release that it says it is.
        failing: Names of Jobs and Pods that are to fail.
        calls: What was written, such as `create Job/shop-migrations`, in order.
    """

    version: str = "1.37"
    failing: set[str] = dataclasses.field(default_factory=set)
    calls: list[str] = dataclasses.field(default_factory=list)
    _objects: dict[tuple[str, str], Object] = dataclasses.field(default_factory=dict)
    _watchers: list[tuple[str, queue.SimpleQueue[Object | None]]] = dataclasses.field(default_factory=list)
    _lock: threading.RLock = dataclasses.field(default_factory=threading.RLock)
    _revision: int = 0

    def titles(self) -> list[str]:
        """Name what is there."""
        return sorted(f"{found['kind']}/{name}" for (_, name), found in self._objects.items())

    def get(self, kind: str, name: str) -> Object:
        """Return an object by its kind and name."""
        return next(found for (_, known), found in self._objects.items() if known == name and found["kind"] == kind)

    def find(self, place: Place) -> Object | None:
        """Return the object at a place, if there is one."""
        return self._objects.get((place.collection, place.name))

    def listed(self, collection: str, selector: str) -> list[Object]:
        """Return the objects of a list that have some labels or fields."""
        wanted = dict(part.split("=", 1) for part in selector.split(",") if part)
        with self._lock:
            return [
                found
                for (known, name), found in self._objects.items()
                if known == collection
                and wanted.items() <= {**found["metadata"].get("labels", {}), "metadata.name": name}.items()
            ]

    def write(self, verb: str, place: Place, given: Object) -> Object:
        """Keep an object, as it is after all that it asks for has happened."""
        with self._lock:
            old = self.find(place)
            self._revision += 1
            metadata = {**given["metadata"], "resourceVersion": str(self._revision)}
            metadata.setdefault("uid", f"00000000-0000-0000-0000-{self._revision:012}")
            generation = 1 if old is None else old["metadata"]["generation"] + (old.get("spec") != given.get("spec"))
            written = {**as_kept(given), "metadata": {**metadata, "generation": generation, "namespace": "commerce"}}
            written["status"] = status_of(written, has_failed=place.name in self.failing)
            self._objects[place.collection, place.name] = written
            self._note(verb, place)
            self._tell(place, "ADDED" if old is None else "MODIFIED", written)
            return written

    def remove(self, place: Place) -> Object | None:
        """Forget an object."""
        with self._lock:
            gone = self._objects.pop((place.collection, place.name), None)
            if gone is not None:
                self._note("delete", place)
                self._tell(place, "DELETED", gone)
            return gone

    @contextlib.contextmanager
    def watching(self, collection: str, selector: str) -> Iterator["queue.SimpleQueue[Object | None]"]:
        """Hear of what is in a list, where that ends, and what changes from then on, up to the end (`None`)."""
        events: queue.SimpleQueue[Object | None] = queue.SimpleQueue()
        group, kind = PLURALS[collection.rpartition("/")[2]]
        with self._lock:
            for found in self.listed(collection, selector):
                events.put({"type": "ADDED", "object": found})
            end = {"resourceVersion": str(self._revision), "annotations": {"k8s.io/initial-events-end": "true"}}
            events.put({"type": "BOOKMARK", "object": {"apiVersion": group, "kind": kind, "metadata": end}})
            self._watchers.append((collection, events))
        try:
            yield events
        finally:
            with self._lock:
                self._watchers.remove((collection, events))

    def close(self) -> None:
        """Tell all who watch that there is no more to come."""
        with self._lock:
            for _, events in self._watchers:
                events.put(None)

    def _note(self, verb: str, place: Place) -> None:
        self.calls.append(f"{verb} {PLURALS[place.plural][1]}/{place.name}")

    def _tell(self, place: Place, change: str, found: Object) -> None:
        for collection, events in self._watchers:
            if collection == place.collection:
                events.put({"type": change, "object": found})


def as_kept(given: Object) -> Object:
    """Return an object as it is read again: what a Secret was given as text is kept in Base64."""
    kept = {key: value for key, value in given.items() if key != "stringData"}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in given.get("stringData", {}).items()}
    return {**kept, "data": given.get("data", {}) | encoded} if encoded else kept


def status_of(given: Object, *, has_failed: bool) -> Object:
    """Say how an object would be in the end."""
    generation = given["metadata"]["generation"]
    match given["kind"]:
        case "Job":
            kind, count = ("Failed", "failed") if has_failed else ("Complete", "succeeded")
            return {count: 1, "conditions": [{"type": kind, "status": "True", "reason": kind, "message": kind}]}
        case "Pod":
            return {"phase": "Failed" if has_failed else "Succeeded"}
        case "Deployment" | "StatefulSet":
            count = given["spec"].get("replicas", 1)
            counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
            ready = [{"type": kind, "status": "True"} for kind in ("Available", "Progressing")]
            ready[1]["reason"] = "NewReplicaSetAvailable"
            return {**counts, "observedGeneration": generation, "conditions": ready}
        case "PodDisruptionBudget" | "HorizontalPodAutoscaler":
            return {"observedGeneration": generation}
    return {}
