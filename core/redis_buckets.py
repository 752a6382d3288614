"""Token buckets in Redis, shared by all processes."""

from collections.abc import Sequence

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.rate_limit import SLOWEST_PERCENT, Account, Balance, Debt, Terms, Trade

TIMEOUT_SECONDS = 0.25
"""How long a call may take; Redis answers within a millisecond, or something is wrong."""

CONNECTIONS = 20
"""Of one process, at most. A call takes well below a millisecond, so some twenty at a time are thousands a second."""

PIPELINE_LENGTH = 200
"""Returns that travel together; Redis serves nobody else while it works one off."""

# Numbers are written by %.0f, since Lua would round them to 14 digits. A clock that went back lets nothing fill.
SCRIPT = """
local own_key, shared_key = KEYS[1], KEYS[2]
local need, spare, returned = ARGV[1] * 1000000, tonumber(ARGV[2]), ARGV[3] * 1000000
local own_capacity, own_rate = ARGV[4] * 1000000, tonumber(ARGV[5])
local shared_capacity, shared_rate = ARGV[6] * 1000000, tonumber(ARGV[7])
local reserved, yielded = ARGV[8] * 1000000, ARGV[9] * 10000
local slowest = tonumber(ARGV[10])

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function debt_of(text, rate, pace)
  if not text then return 0 end
  local debt, at = string.match(text, '^(%d+) (%d+)$')
  if not debt then return 0 end
  return math.max(0, debt - math.floor(math.max(0, now - at) * rate * pace / 100))
end

local function keep(key, debt, rate, slowest)
  if debt == 0 then
    redis.call('DEL', key)
  else
    local lifetime = string.format('%.0f', math.ceil(debt * 100 / (rate * slowest) / 1000) + 1000)
    redis.call('SET', key, string.format('%.0f %.0f', debt, now), 'PX', lifetime)
  end
end

local function spared(left, capacity)
  if 2 * left < capacity then return 0 end
  return math.floor(left / 4000000)
end

local stored = redis.call('MGET', own_key, shared_key)
local shared = debt_of(stored[2], shared_rate, 100)
local level = math.floor(math.max(0, shared_capacity - shared) * 100 / shared_capacity)
local pace = math.min(100, math.max(slowest, 4 * level - 100))
local own = math.max(0, debt_of(stored[1], own_rate, pace) - returned)
shared = math.max(0, shared - returned)
local granted = -1
local own_left = own_capacity - own - need
if own_left >= 0 then
  local spent = math.floor((own + need) * 100 / own_capacity)
  local shared_left = shared_capacity - shared - need - reserved - yielded * spent
  if shared_left >= 0 then
    local extra = math.min(spare, spared(own_left, own_capacity), spared(shared_left, shared_capacity))
    granted = ARGV[1] + extra
    own = own + granted * 1000000
    shared = shared + granted * 1000000
  end
end
keep(own_key, own, own_rate, slowest)
keep(shared_key, shared, shared_rate, 100)
return {granted, own, shared, now}
"""


def connect(url: str) -> Redis:
    """Return a client that fails fast and repeats nothing, since a trade must not be made twice."""
    pool = BlockingConnectionPool.from_url(
        url,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
        max_connections=CONNECTIONS,
    )
    return Redis.from_pool(pool)


class BucketsInRedis:
    """Keeps buckets in Redis; they expire once they are full.

    Both keys of a trade carry the tenant as their hash tag, so that they live on one node of a cluster.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._script = client.register_script(SCRIPT)

    async def trade(self, account: Account, trade: Trade) -> Balance:
        """Return points to the buckets of an account, then take some of both or of neither, in one call."""
        granted, own, shared, at = await self._script(keys=_keys(account), args=_arguments(account.terms, trade))
        return Balance(None if granted < 0 else granted, Debt(own, shared), at)

    async def give_back(self, returned: Sequence[tuple[Account, int]]) -> None:
        """Return points that were taken and not spent, many in one call."""
        for start in range(0, len(returned), PIPELINE_LENGTH):
            async with self._client.pipeline(transaction=False) as pipeline:
                for account, points in returned[start : start + PIPELINE_LENGTH]:
                    trade = Trade(returned=points)
                    await self._script(keys=_keys(account), args=_arguments(account.terms, trade), client=pipeline)
                await pipeline.execute()


def _keys(account: Account) -> list[str]:
    shared = f"{{{account.tenant}}}:budget"
    return [f"{shared}:{account.principal}", shared]


def _arguments(terms: Terms, trade: Trade) -> list[int]:
    own, shared = terms.own, terms.shared
    rates = [own.capacity, own.per_second, shared.capacity, shared.per_second]
    return [trade.need, trade.spare, trade.returned, *rates, terms.reserved, terms.yielded, SLOWEST_PERCENT]
