"""The facts that rules receive, as frozen values. ``Fact[T]`` is a value or ``Unknown(why)``."""
