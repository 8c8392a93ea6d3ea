"""The command line: one module for each command, imported only if the command runs."""
