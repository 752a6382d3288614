"""What was opened a moment ago is opened without asking anew: for the same alone, and where each resumes is his own."""

import pytest

from core.errors import BadUserInput, Unauthenticated
from server.live.hub import Hub
from tests.api.live.hubs import living, staff
from tests.api.live.test_hub_resuming import SEQUENCES, numbers
from tests.resolvers.feeding import announce


@pytest.fixture
async def live(database, shop):
    async with living(database, shop) as made:
        await made.relay()
        yield made


async def test_an_opening_is_remembered_without_its_cursor(live, database, shop, monkeypatch):
    asked, subscribed = [], Hub._subscribed

    async def counted(self, *arguments):
        asked.append(arguments)
        return await subscribed(self, *arguments)

    monkeypatch.setattr(Hub, "_subscribed", counted)
    await announce(database, shop, 4)
    last = await live.relay()
    for after in (last - 3, last - 1):
        heard = await live.subscribe(SEQUENCES, staff(), after=str(after))
        await heard.until(lambda heard=heard: heard.sequences and heard.sequences[-1] == last)
        assert heard.sequences == numbers(after + 1, last)
    with pytest.raises(BadUserInput):
        await live.subscribe(SEQUENCES, staff(), after=str(last + 1))
    assert len(asked) == 1


async def test_who_may_do_less_is_refused_what_others_opened(live):
    await live.subscribe(SEQUENCES, staff())
    with pytest.raises(Unauthenticated):
        await live.subscribe(SEQUENCES)
