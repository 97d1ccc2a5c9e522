"""A host's engines over one shared KV pool, driven by a script in which they may also crash."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from goodput.core.clock import ManualClock
from goodput.core.config import EngineConfig, Role
from goodput.core.request import GenerationRequest, TokenDelta, TokenLogprobs
from goodput.engine.engine import Engine
from goodput.engine.executor import Executor
from goodput.engine.report import Handoff, StepResult
from goodput.kv.block_pool import BlockPool

BLOCK = 16
BLOCKS_EACH = 64
"""Where the second engine's range of block ids begins; the pool has two such ranges."""

ACTIONS = ("arrive", "front", "back", "offer", "release", "crash front", "crash back")

Answer = list[tuple[int, TokenLogprobs | None]]


@dataclass(frozen=True)
class Mode:
    """How a mix of requests is run. ``apart``: one engine prefills and another decodes.

    ``script`` says what happens in which order (names of ``ACTIONS``); when it has ended, all go on
    in turn. ``blocks`` is each engine's share of the pool, ``drafts`` how many guessed tokens of a
    sequence a step may verify. The first engine leaves a prompt after ``split`` blocks to the
    second one, where it is longer (0: never).
    """

    blocks: int = BLOCKS_EACH
    budget: int = 128
    saturation: int = 64
    sequences: int = 8
    prefix_cache: bool = True
    apart: bool = False
    drafts: int = 0
    split: int = 0
    script: tuple[str, ...] = ()


class Host:
    """What a coordinator does, in one process: place, offer, release, and retry after a crash.

    ``executors`` has one for each engine, all over the same pool. Crashed engines lose everything
    but the pool's memory; ``answers`` is what the clients heard.
    """

    def __init__(self, mode: Mode, executors: Sequence[Executor]) -> None:
        self.mode = mode
        self.answers: dict[str, Answer] = {}
        self.ended: dict[str, TokenDelta] = {}
        self.handoffs = self.splits = self.preemptions = self.crashes = self.accepted = 0
        self._executors = executors
        self._requests: dict[str, GenerationRequest] = {}
        self._place: dict[str, str] = {}
        self._offers: deque[Handoff] = deque()
        self._releases: deque[str] = deque()
        self._leases: dict[str, list[int]] = {}
        self._held: dict[str, str] = {}
        self.front = self._engine("front")
        self.back = self._engine("back")

    def run(self, requests: Sequence[GenerationRequest], limit: int = 5_000) -> None:
        """Serve all of them to their ends; raises AssertionError for one that never ends."""
        arriving = deque(requests)
        in_turn = ("arrive", "front", "offer", "back", "release") * limit
        for action in (*self.mode.script, *in_turn):
            if len(self.ended) == len(requests) and not self._leases:
                return
            if action == "arrive":
                if arriving:
                    request = arriving.popleft()
                    self._requests[request.id] = request
                    self._submit(request.id)
            else:
                self._act(action)
            for engine in (self.front, self.back):
                engine.check_invariants()
        raise AssertionError(f"still working: {self.front.load()} {self.back.load()}")

    def _act(self, action: str) -> None:
        if action == "front":
            self._hear(self._step("front"))
        elif action == "back":
            result = self._step("back")
            self._hear(result)
            self._releases += result.released_leases
        elif action == "offer" and self._offers:
            self._accept(self._offers.popleft())
        elif action == "release" and self._releases:
            lease = self._releases.popleft()
            assert self.front.release_lease(lease)
            del self._leases[lease]
            self._held.pop(lease, None)
        elif action.startswith("crash "):
            self._crash(action.removeprefix("crash "))

    def _step(self, place: str) -> StepResult:
        engine = self.front if place == "front" else self.back
        before = engine.load()
        result = engine.step()
        self.preemptions += engine.load().preemptions - before.preemptions
        self.accepted += engine.load().accepted - before.accepted
        return result

    def _hear(self, result: StepResult) -> None:
        for delta in result.deltas:
            assert delta.request_id not in self.ended, "an answer went on after its end"
            logprobs = delta.logprobs or [None] * len(delta.token_ids)
            heard = zip(delta.token_ids, logprobs, strict=True)
            self.answers.setdefault(delta.request_id, []).extend(heard)
            if delta.finish_reason is not None:
                self.ended[delta.request_id] = delta
                del self._place[delta.request_id]
        for handoff in result.handoffs:
            self.handoffs += 1
            self.splits += handoff.num_computed == self.mode.split * BLOCK
            self._leases[handoff.lease_id] = handoff.blocks
            self._place[handoff.request_id] = "offered"
            self._offers.append(handoff)

    def _accept(self, handoff: Handoff) -> None:
        name, lease = handoff.request_id, handoff.lease_id
        request = msgspec.structs.replace(self._requests[name], generated=handoff.generated)
        self.back.add_handed_over(
            request,
            handoff.blocks,
            handoff.num_computed,
            handoff.timeline,
            lease,
            handoff.cached_tokens,
        )
        self._place[name] = "back"
        self._held[lease] = name

    def _crash(self, place: str) -> None:
        """Replace an engine by a new one, and place its requests again after what was heard."""
        self.crashes += 1
        fresh = self._engine(place)
        if place == "front":
            self.front = fresh
            for lease, blocks in self._leases.items():
                fresh.reserve(blocks, lease)
        else:
            self.back = fresh
            due = set(self._releases)
            self._releases += [lease for lease in self._held if lease not in due]
        for name in [name for name, where in self._place.items() if where == place]:
            self._submit(name)

    def _submit(self, name: str) -> None:
        heard = [token for token, _ in self.answers.get(name, [])]
        request = msgspec.structs.replace(self._requests[name], generated=heard)
        until = self.mode.split * BLOCK
        self.front.add(request, until=until if until < len(request.prompt) + len(heard) else 0)
        self._place[name] = "front"

    def _engine(self, place: str) -> Engine:
        mode, number = self.mode, ("front", "back").index(place)
        config = EngineConfig(
            block_size=BLOCK,
            kv_tokens=mode.blocks * BLOCK,
            token_budget=mode.budget,
            saturation_tokens=mode.saturation,
            max_sequences=mode.sequences,
            prefix_cache=mode.prefix_cache,
            speculative_tokens=mode.drafts,
        )
        pool = BlockPool(number * BLOCKS_EACH, mode.blocks, BLOCK, mode.prefix_cache)
        role: Role = "mixed" if not mode.apart else ("prefill", "decode")[number]  # type: ignore[assignment]
        return Engine(config, pool, self._executors[number], ManualClock(), role)
