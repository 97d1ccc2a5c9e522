"""Threads that run one compiled step together, and the barrier between its phases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from goodput.models.ops.cpu.lowering import I32, I64, i64, intrinsic_call, is_x86

_SPINS_BEFORE_YIELD = 4_000


@intrinsic
def barrier(typing_context: Any, counter: Any, threads: Any) -> Any:
    """barrier(counter, threads): wait until all of ``threads`` have come here.

    ``counter`` is the address of an int64 that only this barrier changes. Spins, since phases are
    microseconds long; gives the core away when a partner has lost its own.
    """
    signature = types.void(types.uintp, types.intp)

    def generate(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        counter, threads = args
        with builder.if_then(builder.icmp_signed(">", threads, i64(1))):
            where = builder.inttoptr(counter, ir.PointerType())
            ticket = builder.atomic_rmw("add", where, i64(1), "seq_cst")
            round_number = builder.add(builder.sdiv(ticket, threads), i64(1))
            target = builder.mul(round_number, threads)
            spins = cgutils.alloca_once_value(builder, i64(0))
            wait, done = (builder.append_basic_block(name) for name in ("wait", "done"))
            builder.branch(wait)
            builder.position_at_end(wait)
            _pause(builder)
            spun = builder.add(builder.load(spins), i64(1))
            builder.store(spun, spins)
            with builder.if_then(builder.icmp_signed(">", spun, i64(_SPINS_BEFORE_YIELD))):
                builder.store(i64(0), spins)
                kind = ir.FunctionType(I32, [])
                builder.call(
                    cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), []
                )
            arrived = builder.load_atomic(where, "seq_cst", 8, typ=I64)
            builder.cbranch(builder.icmp_signed(">=", arrived, target), done, wait)
            builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, generate


def _pause(builder: Any) -> None:
    """Tell an x86 core that this is a spin loop."""
    if is_x86():
        intrinsic_call(builder, "llvm.x86.sse2.pause", ir.VoidType(), [])


class Team:
    """``threads - 1`` helpers that run each step beside the calling thread.

    The work itself must end with a barrier, so a step is over when ``run`` returns. Helpers are
    daemon threads that sleep between steps.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._work: Callable[[int], object] = lambda number: None
        self._bells = [threading.Semaphore(0) for _ in range(threads - 1)]
        for number, bell in enumerate(self._bells, start=1):
            threading.Thread(
                target=self._help, args=(number, bell), name=f"team-{number}", daemon=True
            ).start()

    def run(self, work: Callable[[int], object]) -> None:
        """Call ``work(number)`` in every thread, number 0 in this one."""
        self._work = work
        for bell in self._bells:
            bell.release()
        work(0)

    def _help(self, number: int, bell: threading.Semaphore) -> None:
        while True:
            bell.acquire()
            self._work(number)
