"""
The backstop: the rules that need nothing but the object, as ValidatingAdmissionPolicies.

The API server evaluates them itself, so they hold while no replica answers, and where no webhook can run. This package does
no I/O.
"""
