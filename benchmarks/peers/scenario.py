"""Every subject under every condition, as many side by side as the machine can carry."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.peers.install import python_of
from benchmarks.peers.measure import Condition, measure

OURS = ("surreal", "akool")
THEIRS = ("azure", "runway", "openai", "replicate", "fal")
# Fifty creates and one last look at each are a hundred requests, and at 30 a minute those take 180 s.
BOUND = 270

CONDITIONS = (
    Condition("plain"),
    Condition("8 s of HTTP 500", options=("--outage",)),
    Condition("30/min, 10 renders", renders=10, bound=180, options=("--limit", "30")),
    Condition("30/min, 50 renders", bound=BOUND, options=("--limit", "30")),
    Condition("30/min and Retry-After, 10 renders", renders=10, bound=180, options=("--limit", "30", "--tells")),
    Condition("30/min and Retry-After, 50 renders", bound=BOUND, options=("--limit", "30", "--tells")),
)


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
    pairs = list(product(conditions, names))
    found: list[tuple[dict[str, Any], dict[str, str]]] = []
    for number in range(1, options.runs + 1):
        for alone, at_once in ((False, 64), (True, 1)):
            jobs = [(python(name, options.peers), name, c, number) for c, name in pairs if is_heavy(c, name) is alone]
            with ThreadPoolExecutor(at_once) as pool:
                found += pool.map(lambda job: measure(*job), jobs)
    order = {(condition.name, name): place for place, (condition, name) in enumerate(pairs)}
    return sorted(found, key=lambda one: order[one[0]["condition"], one[0]["subject"]])


def is_heavy(condition: Condition, name: str) -> bool:
    """Ten looks a second for each render keep a core busy, so such a subject gets the machine to itself."""
    return name == "fal" and "--limit" not in condition.options


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
