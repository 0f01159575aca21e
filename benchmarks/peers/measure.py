"""One subject against its fake, each in a process of its own, and what the two of them saw."""

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import attrs

from benchmarks import report


@attrs.frozen
class Condition:
    """*bound* is how many seconds a subject gets, *options* are those of the fake."""

    name: str
    renders: int = 50
    bound: int = 120
    options: tuple[str, ...] = ()


@contextmanager
def fake(python: str, name: str, *options: str) -> Iterator[str]:
    command = [python, "-m", "benchmarks.peers.fake", name, *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()  # type: ignore[union-attr]
        finally:
            process.communicate(timeout=10)


def measure(python: str, name: str, condition: Condition, seed: int) -> tuple[dict[str, Any], dict[str, str]]:
    with fake(python, name, "--seed", str(seed), *condition.options) as url:
        arguments = (name, url, str(condition.renders), str(condition.bound))
        told = report.fresh("benchmarks.peers.subject", *arguments, python=python)
        with urllib.request.urlopen(f"{url}/ledger", timeout=10) as answer:
            ledger = json.load(answer)
    return row(name, condition, told, ledger), told["versions"]


def row(name: str, condition: Condition, told: dict[str, Any], ledger: dict[str, Any]) -> dict[str, Any]:
    lags = [returned - ledger["ends"][job_id] for job_id, returned in told["returned"].items()]
    asked = [at for at, method, _ in ledger["log"] if method == "GET"]
    return {
        "condition": condition.name,
        "subject": name,
        "finished": len(lags),
        "of": condition.renders,
        "status requests": len(asked),
        "lag p50 s": round(median(lags), 2) if lags else "",
        "lag max s": round(max(lags), 2) if lags else "",
        "peak/s": busiest_second(asked),
        "refused": sum(not allowed for _, _, allowed in ledger["log"]),
        "ended with": ", ".join(f"{count} {error}" for error, count in told["errors"].items()),
    }


def busiest_second(times: list[float]) -> int:
    """The most requests in any window of one second."""
    times = sorted(times)
    first, most = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most
