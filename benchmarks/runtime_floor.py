"""The least that a token costs here: the kernel's work to carry it to the client.

A token is one message from its worker's process to the server's, and one event from there to the
client's, each sent, waited for and received on its own.
"""

from __future__ import annotations

import select
import socket
import time

_ROUNDS = 5_000
_REPEATS = 5
# A report of one token, and its event, as they are on the wire.
_REPORT_BYTES = 100
_EVENT_BYTES = 260


def floor_us() -> dict[str, float]:
    """Microseconds of processor time, both ends together, by what carries the token."""
    host, worker = socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with host, worker, client, server:
        return {
            "report": round(_transfer_us(worker, host, _REPORT_BYTES), 1),
            "event": round(_transfer_us(server, client, _EVENT_BYTES), 1),
        }


def _transfer_us(sender: socket.socket, receiver: socket.socket, size: int) -> float:
    """The best of several means: disturbances only add."""
    data = bytes(size)
    with select.epoll() as poll:
        poll.register(receiver, select.EPOLLIN)
        means = []
        for _ in range(_REPEATS):
            began = time.process_time()
            for _ in range(_ROUNDS):
                sender.send(data)
                poll.poll()
                receiver.recv(65_536)
            means.append((time.process_time() - began) / _ROUNDS)
    return min(means) * 1e6
