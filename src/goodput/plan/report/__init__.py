"""The answer of a search as a table, a picture, files, and a deployment that can be served."""
