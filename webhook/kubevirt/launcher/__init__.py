"""The pods that virt-controller creates for VMIs: the launcher pod, and the target pod of a live migration."""
