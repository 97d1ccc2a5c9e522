"""Which workers a request runs on: predicted costs, the prefix index, the policies."""
