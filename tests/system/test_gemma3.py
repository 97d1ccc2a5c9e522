"""`goodput serve --model gemma3:270m`: by default the cpu backend, prefill and decode apart."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from goodput.models.catalog import resolve
from goodput.models.weights import prepare

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# The second is longer than the sliding window of 512 tokens.
PROMPTS = (
    "Question: What is the capital of France?\nAnswer:",
    "The sea is wide and the night is long. " * 70 + "The sea is",
)


def complete(url: str, prompt: str) -> tuple[str, Any]:
    """The text and its log probabilities."""
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        answer = client.completions.create(
            model="gemma3:270m", prompt=prompt, max_tokens=12, temperature=0, logprobs=1
        ).choices[0]
        return answer.text, answer.logprobs


def test_it_answers_the_same_alone_and_in_company(serve: Callable[..., Any]) -> None:
    prepare(resolve("gemma3:270m", pull=True), "cpu")
    server = serve("{}", "--model", "gemma3:270m")
    alone = [complete(server.url, prompt) for prompt in PROMPTS]
    assert alone[0][0].startswith(" Paris")
    assert alone[1][0].startswith(" wide and the night is long.")
    with ThreadPoolExecutor(6) as threads:
        work = [threads.submit(complete, server.url, prompt) for prompt in PROMPTS * 3]
        assert [one.result() for one in work] == alone * 3
