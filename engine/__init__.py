"""GraphQL execution: knows GraphQL and neither tables nor HTTP."""
