"""Every subject under every condition, as many side by side as the machine can carry."""

import argparse
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import attrs

from benchmarks import report
from benchmarks.peers.install import python_of

OURS = ("surreal", "akool")
THEIRS = ("azure", "runway", "openai", "replicate", "fal")
# Ten looks a second for each render keep a core busy, so these get the machine to themselves.
HEAVY = ("fal",)


@attrs.frozen
class Condition:
    """*bound* is how many seconds a subject gets; renders of a full minute's creates end within three."""

    name: str
    renders: int = 50
    bound: int = 120
    options: tuple[str, ...] = ()


CONDITIONS = (
    Condition("plain"),
    Condition("8 s of HTTP 500", options=("--outage",)),
    Condition("30/min, 10 renders", renders=10, bound=180, options=("--limit", "30")),
    Condition("30/min, 50 renders", bound=180, options=("--limit", "30")),
    Condition("30/min and Retry-After, 10 renders", renders=10, bound=180, options=("--limit", "30", "--tells")),
    Condition("30/min and Retry-After, 50 renders", bound=180, options=("--limit", "30", "--tells")),
)


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


def merged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row of medians for each subject and condition."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for found in rows:
        groups.setdefault((found["condition"], found["subject"]), []).append(found)
    return [report.medians(group) for group in groups.values()]


def main(argv: list[str]) -> int:
    parser = report.options("peers", __doc__, runs=1)
    parser.add_argument("--only", default="", help="subjects: ours, " + ", ".join((*OURS, *THEIRS)))
    parser.add_argument("--conditions", default="", help="parts of their names, separated by commas")
    parser.add_argument("--peers", type=Path, default=Path(".peers"), help="folder of benchmarks.peers.install")
    options = parser.parse_args(argv)
    found = run(options)
    versions = {library: number for _, used in found for library, number in used.items()}
    rows = merged([one for one, _ in found])
    report.show("peers", rows, about=report.machine() | versions, as_json=options.json)
    return 0


def run(options: argparse.Namespace) -> list[tuple[dict[str, Any], dict[str, str]]]:
    names = chosen(options)
    wanted = [part.strip() for part in options.conditions.split(",")]
    conditions = [condition for condition in CONDITIONS if any(part in condition.name for part in wanted)]
    light, heavy = [n for n in names if n not in HEAVY], [n for n in names if n in HEAVY]
    found: list[tuple[dict[str, Any], dict[str, str]]] = []
    for number in range(1, options.runs + 1):
        for group, at_once in ((light, 64), (heavy, 1)):
            jobs = [(python(name, options.peers), name, c, number) for c, name in product(conditions, group)]
            with ThreadPoolExecutor(at_once) as pool:
                found += pool.map(lambda job: measure(*job), jobs)
    return found


def python(name: str, peers: Path) -> str:
    return sys.executable if name in OURS else str(python_of(peers))


def chosen(options: argparse.Namespace) -> list[str]:
    asked = [name.strip() for name in options.only.replace("ours", ",".join(OURS)).split(",") if name.strip()]
    names = asked or [*OURS, *THEIRS]
    if not python_of(options.peers).exists():
        print("no peers are installed; see python -m benchmarks.peers.install", file=sys.stderr)
        names = [name for name in names if name in OURS]
    return names


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
