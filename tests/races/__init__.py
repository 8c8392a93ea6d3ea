"""Invariants under threads and tasks that switch as often as possible (R30)."""

from tests.races import reads, rights, situations, store

STRESSES = {
    "cache": store.stress,
    "live reads": reads.stress,
    "policy and release": situations.stress,
    "rights": rights.stress,
}
