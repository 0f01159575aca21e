"""Where a result came from, and how it is shown."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def machine() -> dict[str, str]:
    """The machine, without anything that names it."""
    return {
        "cpu": f"{_cpu_model()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}, {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def versions(*names: str) -> dict[str, str]:
    """Versions of *names*, and of the extra ``speed`` where it is installed."""
    speed = ("orjson",) if find_spec("orjson") else ()
    return {name: version(name) for name in (*names, *speed)}


def fresh(module: str, *arguments: str, python: str = sys.executable) -> Any:
    """What *module* prints as JSON on its last line, run in a process of its own."""
    ran = subprocess.run([python, "-m", module, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def options(scenario: str, about: str | None, *, runs: int) -> argparse.ArgumentParser:
    """The options that every scenario has."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {scenario}", description=about)
    parser.add_argument("--runs", type=int, default=runs, help="the medians of so many are shown")
    parser.add_argument("--json", action="store_true")
    return parser


def medians(runs: Iterable[Row]) -> dict[str, Any]:
    """The median of each number; what is no number is taken from the first run."""
    runs = list(runs)
    return {name: _median([run[name] for run in runs]) for name in runs[0]}


def _median(values: Sequence[Any]) -> Any:
    numbers = [value for value in values if _is_number(value)]
    return statistics.median(numbers) if numbers else values[0]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def show(title: str, rows: Sequence[Row], *, about: Mapping[str, str], as_json: bool) -> None:
    """Print *rows* as JSON or as a Markdown table, with what they came from."""
    if as_json:
        print(json.dumps({"scenario": title, **about, "rows": [dict(row) for row in rows]}, indent=2))
        return
    print(f"{title}: " + "; ".join(value if name in _PLAIN else f"{name} {value}" for name, value in about.items()))
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([_cell(row.get(name, "")) for name in names] for row in rows)]
    print(*(f"| {' | '.join(line)} |" for line in lines), sep="\n")


_PLAIN = {"cpu", "system", "python"}


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
