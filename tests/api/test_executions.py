"""Metrics tell who executed."""

import pytest

from tests import factories
from tests.api.caching import metric, process
from tests.api.catalogues import catalogue
from tests.api.mutating import write

LISTING = "{ products(first: 1) { nodes { name category { name } } } }"
REFUSED = "{ products(first: 1) { nodes { name translations { value } } } }"
SCHEMA = "{ __schema { queryType { name } } }"


@pytest.fixture
async def made(database):
    return await catalogue(database, await factories.shop(database), 2)


async def counted(process):
    executors = ("folded", "loaders", "reference", "kept")
    found = {each: await metric(process, "galleria_executions_total", executor=each) for each in executors}
    return found | {"bails": await metric(process, "galleria_execution_bails_total")}


@pytest.mark.parametrize(
    ("executor", "expected"),
    [("compiled", {"folded": 1}), ("loaders", {"loaders": 1}), ("reference", {"reference": 1})],
)
async def test_each_executor_is_counted(settings, made, executor, expected):
    async with process(settings) as server:
        await server.of(made)(LISTING, **{"Galleria-Executor": executor})
        assert {name: count for name, count in (await counted(server)).items() if count} == expected


async def test_what_nobody_names_an_executor_for_is_counted_too(settings, made):
    async with process(settings) as server:
        ask = server.of(made)
        for _ in range(3):
            await ask(LISTING, role="owner")
            await ask(SCHEMA, role="owner")
        assert await counted(server) == {"folded": 2, "loaders": 0, "reference": 3, "kept": 1, "bails": 0}
        # A mutation is compiled when it is seen again, and never folded.
        for name in ("One", "Two"):
            await write(ask, "productUpdate", id=made.id_of("Product"), input={"name": name})
        assert await counted(server) == {"folded": 2, "loaders": 1, "reference": 4, "kept": 1, "bails": 0}


async def test_a_plan_that_is_given_up_is_counted_with_who_executed_in_its_place(settings, made):
    async with process(settings) as server:
        ask = server.of(made)
        for _ in range(3):
            assert set((await ask(REFUSED)).codes) == {"UNAUTHENTICATED"}
        assert await counted(server) == {"folded": 0, "loaders": 2, "reference": 1, "kept": 0, "bails": 2}
