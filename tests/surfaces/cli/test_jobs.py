"""``check --jobs``: several processes, and the same output."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.generators.tidy import manifest
from tests.check import environments
from tests.manifests.test_snapshot import objects, text_of
from tests.surfaces.cli.odd_repository import FILES
from tests.surfaces.manifests import BAD, CLAIM, GOOD, UNPROVEN
from tests.surfaces.running import ROOT, migratable
from webhook.surfaces.cli import cores, run_check
from webhook.surfaces.cli.options import FORMATS

pytestmark = [
    pytest.mark.usefixtures("few_files"),
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


@pytest.mark.parametrize("form", FORMATS)
def test_the_number_of_processes_changes_no_byte(repository: Path, form: str) -> None:
    """
    Output, notes, errors and exit status are the same in every format.
    """
    one, *others = [migratable("check", ".", "-v", "-o", form, "--jobs", jobs, cwd=repository) for jobs in "123"]

    assert others == [one, one]
    assert one.status == 2
    assert len(one.out) > 1000


@pytest.mark.parametrize(
    "options",
    [
        ["--options"],
        ["--diff"],
        ["--release", "1.6"],
        ["--statistics"],
        ["--quiet"],
        ["--strict", "--fail-on", "never", "--isolated"],
        ["--facts", "z"],
        ["--snapshot", "cluster.txt"],
        ["-", "--stdin-filename", "vm.yaml"],
        ["--baseline", "known.yaml"],
        ["--no-recursive", "apps/c"],
        ["--ignore", "apps"],
    ],
    ids=" ".join,
)
def test_options_have_the_same_effect(repository: Path, options: list[str]) -> None:
    """
    This includes standard input, which can be read only once.
    """
    migratable("check", "apps", "--write-baseline", "--baseline", "known.yaml", cwd=repository)
    cluster = objects(
        environments.a_cr("v1.7.0"), environments.a_claim("ReadWriteOnce"), environments.a_preference("x")
    )
    (repository / "cluster.txt").write_text(text_of(cluster))

    one, *others = [
        migratable("check", ".", *options, "--jobs", jobs, cwd=repository, stdin=BAD.replace("bad", "piped"))
        for jobs in "123"
    ]

    assert others == [one, one]
    assert "error: migratable.yaml" not in one.err


def test_a_baseline_is_the_same(repository: Path) -> None:
    """
    The file that is written does not depend on the number of processes.
    """
    written = []
    for jobs in "123":
        migratable("check", ".", "--write-baseline", "--baseline", f"{jobs}.yml", "--jobs", jobs, cwd=repository)
        written.append((repository / f"{jobs}.yml").read_text())
        (repository / f"{jobs}.yml").unlink()

    assert written == [written[0]] * 3


@pytest.mark.parametrize("jobs", ["1", "2", "3"])
def test_a_baseline_entry_of_a_file_without_findings_is_fixed(tmp_path: Path, jobs: str) -> None:
    """
    The object of the entry is no longer there. The file was read, and its text is not kept.
    """
    files = [tmp_path / f"{number}.yaml" for number in range(4)]
    for file in files:
        file.write_text(BAD.replace("name: bad", f"name: bad-{file.stem}"))
    migratable("check", ".", "--write-baseline", "--baseline", "known.yml", "--skip", "LM302", cwd=tmp_path)
    for file in files:
        file.write_text(GOOD)

    ran = migratable("check", ".", "--baseline", "known.yml", "--jobs", jobs, cwd=tmp_path)

    assert "note: 4 baseline entries are fixed: " in ran.out


@pytest.mark.parametrize("jobs", ["1", "2", "3"])
def test_a_file_that_has_findings_only_when_it_is_judged_again_has_excerpts(tmp_path: Path, jobs: str) -> None:
    """
    The first claim can be shared. The claim in the last file is nearer to the VMs, and cannot be shared.
    """
    (tmp_path / "0.yaml").write_text(CLAIM)
    (tmp_path / "vms").mkdir()
    for number in range(8):
        (tmp_path / "vms" / f"{number}.yaml").write_text(UNPROVEN)
    (tmp_path / "vms" / "claim.yaml").write_text(CLAIM.replace("ReadWriteMany", "ReadWriteOnce"))

    ran = migratable("check", ".", "--jobs", jobs, cwd=tmp_path)

    assert ran.out.count("deny LM201") == 8
    assert ran.out.count(" |   - {name: os, persistentVolumeClaim: {claimName: os}}") == 8


def test_an_invalid_release_of_a_subfolder_is_the_same_error(repository: Path) -> None:
    """
    The error ends the check.
    """
    for folder, release in {"apps/b": "0.2", "apps/c": "0.3", "types": "0.4"}.items():
        (repository / folder / "migratable.yaml").write_text(f"release: '{release}'\n")

    one, *others = [migratable("check", ".", "--jobs", jobs, cwd=repository) for jobs in "123"]

    assert others == [one, one]
    assert "unsupported release '0.2'" in one.err


@pytest.mark.parametrize("jobs", ["auto", "2"])
def test_few_files_need_one_process(repository: Path, monkeypatch: pytest.MonkeyPatch, jobs: str) -> None:
    """
    A second process would take longer than it saves.
    """
    monkeypatch.setattr(run_check, "FILES_PER_PROCESS", len(FILES))
    monkeypatch.setattr(os, "fork", None)

    assert migratable("check", ".", "--jobs", jobs, cwd=repository).status == 2


@pytest.mark.parametrize("jobs", ["0", "-1", "many", "257", "1.5", "²", "10001", "9" * 5000], ids=lambda jobs: jobs[:9])
def test_another_value_is_a_usage_error(repository: Path, jobs: str) -> None:
    """
    The message names the valid values.
    """
    ran = migratable("check", ".", f"--jobs={jobs}", cwd=repository)

    assert ran.status == 2
    assert f"--jobs {jobs}: write auto or a number from 1 to 256." in ran.err


RUN = """
import os, signal, sys
sys.path.insert(0, {root!r})
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit that it is ignored
from webhook.check.sharing import SharingJudge
from webhook.__main__ import main
parent, judge = os.getpid(), SharingJudge.judge
def judge_and_stop(self, number, manifests):
    if number == 20:  # of the worker, which gets the first two blocks
        {action}
    return judge(self, number, manifests)
SharingJudge.judge = judge_and_stop
sys.argv = ["migratable", "check", ".", *sys.argv[1:]]
main()
"""


@pytest.fixture
def many(tmp_path: Path) -> Path:
    for number in range(260):
        (tmp_path / f"{number:04}.yaml").write_text(manifest(number))
    return tmp_path


def run(folder: Path, action: str) -> tuple[int, str, bytes]:
    """The exit status, standard error, and all that is written to the pipe that all processes have."""
    read, write = os.pipe()
    ran = subprocess.run(
        [sys.executable, "-c", RUN.format(root=str(ROOT), action=action), "--jobs", "2"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        text=True,
        pass_fds=[write],
        timeout=120,
    )
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        left = pipe.read()  # ends when the last process has ended
    return ran.returncode, ran.stderr, left


def test_ctrl_c_ends_all_processes(many: Path) -> None:
    """
    The status and the message are the same as in one process.
    """
    stop = "os.kill(parent, signal.SIGINT); signal.pause()"

    assert run(many, stop) == (130, "\nstopped\n", b"")


def test_workers_end_after_the_parent_was_killed(many: Path) -> None:
    """
    No process is left.
    """
    status, err, _ = run(many, "os.kill(parent, signal.SIGKILL)")

    assert (status, err) == (-signal.SIGKILL, "")


def test_a_killed_worker_is_an_error(many: Path) -> None:
    """
    The status is that of a check that gave no answer. The error names the file.
    """
    status, err, _ = run(many, "os.kill(os.getpid(), signal.SIGKILL)")

    reason = "a process of the check was ended by SIGKILL while it checked this file"
    assert (status, err) == (2, f"error: 0020.yaml: {reason}. Check in one process: --jobs 1.\n")


def test_a_closed_pipe_ends_the_check(many: Path) -> None:
    """
    It ends as a check in one process.
    """
    ended = []
    for jobs in "12":
        read, write = os.pipe()
        os.close(read)
        command = [sys.executable, "-m", "webhook", "check", ".", "--jobs", jobs]
        env = {"PYTHONPATH": str(ROOT)}
        ran = subprocess.run(command, cwd=many, stdout=write, stderr=subprocess.PIPE, check=False, env=env, timeout=120)
        os.close(write)
        ended.append((ran.returncode, ran.stderr))

    assert ended == [(1, b""), (1, b"")]


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/\n", {}, None),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/a/b\n", {"cpu.max": "max 100000\n", "a/cpu.max": "200000 100000\n", "a/b/cpu.max": "400000 100000\n"}, 2),
        ("0::/host/path\n", {"cpu.max": "50000 100000\n"}, 0.5),
        ("4:memory:/\n3:cpu,cpuacct:/a\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "9", "cpu,cpuacct/a/cpu.cfs_period_us": "3"}, 3),
        ("3:cpu:/a\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, None),
        ("", {}, None),
    ],
)  # fmt: skip
def test_the_limit_of_the_control_group_counts(
    tmp_path: Path, groups: str, files: dict[str, str], limit: float | None
) -> None:
    """
    Both versions of control groups are read, and the groups above.
    """
    (tmp_path / "own").write_text(groups)
    for name, content in files.items():
        path = tmp_path / "mounted" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    assert cores.cpu_limit(str(tmp_path / "own"), str(tmp_path / "mounted")) == limit


@pytest.mark.parametrize(
    ("available", "limit", "jobs"), [(1, None, 1), (4, None, 4), (4, 1.5, 2), (4, 0.5, 1), (2, 3.0, 2), (64, None, 8)]
)
def test_the_default_is_the_cores_that_the_process_may_use(
    monkeypatch: pytest.MonkeyPatch, available: int, limit: float | None, jobs: int
) -> None:
    """
    A part of a core counts as a core. There is a maximum, because each process needs memory.
    """
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(available)))
    monkeypatch.setattr(cores, "cpu_limit", lambda: limit)

    assert cores.default_jobs() == jobs
