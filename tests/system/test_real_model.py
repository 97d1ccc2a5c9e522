"""The default model through the whole system: the same tokens whatever the layout and the load."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from goodput.models.catalog import resolve
from goodput.models.weights import prepare

QUESTIONS = (
    "What is the capital of France?",
    "Name three primary colors.",
    "Write a short poem about the sea. " + "The sea is wide and the night is long. " * 12,
    "Count from one to ten.",
    "Who wrote Romeo and Juliet?",
    "Explain in two sentences why the sky is blue.",
)
LAYOUTS = {
    "apart": [],
    "mixed": ["--prefill", "0", "--decode", "0", "--mixed", "1"],
    "small": ["--token-budget", "64", "--max-sequences", "2", "--kv-tokens", "512"],
}


@pytest.fixture(scope="module", autouse=True)
def converted() -> None:
    """What takes seconds once in a machine's life happens before the servers are timed out."""
    prepare(resolve("smollm2:135m", pull=True), "cpu")


def ask(url: str, question: str, **fields: Any) -> list[tuple[str, float]]:
    """(token, logprob) pairs of a streamed answer."""
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        stream = client.chat.completions.create(
            model="smollm2:135m",
            messages=[{"role": "user", "content": question}],
            max_tokens=16,
            logprobs=True,
            stream=True,
            **fields,
        )
        with stream:
            return [
                (entry.token, entry.logprob)
                for chunk in stream
                if chunk.choices and chunk.choices[0].logprobs
                for entry in chunk.choices[0].logprobs.content or []
            ]


@pytest.mark.parametrize("fields", [{"temperature": 0}, {"temperature": 0.9, "seed": 11}])
def test_tokens_and_logprobs_are_the_same_in_every_layout_and_company(
    serve: Callable[..., Any], fields: dict[str, Any]
) -> None:
    answers: dict[str, list[list[tuple[str, float]]]] = {}
    for name, options in LAYOUTS.items():
        server = serve("{}", *options)
        if name == "apart":
            answers["alone"] = [ask(server.url, question, **fields) for question in QUESTIONS]
        with ThreadPoolExecutor(len(QUESTIONS)) as threads:
            work = [threads.submit(ask, server.url, question, **fields) for question in QUESTIONS]
            answers[name] = [one.result() for one in work]
        server.process.terminate()
        assert server.process.wait(20) == 0
    assert all(len(answer) > 3 for answer in answers["alone"])
    for name in LAYOUTS:
        assert answers[name] == answers["alone"], name
