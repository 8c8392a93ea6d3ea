"""The rules about the time that a migration is given, where settings are known. One file each; this tuple registers them."""

from webhook.rules.rule import Rule
from webhook.rules.settings import memory_above_budget, post_copy_with_devices

BUDGET_RULES: tuple[Rule, ...] = (memory_above_budget.RULE, post_copy_with_devices.RULE)
