"""From a model's name to its next-token logits: catalog, checkpoints, tokenizer, transformer."""
