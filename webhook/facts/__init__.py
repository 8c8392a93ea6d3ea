"""The input of rules, as frozen values. ``Fact[T]`` is a value or ``Unknown(why)``."""
