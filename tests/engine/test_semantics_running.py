"""How fields are run: one after the other, all at once, a level at a time, until somebody no longer waits."""

import asyncio
import gc
import inspect
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from graphql import GraphQLError, build_schema, parse, subscribe

from engine import executables, graphql
from engine.executables import Executable
from engine.execute import _known
from tests.engine.comparing import Outcome, operation_of
from tests.engine.running import Left, _left, errors_of, run, same

SCHEMA = build_schema("""
    type Query { slow: Int, must: Int!, at: Place, places: [Place!]!, info(n: Int): String }
    type Mutation { first: Int, second: Int!, third: Place, fourth: Int }
    type Subscription { ticks: Tick }
    type Tick { n: Int, place: Place }
    type Place { name: String, where: String, at: Place, must: Place!, slow: Int }
""")


class Mutations:
    """Takes note of who runs when."""

    def __init__(self, **results: Any) -> None:
        self.log: list[str] = []
        self.results = results

    def __getattr__(self, name: str) -> Any:
        async def resolve(_info: Any) -> Any:
            self.log.append(f"{name} starts")
            await asyncio.sleep(0)
            self.log.append(f"{name} ends")
            return self.results.get(name)

        return resolve


async def test_mutations_follow_each_other():
    root = Mutations(first=1, second=2)
    result = await run(SCHEMA, "mutation { second ...F first } fragment F on Mutation { fourth second }", root=root)
    assert result.data == {"second": 2, "fourth": None, "first": 1}
    assert root.log == [f"{name} {does}" for name in ("second", "fourth", "first") for does in ("starts", "ends")]


@pytest.mark.parametrize(
    "text", ["mutation { first second fourth }", "mutation { first third { must { name } } second fourth }"]
)
async def test_mutations_stop_where_a_null_has_risen_out_of_the_response(text: str):
    root, reference = Mutations(first=1, third={}), Mutations(first=1, third={})
    result = await run(SCHEMA, text, root=root)
    expected = await graphql(SCHEMA, text, root_value=reference, executor="reference")
    assert (result.data, errors_of(result)) == (expected.data, errors_of(expected))
    assert root.log == reference.log
    assert "fourth starts" not in root.log


async def test_the_fields_of_a_query_run_together():
    ready = asyncio.Event()

    async def wait(_info: Any) -> int:
        await ready.wait()
        return 1

    async def open_it(_info: Any) -> int:
        ready.set()
        return 2

    async with asyncio.timeout(5):
        result = await run(SCHEMA, "{ slow must }", root={"slow": wait, "must": open_it})
    assert result.data == {"slow": 1, "must": 2}


async def test_the_same_field_of_all_parents_runs_together():
    met = asyncio.Barrier(3)

    async def meet(_info: Any) -> int:
        return await met.wait()

    async with asyncio.timeout(5):
        result = await run(SCHEMA, "{ places { slow } }", root={"places": [{"slow": meet}] * 3})
    assert sorted(each["slow"] for each in result.data["places"]) == [0, 1, 2]


async def test_the_events_of_a_subscription_are_compiled():
    async def ticks(_info: Any) -> AsyncIterator[Any]:
        for n in range(2):
            yield {"ticks": {"n": n, "place": {"name": f"place {n}"}}}

    text = "subscription { ticks { n place { __typename name } } }"
    events: Any = subscribe(SCHEMA, parse(text), {"ticks": ticks})
    events = await events if inspect.isawaitable(events) else events
    expected = [event.data async for event in events]
    compiled = [(await same(SCHEMA, text, root=event)).data async for event in ticks(None)]
    assert (
        compiled
        == expected
        == [{"ticks": {"n": n, "place": {"__typename": "Place", "name": f"place {n}"}}} for n in (0, 1)]
    )


async def test_what_comes_together_is_answered_each_for_itself():
    read = []

    async def name(source: Any, _info: Any) -> str:
        read.append(source["n"])
        if source["n"] == 2:
            raise GraphQLError("no name")
        return f"place {source['n']}"

    schema = build_schema(
        "type Query { a: Int } type Subscription { ticks: Tick } type Tick { n: Int, place: Place } "
        "type Place { n: Int, name: String! }"
    )
    schema.type_map["Place"].fields["name"].resolve = name
    roots: list[Any] = [{"ticks": {"n": n, "place": {"n": n}}} for n in range(4)] + [{"ticks": None}, {}]
    document = parse("subscription { ticks { n place { __typename name } } }")
    executable = Executable(schema, document, operation_of(document, None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executables, "execute_by_library", _left)
        results = await executable.execute_each(None, roots, context=None)
    assert sorted(read) == [0, 1, 2, 3]
    assert [each.data and each.data["ticks"] for each in results] == [
        *({"n": n, "place": {"__typename": "Place", "name": f"place {n}"}} for n in (0, 1)),
        {"n": 2, "place": None},
        {"n": 3, "place": {"__typename": "Place", "name": "place 3"}},
        None,
        None,
    ]
    assert [errors_of(each) for each in results] == [[], [], [(["ticks", "place", "name"], "no name")], [], [], []]
    for root, result in zip(roots, results, strict=True):
        alone = await executable.execute(None, context=None, root_value=root, executor="reference")
        assert Outcome.of(result) == Outcome.of(alone)


async def test_mutations_never_run_together():
    document = parse("mutation { first }")
    executable = Executable(SCHEMA, document, operation_of(document, None))
    roots = [Mutations(first=1), Mutations(first=2)]
    results = await executable.execute_each({}, roots, context=None)
    assert [each.data for each in results] == [{"first": 1}, {"first": 2}]
    refused = parse("mutation M($n: Int!) { first }")
    results = await Executable(SCHEMA, refused, operation_of(refused, None)).execute_each({}, roots, context=None)
    assert [each.data for each in results] == [None, None]


async def test_resolvers_are_told_where_they_are():
    asked = []

    def told(_source: Any, info: Any, **arguments: Any) -> str:
        asked.append((info, arguments))
        return "told"

    schema = build_schema("type Query { box: Box } type Box { boxes: [Box], info(n: Int): String }")
    schema.type_map["Box"].fields["info"].resolve = told
    root = {"box": {"boxes": [{}, {}]}}
    text = "query Q($n: Int) { box { boxes { a: info(n: $n) ...F } } } fragment F on Box { a: info(n: $n) }"
    await same(schema, text, {"n": 5}, root=root, context="the context")
    compiled, reference = asked[1], asked[3]
    info, arguments = compiled
    assert info.path.as_list() == ["box", "boxes", 1, "a"]
    assert arguments == reference[1] == {"n": 5}
    assert (info.context, info.root_value, info.schema) == ("the context", root, schema)
    for name in ("path", "field_name", "return_type", "parent_type", "field_nodes", "operation", "fragments"):
        assert str(getattr(info, name)) == str(getattr(reference[0], name)), name
    assert info.variable_values.coerced == reference[0].variable_values.coerced


async def test_who_is_cancelled_takes_all_resolvers_along():
    started, ended = asyncio.Event(), []

    async def wait(_info: Any) -> int:
        try:
            started.set()
            return await asyncio.Event().wait()
        finally:
            ended.append(1)

    running = asyncio.create_task(
        run(SCHEMA, "{ slow places { slow } }", root={"slow": wait, "places": [{"slow": wait}] * 3})
    )
    await started.wait()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0)
    assert len(ended) == 4


async def test_a_deadline_ends_an_operation():
    async def wait(_info: Any) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await run(SCHEMA, "{ slow must }", root={"slow": wait, "must": wait})


async def test_a_resolver_s_own_deadline_is_its_own_error():
    async def wait(_info: Any) -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    result = await run(SCHEMA, "{ slow at { slow name } }", root={"slow": wait, "at": {"slow": wait, "name": "here"}})
    assert result.data == {"slow": None, "at": {"slow": None, "name": "here"}}
    assert [type(error.original_error) for error in result.errors] == [TimeoutError, TimeoutError]


async def test_a_failing_field_leaves_the_others_alone():
    async def fail(_info: Any) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("no")

    async def late(_info: Any) -> str:
        for _ in range(5):
            await asyncio.sleep(0)
        return "late"

    root = {"places": [{"name": late, "where": fail}, {"name": "b", "where": "there"}]}
    result = await run(SCHEMA, "{ places { where name } }", root=root)
    assert result.data == {"places": [{"where": None, "name": "late"}, {"where": "there", "name": "b"}]}


async def test_nothing_is_left_unawaited():
    async def later() -> str:
        return "later"

    class Lazy:
        @property
        def name(self) -> Any:
            return later()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = await run(
            SCHEMA, "{ places { where name } at { name } }", root={"places": [Lazy(), Lazy()], "at": {"name": later()}}
        )
        gc.collect()
    assert result.data == {"places": [{"where": None, "name": "later"}] * 2, "at": {"name": "later"}}


async def test_nothing_is_left_of_a_list_that_breaks_off():
    async def later() -> int:
        return 1

    def breaking() -> Any:
        yield later()
        raise RuntimeError("no")

    async def stream() -> AsyncIterator[Any]:
        yield later()
        raise RuntimeError("no")

    schema = build_schema("type Query { a: [Int], b: [Int] }")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = await run(schema, "{ a b }", root={"a": breaking(), "b": stream()})
        gc.collect()
    assert result.data == {"a": None, "b": None}


async def test_an_endless_stream_is_closed_at_the_null_that_leaves_no_list():
    closed = []

    async def stream() -> AsyncIterator[Any]:
        try:
            yield 1
            while True:
                await asyncio.sleep(0)
                yield None
        finally:
            closed.append(1)

    schema = build_schema("type Query { a: [Int!] }")
    async with asyncio.timeout(5):
        result = await same(schema, "{ a }", root={"a": lambda _info: stream()})
    assert errors_of(result) == [(["a", 1], "Cannot return null for non-nullable field Query.a.")]
    assert closed == [1, 1]


async def test_incremental_delivery_is_left_to_graphql_core():
    schema = build_schema("directive @defer on INLINE_FRAGMENT type Query { slow: Int }")
    with pytest.raises(Left):
        await run(schema, "{ ... @defer { slow } }", root={})


async def test_what_is_remembered_is_bounded():
    for number in range(400):
        schema = build_schema("type Query { a: Int }")
        for text in ("{ a }", "{ b: a }"):
            assert list((await graphql(schema, text, root_value={"a": number})).data.values()) == [number]
    assert len(_known) == 500


async def test_what_is_asked_again_is_remembered_longer():
    schema, text = build_schema("type Query { a: Int }"), "{ first: a }"
    for number in range(600):
        await graphql(schema, f"{{ a{number}: a }}", root_value={})
        await graphql(schema, text, root_value={})
    assert (schema, text, None) in _known
    assert (schema, "{ a0: a }", None) not in _known


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Syntax Error"),
        ("{ unknown }", "Cannot query field"),
        ("query A { slow } query B { slow }", "Must provide operation name"),
        ("fragment F on Query { slow }", "Fragment 'F' is never used"),
    ],
)
async def test_documents_that_cannot_run_say_why(text: str, message: str):
    result = await graphql(SCHEMA, text)
    expected = await graphql(SCHEMA, text, executor="reference")
    assert result.data is None
    assert message in result.errors[0].message
    assert list(map(str, result.errors)) == list(map(str, expected.errors))


async def test_an_operation_is_chosen_by_its_name():
    text = "query A { a: slow } query B { b: slow }"
    for name, key in (("A", "a"), ("B", "b"), ("A", "a")):
        assert (await graphql(SCHEMA, text, root_value={"slow": 1}, operation_name=name)).data == {key: 1}
    result = await graphql(SCHEMA, text, operation_name="C")
    assert [error.message for error in result.errors] == ["Unknown operation named 'C'."]


async def test_an_error_made_once_and_raised_often_has_each_place():
    error = GraphQLError("once")
    result = await run(SCHEMA, "{ places { name } }", root={"places": [{"name": error}, {"name": error}]})
    expected = await graphql(
        SCHEMA, "{ places { name } }", root_value={"places": [{"name": error}, {"name": error}]}, executor="reference"
    )
    assert errors_of(result) == errors_of(expected)
