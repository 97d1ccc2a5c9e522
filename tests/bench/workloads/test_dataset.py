"""Datasets: ShareGPT's shape, JSON lines, the order that a seed gives, malformed entries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from goodput.bench.workloads import find_workload
from goodput.bench.workloads.dataset import DatasetWorkload
from goodput.core.errors import UsageError


def save(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prompts"
    path.write_text(text)
    return path


def requests(path: Path) -> dict[str, int]:
    workload = DatasetWorkload(path)
    found = [workload.request(0, index) for index in range(10)]
    return {request.messages[-1].content: request.max_tokens for request in found}


def test_sharegpt(tmp_path: Path) -> None:
    def turns(*said: tuple[str, str]) -> dict[str, Any]:
        return {"id": "x", "conversations": [{"from": who, "value": text} for who, text in said]}

    listed = [
        turns(("human", "why?"), ("gpt", "because " * 10), ("human", "and?")),
        turns(("gpt", "an answer to nothing")),
        turns(),
        turns(("user", "when?"), ("gpt", "")),
    ]
    path = save(tmp_path, json.dumps(listed))
    assert requests(path) == {"why?": 20, "when?": 1}


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        {"prompt": "with a length", "max_tokens": 7},
        {"prompt": "with an answer", "completion": "x" * 40},
        {"prompt": "alone"},
        "bare",
        {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "chat"}]},
    ]
    path = save(tmp_path, "\n".join(json.dumps(line) for line in lines) + "\n\n")
    assert requests(path) == {
        "with a length": 7,
        "with an answer": 10,
        "alone": 64,
        "bare": 64,
        "chat": 64,
    }


def test_a_final_answer_in_messages_gives_the_length(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a" * 80}]
    assert requests(save(tmp_path, json.dumps({"messages": turns}))) == {"q": 20}


def test_each_prompt_once_before_any_comes_twice_in_an_order_of_the_seed(tmp_path: Path) -> None:
    path = save(tmp_path, "\n".join(json.dumps(f"prompt {number}") for number in range(50)))
    workload = find_workload(f"dataset:{path}")
    orders = {
        seed: [workload.request(seed, index).messages[0].content for index in range(100)]
        for seed in (0, 1)
    }
    for order in orders.values():
        assert len(set(order[:50])) == len(set(order[50:])) == 50
        assert order[:50] != order[50:]
    assert orders[0] != orders[1]
    assert workload.request(0, 3).kind == "dataset:prompts"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('"fine"\n{"prompt": ', "line 2 of .*prompts is malformed"),
        ('"fine"\n{"text": "x"}', "line 2 of .*no prompt, messages or conversations"),
        ('"fine"\n{"prompt": 3}', "line 2 of"),
        ('"fine"\n{"messages": []}', "line 2 of"),
        ('"fine"\n{"prompt": "x", "max_tokens": "many"}', "line 2 of"),
        ('"fine"\n7', "line 2 of"),
        ('[\n{"conversations": [}\n]', "line 2 of .*prompts is malformed"),
        ('[{"conversations": [1, 2]}]', "entry 1 of"),
        ('[{"conversations": [{"from": "human"}, {}]}]', "entry 1 of"),
        ("[]", "has no prompts"),
        ("", "has no prompts"),
    ],
)
def test_what_is_malformed_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        DatasetWorkload(save(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not text"):
        DatasetWorkload(tmp_path / "binary")
    with pytest.raises(UsageError, match="cannot read the dataset"):
        DatasetWorkload(tmp_path / "absent")
