"""From a sentence to frames, by our own models or by pretrained ones of the field."""
