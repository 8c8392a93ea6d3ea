"""The Dockerfile, and that the Deployments start the programs of the image."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.image.dockerfile import DOCKERFILE, ROOT, Instruction, let_in, pairs, stages, values
from webhook import __version__

DEPLOYMENTS = {
    name: yaml.safe_load((ROOT / "deploy" / "kustomize" / "base" / name / "deployment.yaml").read_text())
    for name in ("server", "rotator")
}

ARGUMENTS, BUILD, IMAGE = stages()


def pod(name: str) -> dict[str, object]:
    spec: dict[str, object] = DEPLOYMENTS[name]["spec"]["template"]["spec"]
    return spec


def container(name: str) -> dict[str, object]:
    (only,) = DEPLOYMENTS[name]["spec"]["template"]["spec"]["containers"]
    return dict(only)


def commands(stage: list[Instruction]) -> list[str]:
    return [command.strip() for value in values(stage, "RUN") for command in value.split("&&")]


def test_a_linter_has_no_findings() -> None:
    """
    hadolint knows what goes wrong in Dockerfiles.
    """
    linter = Path(sys.executable).with_name("hadolint")

    done = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_both_stages_start_from_a_base_that_can_be_pinned() -> None:
    """
    The base is one argument, so a digest given for it is that of what builds and of what is shipped.
    """
    arguments = values(ARGUMENTS, "ARG")

    bases = [values(stage, "FROM")[0] for stage in (BUILD, IMAGE)]

    assert arguments[1:] == ["BUILD_BASE=${BASE}"]
    assert bases == ["--platform=$BUILDPLATFORM ${BUILD_BASE} AS build", "--platform=$TARGETPLATFORM ${BASE}"]
    assert "-slim" in arguments[0]


def test_only_locked_packages_are_installed() -> None:
    """
    Packages come as wheels with the hashes of the lock files; the last install takes our own wheel and no index.
    """
    installs = [command for command in commands(BUILD) if "pip" in command and " install " in command]

    locked = [command for command in installs if "--require-hashes" in command and "--only-binary=:all:" in command]
    ours = [command for command in installs if "--no-index" in command and "--no-deps" in command]

    assert [command.rpartition(" ")[2] for command in locked] == ["requirements/build.txt", "requirements/server.txt"]
    assert len(ours) == 1
    assert len(installs) == 3


def test_the_final_stage_copies_files_and_runs_no_command() -> None:
    """
    A base without a shell or a package manager would do.
    """
    assert values(IMAGE, "RUN") == []
    assert values(IMAGE, "COPY") == ["--from=build /app /app"]
    assert all(value.startswith("[") for name in ("ENTRYPOINT", "CMD") for value in values(IMAGE, name))


def test_bytecode_is_compiled_in_the_build() -> None:
    """
    Nothing can be compiled under a read-only root, and a start without bytecode takes twice as long.
    """
    (compiling,) = [command for command in commands(BUILD) if "compileall" in command]

    assert {"-f", "unchecked-hash"} <= set(compiling.split())
    assert pairs(BUILD, "ENV")["PYTHONHASHSEED"] == "0"


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_it_runs_as_the_user_that_the_deployments_name(name: str) -> None:
    """
    A user ID above 10,000 has no account on nodes, and the kubelet can verify that it is not root.
    """
    (user,) = values(IMAGE, "USER")
    security = pod(name)["securityContext"]

    assert isinstance(security, dict)
    assert user == f"{security['runAsUser']}:{security['runAsGroup']}"
    assert security["runAsUser"] > 10_000


def test_the_server_is_its_entry_point() -> None:
    """
    `docker run IMAGE` serves in a cluster, as the Deployment does; `docker run IMAGE check …` checks.
    """
    (entry,) = [instruction.words for instruction in IMAGE if instruction.name == "ENTRYPOINT"]
    (usual,) = [instruction.words for instruction in IMAGE if instruction.name == "CMD"]
    server = container("server")

    assert entry == ["migratable"]
    assert "command" not in server
    assert isinstance(server["args"], list)
    assert server["args"][: len(usual)] == usual == ["serve", "--in-cluster", "--host=0.0.0.0"]


def test_the_rotator_is_started_by_name() -> None:
    """
    The Python in front of the PATH is the one that has our packages.
    """
    assert container("rotator")["command"] == ["python", "-m", "certs", "rotate"]
    assert pairs(IMAGE, "ENV")["PATH"].split(":")[0] == "/app/bin"


def test_the_ports_are_those_of_the_deployment() -> None:
    """
    EXPOSE is documentation, and documentation is true.
    """
    ports = container("server")["ports"]

    assert isinstance(ports, list)
    assert values(IMAGE, "EXPOSE") == [" ".join(str(port["containerPort"]) for port in ports)]


def test_the_image_has_descriptive_labels() -> None:
    """
    The labels of the OCI image specification, with the version of the package.
    """
    labels = {key.removeprefix("org.opencontainers.image."): value for key, value in pairs(IMAGE, "LABEL").items()}

    assert (labels["version"], labels["licenses"], labels["revision"]) == (__version__, "Apache-2.0", "${REVISION}")
    assert sorted(labels) == ["description", "licenses", "revision", "source", "title", "version"]
    assert {str(container(name)["image"]) for name in DEPLOYMENTS} == {f"migratable:{__version__}"}


def test_the_build_context_has_only_copied_files() -> None:
    """
    The keys of dev/certs never reach a builder, however the folder looks.
    """
    copied = [word.rstrip("/") for value in values(BUILD, "COPY") for word in value.split()[:-1]]

    assert let_in() == sorted({path.partition("/")[0] for path in copied})
    assert all((ROOT / path).exists() for path in copied)
