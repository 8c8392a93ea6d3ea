"""Renders the rehearsal of a drain and the explanation of one VM. A module is called ``<document>_<format>``."""
