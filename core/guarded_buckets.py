"""What becomes of token buckets while the place where they are kept is out of reach."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from redis.exceptions import RedisError

from core.errors import BucketsUnavailable
from core.rate_limit import Account, Balance, Buckets, Trade
from core.redis_buckets import TIMEOUT_SECONDS

PAUSE_SECONDS = 1.0
"""How long a store is left alone after it failed, so that one that is dead costs one timeout a second."""

Result = TypeVar("Result")
Report = Callable[[BaseException | None], None]
"""Told each failure, and None once the store answers again."""


class GuardedBuckets:
    """Asks a remote store, and another one while that does not answer.

    Args:
        remote: The store that all processes share.
        local: Stands in for it; None to refuse instead.
        report: Told what happens to the remote one.
        timer: Tells seconds.
    """

    def __init__(
        self, remote: Buckets, local: Buckets | None, *, report: Report, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._remote = remote
        self._local = local
        self._report = report
        self._timer = timer
        self._failed = False
        self._retry_at = 0.0

    async def trade(self, account: Account, trade: Trade) -> Balance:
        """Return points to the buckets of an account, then take some of both or of neither.

        Raises:
            BucketsUnavailable: The remote store does not answer, and no other stands in for it.
        """
        try:
            return await self._guarded(self._remote.trade(account, trade))
        except BucketsUnavailable:
            if self._local is None:
                raise
            return await self._local.trade(account, trade)

    async def give_back(self, returned: Sequence[tuple[Account, int]]) -> None:
        """Return points that were taken and not spent; they are lost where no store takes them."""
        try:
            await self._guarded(self._remote.give_back(returned))
        except BucketsUnavailable:
            if self._local is not None:
                await self._local.give_back(returned)

    async def _guarded(self, call: Coroutine[Any, Any, Result]) -> Result:
        if self._failed and self._timer() < self._retry_at:
            call.close()
            raise BucketsUnavailable
        # One call finds out whether a store that failed is back; the others need not wait for it.
        self._retry_at = self._timer() + PAUSE_SECONDS
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                result = await call
        except (RedisError, OSError, TimeoutError) as error:
            self._failed = True
            self._retry_at = self._timer() + PAUSE_SECONDS
            self._report(error)
            raise BucketsUnavailable from error
        if self._failed:
            self._failed = False
            self._report(None)
        return result
