"""A gRPC health check, as a kubelet makes it: one request over HTTP/2 without TLS."""

import socket
import struct
from enum import Enum

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _END_HEADERS = 1, 4
_HEADER_BYTES = 9


class Health(Enum):
    """What the service says of itself, by the numbers of `grpc.health.v1.HealthCheckResponse`."""

    UNKNOWN = 0
    SERVING = 1
    NOT_SERVING = 2
    SERVICE_UNKNOWN = 3


def health(port: int, service: str, host: str = "127.0.0.1") -> Health | None:
    """Ask a server how a service of it is; None if nobody answers, or nobody knows the service."""
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(_request(port, service))
            return _answer(connection)
    except OSError:
        return None


def _request(port: int, service: str) -> bytes:
    name = service.encode()
    message = bytes([0x0A, len(name)]) + name
    headers = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/grpc.health.v1.Health/Check",
        ":authority": f"127.0.0.1:{port}",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    block = b"".join(_header(name, value) for name, value in headers.items())
    return (
        _PREFACE
        + _frame(_SETTINGS, 0, 0, b"")
        + _frame(_HEADERS, _END_HEADERS, 1, block)
        + _frame(_DATA, _END_STREAM, 1, b"\0" + struct.pack(">I", len(message)) + message)
    )


def _header(name: str, value: str) -> bytes:
    """A header as HPACK's literal without indexing: lengths below 127, no Huffman code."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _answer(connection: socket.socket) -> Health | None:
    """The first message of the answer; without one, the service is not known."""
    while len(header := _read(connection, _HEADER_BYTES)) == _HEADER_BYTES:
        payload = _read(connection, int.from_bytes(header[:3], "big"))
        kind, flags, stream = header[3], header[4], int.from_bytes(header[5:], "big")
        if kind == _DATA:
            message = payload[5:]  # after the flag and the length of a gRPC message
            return Health(message[1] if len(message) > 1 else 0)
        if kind == _HEADERS and stream == 1 and flags & _END_STREAM:
            return None
    return None


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (part := connection.recv(count - len(data))):
        data += part
    return data
