"""The target pod of a live migration, as virt-controller creates it."""
