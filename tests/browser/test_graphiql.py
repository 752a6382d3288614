import json
import re

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from server.graphiql import FOLDER
from tests.browser.conftest import Visit

OPERATION_NAME = re.compile(r"^(?:query|mutation|subscription) (\w+)", re.MULTILINE)
EXAMPLES = json.loads((FOLDER / "examples.json").read_text())


async def opened(visit: Visit) -> Page:
    await visit.page.goto(f"{visit.address}/graphiql")
    return await ready(visit.page)


async def ready(page: Page) -> Page:
    # The first coloured word: the editor is there, and knows its language.
    await page.locator('.graphiql-query-editor .view-line [class*="mtk"]:not(.mtk1)').first.wait_for()
    await page.locator('button[aria-label="Re-fetch GraphQL schema (Shift-Ctrl-R)"]').wait_for()
    return page


async def content(page: Page, name: str) -> str:
    """Read an editor: `operation.graphql`, `variables.json`, `request-headers.json` or `response.json`."""
    return await page.evaluate(
        "name => __MONACO.editor.getModels().find(model => model.uri.path.endsWith(name)).getValue()", name
    )


async def until(page: Page, name: str, text: str) -> None:
    await page.wait_for_function(
        "([name, text]) => __MONACO.editor.getModels()"
        ".some(model => model.uri.path.endsWith(name) && model.getValue().includes(text))",
        arg=[name, text],
    )


async def write(page: Page, section: str, text: str) -> None:
    await page.locator(f'section[aria-label="{section}"] .monaco-editor:visible').click()
    await page.keyboard.press("Control+A")
    # Pasted, since the editor closes brackets and quotes for who types.
    await page.evaluate("text => navigator.clipboard.writeText(text)", text)
    await page.keyboard.press("Control+V")


async def until_suggested(page: Page, word: str) -> None:
    first = page.locator(".suggest-widget .monaco-list-row").first
    for _ in range(10):
        # The editor asks its worker once a key press, and shows nothing while the worker has no schema yet.
        await page.keyboard.press("Control+Space")
        try:
            await expect(first).to_contain_text(word, timeout=3_000)
        except AssertionError:
            await page.keyboard.press("Escape")
        else:
            return
    pytest.fail(f"The editor never suggested {word!r}.")


async def new_tab(page: Page, query: str) -> None:
    await page.get_by_role("button", name="New tab").click()
    await write(page, "Operation Editor", query)
    if name := OPERATION_NAME.search(query):
        # Once the page has parsed the operation, its name is on the tab, and is what a run asks for.
        await expect(page.locator(".graphiql-tab-active .graphiql-tab-button")).to_have_text(name[1])


async def test_first_visit_shows_the_examples_and_nothing_goes_wrong(visit, colours, tmp_path):
    page = await opened(visit)
    names = [OPERATION_NAME.search(example["query"])[1] for example in EXAMPLES]
    assert await page.locator(".graphiql-tab-button").all_inner_texts() == names
    assert await content(page, "operation.graphql") == EXAMPLES[0]["query"]
    assert json.loads(await content(page, "variables.json")) == EXAMPLES[0]["variables"]
    assert json.loads(await content(page, "request-headers.json")) == {"Galleria-Shop": "demo"}
    await page.screenshot(path=tmp_path / f"graphiql-{colours}.png")
    assert visit.problems == []


async def test_icons_have_names_for_screen_readers(visit):
    page = await opened(visit)
    await expect(page.get_by_role("toolbar").get_by_role("img", name="play icon")).to_be_visible()


async def test_each_example_has_its_own_variables_and_headers(visit):
    page = await opened(visit)
    tabs = page.locator(".graphiql-tab-button")
    for position, example in enumerate(EXAMPLES):
        await tabs.nth(position).click()
        await until(page, "operation.graphql", example["query"])
        assert json.loads(await content(page, "variables.json") or "{}") == example["variables"]
        assert json.loads(await content(page, "request-headers.json")) == example["headers"]
    assert visit.problems == []


async def test_query_runs_with_the_headers_of_the_demo_shop(visit):
    page = await opened(visit)
    await new_tab(page, 'query Said { shop { slug } echo(text: "good day") }')
    await page.keyboard.press("Control+Enter")
    await until(page, "response.json", "good day")
    answer = {"data": {"shop": {"slug": "demo"}, "echo": "good day"}}
    assert json.loads(await content(page, "response.json")) == answer
    assert visit.problems == []


async def test_variables_are_sent(visit):
    page = await opened(visit)
    await new_tab(page, "query Said($text: String!) { echo(text: $text) }")
    await page.get_by_role("button", name="Variables").click()
    await write(page, "Variables", '{"text": "from a variable"}')
    await page.get_by_role("button", name="Execute query").click()
    await until(page, "response.json", "from a variable")
    assert visit.problems == []


async def test_worker_completes_fields_of_the_schema(visit):
    page = await opened(visit)
    await new_tab(page, "{ ec")
    await until_suggested(page, "echo")
    assert visit.problems == []


async def test_worker_marks_a_field_that_is_not_there(visit):
    page = await opened(visit)
    await new_tab(page, "query Known { shop { slug } }")
    await expect(page.locator(".graphiql-query-editor .squiggly-error")).to_have_count(0)
    await write(page, "Operation Editor", "query Unknown { shop { nothing } }")
    await expect(page.locator(".graphiql-query-editor .squiggly-error")).to_have_count(1)
    assert visit.problems == []


async def test_three_workers_run_from_the_same_origin(visit):
    page = await opened(visit)
    await new_tab(page, "query Unknown { shop { nothing } }")
    await expect(page.locator(".graphiql-query-editor .squiggly-error")).to_have_count(1)
    names = ("editor", "graphql", "json")
    assert {worker.url for worker in page.workers} == {f"{visit.address}/graphiql/{name}.worker.js" for name in names}


async def test_documentation_is_that_of_the_schema(visit):
    page = await opened(visit)
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    await page.get_by_role("link", name="Query", exact=True).click()
    await expect(page.locator(".graphiql-doc-explorer")).to_contain_text("Says what it is told.")
    assert visit.problems == []


async def test_prettify_loads_its_parts(visit):
    page = await opened(visit)
    await new_tab(page, 'query Said{echo(text:  "x")}')
    await page.get_by_role("button", name="Prettify query").click()
    await until(page, "operation.graphql", 'query Said {\n  echo(text: "x")\n}')
    assert visit.problems == []


async def test_examples_can_be_had_back(visit):
    page = await opened(visit)
    await page.locator(".graphiql-tab-close").first.click()
    await expect(page.locator(".graphiql-tab-button")).to_have_count(len(EXAMPLES) - 1)
    await page.get_by_role("button", name="Show Examples").click()
    await page.get_by_role("button", name=EXAMPLES[0]["title"]).click()
    await expect(page.locator(".graphiql-tab-button")).to_have_count(len(EXAMPLES))
    assert await content(page, "operation.graphql") == EXAMPLES[0]["query"]
    assert json.loads(await content(page, "variables.json")) == EXAMPLES[0]["variables"]
    assert visit.problems == []


async def stored(page: Page, key: str, text: str) -> None:
    """Wait until GraphiQL, which takes its time, has stored a text."""
    await page.wait_for_function(
        "([key, text]) => localStorage.getItem(`galleria:graphiql:${key}`)?.includes(text)", arg=[key, text]
    )


async def test_second_visit_finds_the_tabs_as_they_were_left(visit):
    page = await opened(visit)
    await new_tab(page, "query Mine { shop { slug } }")
    await stored(page, "tabState", "query Mine")
    await page.reload()
    await ready(page)
    await expect(page.locator(".graphiql-tab-button")).to_have_count(len(EXAMPLES) + 1)
    assert await content(page, "operation.graphql") == "query Mine { shop { slug } }"
    assert json.loads(await content(page, "request-headers.json")) == {"Galleria-Shop": "demo"}
    await page.locator(".graphiql-tab-button").first.click()
    await until(page, "operation.graphql", EXAMPLES[0]["query"])
    assert json.loads(await content(page, "variables.json")) == EXAMPLES[0]["variables"]
    assert visit.problems == []


async def test_broken_storage_is_a_first_visit(visit):
    await visit.page.add_init_script("localStorage.setItem('galleria:graphiql:tabState', '{')")
    page = await opened(visit)
    await expect(page.locator(".graphiql-tab-button")).to_have_count(len(EXAMPLES))
    assert await content(page, "operation.graphql") == EXAMPLES[0]["query"]


async def test_token_in_the_headers_is_used_and_not_stored(visit):
    page = await opened(visit)
    await new_tab(page, "query Whose { shop { authorization } }")
    await page.get_by_role("button", name="Headers").click()
    await write(page, "Headers", '{"Authorization": "Bearer secret-token"}')
    await page.get_by_role("button", name="Execute query").click()
    await until(page, "response.json", "Bearer secret-token")
    await stored(page, "tabState", "query Whose")
    await stored(page, "queries", "query Whose")
    kept = await page.evaluate("Object.entries(localStorage)")
    assert [key for key, value in kept if "secret-token" in value] == []


async def test_subscription_goes_over_a_socket_with_the_headers_as_payload(visit):
    sockets: list[str] = []
    messages: list[dict] = []

    def serve(socket: WebSocketRoute) -> None:
        sockets.append(socket.url)

        def answer(text: str | bytes) -> None:
            message = json.loads(text)
            messages.append(message)
            if message["type"] == "connection_init":
                socket.send(json.dumps({"type": "connection_ack"}))
            elif message["type"] == "subscribe":
                for tick in (1, 2):
                    payload = {"data": {"ticks": tick}}
                    socket.send(json.dumps({"type": "next", "id": message["id"], "payload": payload}))
                socket.send(json.dumps({"type": "complete", "id": message["id"]}))

        socket.on_message(answer)

    await visit.page.route_web_socket("**/*", serve)
    page = await opened(visit)
    await new_tab(page, "subscription Ticks { ticks }")
    await page.keyboard.press("Control+Enter")
    await until(page, "response.json", '"ticks": 2')
    assert sockets == [visit.address.replace("http", "ws") + "/graphql"]
    assert messages[0] == {"type": "connection_init", "payload": {"Galleria-Shop": "demo"}}
    assert messages[1]["payload"]["query"] == "subscription Ticks { ticks }"
    assert visit.problems == []


async def test_policy_lets_the_page_reach_its_own_origin_only(visit):
    page = await opened(visit)
    attempt = """async address => {
        const broken = [];
        const note = event => broken.push(`${event.effectiveDirective} ${event.blockedURI}`);
        document.addEventListener("securitypolicyviolation", note);
        await new Promise(resolve => {
            const socket = new WebSocket(address);
            socket.addEventListener("error", resolve);
        });
        return broken;
    }"""
    own = visit.address.replace("http", "ws") + "/graphql"
    other = "ws://127.0.0.1:9/graphql"
    assert await page.evaluate(attempt, own) == []
    assert await page.evaluate(attempt, other) == [f"connect-src {other}"]


async def test_failure_to_read_the_examples_is_told(visit):
    async def refuse(route):
        await route.fulfill(status=500)

    await visit.page.route("**/examples.json", refuse)
    await visit.page.goto(f"{visit.address}/graphiql")
    await expect(visit.page.locator("#graphiql")).to_contain_text(
        "GraphiQL did not start: The examples could not be read: 500"
    )
