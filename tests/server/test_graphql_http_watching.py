"""Watching a client, apart from HTTP."""

import asyncio

import pytest

from server.graphql import watching
from server.graphql.watching import ClientLeft, StrayCancellation, TimeUp, Watch


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(watching, "PATIENCE_SECONDS", 0)


class Client:
    """Sends the messages it is given, then none."""

    def __init__(self, *messages: str) -> None:
        self.messages = list(messages)
        self.asked = asyncio.Event()
        self.forgotten = asyncio.Event()

    async def receive(self):
        self.asked.set()
        if self.messages:
            return {"type": self.messages.pop(0)}
        try:
            await asyncio.Event().wait()
        finally:
            self.forgotten.set()


def watched(client: Client, *, seconds: float = 5) -> Watch:
    watch = Watch(client.receive, seconds=seconds)
    watch.may_receive = True
    return watch


async def wait_for_ever() -> None:
    async with asyncio.timeout(5):
        await asyncio.Event().wait()


async def test_a_task_may_go_on_after_its_client_has_left():
    client = Client("http.request", "http.disconnect")
    with pytest.raises(ClientLeft), watched(client):
        await wait_for_ever()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_deadline_is_no_departure():
    client = Client()

    async def run() -> None:
        async with asyncio.timeout(0.01):
            with watched(client):
                await wait_for_ever()

    with pytest.raises(TimeoutError):
        await run()


async def test_a_task_may_go_on_after_its_time_is_up():
    with pytest.raises(TimeUp), watched(Client(), seconds=0.01):
        await wait_for_ever()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_nothing_is_received_before_it_may_be():
    client = Client()
    with pytest.raises(TimeUp), Watch(client.receive, seconds=0.05):
        await wait_for_ever()
    assert not client.asked.is_set()


async def test_a_cancellation_from_nowhere_is_told_apart():
    with pytest.raises(StrayCancellation), watched(Client()):
        raise asyncio.CancelledError


async def test_nobody_watches_once_the_operation_is_over():
    client = Client()
    with watched(client):
        await client.asked.wait()
    await client.forgotten.wait()


async def test_only_a_task_can_be_watched():
    outcome: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def outside_of_any_task() -> None:
        try:
            with watched(Client()):
                outcome.set_exception(AssertionError("It was watched."))
        except RuntimeError as error:
            outcome.set_result(error)

    asyncio.get_running_loop().call_soon(outside_of_any_task)
    assert "within a task" in str(await outcome)


async def test_what_ends_an_operation_is_not_cancelled_as_well():
    client, ended = Client("http.disconnect"), asyncio.Event()

    async def operate() -> None:
        try:
            await wait_for_ever()
        finally:
            # Longer than what is left of the time.
            await asyncio.sleep(0.05)
            ended.set()

    with pytest.raises(ClientLeft), watched(client, seconds=0.02):
        await operate()
    assert ended.is_set()
