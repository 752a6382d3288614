"""Execution, and what its errors say."""

import asyncio

import pytest
import strawberry
from graphql import GraphQLError, GraphQLScalarType, build_schema

from engine import graphql
from engine.documents import DocumentStore
from engine.errors import Verdict, refused_before_execution, result_failures
from engine.executables import Executor
from engine.execute import execute

SCHEMA = build_schema("""
    scalar Amount
    type Query {
        hello(name: String = "you"): String
        shown: String
        broken: String
        brokenToo: String
        number: Int
        required(n: Int! = 1): Int!
        thing: Thing
        list(filter: Filter): String
        pay(amount: Amount): String
        wait: String
        raises: String
    }
    input Filter { colour: Colour }
    enum Colour { RED GREEN }
    interface Thing { id: ID }
    type Chair implements Thing { id: ID }
""")
AMOUNT = SCHEMA.get_type("Amount")
assert isinstance(AMOUNT, GraphQLScalarType)
AMOUNT.coerce_input_value = float


class Shown(Exception):
    pass


SAME = LookupError("SELECT secret FROM shops")


class Root:
    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.cancelled = False


def resolve(field: str, resolver: object) -> None:
    SCHEMA.query_type.fields[field].resolve = resolver


def raising(error: Exception) -> object:
    async def resolver(_root: object, _info: object) -> None:
        raise error

    return resolver


async def wait_for_ever(_root: object, info: object) -> None:
    info.context.started.set()
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        info.context.cancelled = True
        raise


resolve("hello", lambda _root, _info, name: f"Hello {name}")
resolve("shown", raising(Shown("seen by clients")))
resolve("broken", raising(SAME))
resolve("brokenToo", raising(SAME))
resolve("number", lambda *_: 2**40)
resolve("required", lambda *_, **__: None)
resolve("thing", lambda *_: object())
resolve("wait", wait_for_ever)
resolve("raises", raising(GraphQLError("SELECT secret FROM shops")))


def classify(error: BaseException) -> Verdict | None:
    return Verdict(str(error), "FORBIDDEN", {"limit": "x"}) if isinstance(error, Shown) else None


class Chosen:
    executor: Executor = "compiled"


@pytest.fixture(autouse=True, params=["compiled", "reference"])
def chosen(request, monkeypatch):
    monkeypatch.setattr(Chosen, "executor", request.param)


async def run(text: str, variables: dict | None = None, context: object = None, name: str | None = None):
    document = DocumentStore(SCHEMA).get(text)
    return await execute(document, operation_name=name, variables=variables, context=context, executor=Chosen.executor)


async def failures_of(text: str, variables: dict | None = None):
    reported: list[BaseException] = []
    result = await run(text, variables)
    return result_failures(result.errors or [], classify=classify, report=reported.append), reported


async def test_a_query_without_waiting():
    assert (await run("{ hello }")).data == {"hello": "Hello you"}


async def test_variables_and_the_operation_name():
    text = "query A { hello } query B($n: String) { hello(name: $n) }"
    assert (await run(text, {"n": "x"}, name="B")).data == {"hello": "Hello x"}


async def test_an_empty_operation_name_is_none():
    assert (await run("query A { hello }", name="")).data == {"hello": "Hello you"}


async def test_a_failed_document_is_not_executed():
    with pytest.raises(ValueError, match="without failures"):
        await run("{")


async def test_cancelling_the_caller_cancels_the_resolver():
    root = Root()
    task = asyncio.create_task(run("{ wait }", context=root))
    async with asyncio.timeout(10):
        await root.started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert root.cancelled


async def test_exceptions_raised_on_purpose_are_shown():
    (found,), reported = await failures_of("{ shown }")
    assert found.formatted("r1") == {
        "message": "seen by clients",
        "locations": [{"line": 1, "column": 3}],
        "path": ("shown",),
        "extensions": {"limit": "x", "code": "FORBIDDEN", "requestId": "r1"},
    }
    assert reported == []


async def test_other_exceptions_are_masked_and_reported_once():
    found, reported = await failures_of("{ broken brokenToo }")
    assert {f.code for f in found} == {"INTERNAL"}
    assert {f.path for f in found} == {("broken",), ("brokenToo",)}
    assert all("secret" not in f.message and "Lookup" not in f.message for f in found)
    assert reported == [SAME]


@pytest.mark.parametrize("text", ["{ number }", "{ required }", "{ thing { id } }", "{ raises }"])
async def test_what_the_server_got_wrong_is_masked(text):
    (found,), reported = await failures_of(text)
    assert found.code == "INTERNAL"
    assert "secret" not in found.message
    assert len(reported) == 1


async def test_variables_that_cannot_be_read_are_the_clients_fault():
    result = await run("query ($f: Filter) { list(filter: $f) }", {"f": {"colour": "GREN"}})
    assert result.data is None
    assert refused_before_execution(result.errors)
    (found,), reported = await failures_of("query ($f: Filter) { list(filter: $f) }", {"f": {"colour": "GREN"}})
    assert found.code == "BAD_USER_INPUT"
    assert found.message == "Variable '$f' has invalid value at .colour: Value 'GREN' does not exist in 'Colour' enum."
    assert reported == []


async def test_exceptions_of_scalars_are_not_quoted():
    (found,), reported = await failures_of("query ($a: Amount) { pay(amount: $a) }", {"a": "x"})
    assert found.code == "BAD_USER_INPUT"
    assert found.message == "Variable '$a' has invalid value: Expected value of type 'Amount'."
    assert reported == []


async def test_a_null_where_an_argument_needs_a_value_is_the_clients_fault():
    (found,), reported = await failures_of("query ($n: Int) { required(n: $n) }", {"n": None})
    assert found.code == "BAD_USER_INPUT"
    assert found.path == ("required",)
    assert reported == []


async def test_an_execution_that_began_is_not_called_refused():
    assert not refused_before_execution((await run("{ required }")).errors)
    assert not refused_before_execution((await run("{ hello }")).errors)


def strawberry_schema():
    @strawberry.type
    class Query:
        @strawberry.field
        def named(self, source: str) -> str:
            return source

        @strawberry.field
        def informed(self, info: strawberry.Info, field: str) -> str:
            return f"{info.field_name} {field}"

    return strawberry.Schema(Query)._schema


async def test_arguments_may_have_any_name():
    result = await graphql(strawberry_schema(), '{ named(source: "a") informed(field: "b") }')
    assert result.errors is None
    assert result.data == {"named": "a", "informed": "informed b"}


async def test_what_is_kept_of_the_schema_is_not_the_callers_to_change():
    text = "{ __schema { queryType { name } } }"
    (await graphql(SCHEMA, text)).data["__schema"]["queryType"]["name"] = "changed"
    assert (await graphql(SCHEMA, text)).data == {"__schema": {"queryType": {"name": "Query"}}}


async def test_variables_nobody_declares_are_not_kept():
    executable = DocumentStore(SCHEMA).get("{ __schema { queryType { name } } }").operation(None).executable
    for number in range(5):
        await executable.execute({"x": str(number) * 10_000}, context=None)
    assert list(executable._introspections) == ["{}"]


async def test_plans_of_many_combinations_are_bounded_and_the_usual_one_comes_back():
    names = [f"v{number}" for number in range(6)]
    declared = " ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: hello @include(if: ${name})" for name in names)
    executable = DocumentStore(SCHEMA).get(f"query ({declared}) {{ hello {fields} }}").operation(None).executable
    for number in range(40):
        given = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        assert (await executable.execute(given, context=None)).errors is None
    usual = dict.fromkeys(names, True)
    for _ in range(4):
        await executable.execute(usual, context=None)
    plans = executable._plans[True]._plans
    assert len(plans) == 16
    assert plans[tuple(usual.values())] is not None


async def test_one_row_that_is_out_of_order_does_not_slow_the_others_for_ever():
    schema = build_schema("type Query { item: Item } type Item { n: Int! }")
    executable = DocumentStore(schema).get("{ item { n } }").operation(None).executable
    for value in [None] * 20 + [1]:
        await executable.execute({}, context=None, root_value={"item": {"n": value}})
    selection = next(iter(executable._plans[True]._plans.values())).root.fields[0].selection_of(None)
    assert selection.misses > 0
    for _ in range(64):
        await executable.execute({}, context=None, root_value={"item": {"n": 1}})
    assert selection.misses == 0


async def test_a_resolver_that_was_replaced_is_called():
    schema = build_schema("type Query { said: String }")
    answers = []
    for said in ("first", "second"):
        schema.query_type.fields["said"].resolve = lambda *_, said=said: said
        answers.append((await graphql(schema, "{ said }")).data)
    assert answers == [{"said": "first"}, {"said": "second"}]
