"""What `/metrics` says of documents."""

from graphql import build_schema
from prometheus_client.exposition import generate_latest

from engine.documents import DocumentStore
from server.document_metrics import watch_documents
from server.metrics import create_metrics


def test_documents_are_counted_by_what_became_of_them():
    metrics = create_metrics()
    store = DocumentStore(build_schema("type Query { a: Int }"), size=2)
    watch_documents(metrics, store.statistics)
    for text in ("{ a }", "{ a }", "{ a }", "{ b }", "{ b }", "{", "{ x: a }", "{ y: a }"):
        store.get(text)
    shown = generate_latest(metrics.registry).decode().splitlines()
    for line in (
        'galleria_documents_total{result="hit"} 3.0',
        'galleria_documents_total{result="miss"} 3.0',
        'galleria_documents_total{result="refused"} 2.0',
        "galleria_documents_evicted_total 1.0",
    ):
        assert line in shown
