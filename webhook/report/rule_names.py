"""Rules by what people call them: id, name, or the first digits of an id."""

import re

from webhook.rules.register import RULES

_ID = re.compile(r"lm\d{0,3}")
_LIKE_AN_ID = re.compile(r"lm[0-9oil]{3}")
_DIGITS = str.maketrans("oil", "011")


def find_rule(word: str) -> str | None:
    """The id of the rule whose id or name is ``word``, in any case."""
    wanted = word.strip().lower()
    return next((rule.id for rule in RULES if wanted in (rule.id.lower(), rule.name)), None)


def find_rules(word: str) -> list[str]:
    """The ids that ``word`` means: one rule's id or name, or all that begin so (``LM2`` is all about storage)."""
    found = find_rule(word)
    if found is not None:
        return [found]
    wanted = word.strip().lower()
    return [rule.id for rule in RULES if _ID.fullmatch(wanted) and rule.id.lower().startswith(wanted)]


def closest(word: str) -> str | None:
    """The id or name that ``word`` was probably meant to be, or None where nothing is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - for mistakes alone

    wanted = word.strip().lower().replace("_", "-")
    if _LIKE_AN_ID.fullmatch(wanted):
        wanted = "lm" + wanted[2:].translate(_DIGITS)
    names = {known.lower(): known for rule in RULES for known in (rule.id, rule.name)}
    near = get_close_matches(wanted, names, n=1, cutoff=0.6)
    within = [name for name in names if len(wanted) > 2 and wanted in name]
    return names[near[0]] if near else names[within[0]] if within else None


def hint(word: str) -> str:
    """`` (did you mean …?)``, or nothing."""
    close = closest(word)
    return f" (did you mean {close}?)" if close else ""
