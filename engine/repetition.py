"""How often a document asks for the same field at the same place, counted before it is validated.

Validation compares each two fields with the same response key, which is quadratic in their repetitions: 3 kB can take
most of a second.
"""

from collections.abc import Iterable, Mapping, Sequence

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from engine.limits import LimitReached, Limits

VISITED = 6_000
"""Fields looked at, those of a fragment each time that it is spread; 100 operations of 60 fields each."""


def check_repetition(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document in which too many fields have to be compared.

    Fields are merged as at execution, of all types together.

    Args:
        document: Within the structural limits; circles of fragments are left where they close.
        limits: See `Limits.comparisons`.

    Raises:
        LimitReached: There are more pairs of fields with one response key than are compared.
    """
    count = _Count(document, limits)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            count.add([definition.selection_set], frozenset())
    for fragment in count.unused():
        count.add([fragment.selection_set], frozenset({fragment.name.value}))


class _Count:
    """Pairs of fields with the same response key, over all definitions of a document."""

    def __init__(self, document: DocumentNode, limits: Limits) -> None:
        self._fragments: Mapping[str, FragmentDefinitionNode] = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._limit = limits.comparisons
        self._used: set[str] = set()
        self._pairs = 0
        self._visited = 0

    def unused(self) -> list[FragmentDefinitionNode]:
        """Return the fragments that no operation led to; validation compares their fields as well."""
        return [each for name, each in self._fragments.items() if name not in self._used]

    def add(self, selection_sets: Iterable[SelectionSetNode], inside: frozenset[str]) -> None:
        """Count what selection sets that apply to one place hold, and all below it.

        Args:
            selection_sets: Of the fields with one response key.
            inside: Fragments that the place lies in.
        """
        grouped: dict[str, list[tuple[FieldNode, frozenset[str]]]] = {}
        seen: set[str] = set()
        for selection_set in selection_sets:
            self._collect(selection_set.selections, inside, grouped, seen)
        for fields in grouped.values():
            self._pairs += len(fields) * (len(fields) - 1) // 2
            if self._pairs > self._limit or self._visited > VISITED:
                raise LimitReached("repetition", self._limit)
            below = [node.selection_set for node, _ in fields if node.selection_set is not None]
            if below:
                self.add(below, frozenset().union(*(around for _, around in fields)))

    def _collect(
        self,
        selections: Sequence[SelectionNode],
        inside: frozenset[str],
        grouped: dict[str, list[tuple[FieldNode, frozenset[str]]]],
        seen: set[str],
    ) -> None:
        self._visited += len(selections)
        for selection in selections:
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                grouped.setdefault(key, []).append((selection, inside))
            elif isinstance(selection, InlineFragmentNode):
                self._collect(selection.selection_set.selections, inside, grouped, seen)
            elif isinstance(selection, FragmentSpreadNode):
                self._spread(selection.name.value, inside, grouped, seen)

    def _spread(
        self,
        name: str,
        inside: frozenset[str],
        grouped: dict[str, list[tuple[FieldNode, frozenset[str]]]],
        seen: set[str],
    ) -> None:
        definition = self._fragments.get(name)
        if definition is None or name in seen or name in inside:
            return
        seen.add(name)
        self._used.add(name)
        self._collect(definition.selection_set.selections, inside | {name}, grouped, seen)
