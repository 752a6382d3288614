"""Gives a container's environment as it would be in a cluster, its mounted files included."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from tests.helm.pods import Spec
from tests.helm.rendering import Rendered

CONTENTS = {
    "database-url": "postgresql://galleria_app:secret@database:5432/galleria",
    "owner-database-url": "postgresql://galleria_owner:secret@database:5432/galleria",
    "redis-url": "redis://cache:6379/0",
    "token-keys.json": json.dumps({"keys": []}),
    "ca.crt": "",
    "documents.json": "{}",
    "token": "secret",
}
"""What files hold, by the names that they are mounted under."""


def environ_of(container: Spec, pod: Spec, release: Rendered, folder: Path) -> dict[str, str]:
    """Return the variables of a container.

    Args:
        container: Of the pod.
        pod: Its specification.
        release: What has its ConfigMaps.
        folder: Where the files are made that are mounted in a cluster.
    """
    files = dict(_files(container, pod, folder))
    maps = {manifest["metadata"]["name"]: manifest["data"] for manifest in release.of_kind("ConfigMap")}
    given = {
        name: text
        for source in container.get("envFrom", [])
        for name, text in maps[source["configMapRef"]["name"]].items()
    }
    given |= {variable["name"]: variable["value"] for variable in container.get("env", [])}
    return {name: files.get(text, text) for name, text in given.items()}


def _files(container: Spec, pod: Spec, folder: Path) -> Iterator[tuple[str, str]]:
    """Give where each mounted file would be, and where it has been made."""
    places = {mount["name"]: PurePosixPath(mount["mountPath"]) for mount in container["volumeMounts"]}
    for volume in pod["volumes"]:
        for name in _names(volume):
            made = folder / name
            if not made.exists():
                made.write_text(CONTENTS[name])
            yield str(places[volume["name"]] / name), str(made)


def _names(volume: Mapping[str, Spec]) -> list[str]:
    """Return the names of the files in a volume."""
    sources = [*volume.get("projected", {}).get("sources", []), volume]
    kinds = [source[kind] for source in sources for kind in ("secret", "configMap") if kind in source]
    return [item["path"] for kind in kinds for item in kind["items"]]
