"""Reads queries of Prometheus as far as needed to say which series they ask for."""

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.helm.rendering import Manifest

_SELECTOR = re.compile(r"\b([a-z_:][a-z0-9_:]*)\s*\{([^}]*)\}")
_MATCHER = re.compile(r'([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_OURS = re.compile(r"\bgalleria[:_][a-z0-9_:]+")


@dataclasses.dataclass(frozen=True, slots=True)
class Selection:
    """Series that a query asks for.

    Attributes:
        metric: Their name.
        labels: Labels that are asked for, with the values of those that have to be one and no other.
    """

    metric: str
    labels: Mapping[str, str | None]


def selections(query: str) -> list[Selection]:
    """Return what a query asks for."""
    found = [
        Selection(metric, {name: value if how == "=" else None for name, how, value in _MATCHER.findall(text)})
        for metric, text in _SELECTOR.findall(query)
    ]
    missed = set(_OURS.findall(query)) - {selection.metric for selection in found}
    if missed:
        raise ValueError(f"Say of which release {sorted(missed)} are asked for: {query}")
    return found


def grouped_by(query: str) -> set[str]:
    """Return the labels by which a query takes series together, or finds those of two sides that belong together."""
    return {name.strip() for names in _GROUPING.findall(query) for name in names.split(",") if name.strip()}


def of_rules(rule: Manifest) -> Iterator[tuple[str, str]]:
    """Give the name and the query of each rule of a PrometheusRule."""
    for group in rule["spec"]["groups"]:
        for each in group["rules"]:
            yield each.get("alert") or each["record"], each["expr"]


def of_dashboards(manifests: list[Manifest]) -> Iterator[tuple[str, str]]:
    """Give the title and the query of each panel, and those of the variables, of all dashboards."""
    for manifest in manifests:
        for text in (text for name, text in manifest.get("data", {}).items() if name.endswith(".json")):
            dashboard = json.loads(text)
            for panel in _panels(dashboard["panels"]):
                yield from ((panel["title"], target["expr"]) for target in panel.get("targets", []))
            for variable in dashboard["templating"]["list"]:
                if variable["type"] == "query":
                    # label_values(series, label) has the series of a query as its first argument.
                    series = variable["query"].removeprefix("label_values(").rpartition(",")[0]
                    yield variable["name"], series if "{" in series else f"{series}{{}}"


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give all panels; a row that is closed holds its own."""
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", []))
