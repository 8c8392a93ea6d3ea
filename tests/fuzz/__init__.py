"""Input that nobody would send, at every door; `python -m tests.fuzz 1000000` for as much of it as there is time for."""
