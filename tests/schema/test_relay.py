"""What Relay's compiler asks of a schema."""

from graphql import GraphQLNonNull, GraphQLObjectType

from schema.build import build


def test_node_takes_an_id_and_nothing_else():
    schema = build()

    node = schema.query_type.fields["node"]

    assert list(node.args) == ["id"]
    assert str(node.type) == "Node"
    assert str(schema.type_map["Node"].fields["id"].type) == "ID!"


def test_connections_have_edges_with_nodes_and_cursors():
    schema = build()
    connections = [
        each
        for each in schema.type_map.values()
        if isinstance(each, GraphQLObjectType) and each.name.endswith("Connection")
    ]

    assert connections
    for connection in connections:
        edge = connection.fields["edges"].type.of_type.of_type.of_type
        assert set(edge.fields) == {"cursor", "node"}
        assert isinstance(edge.fields["cursor"].type, GraphQLNonNull)
        assert set(connection.fields["pageInfo"].type.of_type.fields) == {
            "hasNextPage",
            "hasPreviousPage",
            "startCursor",
            "endCursor",
        }
