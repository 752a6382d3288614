"""Documents that processes share: asked for once, told of seldom, never believed."""

import dataclasses
import uuid

import pytest

from server.graphql.persisted import TOLD_AGAIN_SECONDS, DocumentsInProcess, SharedDocuments, hash_of

SHOP = uuid.uuid4()
TEXT = "{ shop { name } }"
SHA256 = hash_of(TEXT)


@dataclasses.dataclass
class Texts:
    """What all processes see; counts how often it is asked and told."""

    kept: dict = dataclasses.field(default_factory=dict)
    asked: int = 0
    told: int = 0
    is_away: bool = False

    async def get(self, tenant, name):
        self.asked += 1
        return None if self.is_away else self.kept.get((tenant, name))

    async def put(self, tenant, name, text):
        self.told += 1
        if not self.is_away:
            self.kept[tenant, name] = text
        return not self.is_away


@dataclasses.dataclass
class Clock:
    now: float = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def texts():
    return Texts()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def processes(texts, clock):
    return [SharedDocuments(DocumentsInProcess(), texts, timer=clock) for _ in range(2)]


async def test_what_one_keeps_the_other_finds_and_asks_for_once(processes, texts):
    first, second = processes
    await first.keep(SHOP, TEXT)
    assert [await second.find(SHOP, SHA256) for _ in range(3)] == [TEXT] * 3
    assert await first.find(SHOP, SHA256) == TEXT
    assert (texts.asked, texts.told) == (1, 1)


async def test_what_is_kept_again_is_told_again_after_a_while(processes, texts, clock):
    first, second = processes
    for _ in range(3):
        await first.keep(SHOP, TEXT)
    assert texts.told == 1
    texts.kept.clear()
    assert await second.find(SHOP, SHA256) is None
    clock.now += TOLD_AGAIN_SECONDS
    await first.keep(SHOP, TEXT)
    assert await second.find(SHOP, SHA256) == TEXT


async def test_what_could_not_be_told_is_told_the_next_time(processes, texts):
    first, second = processes
    texts.is_away = True
    await first.keep(SHOP, TEXT)
    assert await first.find(SHOP, SHA256) == TEXT
    assert await second.find(SHOP, SHA256) is None
    texts.is_away = False
    await first.keep(SHOP, TEXT)
    assert await second.find(SHOP, SHA256) == TEXT


async def test_a_text_that_is_not_what_its_hash_says_is_not_believed(processes, texts):
    texts.kept[SHOP, SHA256] = "{ other }"
    assert await processes[0].find(SHOP, SHA256) is None


@pytest.mark.parametrize("name", ["", "x", SHA256.upper(), f"{SHA256}0", f"{SHA256}\n", "é" * 64])
async def test_what_is_no_hash_is_asked_of_nobody(processes, texts, name):
    assert await processes[0].find(SHOP, name) is None
    assert texts.asked == 0


async def test_registered_documents_are_asked_of_nobody(texts):
    documents = SharedDocuments(DocumentsInProcess(registered={SHA256: TEXT}), texts)
    assert await documents.find(SHOP, SHA256) == TEXT
    assert texts.asked == 0
