"""What all workers have measured, on one page.

prometheus_client's own mode for several processes keeps figures in files that all of them map. It knows its own meters
only, and not ours, which are counted without a lock and read at each scrape; and it needs a folder to write to.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.metrics import CONTENT_TYPE, METRICS_PATH
from server.workers import Supervisor

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{)?", re.ASCII)


class _Workers(Collector):
    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Return the figures as they are."""
        up = GaugeMetricFamily("galleria_worker_up", "Whether a worker serves.", labels=("worker",))
        restarts = CounterMetricFamily("galleria_worker_restarts", "How often it was replaced.", labels=("worker",))
        for number, count in self._supervisor.restarts.items():
            worker = self._supervisor.workers.get(number)
            up.add_metric((str(number),), float(worker is not None and worker.is_ready))
            restarts.add_metric((str(number),), count)
        yield from (up, restarts)


def merged(pages: Mapping[str, str]) -> str:
    """Return several pages of metrics as one, as Prometheus wants them: all samples of a metric in one place.

    Args:
        pages: As workers wrote them, by what the label `worker` of their samples is to be.
    """
    heads: dict[str, dict[str, None]] = {}
    samples: dict[str, list[str]] = {}
    for worker, page in pages.items():
        name = ""
        for line in page.splitlines():
            if line.startswith("#"):
                name = line.split(" ", 3)[2]
                heads.setdefault(name, {})[line] = None
            else:
                samples.setdefault(name, []).append(_labelled(line, worker))
    return "".join(f"{line}\n" for name, lines in heads.items() for line in (*lines, *samples.get(name, ())))


def _labelled(line: str, worker: str) -> str:
    def label(found: "re.Match[str]") -> str:
        return f'{found[1]}{{worker="{worker}"' + ("," if found[2] else "}")

    return _SAMPLE.sub(label, line, count=1)


def workers_metrics_route(supervisor: Supervisor) -> Route:
    """Return the route that Prometheus scrapes."""
    registry = CollectorRegistry()
    registry.register(_Workers(supervisor))

    async def scrape(_: Request) -> Response:
        workers = list(supervisor.workers.values())
        pages = await asyncio.gather(*(worker.measured() for worker in workers))
        told = {str(worker.number): page for worker, page in zip(workers, pages, strict=True) if page is not None}
        content = generate_latest(registry) + merged(told).encode()
        return Response(content, media_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    return Route(METRICS_PATH, scrape)
