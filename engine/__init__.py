"""GraphQL execution: knows GraphQL and neither tables nor HTTP."""

from engine.execute import graphql

__all__ = ["graphql"]
