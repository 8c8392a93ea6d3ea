"""A real etcd and kube-apiserver for tests: no containers, one set of processes per test run."""
