"""All that a rule may know, as frozen values; ``Fact[T]`` is a value or ``Unknown(why)``."""
