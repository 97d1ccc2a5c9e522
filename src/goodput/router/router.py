"""The router: a policy, and the knowledge that it decides on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from goodput.core.request import GenerationRequest
from goodput.core.router_config import RouterConfig
from goodput.kv.hashing import BlockHash, extend_hashes
from goodput.router.approximate import DecisionMemory
from goodput.router.policies import make_policy
from goodput.router.policy import Placement, RoutingPolicy, Work, WorkerView
from goodput.router.prefix_index import Matches, PrefixIndex
from goodput.router.shortlist import Shortlist
from goodput.workers.messages import Report

# Hashing is most of a decision's cost, so a prompt is hashed only as far as somebody has it.
_SLAB_BLOCKS: Final = 32
_HOLDERS: Final = 4


@dataclass(slots=True)
class Prompt:
    """Tokens to be routed, and the hashes of their full blocks as far as they were needed."""

    tokens: Sequence[int]
    hashes: list[BlockHash] = field(default_factory=list)


class Router:
    """Joins the prefix index with a policy."""

    def __init__(self, block_size: int, config: RouterConfig | None = None) -> None:
        """``config`` must have been checked."""
        config = config or RouterConfig()
        self._block_size = block_size
        self._policy: RoutingPolicy = make_policy(config)
        self._index = PrefixIndex(config.index_blocks)
        self._memory = (
            DecisionMemory(self._index, config.index_ttl_s)
            if config.index == "approximate"
            else None
        )
        self._shortlist = Shortlist(conditional=config.conditional)
        # The last cache events of each worker that were applied; None: it was asked to tell all.
        self._heard: dict[str, int | None] = {}

    def place(
        self,
        request: GenerationRequest,
        prompt: Prompt,
        fleet: Sequence[WorkerView],
        now: float,
        token_wait_s: float = 0.0,
    ) -> tuple[Work, Placement | None]:
        """What the request is to the workers compared, and where to run it from its start.

        ``token_wait_s`` is that of :class:`Work`. The placement is None when no ready worker can
        take it. Costs O(cached prefix / block_size), and hardly more for many workers.
        """
        if self._memory is not None:
            self._memory.expire(now)
        matches = self._matches(prompt)
        nearest = self._shortlist.of(fleet, matches.deepest(_HOLDERS))
        cached = matches.among([view.name for view in nearest], self._block_size)
        work = self._work(request, len(prompt.tokens), cached, now, token_wait_s)
        return work, self._policy.place(work, nearest)

    def least_uncached(self, prompt: Prompt) -> int:
        """Tokens to be computed at the worker that has most of the prompt cached; at least one."""
        runs = self._matches(prompt).runs
        cached = runs[0][0] * self._block_size if runs else 0
        return max(1, len(prompt.tokens) - cached)

    def place_decode(
        self, request: GenerationRequest, tokens: int, fleet: Sequence[WorkerView]
    ) -> str | None:
        """Where to go on with ``tokens`` that are computed; None when no ready worker can."""
        work = self._work(request, tokens, {}, now=None)
        return self._policy.place_decode(work, self._shortlist.of(fleet, ()))

    def sent(self, worker: str, prompt: Prompt, now: float) -> None:
        """The worker was given the prompt; its load has changed."""
        self._shortlist.touch(worker)
        if self._memory is not None:
            extend_hashes(prompt.hashes, prompt.tokens, self._block_size)
            self._memory.sent(worker, tuple(prompt.hashes), now)

    def take_in(self, worker: str, report: Report) -> bool:
        """Learn from a worker's report; False: events are missing, it has to tell all anew."""
        self._shortlist.touch(worker)
        if self._memory is not None:
            return True
        if report.cached is not None:
            self._index.forget(worker)
            self._index.update(worker, report.cached, [])
            self._heard[worker] = report.cache_number
            return True
        heard = self._heard.get(worker, 0)
        if heard is None:
            return True  # It was asked; the answer has what this report says.
        has_events = bool(report.stored or report.removed)
        if report.cache_number != heard + has_events:
            self._index.forget(worker)
            self._heard[worker] = None
            return False
        if has_events:
            self._index.update(worker, report.stored, report.removed)
            self._heard[worker] = report.cache_number
        return True

    def forget(self, worker: str) -> None:
        """Drop what is known of a worker's cache: it died, and its next process starts anew."""
        self._index.forget(worker)
        self._heard.pop(worker, None)

    def believed(self, worker: str) -> frozenset[BlockHash]:
        """The prefix blocks that ``worker`` is taken to have."""
        return self._index.held(worker)

    def _work(
        self,
        request: GenerationRequest,
        tokens: int,
        cached: Mapping[str, int],
        now: float | None,
        token_wait_s: float = 0.0,
    ) -> Work:
        slo, most = request.slo, request.sampling.max_tokens
        due = None if now is None else first_token_due(request)
        return Work(
            tokens=tokens,
            blocks=-(-most // self._block_size),
            cached_tokens=cached,
            first_token_s=None if due is None or now is None else due - now,
            tpot_s=None if slo is None else slo.tpot,
            answer_tokens=most,
            token_wait_s=token_wait_s,
            block_size=self._block_size,
        )

    def _matches(self, prompt: Prompt) -> Matches:
        if not len(self._index):
            return Matches()
        blocks = len(prompt.tokens) // self._block_size
        hashes = prompt.hashes
        while len(hashes) < blocks and (not hashes or hashes[-1] in self._index):
            most = len(hashes) + _SLAB_BLOCKS
            extend_hashes(hashes, prompt.tokens, self._block_size, most=most)
        return self._index.matches(hashes)


def first_token_due(request: GenerationRequest) -> float | None:
    """Until when (monotonic seconds) the first token was promised; None: it was not."""
    slo = request.slo
    bounds = [] if slo is None else [bound for bound in (slo.ttft, slo.e2e) if bound is not None]
    return request.received + min(bounds) if bounds else None
