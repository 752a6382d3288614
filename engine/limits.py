"""What one document may ask for at most, and what is said where it asks for more."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """The most that one document may ask for.

    Attributes:
        length: Characters of the text.
        tokens: Lexical tokens, comments not counted.
        comments: Comments.
        definitions: Operations and fragments together.
        selections: Fields, spreads and inline fragments of one operation, its fragments expanded.
        depth: Fields on the longest way from the root to a leaf, both counted.
        introspection_depth: The same below `__schema` and `__type`: the query that clients send to learn a schema
            follows `ofType` nine times and more, and costs no statement.
        nesting: Selection sets within each other, fragments expanded; bounds the recursion of every later walk.
        aliases: Aliased fields, fragments expanded.
        root_fields: Fields at the root of a query or subscription, fragments expanded.
        root_mutations: Fields at the root of a mutation, fragments expanded.
        directives: Directives, fragments expanded.
        directives_a_node: Directives at one place.
        variables: Variables of one operation.
        spreads: Spreads and inline fragments in the text.
        comparisons: Pairs of fields with the same response key at the same place, which validation compares. 30
            fragments that repeat 10 fields each are 4,350.
        list: Elements of a list in an argument.
        members: Fields of an object, and arguments of a field, as they are written.
        input_depth: Lists and objects within each other in an argument.
        digits: Characters of a number.
    """

    length: int = 20_000
    tokens: int = 3_000
    comments: int = 200
    definitions: int = 100
    selections: int = 2_000
    depth: int = 12
    introspection_depth: int = 24
    nesting: int = 64
    aliases: int = 30
    root_fields: int = 20
    root_mutations: int = 5
    directives: int = 50
    directives_a_node: int = 5
    variables: int = 100
    spreads: int = 250
    comparisons: int = 5_000
    list: int = 250
    members: int = 100
    input_depth: int = 16
    digits: int = 40


class LimitReached(Exception):
    """A document asks for more than a limit allows.

    Attributes:
        which: Name of the limit, as in `Limits`.
        limit: What is allowed.
    """

    def __init__(self, which: str, limit: int) -> None:
        words = which.replace("_a_node", " at one place").replace("_", " ")
        super().__init__(f"The document exceeds the limit of {limit:,} for {words}; ask for less at once.")
        self.which = which
        self.limit = limit
