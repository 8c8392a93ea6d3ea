"""Expands a VirtualMachine to the VirtualMachineInstance that KubeVirt creates from it, by release."""
