"""Threads and tasks that get in each other's way as often as possible, and what must hold all the same (R30)."""

from tests.races import reads, rights, situations, store

STRESSES = {
    "cache": store.stress,
    "live reads": reads.stress,
    "policy and release": situations.stress,
    "rights": rights.stress,
}
