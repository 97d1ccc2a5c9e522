"""New connections to a busy server."""

import asyncio
import socket

import uvloop

from goodput.control.serving import accepting


def test_a_burst_of_connections_is_accepted_in_few_rounds_of_the_loop():
    burst = 64

    async def rounds() -> int:
        loop = asyncio.get_running_loop()
        seen, accepted = 0, []

        class Arrival(asyncio.Protocol):
            def connection_made(self, transport):
                accepted.append(seen)
                if len(accepted) == burst:
                    done.set_result(None)

        def next_round():
            nonlocal seen
            seen += 1
            loop.call_soon(next_round)

        done = loop.create_future()
        with socket.create_server(("127.0.0.1", 0), backlog=burst) as listener:
            servers = [await loop.create_server(Arrival, sock=s) for s in accepting(listener)]
            clients = [socket.create_connection(listener.getsockname()) for _ in range(burst)]
            next_round()
            await asyncio.wait_for(done, 10)
            for end in (*servers, *clients):
                end.close()
        return accepted[-1] - accepted[0] + 1

    assert uvloop.run(rounds()) <= burst // 4
