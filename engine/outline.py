"""What the text of a document shows before it is parsed: enough to refuse most of what asks for too much.

Parsing takes 3 microseconds a token and this 0.2, so an attack that shows in its tokens costs little.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from engine.limits import LimitReached, Limits

# Strings that do not end reach to where they would have to, so that no text is read twice; the parser refuses them.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\"""|\\|"(?!""))*+(?:""")?'
    r'|"(?:[^"\\\n\r]|\\.)*+"?'
    r"|#[^\n\r]*"
    r"|\.\.\.|[_A-Za-z][_0-9A-Za-z]*|-?[0-9][-+.0-9A-Za-z_]*"
    r"|[^\s,\ufeff]"
)
_NUMBER = tuple("-0123456789")
_NO_ELEMENTS = frozenset("]}):$")
"""What does not begin an element within a list: `$` comes with a name."""

_NO_KEYS = frozenset({":", "@", "..."})
_NO_KEY_BEHIND = frozenset({":", "@", "...", "on"})
"""Around what is no response key: names behind an alias, of directives, of fragments and of types."""

_OPENING = frozenset("[{(")
_CLOSING = frozenset("]})")


def check_text(text: str, limits: Limits) -> None:
    """Refuse a text that asks for too much, whatever the schema.

    Raises:
        LimitReached: The first limit that is exceeded.
    """
    _check("length", len(text), limits.length)
    found = _TOKEN.findall(text)
    tokens = [lexeme for lexeme in found if lexeme[0] != "#"]
    _check("comments", len(found) - len(tokens), limits.comments)
    _check("tokens", len(tokens), limits.tokens)
    selecting, giving, variables = _parted(tokens)
    definitions, operations, repetitions, roots, fields = _defined(selecting, limits)
    _check("definitions", definitions, limits.definitions)
    # Operations share the fragments of their document, and each fragment is used. So where there is more than all
    # operations may have together, one of them has too much.
    counts = Counter(selecting)
    _check("aliases", counts.pop(":", 0), limits.aliases, operations)
    _check("directives", counts.pop("@", 0) + giving.count("@"), limits.directives, operations)
    _check("variables", variables, limits.variables, operations)
    _check("spreads", counts.pop("...", 0), limits.spreads)
    _check("repetition", repetitions, limits.comparisons)
    _check("root_fields", roots, limits.root_fields, operations)
    _check("selections", fields, limits.selections, operations)
    _check_values(giving, limits)


def _parted(tokens: Iterable[str]) -> tuple[list[str], list[str], int]:
    """Return the tokens outside of parentheses, those inside, and how many variables are declared."""
    selecting: list[str] = []
    giving: list[str] = []
    braces = parentheses = variables = 0
    for lexeme in tokens:
        if lexeme == "(":
            parentheses += 1
            if braces:
                giving.append(lexeme)
        elif lexeme == ")":
            parentheses -= 1
            if braces:
                giving.append(lexeme)
        elif parentheses > 0:
            giving.append(lexeme)
            variables += braces == 0 and lexeme == "$"
        else:
            braces += (lexeme == "{") - (lexeme == "}")
            selecting.append(lexeme)
    return selecting, giving, variables


def _defined(selecting: Iterable[str], limits: Limits) -> tuple[int, int, int, int, int]:
    """Return how many definitions, operations, repeated keys, root fields and fields a document has as it is written.

    Repeated keys are pairs of fields with the same response key in a selection set and its inline fragments. On the way
    it is checked how deep selection sets lie.
    """
    around: list[dict[str, int]] = []
    definitions = fragments = pairs = roots = fields = 0
    opening = before = earlier = ""
    for lexeme in selecting:
        opening = opening or lexeme
        if lexeme == "{":
            if not around:
                definitions += 1
                fragments += opening == "fragment"
            is_inline = bool(around) and (before == "..." or earlier == "on")
            around.append(around[-1] if is_inline else {})
            _check("nesting", len(around), limits.nesting + 1)
        elif lexeme == "}":
            around = around[:-1]
            opening = opening if around else ""
        elif around and before not in _NO_KEY_BEHIND and lexeme not in _NO_KEYS:
            fields += 1
            roots += len(around) == 1 and opening != "fragment"
            equal = around[-1].get(lexeme, 0)
            around[-1][lexeme] = equal + 1
            pairs += equal
        earlier, before = before, lexeme
    return definitions, max(1, definitions - fragments), pairs, roots, fields


def _check_values(giving: Sequence[str], limits: Limits) -> None:
    """Check the literals of arguments: how deep they go, how much lists and objects hold, how long numbers are.

    A member of an object, like an argument, is two tokens: its name and its value, or the beginning of it.
    """
    kinds = {"[": ("list", limits.list), "{": ("members", 2 * limits.members), "(": ("arguments", 2 * limits.members)}
    around: list[tuple[str, int]] = []
    counts: list[int] = []
    for lexeme in giving:
        if around and lexeme not in _NO_ELEMENTS:
            counts[-1] += 1
            if counts[-1] > around[-1][1]:
                raise LimitReached(around[-1][0], limits.list if around[-1][0] == "list" else limits.members)
        if lexeme in _OPENING:
            around.append(kinds[lexeme])
            counts.append(0)
            _check("input_depth", len(around), limits.input_depth + 1)
        elif lexeme in _CLOSING:
            around, counts = around[:-1], counts[:-1]
        elif len(lexeme) > limits.digits and lexeme.startswith(_NUMBER):
            raise LimitReached("digits", limits.digits)


def _check(which: str, count: int, limit: int, times: int = 1) -> None:
    if count > limit * times:
        raise LimitReached(which, limit)
