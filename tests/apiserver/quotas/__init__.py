"""
Compares ``webhook.scheduling`` with the API server's admission of pods and claims under ResourceQuotas and LimitRanges.

``python -m tests.apiserver.quotas 3000 7`` compares 3,000 generated pairs of a namespace and a new object.
"""
