"""
Servers that stand beside ours in ``benchmarks.admission``: each does the same five checks, and nothing more.

1. an interface bound by bridge to the pod network; 2. a masquerade interface that lists port 49152 or 49153;
3. filesystems; 4. host devices or GPUs; 5. a volume on a claim that is not ReadWriteMany, or that does not exist.
"""
