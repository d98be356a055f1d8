"""A small HTTP load client: kept connections over loopback, a fixed list of ready-made requests, every answer checked."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One bounded run: answers a second and the spread of their times in milliseconds."""

    rate: float
    p50_ms: float
    p99_ms: float
    count: int
    wrong: int


def get(path: str, host: str = "localhost") -> bytes:
    """A GET as bytes."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0 (bench)\r\nAccept: text/html\r\n\r\n".encode()


def post(path: str, body: bytes, host: str = "localhost") -> bytes:
    """A form as bytes."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0 (bench)\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    if length:
        await reader.readexactly(length)
    return status


async def _connection(port: int, requests: Iterator[bytes], expect: int, times: list[float], wrong: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for request in requests:
            began = time.perf_counter()
            writer.write(request)
            await writer.drain()
            try:
                status = await _answer(reader)
            except asyncio.IncompleteReadError:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                wrong.append(0)
                continue
            times.append(time.perf_counter() - began)
            if status != expect:
                wrong.append(status)
    finally:
        writer.close()


def run(port: int, requests: Sequence[bytes], *, connections: int = 16, expect: int = 200) -> Run:
    """Send all requests over so many kept connections. Bounded by the length of the list."""
    times: list[float] = []
    wrong: list[int] = []
    shared = iter(requests)

    async def everything() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(_connection(port, shared, expect, times, wrong) for _ in range(connections)))
        return time.perf_counter() - began

    seconds = asyncio.run(everything())
    ordered = sorted(times)
    return Run(
        rate=len(times) / seconds,
        p50_ms=1000 * ordered[len(ordered) // 2],
        p99_ms=1000 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
        count=len(times),
        wrong=len(wrong),
    )
