"""Checks objects against the schemas of Kubernetes' own releases."""

import functools

import kubernetes_validate
from kubernetes_validate import utils

from tests.helm.rendering import Manifest, title_of

VERSIONS = tuple(f"1.{minor}" for minor in range(30, 38))
"""The releases that the chart is for."""

CUSTOM = {
    "cert-manager.io": "cert-manager",
    "external-secrets.io": "external-secrets",
    "gateway.networking.k8s.io": "gateway-api",
    "monitoring.coreos.com": "prometheus-operator",
    "networking.istio.io": "istio",
    "postgresql.cnpg.io": "cloudnative-pg",
    "security.istio.io": "istio",
}
"""Groups of resources that others define, and the package of @kubernetes-models that knows them."""

# Without it the definitions of a release, some megabytes, are read anew for each object.
utils.schema_contents = functools.cache(utils.schema_contents)


def group_of(manifest: Manifest) -> str:
    """Return the group of an object's API; the core group has no name."""
    group, separator, _ = manifest["apiVersion"].partition("/")
    return group if separator else ""


def carried(version: str) -> bool:
    """Say whether there are schemas of a release."""
    return any(utils.major_minor(known) == version for known in utils.all_versions())


def faults(manifest: Manifest, version: str) -> list[str]:
    """Say what a release of Kubernetes does not take in an object, unknown fields among it."""
    try:
        kubernetes_validate.validate(manifest, version, strict=True)
    except kubernetes_validate.ValidationError as error:
        path = ".".join(str(part) for part in error.absolute_path)
        return [f"{title_of(manifest)} in {version}: {path}: {error.message}"]
    except kubernetes_validate.SchemaNotFoundError:
        return [f"{title_of(manifest)} in {version}: there is no {manifest['apiVersion']}"]
    return []
