"""Servers on raw sockets that go wrong in one way each, and note what they saw."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs

FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"


@attrs.define
class Seen:
    """What reached the server."""

    requests: bytes = b""
    connections: int = 0


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Seen], Awaitable[None]]


@asynccontextmanager
async def raw_server(script: Script) -> AsyncIterator[tuple[str, Seen]]:
    seen = Seen()
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await script(reader, writer, seen)
        finally:
            writer.close()
            if not writer.transport.is_reading():  # type: ignore[attr-defined]
                writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.ensure_future(talk(reader, writer)))

    listener = socket.create_server(("127.0.0.1", 0))
    # Small buffers, so that a large body is still on its way when something happens to it.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
    server = await asyncio.start_server(accept, sock=listener)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for _ in range(10):  # until both ends have noticed
            await asyncio.sleep(0)


def reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def head(reader: asyncio.StreamReader, seen: Seen) -> bytes:
    read = await reader.readuntil(b"\r\n\r\n")
    seen.requests += read
    return read


async def whole(reader: asyncio.StreamReader, seen: Seen) -> None:
    lines = (await head(reader, seen)).lower().split(b"\r\n")
    length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length"))
    seen.requests += await reader.readexactly(length)


async def reset_at_once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _seen: Seen) -> None:
    reset(writer)


async def close_after_head(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, seen: Seen) -> None:
    await head(reader, seen)


async def close_after_all(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, seen: Seen) -> None:
    await whole(reader, seen)


async def reset_after_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
    await whole(reader, seen)
    reset(writer)


async def half_an_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
    await whole(reader, seen)
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"code": 0')


async def half_a_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
    await whole(reader, seen)
    writer.write(b"HTTP/1.1 200 O")


async def no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
    await whole(reader, seen)
    writer.write(b"* OK IMAP4 server ready\r\n\r\n")


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter, seen: Seen) -> None:
    await whole(reader, seen)
    await reader.read()


async def drips_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
    await whole(reader, seen)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
    await reader.read()


async def reset_mid_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
    await head(reader, seen)
    seen.requests += await reader.readexactly(50_000)
    reset(writer)


async def stops_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen) -> None:
    await head(reader, seen)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.Event().wait()
