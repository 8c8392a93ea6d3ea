"""Start-up: the imports of a check, and the files that it opens."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import FIGURE
from tests.surfaces.manifests import BAD
from tests.surfaces.running import ROOT
from webhook.rules.machines import DRAIN_RULES, MANIFEST_RULES, VMI_RULES
from webhook.rules.target_pod import TARGET_RULES

HEAVY = {
    "asyncio",
    "base64",
    "click",
    "cryptography",
    "email",
    "glob",
    "fastapi",
    "hashlib",
    "http.client",
    "importlib.metadata",
    "jsonschema",
    "kubernetes",
    "logging",
    "multiprocessing",
    "pickle",
    "prometheus_client",
    "pydantic",
    "requests",
    "rich",
    "shutil",
    "signal",
    "ssl",
    "starlette",
    "tomllib",
    "urllib3",
    "uvicorn",
    "uvloop",
    "webhook.check.parallel",
    "webhook.defaults",
    "webhook.objects.nulls",
    "webhook.surfaces.cli.cores",
    "xml.etree",
    "yaml",
}
MOST_MODULES = 225
"""
Imports take most of the time of a check of one file. An import of pydantic, kubernetes or fastapi by mistake adds hundreds.
"""
MOST_PATTERNS = 20
"""To compile a regular expression takes as long as to import a small module."""
ENGINE = {
    "msgspec",
    "webhook.check.check",
    "webhook.judging.machines",
    "webhook.rules.machines",
    "webhook.yaml.document",
}
CHOSEN = (VMI_RULES, DRAIN_RULES, MANIFEST_RULES, TARGET_RULES)
EMPTY_BRACKETS = """\
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstance
metadata:
  name: bad
spec:
  domain:
    devices:
      interfaces:
      - name: default
        bridge: {}
  networks:
  - name: default
    pod: {}
"""
FUNCTION = """
import sys
import webhook.__main__ as program
sys.argv = ["migratable", *sys.argv[2:]] if sys.argv[1] == "main" else sys.argv[1:]
try:
    getattr(program, "main" if sys.argv[0] == "migratable" else "complete")()
except SystemExit:
    pass
import json
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
RUN = """
import re, sys, textwrap, msgspec  # these compile patterns of their own
compile_pattern, patterns = re._compiler.compile, []
re._compiler.compile = lambda pattern, flags: patterns.append(pattern) or compile_pattern(pattern, flags)
opened = []
sys.addaudithook(lambda event, arguments: opened.append(arguments[0]) if event == "open" else None)
from webhook.__main__ import main
sys.argv = ["migratable", "check", "--isolated", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    status = end.code
modules = sorted(sys.modules)
import json
print(json.dumps([status, modules, [str(path) for path in opened], len(patterns)]), file=sys.stderr)
"""


@dataclass(frozen=True)
class Ran:
    """A run of a check in a process of its own."""

    status: int
    out: str
    modules: list[str]
    opened: list[str]
    """The files that it opened, also those of modules."""
    patterns: int
    """The number of regular expressions that it compiled, without those of Python and msgspec."""
    seconds: float
    """The CPU time of the process."""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an installed program: modules are compiled once."""
    cache = tmp_path_factory.mktemp("bytecode")
    ignored = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")  # the second opens standard output again
    settings = {key: value for key, value in os.environ.items() if key not in ignored}
    return settings | {"PYTHONPYCACHEPREFIX": str(cache), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "vm.yaml"
    path.write_text(BAD)
    return path


def check(manifest: Path, environment: dict[str, str], *options: str) -> Ran:
    out, err = manifest.with_name("out"), manifest.with_name("err")
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(manifest), *options], env=environment, stdout=stdout, stderr=stderr
        )
        _, ended, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(ended)
    status, modules, opened, patterns = json.loads(err.read_text().splitlines()[-1])
    return Ran(status, out.read_text(), modules, opened, patterns, used.ru_utime + used.ru_stime)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_check_imports_nothing_heavy(manifest: Path, compiled: dict[str, str], form: str) -> None:
    """
    Neither servers, nor clients, nor parsers of other formats are imported to check a file.
    """
    ran = check(manifest, compiled, "-o", form)

    assert ran.status == 1
    assert "LM101" in ran.out
    assert HEAVY & set(ran.modules) == set()


def test_a_check_of_one_file_imports_few_modules_and_opens_only_the_file(
    manifest: Path, compiled: dict[str, str], record_property: Callable[[str, object], None]
) -> None:
    """
    A check of one file opens no other file than those of the modules.
    """
    check(manifest, compiled)  # compiles the modules

    ran = check(manifest, compiled)

    record_property(FIGURE, f"start of a check: {len(ran.modules)} modules, {ran.seconds:.2f} s of CPU")
    assert [path for path in ran.opened if not path.endswith((".pyc", ".so"))] == [str(manifest)]
    assert len(ran.modules) <= MOST_MODULES


def test_a_check_of_one_file_compiles_few_patterns(manifest: Path, compiled: dict[str, str]) -> None:
    """
    An empty mapping in brackets needs no pattern.
    """
    manifest.write_text(EMPTY_BRACKETS)

    ran = check(manifest, compiled)

    assert "LM101" in ran.out
    assert 0 < ran.patterns <= MOST_PATTERNS


def test_a_check_imports_neither_typing_extensions_nor_platform(manifest: Path) -> None:
    """
    msgspec would import both: typing_extensions with inspect, ast and tokenize, and platform through uuid.
    """
    words = ("main", "check", "--isolated", str(manifest))
    ran = subprocess.run([sys.executable, "-c", FUNCTION, *words], cwd=ROOT, capture_output=True, text=True, check=True)

    modules = set(json.loads(ran.stderr.splitlines()[-1]))
    assert "LM101" in ran.stdout
    assert "msgspec" in modules
    assert {"ast", "inspect", "platform", "tokenize", "typing_extensions"} & modules == set()


def test_other_modules_can_import_what_msgspec_does_not_need() -> None:
    """
    Such as pydantic, which the server imports.
    """
    code = (
        "import webhook.surfaces.cli.main as main; main._import_msgspec(); import typing_extensions, platform, uuid, msgspec;"
        "print(platform.node(), uuid.uuid1())"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    "words", [["{manifest}"], ["{manifest}", "--fail-on=never"], ["nowhere"], ["--jobs=x"], ["--help"]]
)
def test_the_script_writes_and_returns_the_same_as_the_function(manifest: Path, words: list[str]) -> None:
    """
    Only the end of the process differs.
    """
    argv = [sys.executable, "-c", "import sys, webhook.__main__ as program; getattr(program, sys.argv.pop(1))()"]
    named = [word.format(manifest=manifest) for word in words]
    ran = [
        subprocess.run([*argv, function, "check", "--isolated", *named], cwd=ROOT, capture_output=True, check=False)
        for function in ("script", "main")
    ]

    assert (ran[0].returncode, ran[0].stdout, ran[0].stderr) == (ran[1].returncode, ran[1].stdout, ran[1].stderr)


@pytest.mark.parametrize(("function", "is_called"), [("script", False), ("main", True)])
def test_the_script_ends_a_check_at_once(manifest: Path, function: str, is_called: bool) -> None:
    """
    Functions of ``atexit`` are not called.
    """
    code = f"import atexit, webhook.__main__ as program; atexit.register(print, 'called'); program.{function}()"
    ran = subprocess.run(
        [sys.executable, "-c", code, "check", str(manifest)], cwd=ROOT, capture_output=True, check=False
    )

    assert ran.returncode == 1
    assert (b"called" in ran.stdout) is is_called


def test_a_check_imports_only_the_rules_that_its_objects_need(manifest: Path, compiled: dict[str, str]) -> None:
    """
    The VM has bridge binding on the pod network, a GPU and no CPU model, and cannot be live-migrated.
    """
    ran = check(manifest, compiled)

    known = {f"webhook.rules.{module}" for module in (*VMI_RULES.needs, *DRAIN_RULES.needs)}
    assert known & set(ran.modules) == {
        "webhook.rules.cpu.host_model_unknown",
        "webhook.rules.devices.gpus",
        "webhook.rules.network.bridge_on_pod_network",
        "webhook.rules.network.pod_network_binding",
        "webhook.rules.eviction.drain_blocked",
        "webhook.rules.eviction.drain_stops",
    }


def test_a_server_imports_all_rules_when_it_starts() -> None:
    """
    No review waits for the import of a rule.
    """
    names = (
        "import sys, webhook.serve.server; print(*(name for name in sys.modules if name.startswith('webhook.rules.')))"
    )
    ran = subprocess.run([sys.executable, "-c", names], cwd=ROOT, capture_output=True, text=True, check=True)

    known = {f"webhook.rules.{module}" for rules in CHOSEN for module in rules.needs}
    assert known - set(ran.stdout.split()) == set()


@pytest.mark.parametrize("words", [("main", "check", "--help"), ("complete", "check", "--rel"), ("complete", "che")])
def test_help_and_completion_of_check_do_not_import_the_engine(words: tuple[str, ...]) -> None:
    """
    A shell waits for each completion, so neither rules nor the YAML reader are imported for it.
    """
    ran = subprocess.run([sys.executable, "-c", FUNCTION, *words], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "check" in ran.stdout or "--rel" in ran.stdout
    assert ENGINE & set(json.loads(ran.stderr.splitlines()[-1])) == set()
