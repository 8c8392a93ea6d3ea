"""The parts of each process that runs until it is stopped: its log, and the policy in a file that can change."""
