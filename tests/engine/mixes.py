"""Mixes of requests, hand-made and drawn, and the modes in which a host may run them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st
from tests.engine.hosts import ACTIONS, BLOCK, BLOCKS_EACH, Mode

from goodput.core.request import GenerationRequest, SamplingParams

VOCAB = 300
LONGEST_PROMPT, LONGEST_ANSWER = 80, 24
ACTION_WEIGHTS = (6, 12, 12, 6, 6, 1, 1)
TEXTS = np.random.default_rng(5).integers(0, VOCAB, (2, LONGEST_PROMPT)).tolist()

Case = tuple[Mode, list[GenerationRequest]]


def request_of(name: str, prompt: Sequence[int], **sampling: Any) -> GenerationRequest:
    return GenerationRequest(
        id=name,
        prompt=list(prompt),
        sampling=SamplingParams(**sampling),
        received=0.0,
        eos_token_ids=(5, 6, 7),
    )


MIX = [
    request_of("greedy", TEXTS[0][:70], temperature=0, max_tokens=12, logprobs=3),
    request_of("same", TEXTS[0][:70], temperature=0, max_tokens=12, logprobs=0),
    request_of("seeded", TEXTS[0][:40], seed=4, max_tokens=14, logprobs=2, ignore_eos=True),
    request_of("short", TEXTS[1][:1], temperature=0, max_tokens=14, ignore_eos=True),
    request_of("penalized", TEXTS[1][:33], seed=1, presence_penalty=1.0, max_tokens=9),
]
LOOP = [
    # What was said is likely again, so that guesses by repetition are often right.
    request_of("loop", [3, 4, 5, 8] * 6, seed=2, frequency_penalty=-2.0, max_tokens=24, logprobs=1),
    request_of("greedy loop", [9] * 30, temperature=0, presence_penalty=-3.0, max_tokens=20),
]
CROWD = [
    request_of(f"crowd {n}", TEXTS[0][n : n + 15], seed=n, max_tokens=24, ignore_eos=True)
    for n in range(4)
]


def samplings() -> st.SearchStrategy[dict[str, Any]]:
    """Greedy and seeded, plain and with everything that changes the choice of a token."""
    changes = st.fixed_dictionaries(
        {"max_tokens": st.integers(1, LONGEST_ANSWER), "temperature": st.sampled_from([0, 0.8, 2])},
        optional={
            "seed": st.integers(0, 3),
            "top_p": st.sampled_from([0.5, 0.95]),
            "top_k": st.sampled_from([1, 5, 40]),
            "min_p": st.sampled_from([0.01, 0.2]),
            "presence_penalty": st.sampled_from([-1.0, 1.5]),
            "frequency_penalty": st.sampled_from([-0.5, 0.7]),
            "repetition_penalty": st.sampled_from([0.8, 1.3]),
            "logit_bias": st.dictionaries(st.integers(0, VOCAB - 1), st.sampled_from([-5.0, 5.0])),
            "min_tokens": st.integers(0, 6),
            "ignore_eos": st.booleans(),
        },
    )
    return st.tuples(changes, st.sampled_from([None, 0, 4])).map(
        lambda drawn: {**drawn[0], "logprobs": drawn[1]}
    )


@st.composite
def mixes(draw: st.DrawFn) -> list[GenerationRequest]:
    """Requests whose prompts share prefixes, cut anywhere, and go on differently."""
    requests = []
    longest = draw(st.sampled_from([20, LONGEST_PROMPT]))
    for number in range(draw(st.integers(2, 6))):
        text = TEXTS[draw(st.integers(0, 1))]
        length = draw(st.integers(1, longest))
        own = min(draw(st.sampled_from([0, 0, 1, 17])), length)
        prompt = text[: length - own] + [number] * own
        requests.append(request_of(f"r{number}", prompt, **draw(samplings())))
    return requests


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A mix, and how it is run: from one at a time in a pool that just holds it to all at once."""
    requests = draw(mixes())
    scarce = blocks_for(requests) + draw(st.integers(0, 3))
    # From a seed, because drawn lists are mostly short: a crash must come after something happened.
    chance = Random(draw(st.integers(0, 2**32)))
    script = chance.choices(ACTIONS, ACTION_WEIGHTS, k=draw(st.integers(0, 60)))
    mode = Mode(
        blocks=draw(st.sampled_from([scarce, scarce, BLOCKS_EACH])),
        budget=draw(st.integers(1, 128)),
        saturation=draw(st.integers(1, 128)),
        sequences=draw(st.integers(1, 8)),
        prefix_cache=draw(st.booleans()),
        drafts=draw(st.sampled_from([0, 1, 7])),
        apart=draw(st.booleans()),
        split=draw(st.sampled_from([0, 1, 1, 2])),
        script=tuple(script),
    )
    return mode, requests


def blocks_for(requests: Sequence[GenerationRequest]) -> int:
    """The fewest blocks with which an engine can take the longest of them to its end."""
    return max(-(-(len(x.prompt) + x.sampling.max_tokens) // BLOCK) for x in requests)
