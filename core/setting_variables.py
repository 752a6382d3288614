"""The environment variables that settings are read from."""

import enum
from collections.abc import Mapping
from pathlib import Path

from core.budgets import budgets
from core.variables import (
    Variable,
    cache_size,
    existing_file,
    integer,
    integer_or_auto,
    networks,
    one_of,
    origins,
    secret_url,
    switch,
)


class Environment(enum.StrEnum):
    """How careful the process is by default."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def _environment(text: str) -> Environment:
    if text not in set(Environment):
        raise ValueError(f"must be {' or '.join(Environment)}, not {text!r}")
    return Environment(text)


VARIABLES: Mapping[str, Variable] = {
    "environment": Variable(
        "GALLERIA_ENVIRONMENT",
        _environment,
        "`production` or `development`. Unset, it is `development` where the data folder holds the embedded "
        "database of `make serve` and `DATABASE_URL` is unset too.",
        default=Environment.PRODUCTION,
    ),
    "database_url": Variable(
        "DATABASE_URL",
        secret_url("postgresql", "postgres"),
        "PostgreSQL as the application's role. Unset in development, an embedded PostgreSQL is started.",
        is_required=True,
    ),
    "owner_database_url": Variable(
        "GALLERIA_OWNER_DATABASE_URL",
        secret_url("postgresql", "postgres"),
        "PostgreSQL as the role that owns the tables, for migrations. Unset, it is `DATABASE_URL`.",
    ),
    "redis_url": Variable(
        "REDIS_URL",
        secret_url("redis", "rediss", "unix"),
        "Redis or Valkey, for what several processes share: the budgets of clients, documents that they named by a "
        "hash, answers that everybody may see, and the news that there is news. Without it, or while it does not "
        "answer, each process keeps its own; `/readyz` then says so.",
    ),
    "host": Variable("GALLERIA_HOST", str, "Address to listen on.", default="127.0.0.1"),
    "port": Variable("GALLERIA_PORT", integer(1, 65_535), "Port of the API.", default="8000"),
    "metrics_port": Variable(
        "GALLERIA_METRICS_PORT",
        integer(0, 65_535),
        "Port of `/metrics`. With 0 there is none; in development the API's port serves it anyway.",
        default="9100",
        development="0",
    ),
    "data": Variable(
        "GALLERIA_DATA", Path, "Folder for the embedded database and for generated keys.", default=".data"
    ),
    "token_keys": Variable(
        "GALLERIA_TOKEN_KEYS",
        existing_file,
        "JSON Web Key Set with the public keys that verify access tokens. In development a pair of keys is made in "
        "the data folder.",
        is_required=True,
    ),
    "token_issuer": Variable(
        "GALLERIA_TOKEN_ISSUER",
        str,
        "Issuer that access tokens must name (`iss`).",
        development="galleria-development",
        is_required=True,
    ),
    "token_audience": Variable(
        "GALLERIA_TOKEN_AUDIENCE", str, "Audience that access tokens must name (`aud`).", default="galleria"
    ),
    "pool_size": Variable(
        "GALLERIA_POOL_SIZE",
        integer(1, 1_000),
        "Database connections of one process for reads, at most, and as many for writes.",
        default="10",
    ),
    "prepared_statements": Variable(
        "GALLERIA_PREPARED_STATEMENTS",
        switch,
        "Whether PostgreSQL keeps the statements of a connection, `on` or `off`. Set `off` behind a pooler that "
        "shares sessions without knowing of them, such as PgBouncer before 1.21 in transaction mode.",
        default="on",
    ),
    "workers": Variable(
        "GALLERIA_WORKERS",
        integer(1, 64),
        "Processes that serve on the API's port; more than one need `REDIS_URL` in production for what they share.",
        default="1",
    ),
    "drain_seconds": Variable(
        "GALLERIA_DRAIN_SECONDS",
        integer(0, 600),
        "Seconds over which sockets and streams are closed once the process is told to stop, so that their clients "
        "do not come back all at once. Until then it serves, and `/readyz` says that it will not for long.",
        default="20",
        development="1",
    ),
    "deadline_seconds": Variable(
        "GALLERIA_DEADLINE_SECONDS", integer(1, 300), "Time that one request may take.", default="10"
    ),
    "concurrency": Variable(
        "GALLERIA_CONCURRENCY",
        integer_or_auto(1, 100_000),
        "Operations that one process runs at the same time: `auto`, as many as do not wait for each other, or a "
        "number. A few more wait for their turn; beyond them requests are refused with 503, see docs/overload.md.",
        default="auto",
    ),
    "body_limit_bytes": Variable(
        "GALLERIA_BODY_LIMIT_BYTES",
        integer(1_000, 100_000_000),
        "Size of a request's body, at most.",
        default="1000000",
    ),
    "price_limit_shoppers": Variable(
        "GALLERIA_PRICE_LIMIT_SHOPPERS",
        integer(1, 100_000),
        "Points that one operation may cost, asked by a customer or by somebody who is not signed in.",
        default="1000",
    ),
    "price_limit_staff": Variable(
        "GALLERIA_PRICE_LIMIT_STAFF",
        integer(1, 100_000),
        "Points that one operation may cost, asked by staff or by a key; 5,000 objects are a few megabytes.",
        default="5000",
    ),
    "cors_origins": Variable(
        "GALLERIA_CORS_ORIGINS", origins, "Origins whose pages may call the API, separated by commas.", default=""
    ),
    "socket_origins": Variable(
        "GALLERIA_SOCKET_ORIGINS",
        origins,
        "Origins whose pages may open WebSockets, beside those of `GALLERIA_CORS_ORIGINS` and the host that is "
        "asked, separated by commas.",
        default="",
    ),
    "sockets_per_address": Variable(
        "GALLERIA_SOCKETS_PER_ADDRESS",
        integer(1, 1_000_000),
        "WebSockets and streams from one address whose clients are not signed in, at most, in each process.",
        default="10",
    ),
    "sockets_per_client": Variable(
        "GALLERIA_SOCKETS_PER_CLIENT",
        integer(1, 1_000_000),
        "WebSockets and streams of one customer, account or key, at most, in each process.",
        default="50",
    ),
    "sockets": Variable(
        "GALLERIA_SOCKETS",
        integer(1, 1_000_000),
        "WebSockets and streams of each process, at most; each takes about 26 KiB.",
        default="20000",
    ),
    "operations_per_client": Variable(
        "GALLERIA_OPERATIONS_PER_CLIENT",
        integer(1, 1_000_000),
        "Operations that one customer, account or key, or one address of clients who are not signed in, may have "
        "running on WebSockets, at most, in all processes.",
        default="200",
    ),
    "registered_documents": Variable(
        "GALLERIA_REGISTERED_DOCUMENTS",
        existing_file,
        "JSON file of GraphQL documents, as the builds of Relay and Apollo clients write it. Set, no other one "
        "is served.",
    ),
    "response_cache_bytes": Variable(
        "GALLERIA_RESPONSE_CACHE",
        cache_size,
        "Memory for finished answers that everybody may see, in MiB; `on` is 64, and `off` keeps none. With Redis "
        "the processes share them.",
        default="on",
    ),
    "response_cache_staleness_ms": Variable(
        "GALLERIA_RESPONSE_CACHE_STALENESS_MS",
        integer(0, 60_000),
        "Milliseconds after which a change is seen in kept answers, at most, in processes other than the one that "
        "made it; with 0 each request asks the database whether there was one.",
        default="1000",
    ),
    "http_max_age_seconds": Variable(
        "GALLERIA_HTTP_MAX_AGE_SECONDS",
        integer(0, 3_600),
        "Seconds for which browsers and proxies may keep the answer to a persisted query sent by GET, unseen by "
        "us; a change reaches their users as much later.",
        default="60",
    ),
    "budgets": Variable(
        "GALLERIA_BUDGETS",
        budgets,
        "What clients may ask for, as points of a full budget and points that come back each second: each shopper "
        "who is not signed in (by address), customer, staff account and key, and all of a shop together. Those "
        "left out keep their default; the greatest figure is 50000000.",
        default="shopper=2000/100,customer=2000/100,staff=10000/500,key=10000/500,shop=200000/10000",
    ),
    "budget_outage": Variable(
        "GALLERIA_BUDGET_OUTAGE",
        one_of("open", "closed"),
        "What happens while Redis does not answer: `open`, each process keeps budgets by itself; `closed`, "
        "requests that must be charged are refused with 503.",
        default="open",
    ),
    "trusted_proxies": Variable(
        "GALLERIA_TRUSTED_PROXIES",
        networks,
        "Networks of the proxies in front of Galleria, such as 10.0.0.0/8, separated by commas. What they write "
        "about the address of a client is believed.",
        default="",
    ),
    "proxy_header": Variable(
        "GALLERIA_PROXY_HEADER",
        one_of("x-forwarded-for", "forwarded"),
        "Header in which those proxies name the client.",
        default="x-forwarded-for",
    ),
    "relay": Variable(
        "GALLERIA_RELAY",
        switch,
        "Whether this server gives events their order, `on` or `off`; several may. With `off`, let at least one "
        "`python -m server relay` run: until then nobody hears of a change.",
        default="on",
    ),
    "event_retention_days": Variable(
        "GALLERIA_EVENT_RETENTION_DAYS",
        integer(1, 3_650),
        "Days for which events are kept; a client that was away for longer has to read anew.",
        default="30",
    ),
    "default_shop": Variable(
        "GALLERIA_DEFAULT_SHOP", str, "Shop of requests that name none, by its slug.", development="demo"
    ),
}
"""How each field of `core.settings.Settings` is read; `docs/settings.md` is printed from it."""
