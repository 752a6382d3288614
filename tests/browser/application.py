"""The pages for people, with a small GraphQL schema for them to talk to."""

from graphql import build_schema, graphql
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from server import graphiql
from server.pages import DemoShop, DemoToken, Landing, index_route

SCHEMA = build_schema('''
"""What can be asked."""
type Query {
  """The shop that the request names."""
  shop: Shop!
  """Says what it is told."""
  echo(text: String!): String!
}

type Subscription {
  ticks: Int!
}

"""A shop, as the headers of the request tell it."""
type Shop {
  slug: String
  authorization: String
}
''')

LANDING = Landing(
    is_development=True,
    shops=(
        DemoShop("demo", "Demo", "USD"),
        DemoShop("demo-jp", "Demo Japan", "JPY"),
        DemoShop("demo-kw", "Demo Kuwait", "KWD"),
    ),
    tokens=tuple(
        DemoToken(shop, holder, "e30." * 40 + holder)
        for shop in ("demo", "demo-jp", "demo-kw")
        for holder in ("Customer", "Staff: owner", "Staff: catalogue", "Staff: inventory", "Staff: support")
    ),
)


def application() -> Starlette:
    routes = [index_route(_landing), *graphiql.routes(), Route("/graphql", _answer, methods=["POST"])]
    return Starlette(routes=routes)


async def _landing(_: Request) -> Landing:
    return LANDING


async def _answer(request: Request) -> JSONResponse:
    body = await request.json()
    headers = request.headers
    root = {
        "shop": {"slug": headers.get("Galleria-Shop"), "authorization": headers.get("Authorization")},
        "echo": lambda _info, text: text,
    }
    result = await graphql(
        SCHEMA,
        body["query"],
        root_value=root,
        variable_values=body.get("variables"),
        operation_name=body.get("operationName"),
    )
    return JSONResponse(result.formatted)
