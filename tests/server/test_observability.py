"""Log lines and metrics of real requests, and what must never be among them."""

import asyncio
import io
import json
import logging

import httpx
import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from core.errors import RequestError
from server.logs import FIELDS, configure_logs, safe_name
from server.metrics import CODES, create_metrics, metrics_route
from server.observability import Observed, observation_of, report_masked
from tests.servers import served

CANARY = "canary-7f3a9c"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _arrangement():
    """Give the logs of the process back as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def stream(_arrangement):
    stream = io.StringIO()
    configure_logs(is_development=False, stream=stream)
    return stream


@pytest.fixture
def metrics():
    return create_metrics()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def request_lines(stream):
    return [line for line in lines(stream) if line["event"] == "request"]


def sample(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


async def operation(request):
    """Answer as the GraphQL endpoint does: note what it learns, part of it in the client's own words."""
    body = await request.json()
    seen = observation_of(request.scope)
    seen.shop, seen.actor = "demo", "staff"
    seen.operation_type, seen.operation = body.get("type", "query"), body.get("name")
    seen.code, seen.statements = body.get("code"), 3
    return PlainTextResponse("{}", status_code=body.get("status", 200), headers={"X-Request-Id": body.get("id", "r1")})


async def broken(_):
    raise ValueError(f"cannot parse {CANARY}")


async def refused(_):
    raise HTTPException(429)


def bare(answer):
    """Make an application of an ASGI callable, without what Starlette does about its failures."""
    rest = Starlette()

    async def application(scope, receive, send):
        await (answer if scope["type"] == "http" else rest)(scope, receive, send)

    return application


@pytest.fixture
async def client(stream, metrics):  # noqa: ARG001 - what is served logs to it
    routes = [
        Route("/graphql", operation, methods=["POST"]),
        Route("/broken", broken),
        Route("/refused/{what}", refused),
        Route("/livez", lambda _: PlainTextResponse("ok")),
        metrics_route(metrics),
    ]
    app = Observed(Starlette(routes=routes), metrics)
    async with served(app) as address, httpx.AsyncClient(base_url=address) as client:
        yield client


async def test_a_request_leaves_one_line(client, stream):
    await client.post("/graphql", json={"name": "Products", "id": "abc-1"})
    [line] = request_lines(stream)
    assert line.pop("duration_ms") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "galleria.requests",
        "request_id": "abc-1",
        "shop": "demo",
        "actor": "staff",
        "route": "/graphql",
        "operation_type": "query",
        "operation": "Products",
        "status": 200,
        "statements": 3,
    }


async def test_a_failed_request_names_its_code_and_status(client, stream, metrics):
    await client.post("/graphql", json={"type": "mutation", "code": "TIMEOUT", "status": 504})
    [line] = request_lines(stream)
    assert (line["status"], line["code"], line["operation_type"]) == (504, "TIMEOUT", "mutation")
    assert sample(metrics, "galleria_requests_total", operation="mutation", status="504", code="TIMEOUT") == 1


@pytest.mark.parametrize(
    "name",
    [
        'Evil","level":"error","x":"',
        "a\nb\r\nc",
        "\u2028\u2029\x85\x0b",
        "\x1b[31mred\x1b[0m",
        "x" * 50_000,
        "naïve é 名",
        "<script>",
        "\x00",
    ],
)
async def test_an_operation_name_cannot_write_into_the_log(client, stream, name):
    await client.post("/graphql", json={"name": name, "id": "id\tinjected"})
    [line] = request_lines(stream)
    assert len(stream.getvalue().splitlines()) == len(lines(stream))
    assert len(line["operation"]) == min(64, len(name))
    assert line["operation"] == safe_name(name)
    assert set(line["operation"]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-")
    assert line["request_id"] == "id_injected"
    assert line["level"] == "info"


async def test_no_secret_of_a_request_reaches_the_log(client, stream):
    body = {"name": "SignIn", "query": f"mutation {{ signIn(password: {CANARY}) }}", "variables": {"password": CANARY}}
    headers = {"Authorization": f"Bearer {CANARY}", "Cookie": f"session={CANARY}", "User-Agent": CANARY}
    await client.post(f"/graphql?token={CANARY}", json=body, headers=headers)
    await client.get(f"/refused/{CANARY}", headers=headers)
    await client.get(f"/{CANARY}", headers=headers)
    assert (await client.get("/broken", headers=headers)).status_code == 500
    assert len(request_lines(stream)) == 4
    assert CANARY not in stream.getvalue()


async def test_an_unhandled_exception_is_logged_by_class_and_place(client, stream, metrics):
    await client.get("/broken")
    [line] = [line for line in lines(stream) if "error" in line]
    assert line["error"] == "builtins.ValueError"
    assert line["stack"][-1].endswith(" broken")
    assert line["logger"] == "uvicorn.error"
    assert request_lines(stream)[0]["status"] == 500
    assert sample(metrics, "galleria_requests_total", operation="none", status="500", code="none") == 1


async def test_a_masked_error_is_counted_and_logged_once_without_its_message(stream, metrics):
    try:
        try:
            {}[CANARY]
        except KeyError as cause:
            raise RuntimeError(CANARY) from cause
    except RuntimeError as error:
        report_masked(metrics, error, request_id="r\n1")
    [line] = lines(stream)
    assert line["error"] == "builtins.RuntimeError from builtins.KeyError"
    assert line["request_id"] == "r_1"
    assert "test_a_masked_error" in line["stack"][0]
    assert CANARY not in stream.getvalue()
    assert sample(metrics, "galleria_masked_errors_total") == 1


async def test_fields_that_are_not_listed_are_dropped(stream):
    assert not FIELDS & {"password", "token", "authorization", "cookie", "variables", "query", "headers"}
    structlog.get_logger().info(
        "signed in", password=CANARY, variables={"token": CANARY}, shop="demo", check=[object()]
    )
    structlog.contextvars.bind_contextvars(authorization=CANARY, request_id="r1")
    structlog.get_logger().info("later")
    structlog.contextvars.clear_contextvars()
    first, second = lines(stream)
    assert set(first) == {"event", "level", "timestamp", "logger", "shop", "check"}
    assert first["check"] == ["<object>"]
    assert second["request_id"] == "r1"
    assert CANARY not in stream.getvalue()


async def test_values_are_bounded(stream):
    structlog.get_logger().info("x" * 10_000, shop="y\n" * 5_000)
    [line] = lines(stream)
    assert line["event"] == "x" * 200
    assert line["shop"] == "y?" * 100


async def test_the_logs_of_libraries_take_the_same_form(stream):
    asyncio.get_running_loop().call_exception_handler(
        {"message": "Task exception was never retrieved", "exception": ValueError(CANARY), "future": CANARY}
    )
    logging.getLogger("uvicorn.error").warning("Closed a connection of process [%d]", 7)
    logging.getLogger("uvicorn.access").info("GET /?token=%s", CANARY)
    logging.getLogger("httpx").info("GET /?token=%s", CANARY)
    logging.getLogger("sqlalchemy").warning("")
    noticed = {line["logger"]: line for line in lines(stream)}
    assert noticed["asyncio"]["event"] == "Task exception was never retrieved"
    assert noticed["asyncio"]["error"] == "builtins.ValueError"
    assert noticed["uvicorn.error"]["event"] == "Closed a connection of process [7]"
    assert set(noticed) == {"asyncio", "uvicorn.error", "sqlalchemy"}
    assert CANARY not in stream.getvalue()


async def test_arranging_the_logs_again_replaces_the_first_arrangement(stream):
    log = structlog.get_logger()
    log.info("to the first")
    second = io.StringIO()
    configure_logs(is_development=False, stream=second)
    log.info("to the second")
    logging.getLogger("uvicorn").info("to the second as well")
    assert [line["event"] for line in lines(stream)] == ["to the first"]
    assert [line["event"] for line in lines(second)] == ["to the second", "to the second as well"]


def test_a_developers_terminal_shows_the_exception_in_words():
    terminal = Terminal()
    configure_logs(is_development=True, stream=terminal)
    try:
        int("the reason")
    except ValueError:
        structlog.get_logger().exception("failed", shop="demo", password=CANARY)
    logging.getLogger("uvicorn").info("started")
    assert "ValueError: invalid literal for int() with base 10: 'the reason'" in terminal.getvalue()
    assert "demo" in terminal.getvalue()
    assert "started" in terminal.getvalue()
    assert CANARY not in terminal.getvalue()


@pytest.mark.parametrize(("is_development", "stream"), [(True, io.StringIO()), (False, Terminal())])
def test_everything_else_gets_json(is_development, stream):
    configure_logs(is_development=is_development, stream=stream)
    structlog.get_logger().info("hello")
    assert lines(stream)[0]["event"] == "hello"


async def test_probes_and_scrapes_are_neither_logged_nor_counted(client, stream):
    assert (await client.get("/livez")).text == "ok"
    assert (await client.get("/metrics")).status_code == 200
    assert request_lines(stream) == []
    assert "galleria_requests_total{" not in (await client.get("/metrics")).text


async def test_metrics_are_served_as_prometheus_reads_them(client, metrics):
    metrics.watch_pool("reads", in_use=lambda: 3, at_most=lambda: 10)
    await client.post("/graphql", json={"name": "Products"})
    answer = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=nonsense"})
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    [request] = [found for found in families["galleria_requests"].samples if found.name.endswith("_total")]
    assert request.labels == {"operation": "query", "status": "200", "code": "none"}
    assert request.value == 1
    pool = {found.labels["state"]: found.value for found in families["galleria_pool_connections"].samples}
    assert pool == {"in_use": 3, "at_most": 10}
    assert sample(metrics, "galleria_request_duration_seconds_count", operation="query") == 1
    assert sample(metrics, "galleria_operation_statements_sum", operation="query") == 3
    assert "process_resident_memory_bytes" in families


async def test_labels_stay_few_whatever_clients_send(client, metrics):
    for number in range(20):
        await client.post("/graphql", json={"type": f"type{number}", "code": f"CODE{number}", "name": f"n{number}"})
    text = (await client.get("/metrics")).text
    assert sample(metrics, "galleria_requests_total", operation="other", status="200", code="other") == 20
    assert "CODE1" not in text
    assert "type1" not in text
    assert "n19" not in text
    assert "demo" not in text


def test_every_request_error_has_its_own_label():
    def codes(kind):
        yield kind.code
        for child in kind.__subclasses__():
            yield from codes(child)

    assert set(codes(RequestError)) <= CODES


async def test_two_applications_in_a_process_count_apart():
    first, second = create_metrics(), create_metrics()
    first.masked_errors.inc()
    assert sample(first, "galleria_masked_errors_total") == 1
    assert sample(second, "galleria_masked_errors_total") == 0


async def test_requests_under_way_are_counted_until_they_end(metrics):
    entered, release = asyncio.Event(), asyncio.Event()

    async def slow(_):
        entered.set()
        await release.wait()
        return PlainTextResponse("done")

    app = Observed(Starlette(routes=[Route("/slow", slow)]), metrics)
    async with served(app) as address, httpx.AsyncClient(base_url=address) as client:
        answer = asyncio.create_task(client.get("/slow"))
        await entered.wait()
        assert sample(metrics, "galleria_requests_in_flight") == 1
        release.set()
        assert (await answer).text == "done"
    assert sample(metrics, "galleria_requests_in_flight") == 0


async def test_a_client_that_leaves_before_the_answer_is_told_apart(stream, metrics):
    entered, gone = asyncio.Event(), asyncio.Event()

    async def watching(_scope, receive, _send):
        entered.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    async with served(Observed(bare(watching), metrics)) as address, httpx.AsyncClient(base_url=address) as client:
        request = asyncio.create_task(client.get("/graphql"))
        await entered.wait()
        request.cancel()
        await gone.wait()
    assert [line["status"] for line in request_lines(stream)] == [499]


async def test_an_application_that_fails_before_it_answers_counts_as_500(stream, metrics):
    async def failing(*_):
        raise ValueError(CANARY)

    async with served(Observed(bare(failing), metrics)) as address, httpx.AsyncClient(base_url=address) as client:
        assert (await client.get("/graphql")).status_code == 500
    assert [line["status"] for line in request_lines(stream)] == [500]


async def test_what_is_noted_outside_goes_nowhere():
    scope = {"type": "http"}
    observation_of(scope).shop = "demo"
    assert observation_of(scope).shop == "demo"


async def test_headers_are_bounded(metrics):
    async def never(_scope, _receive, _send):
        raise AssertionError("It was called.")

    async with served(Observed(bare(never), metrics)) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/", headers={"x-long": "x" * 20_000})
    assert answer.status_code == 431
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
