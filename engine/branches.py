"""The plans of one operation: one for each combination of the variables that `@skip` and `@include` depend on."""

from collections import OrderedDict
from collections.abc import Callable, Hashable

from engine.plans import Plan

MOST_PLANS = 16
"""Plans kept; n variables make 2^n combinations, and nobody shall fill the memory by them."""

_ASKED_OFTEN = 4
"""How often a further combination is asked for before it takes the place of one that was not used for longest: making
a plan takes longer than executing an operation without one."""

_COUNTED = 64
"""Further combinations that are counted."""


class Branches:
    """Plans by the values of the variables, those that were used last."""

    def __init__(self) -> None:
        self._plans: OrderedDict[Hashable, Plan | None] = OrderedDict()
        self._asked: OrderedDict[Hashable, int] = OrderedDict()

    def get(self, branch: Hashable, make: Callable[[], Plan | None]) -> Plan | None:
        """Return the plan of a combination; None where there is none, or none yet, and graphql-core executes."""
        if branch in self._plans:
            self._plans.move_to_end(branch)
            return self._plans[branch]
        if len(self._plans) >= MOST_PLANS and not self._is_wanted(branch):
            return None
        made = self._plans[branch] = make()
        if len(self._plans) > MOST_PLANS:
            self._plans.popitem(last=False)
        return made

    @property
    def are_current(self) -> bool:
        """Whether the schema is still the one that all plans were made of."""
        return all(plan is None or plan.is_current for plan in self._plans.values())

    def _is_wanted(self, branch: Hashable) -> bool:
        asked = self._asked.pop(branch, 0) + 1
        if asked >= _ASKED_OFTEN:
            return True
        self._asked[branch] = asked
        if len(self._asked) > _COUNTED:
            self._asked.popitem(last=False)
        return False
