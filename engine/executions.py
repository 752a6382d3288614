"""Counts who executes, which nobody can tell from an answer."""

import dataclasses


@dataclasses.dataclass(slots=True)
class Executions:
    """How often operations were executed, by who did it.

    Attributes:
        folded: By the plan that carries children in the statement of their root field.
        loaders: By the plan without.
        reference: By graphql-core.
        kept: By nobody: what was asked about the schema had been answered before.
        bails: Operations that the folded plan gave up, and that were executed without it; counted there once more.
    """

    folded: int = 0
    loaders: int = 0
    reference: int = 0
    kept: int = 0
    bails: int = 0
