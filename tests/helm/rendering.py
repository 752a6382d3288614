"""Renders the chart with Helm itself, and reads what comes out."""

import dataclasses
import functools
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart

CHART = Path(__file__).parents[2] / "helm" / "galleria"
EXAMPLES = tuple(sorted(CHART.glob("ci/*.yaml")))
RELEASE, NAMESPACE = "shop", "commerce"

Manifest = dict[str, Any]
Values = Mapping[str, Any]


class _UniqueKeyLoader(yaml.CSafeLoader):
    """Refuses a mapping that says something twice, of which YAML readers take either."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(
                problem=f"{sorted(twice)} twice in one mapping", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


# The sign alone stands for something in YAML 1.1 that no reader but this one knows of.
_UniqueKeyLoader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


@dataclasses.dataclass(frozen=True, slots=True)
class Rendered:
    """What Helm makes of the chart and some values.

    Attributes:
        files: What each template has become.
    """

    files: Mapping[str, str]

    @property
    def notes(self) -> str:
        """What is printed after an installation."""
        return next(text for path, text in self.files.items() if path.endswith("/NOTES.txt"))

    @property
    def manifests(self) -> list[Manifest]:
        """All objects, hooks and tests among them."""
        return [
            manifest
            for path, text in sorted(self.files.items())
            if path.endswith((".yaml", ".yml"))
            for manifest in manifests_of(text)
        ]

    def of_kind(self, kind: str) -> list[Manifest]:
        """Return the objects of a kind."""
        return [manifest for manifest in self.manifests if manifest["kind"] == kind]


@functools.cache
def chart() -> Chart:
    """Load the chart, once."""
    return Chart.load(CHART)


def render(values: Values, *, name: str = RELEASE, namespace: str = NAMESPACE) -> Rendered:
    """Render the chart as `helm template` does.

    Args:
        values: What differs from the chart's own values.
        name: Of the release.
        namespace: Where it is.

    Raises:
        HelmValuesError: The schema of the values refuses them.
        HelmRenderError: A template refuses them.
    """
    return Rendered(chart().render(dict(values), name=name, namespace=namespace, is_install=True))


@functools.cache
def example(path: Path) -> Rendered:
    """Render the chart with an example's values."""
    return render(values_of(path))


def values_of(path: Path) -> dict[str, Any]:
    """Read a file of values."""
    return yaml.load(path.read_text(), Loader=_UniqueKeyLoader) or {}  # noqa: S506 - it is a safe one.


@functools.lru_cache(maxsize=1000)
def _documents(text: str) -> tuple[Manifest | None, ...]:
    return tuple(yaml.load_all(text, Loader=_UniqueKeyLoader))


def manifests_of(text: str) -> Iterator[Manifest]:
    """Read the objects of a rendered template; whoever reads them leaves them as they are."""
    yield from (document for document in _documents(text) if document)


def title_of(manifest: Manifest) -> str:
    """Name an object as Kubernetes does."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
