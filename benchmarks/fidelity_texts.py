"""What fidelity is measured on: chat questions, and English that no weight was chosen by."""

from __future__ import annotations

from pydoc_data.topics import topics

from goodput.models.load import TextSide

TEMPLATES = (
    "What is {}?",
    "Explain {} to a child.",
    "Give me three facts about {}.",
    "Why does {} matter?",
    "Write a short poem about {}.",
    "Summarize what you know about {} in one sentence.",
    "I have to give a talk about {}. How should I begin?",
    "What do most people get wrong about {}?",
    "List five words that belong to {}.",
    "Tell me a story with {} in it.",
    "What would happen without {}?",
    "Which question about {} would an expert ask first?",
    "Write a polite email to a colleague about {}.",
    "How did {} change in the last hundred years?",
    "Compare {} with the weather.",
    "Finish this sentence: the best thing about {} is",
    "Make a quiz question about {}, with its answer.",
)
TOPICS = (
    "photosynthesis",
    "the French Revolution",
    "prime numbers",
    "a leap year",
    "the Python language",
    "gravity",
    "bread",
    "the moon",
    "chess",
    "a bank account",
    "the Roman Empire",
    "music",
)


def questions(count: int) -> list[str]:
    """The first ``count`` of 204 questions; any few of them differ in form and in topic."""
    pairs = [
        (template, TOPICS[(number + shift) % len(TOPICS)])
        for shift in range(len(TOPICS))
        for number, template in enumerate(TEMPLATES)
    ]
    if count > len(pairs):
        raise SystemExit(f"there are {len(pairs)} prompts, not {count}")
    return [template.format(topic) for template, topic in pairs[:count]]


def chat_prompts(text_side: TextSide, count: int) -> list[list[int]]:
    """Token ids of ``questions``, in the model's own chat template."""
    return [
        text_side.encode_chat([{"role": "user", "content": question}])
        for question in questions(count)
    ]


def windows(text_side: TextSide, tokens: int, length: int) -> list[list[int]]:
    """The first ``tokens`` tokens of the Python reference, cut into windows of ``length``.

    It is part of Python, so that nothing is downloaded and everybody with one Python version has
    the same text.
    """
    text = "\n\n".join(topics[name] for name in sorted(topics))
    ids = text_side.tokenizer.encode(text, special=False)
    if tokens > len(ids):
        raise SystemExit(f"the text has {len(ids)} tokens, not {tokens}")
    cut = [ids[first : min(first + length, tokens)] for first in range(0, tokens, length)]
    return [window for window in cut if len(window) > 1]
