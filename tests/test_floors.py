"""The house of DESIGN §3: arrows point down, and each outside thing has one door."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import talking_avatar

ROOT = Path(talking_avatar.__file__).parent
PACKAGE = "talking_avatar"

GROUND = ("errors", "clock", "backoff", "secret", "per_loop", "warn")
SERVICES = ("surreal", "akool", "journal", "download", "preflight")
FACES = ("cli", "notebook", "testing", "telemetry", "integrations")
FLOORS = {
    **dict.fromkeys(GROUND, 1),
    "models": 2,
    "transport": 3,
    "wire": 4,
    **dict.fromkeys(SERVICES, 5),
    "watch": 6,
    # The package itself only names what stands on the floors below.
    "": 7,
    **dict.fromkeys(FACES, 8),
}
# Both stand in for the world, which is what a clock is; the sandbox is a program of its own.
CLOCKS = {"clock.py", "testing/virtual.py"}
TIME_OF_THE_MACHINE = {
    ("asyncio", "sleep"),
    ("anyio", "sleep"),
    ("time", "time"),
    ("time", "sleep"),
    ("time", "monotonic"),
    ("time", "perf_counter"),
    ("time", "clock_gettime"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
}

FILES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


@cache
def tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def room(file: str) -> str:
    first = file.partition("/")[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imports(file: str) -> Iterator[str]:
    """Every module a file names in an import, wherever it stands; a name taken from a package counts as a module."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            module = node.module or ""
            yield module
            if module == PACKAGE:
                yield from (f"{PACKAGE}.{alias.name}" for alias in node.names)


def rooms_used(file: str) -> set[str]:
    inside = [module.split(".") for module in imports(file) if module.split(".")[0] == PACKAGE]
    rooms = {parts[1] if len(parts) > 1 else "" for parts in inside}
    # A public name taken from the package itself, such as its version, is no room.
    return {name if (ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file() else "" for name in rooms}


@pytest.mark.parametrize("file", FILES)
def test_every_room_has_a_floor(file: str) -> None:
    assert room(file) in FLOORS or room(file) == "sandbox", f"{file} stands on no floor; give its room one"


@pytest.mark.parametrize("file", [file for file in FILES if room(file) not in {"sandbox", ""}])
def test_a_module_imports_only_lower_floors(file: str) -> None:
    here = room(file)
    for used in rooms_used(file) - {here}:
        # The faces open the sandbox for whoever asks; everything below does without it.
        if used == "sandbox":
            assert FLOORS[here] == FLOORS["cli"], f"{file} imports the sandbox"
        else:
            allowed = FLOORS[used] < FLOORS[here] or {here, used} <= {*GROUND} or {here, used} <= {*FACES}
            assert allowed, f"{file} (floor {FLOORS[here]}) imports {used or PACKAGE} (floor {FLOORS[used]})"


@pytest.mark.parametrize("file", [file for file in FILES if room(file) in SERVICES])
def test_no_room_beside_the_services_imports_another(file: str) -> None:
    assert not rooms_used(file) & {*SERVICES} - {room(file)}


@pytest.mark.parametrize("file", [file for file in FILES if room(file) == "sandbox"])
def test_the_sandbox_stands_on_the_ground_alone(file: str) -> None:
    assert rooms_used(file) <= {*GROUND, "sandbox"}


@pytest.mark.parametrize("file", FILES)
def test_aiohttp_has_one_client_and_its_server_two_users(file: str) -> None:
    used = {module for module in imports(file) if module.partition(".")[0] == "aiohttp"}
    may = file == "transport/aiohttp.py" or room(file) == "sandbox" or file.startswith("integrations/aiohttp_")
    assert may or not used, f"{file} imports {used}"


def names_called(file: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


@pytest.mark.parametrize("file", [file for file in FILES if file not in CLOCKS])
def test_only_a_clock_sleeps_or_reads_the_time(file: str) -> None:
    assert not set(names_called(file)) & TIME_OF_THE_MACHINE


def test_the_package_itself_imports_no_face_and_no_sandbox() -> None:
    assert not rooms_used("__init__.py") & {"sandbox", *FACES}
