"""The engine benchmark as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "engine.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--peers", "eager,ollama"], "--peers knows eager, llama.cpp, vllm, not ollama"),
        (["--peers", "llama.cpp"], "--llama-python must be its interpreter"),
        (["--peers", "vllm", "--vllm-python", "/no/python"], "--vllm-python must be its"),
        (["--threads", "two"], "--threads and --cores are numbers"),
        (["--threads", "0"], "must be 1 or more"),
        (["--cores", "4096"], "--cores must be among"),
        (["--cores", "0", "--threads", "2"], "--threads 2 needs as many --cores"),
        (["--model", "no-such-model", "--peers", "", "--threads", "1"], "no-such-model"),
    ],
)
def test_what_cannot_be_run_is_one_sentence(arguments, words):
    ended = run(*arguments)
    assert ended.returncode != 0
    assert words in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_small_model_from_start_to_json(tmp_path):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=4096,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path / "model")
    (tmp_path / "model" / "tokenizer.json").write_text("{}")  # asked for, but no text is read
    target = tmp_path / "results.json"
    options = ["--quick", "--repeats", "2", "--out", str(tmp_path), "--json", str(target)]
    ended = run("--model", str(tmp_path / "model"), "--threads", "1", "--peers", "eager", *options)
    assert ended.returncode == 0, ended.stderr
    report = json.loads(target.read_text())
    names = [row["name"] for row in report["rows"]]
    assert names == ["prefill 512", *(f"decode, batch {b}, context 256" for b in (1, 8, 32))]
    for row in report["rows"]:
        assert len(row["seconds"]["ours"]["cpu"]) == len(row["floors"]) == 2
        assert row["ratio"].keys() == {"eager int8"}
        assert f"| {row['name']} |" in ended.stdout
    labels = [footprint["label"] for footprint in report["footprints"]]
    assert labels == ["ours", "eager int8", "ours, first of two", "ours, second of two"]
