"""One library in a process of its own: ``python -m benchmarks.peers.subject NAME URL COUNT SECONDS``.

Renders COUNT at once for at most SECONDS, and prints when each waiter came back.
"""

import asyncio
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any


async def timed(render: Callable[[], Awaitable[str]]) -> tuple[str, float]:
    job_id = await render()
    return job_id, time.monotonic()


async def run(name: str, url: str, count: int, seconds: float) -> dict[str, Any]:
    library = import_module(f"benchmarks.peers.{name}")
    async with library.renderer(url) as render:
        tasks = [asyncio.create_task(timed(render)) for _ in range(count)]
        done, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    failed = [task for task in done if task.exception() is not None]
    errors = Counter(type(task.exception()).__name__ for task in failed)
    if late:
        errors["still waiting"] = len(late)
    returned = dict(task.result() for task in done if task not in failed)
    return {"versions": {name: version(name) for name in library.LIBRARIES}, "returned": returned, "errors": errors}


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))))
