"""The cluster that commands connect to by default."""

import pwd

import pytest

from tests.surfaces.running import migratable


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a home, such as user 65532 of the image."""

    def unknown(_user: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_home")
def test_a_pod_without_a_home_folder_uses_its_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Not every container runtime sets HOME for a user that is not in /etc/passwd.
    """
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "192.0.2.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")

    ran = migratable("audit")

    assert (ran.status, ran.err.splitlines()[0]) == (2, "note: reading from the API server of this pod")


@pytest.mark.usefixtures("no_home")
def test_without_a_home_folder_and_a_pod_there_is_no_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The error names the option.
    """
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    ran = migratable("audit")

    assert ran.status == 2
    assert "--kubeconfig" in ran.err
    assert "/.kube/config" in ran.err
