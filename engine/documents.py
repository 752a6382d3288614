"""Documents, each parsed and validated once and kept in a bounded store."""

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    TokenKind,
    parse,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError

from engine.errors import (
    BAD_REQUEST,
    BAD_USER_INPUT,
    LIMIT_EXCEEDED,
    PARSE_FAILED,
    VALIDATION_FAILED,
    Failure,
    document_failures,
)
from engine.executables import Executable
from engine.executions import Executions
from engine.kept import Kept, Statistics
from engine.limits import LimitReached, Limits
from engine.outline import check_text
from engine.price import OperationPrice
from engine.price_schema import Tariff
from engine.repetition import check_repetition
from engine.rules import rules_of
from engine.structure import check

ERRORS_SHOWN = 10
"""Enough to repair a document by; an attacker gets no more work out of us."""

TOKENS_KEPT = 200_000
"""A token with its part of the tree takes about 600 bytes, so all documents together stay near 120 MB."""

REFUSED_KEPT = 200
"""Documents that are wrong, kept apart so that a flood of them drives out no good one."""

CHARACTERS_A_TOKEN = 100
"""What a text takes beside its tree: as much as a token for each 100 characters, of up to four bytes each."""

overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 20_000
"""Where the library gives up comparing fields. `engine.repetition` refuses nearly all that would get there, in a tenth
of the time; the library's own 500,000 let 3 kB cost 750 ms."""

_STRINGS = frozenset({TokenKind.STRING, TokenKind.BLOCK_STRING})
_REPETITION = Failure(
    "The document repeats the same fields too often to be checked; ask for each field once.",
    LIMIT_EXCEEDED,
    extensions={"limit": "repetition"},
)


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation of a document.

    Attributes:
        name: None for an anonymous operation.
        type: Query, mutation or subscription.
        node: Its part of the document's tree.
        introspects: Whether it asks for `__schema` or `__type`.
        price: What it costs.
        make_executable: Makes what executes it; not before it is to be executed, since a document may have a hundred
            operations, and all of it is looked at for each.
    """

    name: str | None
    type: OperationType
    node: OperationDefinitionNode
    price: OperationPrice
    make_executable: Callable[[], Executable]
    introspects: bool = False

    @functools.cached_property
    def executable(self) -> Executable:
        """What executes it."""
        return self.make_executable()


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """Everything that is known of a document before a request brings its variables.

    Attributes:
        text: As the client sent it.
        sha256: Of the text in UTF-8, 64 lower-case hexadecimal digits.
        tree: The parsed document; None where it failed.
        failures: Why it cannot be executed; empty where it can.
        operations: By name; an anonymous one under the empty name.
        tokens: Lexical tokens and comments; 0 where it failed.
    """

    text: str
    sha256: str
    tree: DocumentNode | None = None
    failures: tuple[Failure, ...] = ()
    operations: Mapping[str, Operation] = dataclasses.field(default_factory=dict)
    tokens: int = 0

    def operation(self, name: str | None) -> Operation | Failure:
        """Return the operation that a request means, or why it cannot be executed.

        Args:
            name: The request's `operationName`; None or empty for the only one.
        """
        operation = self.operations.get(name) if name else None
        if name and operation is None:
            return Failure("The document has no operation of this name; check operationName.", BAD_REQUEST)
        if operation is None and len(self.operations) == 1:
            operation = next(iter(self.operations.values()))
        if operation is None:
            return Failure("The document has several operations; say which one by operationName.", BAD_REQUEST)
        return operation


class DocumentStore:
    """A bounded store of documents by their text, the least recently used leaving first.

    Args:
        schema: What documents are validated against.
        size: Documents kept.
        tokens: Lexical tokens kept over all documents.
        limits: What one document may ask for.
        suggestions: Whether validation errors may name fields that are close to a misspelt one.

    Attributes:
        statistics: What became of the documents that were asked for.
        executions: Who executed their operations.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        size: int = 2000,
        tokens: int = TOKENS_KEPT,
        limits: Limits | None = None,
        suggestions: bool = False,
    ) -> None:
        self.schema = schema
        self.suggestions = suggestions
        self.statistics = Statistics()
        self.executions = Executions()
        self._limits = limits or Limits()
        self._tariff = Tariff(schema)
        self._documents = Kept[Document](size, tokens, self.statistics)
        self._refused = Kept[Document](REFUSED_KEPT, tokens, self.statistics)

    def __len__(self) -> int:
        return len(self._documents) + len(self._refused)

    def knows(self, text: str) -> bool:
        """Tell whether a document is kept and good, so that getting it is no work."""
        return text in self._documents

    def prepare(self, text: str) -> None:
        """Make the record of a document, and compile its operations, before anybody asks for it."""
        for operation in self.get(text).operations.values():
            operation.executable.prepare()

    def get(self, text: str) -> Document:
        """Return the record of a document, made on first sight.

        A text over the length limit is refused without being kept.
        """
        document = self._documents.get(text) or self._refused.get(text)
        if document is not None:
            self.statistics.hits += 1
            return document
        document = self._examine(text)
        if document.failures:
            self.statistics.refused += 1
        else:
            self.statistics.misses += 1
        if len(text) <= self._limits.length:
            kept = self._refused if document.failures else self._documents
            kept.keep(text, document, document.tokens + len(text) // CHARACTERS_A_TOKEN)
        return document

    def _examine(self, text: str) -> Document:
        sha256 = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
        limits = self._limits
        try:
            check_text(text, limits)
            # The parser counts what it reads itself, should it ever see more than the outline does.
            tree = parse(text, max_lexical_tokens=limits.tokens, max_comments=limits.comments)
            introspecting = check(tree, limits)
            check_repetition(tree, limits)
        except LimitReached as reached:
            failure = Failure(str(reached), LIMIT_EXCEEDED, extensions={"limit": reached.which})
            return Document(text, sha256, failures=(failure,))
        except GraphQLSyntaxError as error:
            return Document(text, sha256, failures=document_failures((error,), PARSE_FAILED))
        failures = _null_characters(tree) or self._validate(tree, rules_of(text))
        if failures:
            return Document(text, sha256, failures=failures)
        operations = self._operations(tree, introspecting)
        return Document(text, sha256, tree, operations=operations, tokens=tree.token_count)

    def _validate(self, tree: DocumentNode, rules: Sequence[type[ASTValidationRule]]) -> tuple[Failure, ...]:
        suggest = self.suggestions
        errors = validate(self.schema, tree, rules, max_errors=ERRORS_SHOWN, hide_suggestions=not suggest)
        shown = errors[:ERRORS_SHOWN]
        if any(isinstance(error, ValidationAbortedError) for error in shown):
            return (_REPETITION,)
        return document_failures(shown, VALIDATION_FAILED)

    def _operations(self, tree: DocumentNode, introspecting: frozenset[str]) -> dict[str, Operation]:
        nodes = [node for node in tree.definitions if isinstance(node, OperationDefinitionNode)]
        fragments = {each.name.value: each for each in tree.definitions if isinstance(each, FragmentDefinitionNode)}
        make = functools.partial(Executable, self.schema, tree, hide_suggestions=True, executions=self.executions)
        return {
            name: Operation(
                name or None,
                node.operation,
                node,
                OperationPrice(self._tariff, node, fragments),
                functools.partial(make, node),
                introspects=name in introspecting,
            )
            for node in nodes
            for name in (node.name.value if node.name else "",)
        }


def _null_characters(tree: DocumentNode) -> tuple[Failure, ...]:
    """Refuse U+0000, which GraphQL strings may hold and PostgreSQL's may not."""
    token = tree.loc.start_token if tree.loc else None
    while token is not None:
        if token.kind in _STRINGS and "\0" in (token.value or ""):
            where = ((token.line, token.column),)
            return (Failure("Strings may not contain the character U+0000; leave it out.", BAD_USER_INPUT, where),)
        token = token.next
    return ()
