"""A command is measured with all its processes."""

import sys

from benchmarks.launching import run

GROW = "block = bytearray(30 << 20)"
TWO = f"""
import os
child = os.fork()
{GROW}
if not child:
    import time
    while time.process_time() < 0.2:
        pass
    os._exit(0)
os.waitpid(child, 0)
"""


def test_memory_and_time_of_child_processes_count() -> None:
    """
    Both processes have 30 MiB at the same time, and the child alone uses the processor.
    """
    ran = run([sys.executable, "-I", "-S", "-c", TWO], watched=True)

    assert ran.processes == 2
    assert ran.peak > 60
    assert ran.cpu >= 0.2


def test_one_process_is_measured_by_the_kernel() -> None:
    """
    Its peak does not depend on when it is looked at.
    """
    ran = run([sys.executable, "-I", "-S", "-c", f"{GROW}; del block; print('done')"], watched=True)

    assert (ran.status, ran.out, ran.processes) == (0, "done\n", 1)
    assert ran.peak > 30


def test_a_command_that_does_not_exist_has_failed() -> None:
    """
    Its name is in the error.
    """
    ran = run(["no-such-command"])

    assert ran.has_failed
    assert ran.err == "no-such-command: No such file or directory\n"
