"""Reads figures of a process, and sends load. Linux only."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.building import built

_TICK = os.sysconf("SC_CLK_TCK")
_WRK = """
local requests, next_one = {}, 0
function init(args)
  wrk.headers["Content-Type"] = "application/json"
  for _, path in ipairs(args) do
    local file = io.open(path, "rb")
    requests[#requests + 1] = wrk.format("POST", nil, nil, file:read("*a"))
    file:close()
  end
end
function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end
"""


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its threads, those that have ended too (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def resident_mib(pid: int) -> float:
    """Its resident memory."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+)", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def begin(core: int, argv: Sequence[object], log: Path, environment: Mapping[str, str] = {}) -> subprocess.Popen[bytes]:
    """Starts a process that runs on one core alone."""
    with log.open("ab") as out:
        return subprocess.Popen(
            ["taskset", "-c", str(core), *map(str, argv)],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )


def pin(pid: int, core: int) -> None:
    """Keeps a process that runs already to one core."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


@dataclass(frozen=True, slots=True)
class Load:
    """The result of one round of load."""

    answers: int
    failures: int
    per_second: float
    p50_ms: float
    p99_ms: float


def closed_loop(core: int, url: str, bodies: Sequence[Path], connections: int, seconds: float) -> Load:
    """The bodies in turn, as fast as ``connections`` take them, by wrk: each sends its next when its last is answered."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_WRK)
        script.flush()
        done = subprocess.run(
            [
                *("taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s"),
                *("--latency", "-s", script.name, url, "--", *map(str, bodies)),
            ],
            check=True,
            capture_output=True,
            text=True,
        )
    return _of_wrk(done.stdout)


def _of_wrk(text: str) -> Load:
    def number(pattern: str) -> float:
        found = re.search(pattern, text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def milliseconds(quantile: str) -> float:
        found = re.search(rf"^\s+{quantile}%\s+([\d.]+)(us|ms|s)$", text, re.MULTILINE)
        return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000}[found[2]] if found else float("nan")

    errors = re.search(r"connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    failures = int(number(r"Non-2xx or 3xx responses: (\d+)")) + sum(map(int, errors.groups() if errors else ()))
    return Load(
        int(number(r"^\s+(\d+) requests in")),
        failures,
        number(r"Requests/sec:\s+([\d.]+)"),
        milliseconds("50"),
        milliseconds("99"),
    )


def open_loop(
    core: int,
    url: str,
    bodies: Sequence[Path],
    per_second: int,
    seconds: float,
    *,
    wanted: int = 200,
    client: Sequence[object] = (),
) -> Load:
    """
    At a steady rate, by vegeta: a late answer delays no later request, and counts as late.

    ``wanted`` is the only status that is no failure; ``client`` holds the files of a client certificate and its key.
    """
    targets = "\n".join(f"POST {url}\nContent-Type: application/json\n@{body}\n" for body in bodies)
    attack = subprocess.run(
        [
            *("taskset", "-c", str(core), str(built("vegeta")), "attack", "-insecure", "-http2=false"),
            *(f"-rate={per_second}/1s", f"-duration={seconds:g}s", "-connections=16", "-max-workers=16"),
            *(f"{flag}={path}" for flag, path in zip(("-cert", "-key"), client, strict=False)),
        ],
        check=True,
        capture_output=True,
        input=targets.encode(),
    )
    report = subprocess.run(
        [str(built("vegeta")), "report", "-type=json"], check=True, capture_output=True, input=attack.stdout
    )
    found = json.loads(report.stdout)
    good = found["status_codes"].get(str(wanted), 0)
    return Load(
        found["requests"],
        found["requests"] - good,
        found["throughput"],
        found["latencies"]["50th"] / 1e6,
        found["latencies"]["99th"] / 1e6,
    )
