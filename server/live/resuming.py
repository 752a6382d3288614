"""`Last-Event-ID`: a client that comes again goes on after the last event that it has read."""

import dataclasses
import re

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from core.errors import BadRequest
from engine.documents import DocumentStore
from server.graphql.operating import Chosen
from server.graphql.requests import GraphQLRequest
from server.live.traits import AFTER

LAST_EVENT_ID = "last-event-id"
_SEQUENCE = re.compile(r"[0-9]{1,18}")
_VARIABLE = "lastEventId"

Fragments = dict[str, FragmentDefinitionNode]
Splice = tuple[int, int, str]
"""From where to where a text is replaced, and by what."""


def resumed(
    store: DocumentStore, chosen: Chosen, request: GraphQLRequest, last_event_id: str | None
) -> tuple[Chosen, GraphQLRequest]:
    """Let a subscription begin after the last event that its client has read.

    The header wins over the argument: who comes again sends the same request as the first time, and the header beside
    it. A root field without the argument `after` cannot go on anywhere, so the header says nothing to it.

    Args:
        store: Where documents are kept.
        chosen: The subscription.
        request: What is asked.
        last_event_id: The header, as it came; without it, or where it is empty, all stays as it is.

    Raises:
        BadRequest: It is no id that we give.
    """
    if not last_event_id:
        return chosen, request
    if not _SEQUENCE.fullmatch(last_event_id):
        raise BadRequest("Last-Event-ID is the id of an event of this stream: up to 18 digits.")
    tree, operation = chosen.document.tree, chosen.operation
    field = None if tree is None else _root_field(operation.node.selection_set, _fragments(tree.definitions))
    root = store.schema.subscription_type
    declared = None if field is None or root is None else root.fields.get(field.name.value)
    after = None if declared is None else declared.args.get(AFTER)
    if field is None or after is None:
        return chosen, request
    name = _variable_of(field)
    if name is None:
        name, chosen = _rewritten(store, chosen, field, str(after.type))
    return chosen, dataclasses.replace(request, variables={**request.variables, name: last_event_id})


def _fragments(definitions: tuple[object, ...]) -> Fragments:
    return {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}


def _root_field(selections: SelectionSetNode, fragments: Fragments) -> FieldNode | None:
    """Return the only root field, wherever it stands; validation has seen to it that there is one."""
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            return selection
        inner = fragments[selection.name.value] if isinstance(selection, FragmentSpreadNode) else selection
        if isinstance(inner, FragmentDefinitionNode | InlineFragmentNode):
            found = _root_field(inner.selection_set, fragments)
            if found is not None:
                return found
    return None


def _variable_of(field: FieldNode) -> str | None:
    """Return the variable that the argument is given by; None where it is left out, or written into the document."""
    given = next((each.value for each in field.arguments or () if each.name.value == AFTER), None)
    return given.name.value if isinstance(given, VariableNode) else None


def _rewritten(store: DocumentStore, chosen: Chosen, field: FieldNode, kind: str) -> tuple[str, Chosen]:
    """Let an operation take `after` by a variable; return its name, and the operation of the document that does."""
    operation = chosen.operation.node
    taken = {each.variable.name.value for each in operation.variable_definitions or ()}
    name = next(each for each in (_VARIABLE, *(f"{_VARIABLE}{n}" for n in range(len(taken)))) if each not in taken)
    text = chosen.document.text
    # From behind, so that what stands before keeps its place; a fragment may stand on either side.
    for start, end, inserted in sorted(
        (_definition(operation, f"${name}: {kind}"), _argument(field, name)), reverse=True
    ):
        text = text[:start] + inserted + text[end:]
    document = store.get(text)
    found = document.operations.get(chosen.operation.name or "")
    if found is None:
        raise BadRequest("This document cannot be resumed by Last-Event-ID; let it take `after` by a variable.")
    return name, dataclasses.replace(chosen, document=document, operation=found)


def _definition(operation: OperationDefinitionNode, definition: str) -> Splice:
    """Return where the definition of the variable belongs."""
    if operation.variable_definitions:
        start, _ = _place(operation.variable_definitions[0])
        return start, start, f"{definition}, "
    _, end = (0, _place(operation)[0] + len("subscription")) if operation.name is None else _place(operation.name)
    return end, end, f"({definition})"


def _argument(field: FieldNode, name: str) -> Splice:
    """Return where the argument belongs."""
    arguments = field.arguments or ()
    given = next((each.value for each in arguments if each.name.value == AFTER), None)
    if given is not None:
        return *_place(given), f"${name}"
    if arguments:
        start, _ = _place(arguments[0])
        return start, start, f"{AFTER}: ${name}, "
    _, end = _place(field.name)
    return end, end, f"({AFTER}: ${name})"


def _place(node: Node) -> tuple[int, int]:
    if node.loc is None:
        raise ValueError("Documents are kept with the places of their nodes.")
    return node.loc.start, node.loc.end
