"""SentencePiece vocabularies of GGUF files, against the algorithm and the library's own ids."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goodput.core.errors import CheckpointError
from goodput.models.catalog import resolve
from goodput.models.checkpoint.gguf_file import GgufFile
from goodput.models.tokenizer import Tokenizer
from goodput.models.tokenizer_gguf import tokenizer_from_gguf

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
# Ids 0 to 4 and the 256 bytes; pieces follow from 261 on.
FIRST = [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL), ("\n\n", USER_DEFINED), ("  ", 4)]
BYTES = [(f"<0x{byte:02X}>", BYTE) for byte in range(256)]
LETTERS = ["a", "b", "c", "▁"]


def write_vocabulary(path: Path, pieces: list[str], **keys: Any) -> Path:
    """A file without tensors; of ``pieces``, earlier ones are joined first."""
    tokens = [*FIRST, *BYTES, *((piece, NORMAL) for piece in pieces)]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([token for token, _ in tokens])
    writer.add_token_types([kind for _, kind in tokens])
    writer.add_token_scores([float(-index) for index in range(len(tokens))])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_space_prefix(keys.pop("prefix", False))
    for key, value in keys.items():
        writer.kv_data[0].pop(f"tokenizer.ggml.{key}", None)
        if value is not None:
            writer.add_array(f"tokenizer.ggml.{key}", value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tokenizer_of(path: Path) -> Tokenizer:
    return tokenizer_from_gguf(GgufFile(path))


def joined(text: str, pieces: list[str]) -> list[str]:
    """The algorithm: join the neighbours that make the best piece, the leftmost of equals."""
    parts = list(text.replace(" ", "▁"))
    rank = {piece: index for index, piece in enumerate(pieces)}
    while True:
        pairs = [(left + right, at) for at, (left, right) in enumerate(pairwise(parts))]
        known = [(rank[pair], at) for pair, at in pairs if pair in rank]
        if not known:
            return parts
        at = min(known)[1]
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    longer=st.lists(st.text("abc▁", min_size=2, max_size=4), unique=True, max_size=30),
    text=st.text("abc ", max_size=30).filter(lambda text: "  " not in text),
)
def test_pieces_are_joined_as_the_algorithm_says(
    tmp_path: Path, longer: list[str], text: str
) -> None:
    pieces = [*longer, *LETTERS]
    tokenizer = tokenizer_of(write_vocabulary(tmp_path / "m.gguf", pieces))
    (tmp_path / "m.gguf").unlink()  # it is still mapped
    expected = [261 + pieces.index(part) for part in joined(text, pieces)]
    assert tokenizer.encode(text, special=False) == expected
    assert tokenizer.decode(expected) == text


@pytest.fixture
def tokenizer(tmp_path: Path) -> Tokenizer:
    return tokenizer_of(write_vocabulary(tmp_path / "m.gguf", ["ab", "▁ab", *LETTERS]))


def test_letters_outside_the_vocabulary_become_their_bytes(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("é\tab", special=False)
    assert ids == [5 + 0xC3, 5 + 0xA9, 5 + 0x09, 261]
    assert [tokenizer.token_bytes(id_) for id_ in ids] == [b"\xc3", b"\xa9", b"\t", b"ab"]
    assert tokenizer.decode(ids) == "é\tab"


def test_a_byte_tokens_name_in_a_text_is_plain_text(tmp_path: Path) -> None:
    pieces = ["<0", "<0x", "<0x0", "<0x0A", "<", "0", "x", "A", ">"]
    tokenizer = tokenizer_of(write_vocabulary(tmp_path / "m.gguf", pieces))
    ids = tokenizer.encode("<0x0A>", special=False)
    assert ids == [261 + pieces.index("<0x0A"), 261 + pieces.index(">")]
    assert tokenizer.decode(ids) == "<0x0A>"


def test_user_defined_tokens_are_whole_and_never_special(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("a\n\nab", special=False) == [263, 3, 261]
    assert tokenizer.encode("a  b", special=False) == [263, 4, 264]
    assert tokenizer.token_bytes(4) == b"  " and not tokenizer.is_special(4)


def test_control_tokens_are_parsed_only_on_request(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("<s>ab</s><unk>", special=True) == [1, 261, 2, 0]
    assert set(tokenizer.encode("<s>ab</s><unk>", special=False)).isdisjoint({0, 1, 2})
    assert tokenizer.special_tokens == {"<unk>": 0, "<s>": 1, "</s>": 2}


def test_a_space_comes_first_where_the_file_says_so(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(write_vocabulary(tmp_path / "m.gguf", ["ab", "▁ab", *LETTERS]))
    assert tokenizer.encode_prompt("ab ab") == [1, 261, 262]
    pieces = ["ab", "▁ab", *LETTERS]
    tokenizer = tokenizer_of(write_vocabulary(tmp_path / "n.gguf", pieces, prefix=True))
    assert tokenizer.encode_prompt("ab ab") == [1, 262, 262]
    # … after a control token too, as Llama 2 was trained; and by default, as its files are silent.
    assert tokenizer.encode("<s>ab", special=True) == [1, 262]
    silent = write_vocabulary(tmp_path / "o.gguf", pieces, add_space_prefix=None)
    assert tokenizer_of(silent).encode("ab", special=False) == [262]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"scores": None}, "lacks a score for each token"),
        ({"scores": [0.0]}, "lacks a score for each token"),
        ({"scores": [float("nan")] * 267}, "a score is not finite"),
        ({"token_type": [1]}, "1 token types for 267 tokens"),
    ],
)
def test_damaged_vocabularies_are_one_sentence(
    tmp_path: Path, keys: dict[str, Any], words: str
) -> None:
    path = write_vocabulary(tmp_path / "m.gguf", ["ab", "▁ab", *LETTERS], **keys)
    with pytest.raises(CheckpointError, match=words):
        tokenizer_of(path)


@pytest.mark.slow
def test_gemmas_ids_equal_those_of_sentencepiece() -> None:
    """The ids are what the sentencepiece library gives for this file's vocabulary and scores."""
    tokenizer = tokenizer_of(resolve("gemma3:270m", pull=True))
    for case in json.loads((Path(__file__).parent / "gemma3_tokens.json").read_text()):
        assert tokenizer.encode(case["text"], special=False) == case["ids"]
        assert tokenizer.decode(case["ids"]) == case["text"]
