"""``python -m benchmarks SCENARIO [--json] [--runs N]``: each scenario has options of its own (``SCENARIO --help``)."""

import sys
from importlib import import_module

SCENARIOS = {
    "peers": "fifty renders beside the waiters of five released SDKs (real time, minutes)",
    "limit": "10, 100 and 1,000 renders under 30 requests a minute (virtual time)",
    "cadence": "when to look next, against the least possible polls × lateness (simulated)",
    "scale": "memory and CPU of 1,000 to 100,000 watched jobs",
    "overhead": "CPU of a watcher's get beside bare aiohttp",
    "client": "import time, and CPU of a client's get",
    "rendering": "the sandbox's renderer",
    "journal": "intents, submits and resuming",
    "owed": "CPU that a journal adds to a submit, and resuming",
    "downloads": "throughput and memory of downloads",
}


def main(argv: list[str]) -> int:
    if not argv or argv[0] not in SCENARIOS:
        print(__doc__, *(f"  {name:10} {what}" for name, what in SCENARIOS.items()), sep="\n")
        return 0 if argv in ([], ["-h"], ["--help"]) else 2
    return import_module(f"benchmarks.{argv[0]}").main(argv[1:]) or 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
