"""Counts and capital letters, which all formats write alike."""


def plural(number: int, noun: str) -> str:
    """``1 VM``, ``2 VMs``, ``2 MigrationPolicies``."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def capitalized(text: str) -> str:
    """The text with a capital letter at its start. Unlike ``str.capitalize``, it keeps the case of the other letters."""
    return text[:1].upper() + text[1:]
