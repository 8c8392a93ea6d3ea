"""
The backstop: ValidatingAdmissionPolicies for the rules that need only the object.

The API server evaluates them, so they apply while no replica answers, and where no webhook can run. This package does no I/O.
"""
