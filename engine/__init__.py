"""GraphQL execution: knows GraphQL and neither tables nor HTTP."""

from engine.execute import graphql, subscribe

__all__ = ["graphql", "subscribe"]
