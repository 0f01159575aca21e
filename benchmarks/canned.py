"""Surreal's own client on a port that hands over prepared bytes, so that nothing but this package is measured."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from talking_avatar import Surreal
from talking_avatar.clock import Clock
from talking_avatar.transport.call import Answer, Call

__all__ = ["canned_client", "listing"]

HEADERS = {"X-Ratelimit-Total": "1000000"}


class Canned:
    """A port that accepts every create and answers lists with prepared *bodies*, the last one for ever."""

    def __init__(self) -> None:
        self.created = 0
        self.bodies: Iterator[bytes] = iter(())
        self.latest = b'{"code": 0, "data": []}'
        self.listed = 0

    async def exchange(self, call: Call[Any], headers: Mapping[str, str]) -> Answer:  # noqa: ARG002 - a port's
        if call.method == "POST":
            self.created += 1
            body = json.dumps({"code": 0, "data": {"video_id": job_id(self.created), "status": "pending"}})
            return Answer(200, HEADERS, body.encode())
        self.latest = next(self.bodies, self.latest)
        self.listed += 1
        return Answer(200, HEADERS, self.latest)

    async def aclose(self) -> None:
        pass


def job_id(number: int) -> str:
    return f"{number:032x}"


def listing(rows: int, moved: int) -> bytes:
    """A list of *rows* pending videos of which the first *moved* have begun."""
    words = (("in_progressing" if number <= moved else "pending") for number in range(1, rows + 1))
    data = [{"video_id": job_id(number), "status": word} for number, word in enumerate(words, 1)]
    return json.dumps({"code": 0, "data": data}).encode()


def canned_client(clock: Clock) -> tuple[Surreal, Canned]:
    surreal, port = Surreal("token", base_url="http://127.0.0.1:9", clock=clock), Canned()
    surreal._channel.port = port  # noqa: SLF001 - the only way around HTTP
    return surreal, port
