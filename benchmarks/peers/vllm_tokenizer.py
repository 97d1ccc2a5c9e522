"""Run by vLLM's own interpreter: writes the tokenizer of a GGUF file beside float weights.

    PYTHON vllm_tokenizer.py MODEL.gguf FOLDER

Needs `gguf` in that environment.
"""

from __future__ import annotations

import os.path
import sys

from transformers import AutoTokenizer


def main() -> None:
    folder, name = os.path.split(sys.argv[1])
    AutoTokenizer.from_pretrained(folder, gguf_file=name).save_pretrained(sys.argv[2])


if __name__ == "__main__":
    main()
