"""Registers the rules that compare a VM with the time that the migration settings allow."""

from webhook.rules.rule import Rule
from webhook.rules.settings import memory_above_budget, post_copy_with_devices

BUDGET_RULES: tuple[Rule, ...] = (memory_above_budget.RULE, post_copy_with_devices.RULE)
