"""What workers say, put together: their metrics on one page, their logs line by line."""

import os
import select
import threading

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from server.tallies import Distribution, Level, Tally
from server.workers.metrics import merged
from server.workers.output import Lines


def page(value):
    registry = CollectorRegistry()
    Gauge("plain", "No labels, {braces} in its help.", registry=registry).set(value)
    Counter("labelled", "Labels.", ("kind",), registry=registry).labels('a "b" {c}').inc(value)
    Histogram("seconds", "A histogram.", buckets=(1, 10), registry=registry).observe(value)
    Counter("untouched", "Has no samples yet.", ("kind",), registry=registry)
    tally, level = Tally("requests", "Ours.", ("code",)), Level("level", "Ours.")
    spread = Distribution("spread", "Ours.", "kind", (1, 10))
    tally.add(("x",))
    spread.observe("k", value)
    for each in (tally, level, spread):
        registry.register(each)
    return generate_latest(registry).decode()


def read(text):
    families = list(text_string_to_metric_families(text))
    assert len({each.name for each in families}) == len(families), "a metric is in two places"
    return {(sample.name, *sorted(sample.labels.items())): sample.value for each in families for sample in each.samples}


def test_every_sample_of_every_worker_is_there_with_its_number():
    pages = {"1": page(3), "2": page(30)}

    found = read(merged(pages))

    expected = {}
    for worker, text in pages.items():
        for (name, *labels), value in read(text).items():
            expected[(name, *sorted([*labels, ("worker", worker)]))] = value
    created = {key for key in expected if key[0].endswith("_created")}
    assert found.keys() == expected.keys()
    assert {key: found[key] for key in found.keys() - created} == {
        key: expected[key] for key in expected.keys() - created
    }
    assert found[("seconds_bucket", ("le", "10.0"), ("worker", "1"))] == 1
    assert found[("seconds_bucket", ("le", "10.0"), ("worker", "2"))] == 0


def test_lines_of_several_writers_into_one_pipe_stay_whole():
    reading, writing = os.pipe()
    writers = [Lines(writing) for _ in range(4)]
    texts = [str(number) * (17 + 250 * number) for number in range(4)]

    def write(number):
        for _ in range(500):
            writers[number].write(texts[number])
            writers[number].write("\n")
        writers[number].close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    lines = []
    with os.fdopen(reading) as pipe:
        for line in pipe:
            lines.append(line.removesuffix("\n"))
            if len(lines) == 2000:
                break
    for thread in threads:
        thread.join()
    os.close(writing)
    assert {text: lines.count(text) for text in texts} == dict.fromkeys(texts, 500)


def test_a_line_waits_until_it_is_whole_and_one_that_is_too_long_is_not_lost():
    reading, writing = os.pipe()
    lines = Lines(writing)
    lines.write("begun")
    lines.flush()
    assert select.select([reading], [], [], 0)[0] == []
    lines.write(" and ended\n" + "x" * (select.PIPE_BUF + 10) + "\n")
    lines.flush()
    os.close(writing)
    with os.fdopen(reading) as pipe:
        assert pipe.read() == "begun and ended\n" + "x" * (select.PIPE_BUF + 10) + "\n"
