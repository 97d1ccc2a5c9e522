"""The worker program: ``python -m goodput.workers.main FD``, started by workers/launch.py.

FD is the inherited end of the channel; everything else comes through it.
"""

from __future__ import annotations

import os
import socket
import sys
import traceback

from goodput.core.clock import MonotonicClock
from goodput.core.errors import GoodputError
from goodput.core.heap import settle_heap
from goodput.workers.channel import Channel, ChannelClosed, WorkerChannel
from goodput.workers.faults import DelayedChannel, FaultTrigger
from goodput.workers.messages import Configure, Failed, Ready, ToWorker, WorkerConfig
from goodput.workers.process import settle


def main() -> int:
    """Exit status: 0 when the host is done with this worker, 1 on a failure (see stderr)."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.stderr.write("this program is started by `goodput serve`, not by hand\n")
        return 2
    channel = WorkerChannel(socket.socket(fileno=int(sys.argv[1])))
    try:
        config, rest = _await_configuration(channel)
        settle(config)
        return _work(config, channel, rest)
    except ChannelClosed:
        return 0


def _await_configuration(channel: WorkerChannel) -> tuple[WorkerConfig, list[ToWorker]]:
    messages: list[ToWorker] = []
    while not messages:
        messages = channel.receive(60.0)
    if not isinstance(messages[0], Configure):
        raise ValueError("the first message must be the configuration")
    return messages[0].config, messages[1:]


def _work(config: WorkerConfig, channel: Channel, early: list[ToWorker]) -> int:
    clock = MonotonicClock()
    began = clock.now()
    if config.fault is not None and config.fault.how == "delay":
        channel = DelayedChannel(channel, config.fault.seconds, clock)
    FaultTrigger(config.fault).at("start")
    try:
        # Late, so that a failing import is told to the host like any other failure.
        from goodput.workers.build import build_engine
        from goodput.workers.loop import WorkerLoop

        loop = WorkerLoop(config, channel, build_engine(config, clock), clock)
    except GoodputError as error:
        channel.send(Failed(error.message))
        return 1
    except Exception as error:
        traceback.print_exc()
        channel.send(Failed(f"{type(error).__name__}: {error}"))
        return 1
    settle_heap()
    channel.send(Ready(clock.now() - began, loop.load()))
    loop.run(early)
    return 0


if __name__ == "__main__":
    # No interpreter shutdown: nothing here outlives the process, and views of the mapped pool
    # may be alive in an executor.
    status = main()
    sys.stderr.flush()
    os._exit(status)
