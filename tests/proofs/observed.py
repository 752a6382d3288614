"""Runs the server, and tells how many tasks it has each time it is sent `SIGUSR1`."""

import asyncio
import gc
import os
import signal
from typing import Any

from server.cli import main


def _tell(_number: int, _frame: Any) -> None:
    gc.collect()
    os.write(2, f"tasks={len(asyncio.all_tasks())}\n".encode())


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _tell)
    main(["serve"])
