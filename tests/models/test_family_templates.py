"""What the chat templates of Qwen 3 and Gemma 3 need, in small templates written here."""

from __future__ import annotations

import pytest

from goodput.core.errors import InvalidRequestError
from goodput.models.chat_template import ChatTemplate

# Goes backwards for the last question, drops thoughts of earlier answers, knows a switch.
THINKING = """
{%- set seen = namespace(open=true, last=0) %}
{%- for message in messages[::-1] %}
    {%- if seen.open and message.role == 'user' and not message.content.startswith('<tool>') %}
        {%- set seen.open = false %}{% set seen.last = messages|length - 1 - loop.index0 %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if '</think>' in content and loop.index0 < seen.last %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
    {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think></think>' }}
    {%- endif %}
{%- endif %}"""

# Puts the system text into the first turn, insists on turns, reads content in parts.
TURNS = """{{ bos_token }}
{%- set first, rest = '', messages %}
{%- if messages[0]['role'] == 'system' %}
    {%- set first, rest = messages[0]['content'] + '\\n\\n', messages[1:] %}
{%- endif %}
{%- for message in rest %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('roles must alternate') }}
    {%- endif %}
    {{- '<start_of_turn>' + ('model' if message['role'] == 'assistant' else message['role']) }}
    {{- '\\n' + (first if loop.first else '') }}
    {%- if message['content'] is string %}{{ message['content'] | trim }}
    {%- else %}
        {%- for item in message['content'] if item['type'] == 'text' %}{{ item['text'] | trim }}
        {%- endfor %}
    {%- endif %}
    {{- '<end_of_turn>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"""


def test_thoughts_of_earlier_answers_are_dropped() -> None:
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "<think>\nx\n</think>\n\nhello"},
        {"role": "user", "content": "and?"},
    ]
    assert ChatTemplate(THINKING).render(messages) == (
        "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nhello<|im_end|>\n"
        "<|im_start|>user\nand?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_the_system_text_opens_the_first_turn() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": " hi "},
        {"role": "assistant", "content": [{"type": "text", "text": "yo "}]},
        {"role": "user", "content": "bye"},
    ]
    assert ChatTemplate(TURNS, bos_token="<bos>").render(messages) == (
        "<bos><start_of_turn>user\nBe brief.\n\nhi<end_of_turn>\n<start_of_turn>model\nyo"
        "<end_of_turn>\n<start_of_turn>user\nbye<end_of_turn>\n<start_of_turn>model\n"
    )
    with pytest.raises(InvalidRequestError, match="roles must alternate"):
        ChatTemplate(TURNS).render(messages[2:])
