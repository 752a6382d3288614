"""`python -m server import products` and `export products`, as a process."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.transfer.files import one, product_file, rows_of, shop_state
from tests.transfer.test_import_products import BACK, FILE, RED, SHIRT

ROOT = Path(__file__).parents[2]


@pytest.fixture
def command(postgres, tmp_path):
    """Start a command of ours in a folder of the test's own."""
    environ = os.environ | {
        "DATABASE_URL": postgres.app_url,
        "GALLERIA_OWNER_DATABASE_URL": postgres.owner_url,
        "GALLERIA_ENVIRONMENT": "development",
        "GALLERIA_DATA": str(tmp_path / "data"),
        "PYTHONPATH": str(ROOT),
    }

    async def start(*arguments):
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "server", *map(str, arguments)),
            cwd=ROOT,
            env=environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    return start


async def ended(process):
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_import_and_export(command, database, shop, tmp_path):
    file, copy = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_text(FILE, encoding="utf-8", newline="")

    code, out, err = await ended(await command("import", "products", file, "--shop", shop.slug))

    assert (code, "3 rows read, 0 refused, 0 corrected." in out) == (0, True), err
    assert (await one(database, shop, "linen-shirt"))[0]["name"] == "Linen Shirt"

    code, out, err = await ended(await command("export", "products", copy, "--shop", shop.slug))

    assert (code, out) == (0, f"Exported 1 products to {copy}.\n"), err
    before = await rows_of(database, shop)
    code, *_ = await ended(await command("import", "products", copy, "--shop", shop.slug))
    assert code == 0
    assert await rows_of(database, shop) == before
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == ["in.csv", "out.csv"]


async def test_refused_rows_are_reported(command, database, shop, tmp_path):
    file, report = tmp_path / "in.csv", tmp_path / "report.csv"
    bad = {"Handle": "linen-shirt\x1b[2J", "Title": "x", "Status": "sold"}
    file.write_text(product_file(SHIRT, RED | {"Variant Price": "=1"}, BACK, bad), encoding="utf-8", newline="")

    code, out, err = await ended(await command("import", "products", file, "--shop", shop.slug, "--report", report))

    assert code == 1
    assert "line 4 · linen-shirt: Variant Price is '=1'" in err
    assert "\x1b[2J" not in err
    assert "4 rows read, 2 refused" in out
    assert report.read_text(encoding="utf-8").splitlines() == [
        "line,handle,outcome,reason",
        "4,linen-shirt,refused,\"Variant Price is '=1': give an amount in USD, with a point and at most 2 decimals.\"",
        "6,linen-shirt\x1b[2J,refused,Status is 'sold': give active or draft or archived.",
    ]
    assert len((await one(database, shop, "linen-shirt"))[1]) == 1


async def test_a_dry_run_writes_nothing(command, database, shop, tmp_path):
    file = tmp_path / "in.csv"
    file.write_text(FILE, encoding="utf-8", newline="")
    before = await rows_of(database, shop)

    code, out, _ = await ended(await command("import", "products", file, "--shop", shop.slug, "--dry-run"))

    assert (code, "This was a dry run: nothing was written." in out) == (0, True)
    assert await rows_of(database, shop) == before


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "There is no file"),
        (b"Title\nA\n", "the header has no column Handle"),
        (b"Handle,Title\na,Caf\xe9\n", "is not UTF-8 (line 2, byte 0xe9)"),
        (b'Handle,Title\na,"A\n', "Line 2: a quote is opened in this row and never closed"),
    ],
)
async def test_a_file_that_cannot_be_used(command, shop, tmp_path, content, reason):
    file = tmp_path / "in.csv"
    if content is not None:
        file.write_bytes(content)

    code, out, err = await ended(await command("import", "products", file, "--shop", shop.slug))

    assert (code, out) == (2, "")
    assert reason in err
    assert "Traceback" not in err


async def test_an_unknown_shop(command, tmp_path):
    file = tmp_path / "in.csv"
    file.write_text(FILE, encoding="utf-8", newline="")

    for arguments in (("import", "products", file), ("export", "products", tmp_path / "out.csv")):
        code, _, err = await ended(await command(*arguments, "--shop", "no-such-shop"))

        assert code == 2
        assert "There is no shop 'no-such-shop'" in err
    assert not (tmp_path / "out.csv").exists()


async def test_places_that_cannot_be_written(command, shop, tmp_path):
    file = tmp_path / "in.csv"
    file.write_text(FILE, encoding="utf-8", newline="")
    nowhere = tmp_path / "none" / "file.csv"

    code, _, err = await ended(await command("export", "products", nowhere, "--shop", shop.slug))
    assert (code, "Cannot write" in err) == (2, True)
    code, _, err = await ended(await command("import", "products", file, "--shop", shop.slug, "--report", nowhere))
    assert (code, "Give --report another name" in err) == (2, True)
    code, _, err = await ended(await command("import", "products", file, "--shop", shop.slug, "--report", file))
    assert (code, "The report would overwrite the file" in err) == (2, True)
    assert file.read_text(encoding="utf-8") == FILE.replace("\r\n", "\n")


async def test_an_interrupt_leaves_whole_batches(command, database, shop, tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    process = await command("import", "products", pipe, "--shop", shop.slug)
    writing = await asyncio.to_thread(pipe.open, "w", encoding="utf-8")
    with contextlib.closing(writing):
        rows = [{"Handle": f"product-{number}", "Title": "T", "Variant Price": "1"} for number in range(1_200)]
        await asyncio.to_thread(writing.write, product_file(*rows))
        await asyncio.to_thread(writing.flush)
        while len((await shop_state(database, shop))[0]) < 1_000:
            pass
        process.send_signal(signal.SIGINT)
    code, out, err = await ended(process)

    assert (code, "Stopped." in err) == (130, True), err
    assert "1,000 rows read" in out
    products, listed = await shop_state(database, shop)
    assert len(products) == len(listed) == 1_000
    assert all(variants for _, variants, _ in products.values())
