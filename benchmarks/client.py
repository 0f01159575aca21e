"""What a client costs beside bare aiohttp: importing it, and the CPU of one ``get_video``.

Imports are timed inside fresh processes, in turn. A get is compared with the same request by a bare session plus
``json.loads``, in turn against one server in another process; the answer is small and carries rate limit headers.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median
from typing import Any

import aiohttp

from benchmarks import report

IMPORTS = {
    "import aiohttp": "import aiohttp",
    "import talking_avatar": "import talking_avatar",
    "from talking_avatar import Surreal": "from talking_avatar import Surreal, TalkingPhoto",
    "from talking_avatar import JobWatcher": "from talking_avatar import Surreal, TalkingPhoto, JobWatcher",
}
TIMED = "import time\nbegan = time.perf_counter()\n{}\nprint(time.perf_counter() - began)"

VIDEO = "b4123d38-a6e3-40f3-a12c-2d58ac2e115c"
BODY = json.dumps({"code": 0, "data": {"video_id": VIDEO, "status": "in_progressing"}, "message": "success"}).encode()
HEAD = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n"
    "X-Ratelimit-Total: 900000000\r\nX-Ratelimit-Left: 900000000\r\nX-Ratelimit-Reset: 60\r\n\r\n"
)
ANSWER = HEAD.format(len(BODY)).encode() + BODY
GETS = 300

Get = Callable[[], Awaitable[object]]


class Answering(asyncio.Protocol):
    """Answers every segment that comes; a request of this benchmark is one."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, _data: bytes) -> None:
        self.transport.write(ANSWER)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main(argv: Sequence[str] | None = None) -> int:
    options = report.options("client", __doc__, runs=20).parse_args(argv)
    about = {**report.machine(), **report.versions("aiohttp", "attrs", "cattrs")}
    imports, gets = measure_imports(options.runs), measure_gets(options.runs)
    report.show("import", imports, about=about, as_json=options.json)
    report.show("get_video", gets, about=about, as_json=options.json)
    return 0


def measure_imports(runs: int) -> list[dict[str, Any]]:
    _import_times()  # writes the bytecode
    times = [_import_times() for _ in range(runs)]
    bare = [each["import aiohttp"] for each in times]
    return [
        {
            "statement": name,
            "ms": median(each[name] for each in times) * 1e3,
            "beside aiohttp": median(each[name] / base for each, base in zip(times, bare, strict=True)),
        }
        for name in IMPORTS
    ]


def _import_times() -> dict[str, float]:
    return {name: _seconds(statement) for name, statement in IMPORTS.items()}


def _seconds(statement: str) -> float:
    command = [sys.executable, "-c", TIMED.format(statement)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure_gets(runs: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.client", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            bare, ours = asyncio.run(_in_turn(f"http://127.0.0.1:{server.stdout.readline().strip()}", runs))
        finally:
            server.terminate()
    ratio = median(our / base for our, base in zip(ours, bare, strict=True))
    return [
        {"get": "aiohttp and json.loads", "µs of CPU": median(bare) * 1e6, "beside aiohttp": 1.0},
        {"get": "Surreal.v2v.get_video", "µs of CPU": median(ours) * 1e6, "beside aiohttp": ratio},
    ]


async def _in_turn(url: str, runs: int) -> tuple[list[float], list[float]]:
    from talking_avatar import Surreal  # noqa: PLC0415 - its import is measured elsewhere

    async with aiohttp.ClientSession() as session, Surreal("benchmark-token", base_url=url) as surreal:

        async def bare() -> object:
            headers = {"Authorization": "Bearer benchmark-token"}
            query = {"video_id": VIDEO}
            async with session.get(f"{url}/v1/v2v/video.get", params=query, headers=headers) as response:
                return json.loads(await response.read())

        async def ours() -> object:
            return await surreal.v2v.get_video(VIDEO)

        for get in (bare, ours):
            await _cpu(get)
        times = [(await _cpu(bare), await _cpu(ours)) for _ in range(runs)]
    return [first for first, _ in times], [second for _, second in times]


async def _cpu(get: Get) -> float:
    began = time.process_time()
    for _ in range(GETS):
        await get()
    return (time.process_time() - began) / GETS


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        asyncio.run(serve())
    else:
        raise SystemExit(main(sys.argv[1:]))
