"""Expands a VirtualMachine to the VirtualMachineInstance that each KubeVirt release creates."""
