"""The active configuration follows policy file, KubeVirt CR and date. An invalid file never replaces the last valid one."""

from pathlib import Path

import pytest

from webhook.errors import BadInput, Misconfigured
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.facts.unknown_world import UnknownWorld
from webhook.facts.world import World
from webhook.objects.kubevirt import KubeVirt, KubeVirtStatus
from webhook.objects.meta import ObjectMeta
from webhook.policy.policy import Policy, Profile
from webhook.serve.active_configuration import ConfigurationSource


def cluster(version: str | None, namespace: str = "kubevirt") -> World:
    status = KubeVirtStatus(observed_kube_virt_version=version)
    return ObjectsWorld([KubeVirt(metadata=ObjectMeta(name="kubevirt", namespace=namespace), status=status)])


class Around:
    """A cluster and a calendar that a test turns."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or ObjectsWorld([])
        self.today = "2026-01-01"

    def configurations(self, file: Path | None = None, release: str = "") -> ConfigurationSource:
        return ConfigurationSource(file, release, lambda: self.world, lambda: self.today)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text("profile: exact\n")
    return path


def test_without_a_policy_file_the_built_in_policy_applies_to_any_release() -> None:
    """
    Without a policy file and a KubeVirt CR: profile strict, any supported release, and no namespace belongs to KubeVirt
    because of its usual name.
    """
    configuration = Around().configurations()()

    assert (configuration.policy, configuration.chosen.label, configuration.install_namespace) == (Policy(), "any", "")


@pytest.mark.parametrize(
    ("version", "label"),
    [
        ("v1.6.6", "1.6"),
        ("v1.9.0-rc.0", "1.9"),
        ("v9.9.9", "1.10"),
        ("v0.59.0", "any"),
        ("latest", "any"),
        (None, "any"),
    ],
)
def test_the_release_follows_the_kubevirt_cr(version: str | None, label: str) -> None:
    """
    A newer release is judged as the newest known one. A release that cannot be judged blocks no request.
    """
    around = Around()
    configurations = around.configurations()
    assert configurations().chosen.label == "any"

    around.world = cluster(version, "virt")

    assert (configurations().chosen.label, configurations().install_namespace) == (label, "virt")


def test_a_late_watch_changes_neither_release_nor_namespace() -> None:
    """
    The last facts about the KubeVirt CR apply until newer ones arrive, including its deletion.
    """
    around = Around(cluster("v1.6.6", "openshift-cnv"))
    configurations = around.configurations()
    before = configurations()

    around.world = UnknownWorld(Unknown("the watch is late", "wait"))
    late = configurations()
    around.world = ObjectsWorld([], complete=[KubeVirt])
    gone = configurations()

    assert (before.chosen.label, before.install_namespace) == ("1.6", "openshift-cnv")
    assert (late.chosen.label, late.install_namespace) == ("1.6", "openshift-cnv")
    assert (gone.chosen.label, gone.install_namespace) == ("any", "")


def test_a_pinned_release_overrides_the_kubevirt_cr(file: Path) -> None:
    """
    ``--release`` has precedence over the CR, and is checked at the start.
    """
    assert Around(cluster("v1.6.6")).configurations(file, "1.4")().chosen.label == "1.4"
    with pytest.raises(BadInput, match=r"unsupported release '0\.59'"):
        Around().configurations(None, "0.59")


def test_the_date_follows_the_clock() -> None:
    """
    Exemptions expire at midnight without a restart.
    """
    around = Around()
    configurations = around.configurations()
    first = configurations()

    around.today = "2026-01-02"

    assert (first.today, configurations().today) == ("2026-01-01", "2026-01-02")


def test_an_unchanged_configuration_is_reused() -> None:
    """
    Every request reads the configuration. Between changes all requests get the same object.
    """
    configurations = Around(cluster("v1.6.6")).configurations()

    assert configurations() is configurations()


def test_a_changed_policy_file_is_applied(file: Path) -> None:
    """
    The change applies after the next check of the file. An unchanged file costs nothing.
    """
    configurations = Around().configurations(file)
    assert configurations().policy.profile is Profile.EXACT

    assert configurations.refresh() is False
    file.write_text("profile: strict\n")

    assert configurations.refresh() is True
    assert configurations().policy.profile is Profile.STRICT
    assert configurations.refresh() is False


def test_a_bad_file_keeps_the_last_good_policy(file: Path) -> None:
    """
    The problem stays until the file is valid again.
    """
    configurations = Around().configurations(file)
    file.write_text("profile: lenient\n")

    assert configurations.refresh() is False
    assert "profile" in configurations.policy_problem
    assert configurations().policy.profile is Profile.EXACT
    file.write_text("unproven: deny\n")
    assert configurations.refresh() is True
    assert configurations.policy_problem == ""
    assert configurations().policy.profile is Profile.STRICT


def test_a_bad_file_at_the_start_is_refused(file: Path) -> None:
    """
    There is no last good one yet.
    """
    file.write_text("profile: lenient\n")

    with pytest.raises(Misconfigured):
        Around().configurations(file)
