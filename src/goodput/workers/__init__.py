"""The worker process: one program for every role, its messages, and how it is launched."""
