"""What an installation may set."""

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path

from core.budgets import Budgets
from core.setting_variables import VARIABLES, Environment
from core.variables import Network, Secret, Variable

__all__ = ["EMBEDDED_FOLDER", "Environment", "Settings", "load_settings", "variables"]

EMBEDDED_FOLDER = "postgresql"
"""Where the embedded database lies below the data folder."""


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """Everything an installation may set; `core.setting_variables` says what each is for."""

    environment: Environment
    database_url: Secret | None
    owner_database_url: Secret | None
    redis_url: Secret | None
    host: str
    port: int
    metrics_port: int
    data: Path
    token_keys: Path | None
    token_issuer: str
    token_audience: str
    pool_size: int
    prepared_statements: bool
    workers: int
    drain_seconds: int
    deadline_seconds: int
    concurrency: int | None
    body_limit_bytes: int
    price_limit_shoppers: int
    price_limit_staff: int
    cors_origins: tuple[str, ...]
    socket_origins: tuple[str, ...]
    sockets_per_address: int
    sockets_per_client: int
    sockets: int
    operations_per_client: int
    registered_documents: Path | None
    response_cache_bytes: int
    response_cache_staleness_ms: int
    http_max_age_seconds: int
    budgets: Budgets
    budget_outage: str
    trusted_proxies: tuple[Network, ...]
    proxy_header: str
    relay: bool
    event_retention_days: int
    default_shop: str | None

    @property
    def is_development(self) -> bool:
        """Whether conveniences that would be careless in production are on."""
        return self.environment is Environment.DEVELOPMENT


def variables() -> dict[str, Variable]:
    """Return how each field of `Settings` is read, by the field's name."""
    return {field.name: VARIABLES[field.name] for field in dataclasses.fields(Settings)}


def load_settings(environ: Mapping[str, str], *, without: Collection[str] = ()) -> Settings:
    """Read and check all settings.

    Args:
        environ: Environment variables, as in `os.environ`.
        without: Fields that the caller makes no use of; where these are required, they may be missing nevertheless.

    Raises:
        ConfigurationError: A variable is missing or wrong; the message names it.
    """
    known = {
        name: dataclasses.replace(variable, is_required=variable.is_required and name not in without)
        for name, variable in variables().items()
    }
    texts = {name: variable.text(environ) for name, variable in known.items()}
    data = Path(texts["data"] or known["data"].default or "")
    if texts["environment"] is None and texts["database_url"] is None and (data / EMBEDDED_FOLDER).exists():
        texts["environment"] = Environment.DEVELOPMENT
    is_development = texts["environment"] == Environment.DEVELOPMENT
    values = {name: variable.value(texts[name], is_development=is_development) for name, variable in known.items()}
    values["owner_database_url"] = values["owner_database_url"] or values["database_url"]
    return Settings(**values)
