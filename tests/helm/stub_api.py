"""A stub of the Kubernetes API: it keeps what Helm sends, says that all went well at once, and notes each call.

It is no Kubernetes: nothing is scheduled, admitted, defaulted, merged field by field or run. What it shows is what Helm
asks for, and in which order. A Job or a Pod whose name it was told to fail has failed.
"""

import contextlib
import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.helm.cluster import KINDS, PLURALS, Cluster, Object, Place

OPENAPI = b"\n\x032.0"
"""A document of OpenAPI 2.0, as a message of Protocol Buffers, that says no more than its version."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster: Cluster

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        if url.path in PAGES:
            return self._answer(PAGES[url.path](self.cluster))
        if url.path == "/openapi/v2":
            return self._send(OPENAPI, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf")
        place = place_of(url.path)
        if place is None:
            return self._missing()
        selector = query.get("labelSelector") or query.get("fieldSelector", "")
        if query.get("watch"):
            return self._watch(place.collection, selector)
        if place.name:
            found = self.cluster.find(place)
            return self._missing() if found is None else self._answer(found)
        group, kind = PLURALS[place.plural]
        items = self.cluster.listed(place.collection, selector)
        return self._answer({"apiVersion": group, "kind": f"{kind}List", "metadata": {}, "items": items})

    def do_POST(self) -> None:
        given, place = self._given()
        place = dataclasses.replace(place, name=given["metadata"]["name"])
        if self.cluster.find(place) is not None:
            return self._answer(failure("AlreadyExists", 409), 409)
        return self._answer(self.cluster.write("create", place, given), 201)

    def do_PUT(self) -> None:
        given, place = self._given()
        self._answer(self.cluster.write("replace", place, given))

    def do_PATCH(self) -> None:
        given, place = self._given()
        old = self.cluster.find(place)
        is_whole = self.headers["Content-Type"].startswith("application/apply-patch")
        merged = given if is_whole or old is None else _merged(old, given)
        self._answer(self.cluster.write("create" if old is None else "change", place, merged))

    def do_DELETE(self) -> None:
        _, place = self._given()
        gone = self.cluster.remove(place)
        if gone is None:
            return self._missing()
        return self._answer({"apiVersion": "v1", "kind": "Status", "status": "Success"})

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _given(self) -> tuple[Object, Place]:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        place = place_of(urlsplit(self.path).path)
        if place is None:
            raise ValueError(f"Nothing can be written to {self.path}.")
        return json.loads(body or "{}"), place

    def _watch(self, collection: str, selector: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with self.cluster.watching(collection, selector) as events, contextlib.suppress(ConnectionError):
            while (event := events.get()) is not None:
                line = json.dumps(event).encode() + b"\n"
                self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        # What was chunked has no other end, so the next request needs a connection of its own.
        self.close_connection = True

    def _missing(self) -> None:
        self._answer(failure("NotFound", 404), 404)

    def _answer(self, content: Object, status: int = 200) -> None:
        self._send(json.dumps(content).encode(), "application/json", status)

    def _send(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def failure(reason: str, code: int) -> Object:
    """Say no as Kubernetes does."""
    return {
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "reason": reason,
        "code": code,
        "message": reason,
    }


def place_of(path: str) -> Place | None:
    """Read a path such as /apis/apps/v1/namespaces/commerce/deployments/shop."""
    parts = path.strip("/").split("/")
    start = 2 if parts[0] == "api" else 3
    if parts[start : start + 1] == ["namespaces"] and len(parts) > start + 2:
        start += 2
    if len(parts) <= start or parts[start] not in PLURALS:
        return None
    name = parts[start + 1] if len(parts) > start + 1 else ""
    return Place("/".join(parts[: start + 1]), parts[start], name)


def _merged(old: Object, patch: Object) -> Object:
    """Merge as a JSON merge patch (RFC 7396) says."""
    kept = {key: value for key, value in old.items() if patch.get(key, value) is not None}
    return kept | {
        key: _merged(kept.get(key) or {}, value) if isinstance(value, dict) else value
        for key, value in patch.items()
        if value is not None
    }


def _versions(cluster: Cluster) -> Object:
    major, minor = cluster.version.split(".")
    return {"major": major, "minor": minor, "gitVersion": f"v{cluster.version}.0"}


def _groups(_: Cluster) -> Object:
    groups = []
    for name in KINDS.keys() - {"v1"}:
        version = {"groupVersion": name, "version": name.split("/")[1]}
        groups.append({"name": name.split("/")[0], "versions": [version], "preferredVersion": version})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _resources(group: str) -> Callable[[Cluster], Object]:
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    resources = [
        {"name": plural, "singularName": "", "namespaced": kind != "Namespace", "kind": kind, "verbs": verbs}
        for plural, (known, kind) in PLURALS.items()
        if known == group
    ]
    listed = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": resources}
    return lambda _: listed


PAGES: dict[str, Callable[[Cluster], Object]] = {
    "/version": _versions,
    "/api": lambda _: {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": _groups,
    **{("/api/" if group == "v1" else "/apis/") + group: _resources(group) for group in KINDS},
}


@contextlib.contextmanager
def served(cluster: Cluster) -> Iterator[str]:
    """Serve a stub, and give what a client needs to know of it (a kubeconfig)."""
    handler = type("Handler", (_Handler,), {"cluster": cluster})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        yield json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "stub",
                "clusters": [{"name": "stub", "cluster": {"server": address}}],
                "contexts": [{"name": "stub", "context": {"cluster": "stub", "user": "stub", "namespace": "commerce"}}],
                "users": [{"name": "stub", "user": {}}],
            }
        )
        cluster.close()
        server.shutdown()
