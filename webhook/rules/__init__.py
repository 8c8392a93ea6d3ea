"""
The rules, with one file for each rule. ``machines``, ``budget`` and ``cluster`` register the rules. ``register`` lists all
rules.
"""
