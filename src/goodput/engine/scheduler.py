"""Continuous batching: which tokens of which sequences are computed in the next step.

Every step first gives one token to each decoding sequence, then fills up with chunks of prompts, in
the order of ``Sequence.order``, until the hardware is saturated, the token budget is spent, or the
slack of the decoding ones is (``pacing.py``). A
step that has neither prompts nor many sequences verifies guesses of further tokens. Pure logic over
a block pool and a clock.

Why it always gets on: a sequence is admitted only with room for all its known tokens, so prompts
never run out of blocks. A decoding one that needs a block takes it from the last in order, and the
first in order can take it from everybody. Only blocks under a lease cannot be taken, and those come
back without this engine's doing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from goodput.core.clock import Clock
from goodput.core.config import EngineConfig, Role
from goodput.core.request import FinishReason
from goodput.engine.executor import Chunk, Sampled, StepPlan
from goodput.engine.finish import finish_of
from goodput.engine.pacing import LONGEST_STEP_S, Pace
from goodput.engine.sequence import Sequence, SequenceQueue, SequenceStatus
from goodput.engine.speculation import add_drafts
from goodput.kv.block_pool import BlockPool
from goodput.kv.hashing import extend_hashes
from goodput.kv.tiers.tiers import Tiers

Guess = Callable[[StepPlan, EngineConfig, int], None]


@dataclass(slots=True)
class Outcome:
    """What a step meant for one sequence: new tokens, its end, or both.

    ``tokens`` is empty for a sequence that ended without computing anything, and for one that was
    handed off amid its prompt. With ``handed_off`` the sequence has left the scheduler and its
    blocks are still referenced: the caller owns them now.
    """

    sequence: Sequence
    tokens: list[Sampled] = field(default_factory=list)
    handed_off: bool = False


@dataclass(slots=True)
class Scheduler:
    """Owns the sequences of one engine and their references in ``pool``.

    ``role`` may change at any time between steps. "prefill" hands every sequence off after the
    next token that it samples (unless it ends with it, is to be kept, or holds a lease of another
    worker's blocks); "decode" and "mixed" keep it. One whose prompt is split is handed off at
    ``Sequence.until``.
    """

    config: EngineConfig
    pool: BlockPool
    clock: Clock
    role: Role = "mixed"
    waiting: SequenceQueue = field(default_factory=SequenceQueue)
    running: SequenceQueue = field(default_factory=SequenceQueue)
    waiting_tokens: int = 0
    """Tokens that the waiting sequences have still to compute, prefix hits not foreseen."""
    preemptions: int = 0
    """How often a sequence lost its blocks and started over."""
    drafted: int = 0
    """Guessed tokens that were verified."""
    accepted: int = 0
    """Those of them that were right."""
    guess: Guess = add_drafts
    """Appends drafts to the chunks of a step that has slack."""
    tiers: Tiers | None = None
    """Where evicted blocks may be read back from."""
    pace: Pace = field(default_factory=Pace)
    """What steps cost here; the engine feeds it."""
    released_leases: list[str] = field(default_factory=list)
    """Leases of other workers that are no longer read here; the engine drains them."""
    _ended: list[Outcome] = field(default_factory=list)

    @property
    def context_limit(self) -> int:
        """Tokens that a sequence may have: the model's context, or what the whole pool holds."""
        capacity = self.pool.num_blocks * self.pool.block_size
        return min(self.config.context_length or capacity, capacity)

    @property
    def has_work(self) -> bool:
        """Whether a step can have something to compute or to report."""
        return bool(self.waiting or self.running or self._ended or self.released_leases)

    def add(self, sequence: Sequence) -> None:
        """Take a new sequence. One that can never run ends with the next ``commit``."""
        reason = self._refusal(sequence)
        if reason is not None:
            self._finish(sequence, reason)
            self._ended.append(Outcome(sequence))
            return
        self.waiting.add(sequence)
        self.waiting_tokens += sequence.remaining

    def schedule(self) -> StepPlan:
        """Decide the next step. Room for every chunk's tokens is in its sequence's blocks.

        Must be followed by ``commit`` of this plan before the next call. The plan is empty when
        all work waits for blocks that leases hold.
        """
        plan = StepPlan()
        budget = self._plan_decodes(plan, self.config.token_budget)
        if plan.chunks:  # tokens of running answers wait for this step
            decoding = (chunk.sequence for chunk in plan.chunks)
            rows = self.pace.prompt_rows(decoding, self.clock.now(), self.config.saturation_tokens)
        else:
            rows = self.pace.rows_alone(self.config.saturation_tokens)
        budget = min(budget, rows)
        self._plan_prefills(plan, budget)
        if self._has_slack(plan):
            self.guess(plan, self.config, self.context_limit)
            for chunk in plan.chunks:
                self._make_room(chunk)
        return plan

    def commit(self, plan: StepPlan, sampled: list[list[Sampled]]) -> list[Outcome]:
        """Record what an executor computed: ``sampled`` has one entry for each chunk of ``plan``.

        Raises ValueError when it has not. Returns what happened, in the plan's order.
        """
        now = self.clock.now()
        outcomes, self._ended = self._ended, []
        for chunk, results in zip(plan.chunks, sampled, strict=True):
            sequence = chunk.sequence
            if sequence.status is not SequenceStatus.RUNNING:
                continue
            sequence.num_computed += chunk.count
            self._register(sequence)
            if sequence.until and sequence.num_computed >= sequence.until:
                outcomes.append(self._hand_off(Outcome(sequence)))
            elif chunk.samples:
                if not results:
                    raise ValueError(f"the executor gave no token for the request {sequence.id}")
                outcomes.append(self._take(sequence, results, now))
                self.drafted += len(chunk.drafts)
                self.accepted += len(outcomes[-1].tokens) - 1
        return outcomes

    def cancel(self, sequence: Sequence) -> None:
        """End a live sequence now; its blocks are free and its lease is due for release."""
        self._leave(sequence)
        self._finish(sequence, "cancelled")

    def _plan_decodes(self, plan: StepPlan, budget: int) -> int:
        index = 0
        # By index, because preemption takes sequences off the end while we walk towards it.
        while index < len(self.running) and budget > 0:
            sequence = self.running[index]
            if sequence.remaining == 1 and self._grow(sequence):
                self._plan(plan, sequence, 1)
                budget -= 1
            index += 1
        return budget

    def _plan_prefills(self, plan: StepPlan, budget: int) -> None:
        """Fill the step with prompts, but take on no other one once it is saturated.

        From there on every further row costs as much as it would in a step of its own, so a
        second prompt would only delay the first token of the one before it (DistServe, 3.1).
        """
        enough = min(budget, self.config.saturation_tokens)
        planned = 0
        for sequence in self.running:
            if planned >= enough:
                return
            if sequence.remaining > 1:
                planned += self._plan_prompt(plan, sequence, budget - planned)
        while self.waiting and planned < enough and len(self.running) < self.config.max_sequences:
            sequence = self.waiting[0]
            if not self._admit(sequence):
                return
            planned += self._plan_prompt(plan, sequence, budget - planned)

    def _plan_prompt(self, plan: StepPlan, sequence: Sequence, budget: int) -> int:
        """Plan a chunk of a prompt; how much of ``budget`` (rows) that takes."""
        if self._fetch(plan, sequence, budget * self.pace.speeds.prefill_token_s):
            return budget
        return self._plan(plan, sequence, min(self._left_here(sequence), budget))

    def _left_here(self, sequence: Sequence) -> int:
        """Tokens of a prompt that are still to be computed by this engine."""
        if not sequence.until:
            return sequence.remaining
        if sequence.num_computed >= sequence.until:
            # More was cached than was to be computed here: one more block, so that a step ends it.
            sequence.until = sequence.num_computed + self.pool.block_size
            if sequence.until >= len(sequence.tokens):
                sequence.until = 0
                return sequence.remaining
        return sequence.until - sequence.num_computed

    def _fetch(self, plan: StepPlan, sequence: Sequence, within_s: float) -> bool:
        """Read back the blocks that come next in a prompt, for ``within_s`` seconds at the most.

        Whether more could follow in a later step, because this one may not take longer.
        """
        size = self.pool.block_size
        first, offset = divmod(sequence.num_computed, size)
        if self.tiers is None or offset or sequence.num_leased or not self.pool.prefix_cache:
            return False
        last = min((len(sequence.tokens) - 1) // size, len(sequence.hashes))
        filled, more = self.tiers.fetch(
            sequence.hashes[first:last],
            sequence.blocks[first:last],
            self.pace.speeds.prefill_token_s * size,
            min(within_s, LONGEST_STEP_S),
        )
        if filled:
            self._stamp(sequence)
            plan.fetched += filled * size
            sequence.num_computed += filled * size
            if not sequence.num_generated:
                sequence.num_cached += filled * size
            self._register(sequence)
        return more

    def _has_slack(self, plan: StepPlan) -> bool:
        """Whether the step does nothing but give sequences their next tokens, and nobody waits."""
        return (
            self.role != "prefill"
            and bool(plan.chunks)
            and not plan.fetched
            and not self.waiting
            and all(sequence.remaining == 1 for sequence in self.running)
            and all(chunk.samples and chunk.count == 1 for chunk in plan.chunks)
        )

    def missing_blocks(self, chunk: Chunk, drafts: int) -> int:
        """How many blocks the chunk's sequence lacks for so many drafts."""
        return self._blocks_for(chunk.start + chunk.count + drafts) - len(chunk.sequence.blocks)

    def _make_room(self, chunk: Chunk) -> None:
        """Get blocks for a chunk's drafts, or shorten them: others must not miss those blocks."""
        sequence = chunk.sequence
        known = chunk.start + chunk.count
        missing = self.missing_blocks(chunk, len(chunk.drafts))
        if missing <= 0:
            return
        if missing + len(self.running) <= self.pool.available:
            sequence.blocks += self.pool.allocate(missing) or []
        chunk.drafts = chunk.drafts[: len(sequence.blocks) * self.pool.block_size - known]

    def _shrink(self, sequence: Sequence) -> None:
        """Give back the blocks that no computed position lies in; drafts may have needed them."""
        kept = self._blocks_for(sequence.num_computed)
        self.pool.release(sequence.blocks[kept:])
        del sequence.blocks[kept:]

    def _plan(self, plan: StepPlan, sequence: Sequence, count: int) -> int:
        self._stamp(sequence)
        samples = count == sequence.remaining
        plan.chunks.append(Chunk(sequence, sequence.num_computed, count, samples))
        return count

    def _stamp(self, sequence: Sequence) -> None:
        """Note that the sequence's phase has begun."""
        timeline = sequence.timeline
        if timeline.first_token is not None:
            if timeline.decode_started is None:
                timeline.decode_started = self.clock.now()
        elif timeline.prefill_started is None:
            timeline.prefill_started = self.clock.now()

    def _admit(self, sequence: Sequence) -> bool:
        """Give the first waiting sequence blocks for all its tokens and let it run, or refuse."""
        total = self._blocks_for(len(sequence.tokens))
        cached = self._cached_prefix(sequence)
        self.pool.ref(cached)
        missing = total - len(cached) - len(sequence.blocks)
        # Those that decode will soon need a block each; without this reserve the newcomer would be
        # preempted at once and its work lost.
        reserve = 0 if self.role == "prefill" else len(self.running)
        fresh = self.pool.allocate(missing) if missing + reserve <= self.pool.available else None
        if fresh is None:
            self.pool.release(cached)
            return False
        self.waiting.remove(sequence)
        self.waiting_tokens -= sequence.remaining
        sequence.num_registered = len(cached)
        if cached:
            sequence.num_computed = len(cached) * self.pool.block_size
            if not sequence.was_admitted:
                sequence.num_cached = sequence.num_computed
        sequence.was_admitted = True
        sequence.blocks += cached
        sequence.blocks += fresh
        sequence.status = SequenceStatus.RUNNING
        self.running.add(sequence)
        return True

    def _cached_prefix(self, sequence: Sequence) -> list[int]:
        if sequence.blocks or not self.pool.prefix_cache:
            return []
        extend_hashes(sequence.hashes, sequence.tokens, self.pool.block_size)
        # The last token is always computed: its logits give the next one.
        reusable = (len(sequence.tokens) - 1) // self.pool.block_size
        return self.pool.match_prefix(sequence.hashes[:reusable])

    def _grow(self, sequence: Sequence) -> bool:
        """Make room for the next token, at the cost of the sequences after this one.

        False when nobody after it has blocks to give: it keeps its own and waits.
        """
        if self._blocks_for(len(sequence.tokens)) <= len(sequence.blocks):
            return True
        while True:
            fresh = self.pool.allocate(1)
            if fresh is not None:
                sequence.blocks += fresh
                return True
            last = self.running[-1]
            if last is sequence:
                return False
            self._preempt(last)

    def _preempt(self, sequence: Sequence) -> None:
        self.preemptions += 1
        self._leave(sequence)
        self._drop_blocks(sequence)
        sequence.num_computed = 0
        sequence.status = SequenceStatus.WAITING
        self.waiting.add(sequence)
        self.waiting_tokens += sequence.remaining

    def _register(self, sequence: Sequence) -> None:
        """Let others reuse the blocks that are full now.

        Not behind leased blocks: a prefix that starts in another worker's range cannot be found.
        """
        full = sequence.num_computed // self.pool.block_size
        if full == sequence.num_registered or sequence.num_leased or not self.pool.prefix_cache:
            return
        extend_hashes(sequence.hashes, sequence.tokens, self.pool.block_size)
        for index in range(sequence.num_registered, full):
            self.pool.register(sequence.blocks[index], sequence.hashes[index])
        sequence.num_registered = full

    def _take(self, sequence: Sequence, results: list[Sampled], now: float) -> Outcome:
        """Add new tokens one by one, up to the one that ends the sequence or hands it off."""
        outcome = Outcome(sequence)
        for result in results:
            if outcome.tokens:  # The token before was a draft: its keys and values are there.
                sequence.num_computed += 1
                self._register(sequence)
            outcome.tokens.append(result)
            self._append(sequence, result.token, now)
            reason = finish_of(sequence, self.context_limit)
            if reason is not None:
                self._leave(sequence)
                self._finish(sequence, reason)
                break
            if self.role == "prefill" and not sequence.keep and sequence.lease_id is None:
                return self._hand_off(outcome)
        return outcome

    def _hand_off(self, outcome: Outcome) -> Outcome:
        """The sequence leaves, and its blocks stay referenced."""
        sequence = outcome.sequence
        self._leave(sequence)
        self._shrink(sequence)
        sequence.status = SequenceStatus.LEASED
        outcome.handed_off = True
        return outcome

    def _append(self, sequence: Sequence, token: int, now: float) -> None:
        sequence.tokens.append(token)
        if sequence.timeline.first_token is None:
            sequence.timeline.first_token = now
        sequence.timeline.last_token = now

    def _refusal(self, sequence: Sequence) -> FinishReason | None:
        if not sequence.tokens:
            return "error"
        if sequence.num_generated >= sequence.request.sampling.max_tokens:
            return "length"
        if len(sequence.tokens) >= self.context_limit:
            return "length" if sequence.num_generated and not sequence.lease_id else "error"
        return None

    def _leave(self, sequence: Sequence) -> None:
        if sequence.status is SequenceStatus.RUNNING:
            self.running.remove(sequence)
        else:
            self.waiting.remove(sequence)
            self.waiting_tokens -= sequence.remaining

    def _finish(self, sequence: Sequence, reason: FinishReason) -> None:
        self._drop_blocks(sequence)
        sequence.status = SequenceStatus.FINISHED
        sequence.finish_reason = reason

    def _drop_blocks(self, sequence: Sequence) -> None:
        self.pool.release(sequence.blocks[sequence.num_leased :])
        sequence.blocks = []
        sequence.num_leased = 0
        if sequence.lease_id is not None:
            self.released_leases.append(sequence.lease_id)
            sequence.lease_id = None

    def _blocks_for(self, tokens: int) -> int:
        return -(-tokens // self.pool.block_size)
