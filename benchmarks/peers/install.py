"""Puts the peers into a virtual environment of their own: ``python -m benchmarks.peers.install DIR [--latest]``."""

import subprocess
import sys
import venv
from pathlib import Path

RELEASED = {
    "fal-client": "1.0.3",
    "replicate": "1.0.7",
    "openai": "3.52.0",
    "runwayml": "5.24.0",
    "azure-core": "1.41.0",
}


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def main(argv: list[str]) -> None:
    folder, latest = Path(argv[0]), "--latest" in argv
    venv.create(folder, with_pip=True)
    wanted = [name if latest else f"{name}=={number}" for name, number in RELEASED.items()]
    subprocess.run([python_of(folder), "-m", "pip", "install", "--quiet", "aiohttp", *wanted], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
