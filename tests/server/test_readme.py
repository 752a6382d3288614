"""What the README shows of subscriptions, run as it stands."""

import asyncio
import re
import shlex
import shutil
from pathlib import Path

import orjson
from sqlalchemy import update

from core.embedded_binaries import guard
from models.inventory import StockLevel
from tests import factories
from tests.api.live.streams import PATIENCE_SECONDS
from tests.resolvers.feeding import number

ROOT = Path(__file__).parent.parent.parent
LIVE = re.search(r"^## Live$(.*?)^## ", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[1]


def example(url, shop):
    """Return the command of the README, for a server and a shop of ours."""
    [text] = re.findall(r"^```sh\n(curl .*?)```$", LIVE, re.MULTILINE | re.DOTALL)
    words = shlex.split(text.replace("\\\n", " "))
    assert {"http://localhost:8000/graphql", "Galleria-Shop: demo"} < set(words)
    places = {"http://localhost:8000/graphql": f"{url}/graphql", "Galleria-Shop: demo": f"Galleria-Shop: {shop.slug}"}
    return [shutil.which(words[0]) or words[0], *(places.get(word, word) for word in words[1:])]


async def following(command, database, shop, variant):
    """Run the command until it has told of a change, and return the id and what came with it."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, start_new_session=True
    )
    watched = guard(process)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            lines, is_changed = [], False
            while not (lines and lines[-1].startswith(b"data: ")):
                lines.append((await process.stdout.readline()).rstrip())
                if not is_changed and lines[-1].startswith(b"id: "):
                    # It says where it begins; now something may happen.
                    is_changed = True
                    await recount(database, shop, variant)
    finally:
        process.kill()
        await process.communicate()
        watched.kill()
        await asyncio.to_thread(watched.communicate)
    [*_, told] = (int(line[4:]) for line in lines if line.startswith(b"id: "))
    return told, orjson.loads(lines[-1].removeprefix(b"data: "))["data"]["stockChanged"]


async def recount(database, shop, variant):
    async with database.of_tenant(shop.id).write() as transaction:
        changed = update(StockLevel).where(StockLevel.variant_id == variant.id)
        await transaction.execute(changed.values(on_hand=StockLevel.on_hand - 1))
        await transaction.commit()


async def test_the_example_of_a_subscription_follows_and_goes_on(base_url, database, shop):
    _, variant = await factories.sellable(database, shop, on_hand=10)
    await number(database, shop)
    command = example(base_url, shop)
    first, _ = await following(command, database, shop, variant)
    await recount(database, shop, variant)
    assert "-H 'Last-Event-ID: 42'" in LIVE
    second, told = await following([*command, "-H", f"Last-Event-ID: {first}"], database, shop, variant)
    assert second == first + 1
    assert told == {
        "sequence": str(second),
        "variant": {"sku": variant.sku, "availability": {"quantity": told["variant"]["availability"]["quantity"]}},
    }
    # It is read when it is told: by then one or two more changes may have come.
    assert 7 <= told["variant"]["availability"]["quantity"] <= 8
