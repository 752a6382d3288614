"""Compiles the prices of an operation: what it may cost by its variables, and what it did cost by its data."""

import itertools
import re
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

from engine.price_amounts import Amount, Variables
from engine.price_tree import Case, Priced

Requested = int | Callable[[Variables], int]
Actual = Callable[[Mapping[str, Any], Variables], int]

_BUILTINS: dict[str, Any] = {each.__name__: each for each in (len, list, map, max, sum, filter, frozenset)}
_BUILTINS["chain"] = itertools.chain.from_iterable
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")


def requested_code(root: Case) -> Requested:
    """Compile what an operation may cost at most: a number where no variable matters, else a function of them."""
    writer = _Requested()
    result = writer.case(root)
    if isinstance(result, int):
        return result
    function: Requested = writer.function("def price(v):", [*writer.lines, f"return {result}"])
    return function


def actual_code(root: Case) -> Actual:
    """Compile what an operation did cost: a function of its data and its variables.

    The data are walked level by level: all objects of a level in one comprehension.
    """
    writer = _Actual()
    name = writer.case(root)
    function: Actual = writer.function("def price(data, v):", [f"return {name}([data], v)"])
    return function


class _Writer:
    """Python source, made of names of our own, numbers and the quoted names of response keys."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._names: dict[str, Any] = {}
        self._blocks: list[str] = []
        self._done: dict[int, Any] = {}

    def amount(self, amount: Amount) -> int | str:
        """Write an amount: itself, or a call."""
        return amount if isinstance(amount, int) else f"{self.bound(amount)}(v)"

    def bound(self, value: object) -> str:
        """Give a value a name."""
        name = f"r{len(self._names)}"
        self._names[name] = value
        return name

    def block(self, head: str, lines: list[str]) -> None:
        """Write a function."""
        self._blocks.append("\n    ".join([head, *lines]))

    def function(self, head: str, lines: list[str]) -> Any:
        """Write the outermost function and compile all of them."""
        self.block(head, lines)
        names = {"__builtins__": _BUILTINS, **self._names}
        exec(compile("\n".join(self._blocks), "<price>", "exec"), names)  # noqa: S102 - see the class.
        return names["price"]


class _Requested(_Writer):
    """Writes sums and products; those that variables change get a line each, so that none is written twice."""

    def case(self, case: Case) -> int | str:
        return self._sum([case.weight, *map(self.field, case.fields)])

    def field(self, field: Priced) -> int | str:
        if id(field) not in self._done:
            self._done[id(field)] = self._named(self._field(field))
        known: int | str = self._done[id(field)]
        return known

    def _field(self, field: Priced) -> int | str:
        weight = self.amount(field.weight)
        if not field.cases:
            return weight
        found = [self.case(case) for case in field.cases]
        fixed = max((each for each in found if isinstance(each, int)), default=None)
        open_ones = [each for each in found if isinstance(each, str)]
        dearest: int | str
        if not open_ones:
            dearest = fixed or 0
        else:
            among = [*open_ones, *([str(fixed)] if fixed is not None else [])]
            dearest = among[0] if len(among) == 1 else f"max({', '.join(among)})"
        return self._sum([weight, self._product(self.amount(field.size), dearest)])

    def _named(self, source: int | str) -> int | str:
        if isinstance(source, int) or _NAME.fullmatch(source):
            return source
        name = f"x{len(self.lines)}"
        self.lines.append(f"{name} = {source}")
        return name

    @staticmethod
    def _sum(parts: list[int | str]) -> int | str:
        fixed = sum(each for each in parts if isinstance(each, int))
        sources = [each for each in parts if isinstance(each, str)]
        if not sources:
            return fixed
        return " + ".join([*sources, *([str(fixed)] if fixed else [])])

    @staticmethod
    def _product(one: int | str, other: int | str) -> int | str:
        if isinstance(one, int) and isinstance(other, int):
            return one * other
        if 0 in (one, other):
            return 0
        return f"({one}) * ({other})"


class _Actual(_Writer):
    """Writes one function a case, which takes its objects, and one a field, which takes its parents."""

    def case(self, case: Case) -> str:
        """Write what objects of one case cost."""
        if id(case) not in self._done:
            fixed, parts = case.weight, []
            for each in case.fields:
                if isinstance(each.weight, int) and not each.cases:
                    fixed += each.weight
                else:
                    parts.append(f"{self._field(each)}(a, v)")
            if fixed:
                parts.append(f"len(a) * {fixed}")
            name = self._done[id(case)] = f"c{len(self._blocks)}"
            self.block(f"def {name}(a, v):", [f"return {' + '.join(parts) or 0}"])
        known: str = self._done[id(case)]
        return known

    def _field(self, field: Priced) -> str:
        """Write what a field costs that all of its parents are asked for."""
        if id(field) not in self._done:
            lines = []
            weight = self.amount(field.weight)
            parts = [f"len(a) * {weight}"] if weight else []
            if _is_counted(field):
                parts.append(self._count(field))
            elif field.cases:
                lines.append(f"b = {self._flattened(field)}")
                parts.append(self._cases(field, lines))
            name = self._done[id(field)] = f"f{len(self._blocks)}"
            self.block(f"def {name}(a, v):", [*lines, f"return {' + '.join(parts) or 0}"])
        known: str = self._done[id(field)]
        return known

    def _cases(self, field: Priced, lines: list[str]) -> str:
        if len(field.cases) == 1:
            return f"{self.case(field.cases[0])}(b, v)"
        # The answer does not tell types; the keys of its objects do, as far as it matters.
        functions = {case.keys: self.case(case) for case in reversed(field.cases)}
        table = f"d{len(self._blocks)}"
        self._blocks.append(f"{table} = {{{', '.join(f'{self.bound(k)}: {name}' for k, name in functions.items())}}}")
        lines += [
            "g = {}",
            "for y in b:",
            "    g.setdefault(frozenset(y), []).append(y)",
            "t = 0",
            "for k, e in g.items():",
            f"    t += {table}[k](e, v)",
        ]
        return "t"

    def _count(self, field: Priced) -> str:
        """Write how many objects a field holds for its parents `a`, times what one costs."""
        held, weight = self._held(field), field.cases[0].weight
        count = f"sum(map(len, {held}))" if len(field.shape) > 1 else f"len(a) - list({held}).count(None)"
        return f"({count}) * {weight}"

    def _flattened(self, field: Priced) -> str:
        """Write the list of all objects that a field holds for its parents `a`."""
        *lists, holds_null = field.shape
        held = self._held(field)
        for may_be_null in lists:
            held = f"chain(filter(None, {held}))" if may_be_null else f"chain({held})"
        return f"[y for y in {held} if y is not None]" if holds_null else f"list({held})"

    def _held(self, field: Priced) -> str:
        return f"map({self.bound(itemgetter(field.key))}, a)"


def _is_counted(field: Priced) -> bool:
    """Tell whether it is enough to know how many objects a field holds."""
    return len(field.cases) == 1 and not field.cases[0].fields and field.shape in _COUNTED


_COUNTED = {(True,), (False,), (False, False)}
"""Shapes of fields whose objects are counted without being looked at: an object, and a list without nulls."""
