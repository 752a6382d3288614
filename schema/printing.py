"""The schema as text, its directives with it."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    parse,
    print_ast,
    print_schema,
)


def printed(schema: GraphQLSchema) -> str:
    """Return the SDL of a schema with the directives on its types, fields and input fields.

    The library prints definitions of directives, and leaves out where they are used.
    """
    text = print_schema(schema)
    for end, element in sorted(_ends(schema, text), key=lambda place: place[0], reverse=True):
        if element.ast_node is not None:
            directives = "".join(f" {print_ast(each)}" for each in element.ast_node.directives)
            text = text[:end] + directives + text[end:]
    return text


def _ends(schema: GraphQLSchema, text: str) -> Iterator[tuple[int, Any]]:
    """Return all that may have directives, with the place in the text where they belong."""
    for node in parse(text).definitions:
        if not isinstance(node, ObjectTypeDefinitionNode | InputObjectTypeDefinitionNode):
            continue
        kind: Any = schema.get_type(node.name.value)
        head = [node.name, *(getattr(node, "interfaces", None) or ())]
        yield _end(head[-1]), kind
        for field in node.fields or ():
            yield _end(field), kind.fields[field.name.value]


def _end(node: Any) -> int:
    end: int = node.loc.end
    return end
