"""Where keys and values live: blocks, their hashes and owners, and their hand-off by lease."""
