"""A real etcd and kube-apiserver for tests, without containers: one set of processes for each test run."""
