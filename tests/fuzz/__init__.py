"""Invalid input for every listener and reader. `python -m tests.fuzz 1000000` tries a million inputs."""
