"""The default model's tokenizer against ids that transformers gave for the same texts."""

from __future__ import annotations

import json
import os
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodput.core.errors import InvalidRequestError
from goodput.models.catalog import resolve
from goodput.models.load import TextSide, load_text_side
from goodput.models.tokenizer import Tokenizer

# The vocabulary has no token for six control characters and for the first bytes of the empty planes
# 4 to 11 of Unicode; the model's own tokenizer drops these bytes too.
ALPHABET = st.characters(
    codec="utf-8", max_codepoint=0x3FFFF, exclude_characters="\x04\x06\x13\x14\x16\x1d"
)

GOLDEN = json.loads((Path(__file__).parent / "smollm2_tokens.json").read_text())


@pytest.fixture(scope="module")
def side() -> TextSide:
    return load_text_side(resolve("smollm2:135m", pull=True))


@pytest.fixture(scope="module")
def tokenizer(side: TextSide) -> Tokenizer:
    return side.tokenizer


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: ascii(case["text"])[:30])
def test_ids_equal_those_of_transformers(tokenizer: Tokenizer, case: dict[str, Any]) -> None:
    assert tokenizer.encode(case["text"], special=True) == case["ids"]
    assert tokenizer.decode(case["ids"], skip_special=False) == case["text"]


def test_digits_are_cut_off_before_anything_else(tokenizer: Tokenizer) -> None:
    # As the model's own tokenizer does, and unlike transformers' reading of the GGUF file, which
    # forgets that rule: a run of blanks before a digit stays whole, as does another script's digit.
    blanks = tokenizer.encode("   ", special=False)
    assert tokenizer.encode("   7", special=False) == [
        *blanks,
        *tokenizer.encode("7", special=False),
    ]
    one = tokenizer.encode("١", special=False)
    assert tokenizer.encode(" ١", special=False) == [*tokenizer.encode(" ", special=False), *one]


def test_facts(tokenizer: Tokenizer, side: TextSide) -> None:
    assert tokenizer.vocab_size == side.config.vocab_size == 49_152
    assert tokenizer.eos_token_ids == side.config.eos_token_ids == (0, 2)
    assert tokenizer.bos_token_id == 1 and not tokenizer.prepends_bos
    assert tokenizer.encode_prompt("hi") == tokenizer.encode("hi", special=False)
    assert tokenizer.is_special(2) and not tokenizer.is_special(6004)
    assert tokenizer.token_bytes(2) == b"<|im_end|>"
    assert tokenizer.token_bytes(-1) == tokenizer.token_bytes(10**6) == b""


def test_every_token_has_bytes(tokenizer: Tokenizer) -> None:
    all_bytes = [tokenizer.token_bytes(id_) for id_ in range(tokenizer.vocab_size)]
    assert all(all_bytes)
    single = {token[0] for token in all_bytes if len(token) == 1}
    # 0x04 …: control characters; 0xC0, 0xC1 and from 0xF5 on: never in UTF-8
    missing = {*(0x04, 0x06, 0x13, 0x14, 0x16, 0x1D, 0xC0, 0xC1, 0xF1, 0xF2), *range(0xF5, 0x100)}
    assert set(range(256)) - single == missing


def test_bytes_outside_the_vocabulary_are_dropped(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("a\x06b", special=False) == [
        *tokenizer.encode("a", special=False),
        *tokenizer.encode("b", special=False),
    ]


@settings(max_examples=200, deadline=None)
@given(text=st.text(ALPHABET, max_size=60))
def test_bytes_of_the_tokens_are_the_text(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text, special=False)
    assert b"".join(map(tokenizer.token_bytes, ids)) == text.encode()
    assert tokenizer.decode(ids) == text


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_plain_encoding_never_yields_a_control_token(tokenizer: Tokenizer, data: Any) -> None:
    names = st.sampled_from(sorted(tokenizer.special_tokens))
    text = "".join(data.draw(st.lists(st.one_of(names, st.text(ALPHABET, max_size=5)), max_size=6)))
    ids = tokenizer.encode(text, special=False)
    assert not any(map(tokenizer.is_special, ids))
    assert tokenizer.decode(ids) == text


def test_lone_surrogates_are_a_bad_request(tokenizer: Tokenizer) -> None:
    for special in (True, False):
        with pytest.raises(InvalidRequestError, match="lone surrogate"):
            tokenizer.encode("a\ud800b", special=special)


def comparable(character: str) -> bool:
    return not unicodedata.category(character).startswith("N")


@pytest.mark.slow
def test_random_texts_equal_transformers(tokenizer: Tokenizer) -> None:
    transformers = pytest.importorskip("transformers")
    path = resolve("smollm2:135m")
    reference = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    alphabet = st.characters(codec="utf-8").filter(comparable)

    @settings(max_examples=3_000, deadline=None)
    @given(text=st.text(alphabet, max_size=40))
    def check(text: str) -> None:
        expected = reference.encode(text, add_special_tokens=False)
        assert tokenizer.encode(text, special=True) == expected

    check()


@pytest.mark.slow
def test_weights_equal_those_that_transformers_reads() -> None:
    transformers = pytest.importorskip("transformers")
    from goodput.models.checkpoint import open_checkpoint

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    path = resolve("smollm2:135m", pull=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name)
    expected = dict(model.named_parameters())
    checkpoint = open_checkpoint(path)
    assert set(expected) == set(checkpoint.names())
    for name in checkpoint.names():
        assert (checkpoint.tensor(name) == expected[name].detach().float().numpy()).all(), name
