"""Asks one checkout: the exit status and outputs of `check`, and the answers of admission."""

import http.client
import json
import os
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.agreement import plain_text
from benchmarks.agreement.inputs import Check, Review
from tests.apiserver.pki import CertificateAuthority
from tests.apiserver.processes import free_ports
from tests.apiserver.serving import Serving
from tests.waiting import PATIENCE_SECONDS, wait_until

FORKED = Path(__file__).with_name("forked.py")
BATCH = 150
"""Files of one run that writes SARIF. Such a run takes half a second longer than others: SARIF holds every rule's page."""
DOORS = ("/validate", "/mutate")
Answer = tuple[str, dict[str, Any]]
"""The name of a question, and its answer as JSON."""


class Checkout:
    """A working tree of this project with an environment of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.python = self.folder / ".venv" / "bin" / "python"
        self.script = self.folder / ".venv" / "bin" / "migratable"
        if not self.script.exists():
            raise SystemExit(f"{self.script} does not exist. Run `make .venv/development` in {self.folder}.")

    def checks(self, inputs: Path, checks: Sequence[Check], scratch: Path) -> Iterator[Answer]:
        """The answers of `check`, one file a run. The runs begin at once, so that two checkouts run side by side."""
        jobs, results, written = scratch / "jobs", scratch / "results", scratch / "json"
        written.mkdir()
        arguments = [_arguments(check, written / f"{number}.json") for number, check in enumerate(checks)]
        jobs.write_text("".join(f"{json.dumps(job)}\n" for job in arguments))
        argv = [str(argument) for argument in (self.python, "-P", FORKED, jobs, results)]
        popen = subprocess.Popen(argv, cwd=inputs, env=_environment())

        def answers() -> Iterator[Answer]:
            if popen.wait():
                raise SystemExit(
                    f"{' '.join(argv)} ended with {popen.returncode}. If the installed script is older than {self.folder}, "
                    f"run `{self.python} -m pip install --no-deps --no-build-isolation --editable {self.folder}`."
                )
            with results.open(encoding="utf-8") as lines:
                for number, (check, line) in enumerate(zip(checks, lines, strict=True)):
                    yield check.name, _checked(check, json.loads(line), written / f"{number}.json")

        return answers()

    def sarif(self, inputs: Path, files: Sequence[str]) -> Iterator[Answer]:
        """The answers of `check -o sarif`, many files a run."""
        for start in range(0, len(files), BATCH):
            batch = files[start : start + BATCH]
            argv = [str(self.script), "check", "--isolated", "-o", "sarif", *batch]
            done = subprocess.run(
                argv,
                cwd=inputs,
                env=_environment(),
                capture_output=True,
                text=True,
                errors="backslashreplace",
                check=False,
            )
            log = json.loads(done.stdout) if done.stdout else None
            if start and log is not None:
                del log["runs"][0]["tool"]  # the rules' pages are the same in each
            yield (
                f"check -o sarif {batch[0]} and {len(batch) - 1} more",
                {**_ended(done.returncode, done.stderr), "sarif": log},
            )

    def admission(
        self, facts: Path, flags: Sequence[str], reviews: Sequence[Review], scratch: Path
    ) -> Iterator[Answer]:
        """The answers of the validating and the mutating webhook."""
        with self._serving(scratch, "--facts", str(facts), *flags) as port:
            context = ssl._create_unverified_context()  # noqa: SLF001 - the certificate is not the question here
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
            for review in reviews:
                for door in DOORS:
                    connection.request("POST", f"{door}?timeout=30s", review.body, {"Content-Type": "application/json"})
                    response = connection.getresponse()
                    answer = plain_text.review(response.status, response.read())
                    yield " ".join((door, *flags, review.name)), answer
            connection.close()

    @contextmanager
    def _serving(self, folder: Path, *flags: str) -> Iterator[int]:
        folder.mkdir()
        pair = CertificateAuthority().issue("migratable", server_names=["127.0.0.1", "localhost"])
        (folder / "tls.crt").write_bytes(pair.cert_pem)
        (folder / "tls.key").write_bytes(pair.key_pem)
        admission, api, health = free_ports(3)
        named = zip(
            ("--admission-port", "--api-port", "--health-port"), map(str, (admission, api, health)), strict=True
        )
        fixed = ("--cert-dir", str(folder), "--drain-seconds", "0", *(one for pair in named for one in pair))
        argv = [str(self.script), "serve", *fixed, *flags]
        log = folder / "serve.log"
        with log.open("wb") as out:
            popen = subprocess.Popen(argv, stdout=out, stderr=out, cwd=folder, env=_environment())
        server = Serving(popen, admission, api, health, folder, log)
        try:
            wait_until(server.ready, PATIENCE_SECONDS, "migratable serve to be ready")
            yield server.admission_port
        finally:
            server.stop()


def _arguments(check: Check, written: Path) -> list[str]:
    outputs = [] if "--options" in check.options else ["-o", "text", "-o", f"json={written}"]
    return ["check", "--isolated", "--color", "never", *check.options, *outputs, check.file]


def _checked(check: Check, result: dict[str, Any], written: Path) -> dict[str, Any]:
    read = plain_text.patches if "--options" in check.options else plain_text.answer
    report = json.loads(written.read_bytes()) if written.exists() else None
    return {**_ended(result["status"], result["err"]), "output": read(result["out"]), "report": report}


def _ended(status: int, err: str) -> dict[str, Any]:
    crash = err.rstrip().rpartition("\n")[2] if "Traceback" in err else ""
    return {"exit": status, "stderr": err, "crash": crash}


def _environment() -> dict[str, str]:
    """Without what would lead to another checkout or another width of text."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "COLUMNS": "120", "NO_COLOR": "1"}
