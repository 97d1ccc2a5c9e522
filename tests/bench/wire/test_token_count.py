"""Answers of a server that reports no usage, counted by the model's own tokenizer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from goodput.bench.wire.client import BenchClient
from goodput.bench.wire.endpoint import Endpoint
from goodput.bench.wire.token_count import local_counter
from goodput.core.record import RequestRecord
from goodput.models.catalog import list_models

Start = Any
BODY = b'{"messages": [{"role": "user", "content": "hi"}]}'


def letters(text: str) -> int:
    return len(text)


async def counted(url: str) -> RequestRecord:
    record = RequestRecord(id="r", workload="w", scheduled=time.monotonic())
    async with Endpoint(url) as endpoint:
        client = BenchClient(endpoint, time.monotonic, 10.0, count_tokens=letters)
        await client.send(record, BODY)
        assert record.token_source != "tokenizer", "not while something is being measured"
        client.count()
    return record


async def test_chunks_of_several_tokens_are_counted_by_their_text(start: Start, wire: Any) -> None:
    thought = wire.event({"choices": [{"delta": {"reasoning_content": "hm"}}]})
    script = [wire.role, thought, wire.token("abc"), wire.token("d"), wire.finish, wire.done]
    record = await counted((await start(lambda _: script)).url)
    assert (record.output_tokens, record.token_source) == (6, "tokenizer")
    assert len(record.token_times) == 3, "the stamps are of chunks all the same"


async def test_the_servers_own_count_comes_first(start: Start, wire: Any) -> None:
    script = [wire.token("abc"), wire.finish, wire.usage(2), wire.done]
    record = await counted((await start(lambda _: script)).url)
    assert (record.output_tokens, record.token_source) == (2, "usage")


async def test_tool_calls_have_no_text_to_count(start: Start, wire: Any) -> None:
    call = wire.event({"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]})
    record = await counted((await start(lambda _: [wire.token("abc"), call, wire.finish])).url)
    assert (record.output_tokens, record.token_source) == (2, "chunks")


@pytest.mark.parametrize("model", ["gpt-unknown", "", "no/such/folder"])
def test_a_model_that_is_not_here_counts_nothing(model: str) -> None:
    assert local_counter(model) is None


def test_a_file_that_is_no_model_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"nonsense")
    assert local_counter(str(tmp_path / "x.gguf")) is None


def test_a_local_model_counts_as_it_would_generate() -> None:
    present = [model.name for model in list_models() if model.present]
    if "smollm2:135m" not in present:
        pytest.skip("smollm2:135m is not on this machine: goodput pull smollm2:135m")
    count = local_counter("smollm2:135m")
    assert count is not None
    assert count("The capital of France is Paris.") == 7
    assert count("<|im_end|>") > 1, "what a server shows as text is text"
