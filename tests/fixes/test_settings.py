"""Fixes of quoted settings (webhook.fixes.settings)."""

from tests.surfaces.running import migratable

KUBEVIRT = """\
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata: {name: kubevirt}
spec: {configuration: {migrations: {parallelMigrationsPerCluster: "%s"}}}
"""


def test_the_quotes_of_a_short_number_can_be_removed() -> None:
    """
    No integer of the API has 5,000 digits, so such a text stays.
    """
    short, long = (migratable("check", "--diff", "-", stdin=KUBEVIRT % number) for number in ("5", "9" * 5000))

    assert "+spec: {configuration: {migrations: {parallelMigrationsPerCluster: 5}}}" in short.out
    assert (long.status, long.out) == (0, "")
