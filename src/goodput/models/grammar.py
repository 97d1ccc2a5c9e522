"""Output that a grammar allows: which tokens may come next, as a function of those before.

llguidance parses bytes, whatever the borders of tokens are. It is imported where it is used: most
servers never see a grammar.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from goodput.core.request import Grammar

if TYPE_CHECKING:
    from llguidance import LLMatcher, LLParserLimits, LLTokenizer

BoolRow = npt.NDArray[np.bool_]

_COMPILED = 16
"""Grammars kept ready. Each may grow to _LEXER_STATES states of 1 to 2 kB."""
_LEXER_STATES = 20_000

# A small model that may write any white space often writes nothing else until it is cut off.
_JSON_OPTIONS: Any = {"whitespace_pattern": r"[ \n]{1,24}"}

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Vocabulary(Protocol):
    """What a grammar needs of a :class:`~goodput.models.tokenizer.Tokenizer`."""

    @property
    def eos_token_ids(self) -> Sequence[int]: ...

    @property
    def vocab_size(self) -> int: ...

    def encode(self, text: str, /, *, special: bool) -> list[int]: ...

    def token_bytes(self, token: int, /) -> bytes: ...

    def is_special(self, token: int, /) -> bool: ...


class GrammarMasks:
    """The allowed tokens of every constrained sequence of one worker. Not thread-safe.

    Only a cache holds state: the answer depends on nothing but the grammar and the generated
    tokens, so a preempted, handed-over or resumed sequence goes on as if nothing had happened. The
    usual call has one token more than the one before, and costs one step of the parser.

    ``vocabulary`` is called once, at the first constrained request. ``capacity`` is the number of
    sequences whose parsers are kept; beyond it the longest unused is built again when needed.
    """

    def __init__(self, vocabulary: Callable[[], Vocabulary], capacity: int) -> None:
        self._vocabulary = vocabulary
        self._capacity = capacity
        self._tokenizer: LLTokenizer | None = None
        self._ends: list[int] = []
        self._compiled: OrderedDict[Grammar, LLMatcher] = OrderedDict()
        self._live: OrderedDict[str, tuple[LLMatcher, list[int]]] = OrderedDict()

    def allowed(self, request_id: str, grammar: Grammar, generated: Sequence[int]) -> BoolRow:
        """bool [vocabulary]: the tokens that may follow ``generated``; the end tokens only where
        the grammar accepts what there is.

        Nothing is allowed when ``generated`` breaks the grammar, or when the parser gave up because
        the grammar is too costly. ``request_id`` must never stand for another grammar.
        """
        matcher = self._advanced(request_id, grammar, generated)
        bits = np.frombuffer(matcher.compute_bitmask(), np.uint8)
        size = self._tokenizer_of().vocab_size
        allowed = np.unpackbits(bits, count=size, bitorder="little").view(np.bool_)
        if matcher.is_error():
            allowed[:] = False
        elif not matcher.is_accepting():
            allowed[self._ends] = False  # a grammar in Lark could name them itself
        return allowed

    def _advanced(self, request_id: str, grammar: Grammar, generated: Sequence[int]) -> LLMatcher:
        """The parser after ``generated``."""
        known = self._live.pop(request_id, None)
        if known is None or list(generated[: len(known[1])]) != known[1]:
            known = self._prototype(grammar).deep_copy(), []
        matcher, consumed = known
        fresh = list(generated[len(consumed) :])
        if fresh:
            matcher.consume_tokens(fresh)
            consumed += fresh
        _put(self._live, request_id, known, self._capacity)
        return matcher

    def _prototype(self, grammar: Grammar) -> LLMatcher:
        from llguidance import LLMatcher

        matcher = self._compiled.pop(grammar, None)
        if matcher is None:
            tokenizer = self._tokenizer_of()
            matcher = LLMatcher(tokenizer, source(grammar), log_level=0, limits=limits())
        _put(self._compiled, grammar, matcher, _COMPILED)
        return matcher

    def _tokenizer_of(self) -> LLTokenizer:
        if self._tokenizer is None:
            vocabulary = self._vocabulary()
            self._ends = list(vocabulary.eos_token_ids)
            self._tokenizer = grammar_tokenizer(vocabulary)
        return self._tokenizer


def source(grammar: Grammar) -> str:
    """llguidance's own form. Raises ValueError for what is not even JSON, or not convertible."""
    from llguidance import LLMatcher, grammar_from, regex_to_lark

    if grammar.kind == "json_schema":
        return LLMatcher.grammar_from_json_schema(grammar.text, defaults=_JSON_OPTIONS)
    if grammar.kind == "regex":
        # Digits are ASCII, whatever else Unicode counts as one.
        return LLMatcher.grammar_from_regex(regex_to_lark(grammar.text, "d"))
    if grammar.kind == "choice":
        choices = " | ".join(map(_quoted, json.loads(grammar.text)))
        return LLMatcher.grammar_from_lark(f"start: {choices}")
    return grammar_from("grammar", grammar.text)


def _quoted(text: str) -> str:
    """A string in Lark's notation, which is JSON's but takes no raw DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def limits() -> LLParserLimits:
    """What one grammar may cost: about 20 ms a step at the worst, and 40 MB."""
    from llguidance import LLParserLimits

    return LLParserLimits(
        initial_lexer_fuel=500_000,
        max_grammar_size=100_000,
        max_lexer_states=_LEXER_STATES,
        precompute_large_lexemes=False,
        verbose_errors=False,
    )


def grammar_tokenizer(vocabulary: Vocabulary) -> LLTokenizer:
    """The vocabulary as llguidance wants it; a third of a second for 49,000 tokens.

    Raises ValueError for a vocabulary without an end token: no answer could ever be complete.
    """
    from llguidance import LLTokenizer

    ends = list(vocabulary.eos_token_ids)
    if not ends:
        raise ValueError("a vocabulary without an end token cannot follow a grammar")
    wrapper: Any = _Wrapper(vocabulary)
    return LLTokenizer(wrapper, n_vocab=vocabulary.vocab_size, eos_token=ends)


class _Wrapper:
    """The attributes that LLTokenizer reads, and the call that it makes to tokenize forced text."""

    is_tokenizer_wrapper = True
    bos_token_id = None

    def __init__(self, vocabulary: Vocabulary) -> None:
        ids = range(vocabulary.vocab_size)
        self._encode = vocabulary.encode
        self.eos_token_id = vocabulary.eos_token_ids[0]
        self.tokens = [vocabulary.token_bytes(id_) for id_ in ids]
        self.special_token_ids = [id_ for id_ in ids if vocabulary.is_special(id_)]

    def __call__(self, text: str) -> list[int]:
        return self._encode(text, special=False)


def _put(cache: OrderedDict[K, V], key: K, value: V, capacity: int) -> None:
    cache[key] = value
    if len(cache) > capacity:
        cache.popitem(last=False)
