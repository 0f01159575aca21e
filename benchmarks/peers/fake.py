"""One fake service in a process of its own: ``python -m benchmarks.peers.fake NAME``; serves until its input ends."""

import argparse
import asyncio
import sys
from importlib import import_module

from aiohttp import web

from benchmarks.peers.service import Service


async def serve(name: str, service: Service) -> None:
    protocol = import_module(f"benchmarks.peers.{name}")
    service.states_limit = getattr(protocol, "STATES_LIMIT", True)
    app = web.Application(middlewares=[service.middleware(protocol.TOO_MANY)])
    app.add_routes(protocol.routes(service))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    print(service.url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--outage", action="store_true")
    parser.add_argument("--tells", action="store_true", help="429 carries Retry-After")
    given = parser.parse_args()
    service = Service(seed=given.seed, limit=given.limit, outage=given.outage, tells=given.tells)
    asyncio.run(serve(given.name, service))


if __name__ == "__main__":
    main()
