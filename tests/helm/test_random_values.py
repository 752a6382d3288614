"""Whatever the schema takes is rendered to objects that Kubernetes takes, or refused with a sentence of ours."""

import copy
import functools
import json
import os
import re

import pytest
from helm_python import HelmRenderError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import ConfigurationError
from core.settings import load_settings
from tests.helm.environment import environ_of
from tests.helm.kubernetes import CUSTOM, VERSIONS, faults, group_of
from tests.helm.pods import violations
from tests.helm.rendering import CHART, EXAMPLES, Rendered, chart, render, title_of, values_of
from tests.helm.test_workloads import NOT_USED, servers
from tests.helm.valid import leaves, values_by

EXAMPLE_COUNT = 3000 if os.environ.get("GALLERIA_PROOFS") == "long" else 60
LEAVES = list(leaves(chart().values))
OUR_WORDS = re.compile(r"\(galleria/templates/problems\.yaml:\d+:\d+\): \s*(- [A-Z].*\.\s*)+$", re.DOTALL)
BEYOND_PATTERNS = ("GALLERIA_TRUSTED_PROXIES", "GALLERIA_CORS_ORIGINS", "GALLERIA_SOCKET_ORIGINS")
"""Settings of which a pattern cannot tell all: whether a network has bits beyond its prefix, or a host can be one."""

RELEASES = ["shop", "1", "on", "0e1", "galleria", f"a{'-' * 50}z", "1shop", "shop.example", f"a.{'b.' * 25}c"]
"""Names that are no names to a YAML reader, unless they are quoted, or to a Service, and long ones."""

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
"""What a Service may be called, and a Cluster or a StatefulSet, after which Services are called."""

LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


@st.composite
def some_values(draw):
    """Draw the values of an example, some of which are others that the schema takes."""
    values = copy.deepcopy(values_of(draw(st.sampled_from(EXAMPLES))))
    for path, part in draw(st.lists(st.sampled_from(LEAVES), min_size=1, max_size=6, unique_by=lambda leaf: leaf[0])):
        place = values
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = draw(values_by(part))
    return values


@functools.lru_cache(maxsize=10_000)
def wrong_with(text):
    """Say what is wrong with an object, of which most are the same from one example to the next."""
    manifest = json.loads(text)
    found = [*violations(manifest)]
    if group_of(manifest) not in CUSTOM:
        found += [fault for version in (VERSIONS[0], VERSIONS[-1]) for fault in faults(manifest, version)]
    metadata = manifest["metadata"]
    if not NAME.fullmatch(metadata["name"]) or len(metadata["name"]) > 63:
        found.append(f"{title_of(manifest)}: {metadata['name']} is no name")
    longest = {"Service": 63, "StatefulSet": 52, "Cluster": 50, "Pooler": 50}.get(manifest["kind"])
    if longest and not (SERVICE.fullmatch(metadata["name"]) and len(metadata["name"]) <= longest):
        found.append(f"{title_of(manifest)}: no Service can have the name {metadata['name']}")
    labels = {
        **metadata["labels"],
        **manifest.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {}),
    }
    found += (f"{title_of(manifest)}: {value} is no label" for value in labels.values() if not LABEL.fullmatch(value))
    return found


def refusal_by_server(pod, container, rendered, files):
    """Return what the server says against its settings, if anything."""
    environ = environ_of(container, pod, rendered, files)
    try:
        load_settings(environ, without=NOT_USED.get(container["args"][0], ()))
    except ConfigurationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    "path", [CHART / "ci" / "demo.yaml", CHART / "ci" / "everything.yaml"], ids=lambda path: path.stem
)
def test_names_are_taken_whatever_the_release_is_called(path, release):
    manifests = render(values_of(path), name=release).manifests
    assert [fault for manifest in manifests for fault in wrong_with(json.dumps(manifest))] == []


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@settings(max_examples=EXAMPLE_COUNT, deadline=None, suppress_health_check=list(HealthCheck))
@given(values=some_values(), release=st.sampled_from(RELEASES), namespace=st.sampled_from(["commerce", "1"]))
def test_what_the_schema_takes_can_be_rendered(files, values, release, namespace):
    refusal, rendered = "", Rendered({})
    try:
        rendered = render(values, name=release, namespace=namespace)
    except HelmRenderError as error:
        refusal = str(error)
    assert not refusal or OUR_WORDS.search(refusal), refusal
    assert [fault for manifest in rendered.manifests for fault in wrong_with(json.dumps(manifest))] == []
    refusals = [*filter(None, (refusal_by_server(*each, rendered, files) for _, *each in servers(rendered)))]
    assert [refused for refused in refusals if not refused.startswith(BEYOND_PATTERNS)] == []
