# Checks 1 to 4 for `opa exec` and `conftest`, which see one object at a time.
package main

spec := input.spec.template.spec

devices := spec.domain.devices

pod_networks contains network.name if {
	some network in spec.networks
	network.pod
}

deny contains sprintf("interface %q is bound by bridge to the pod network", [interface.name]) if {
	input.kind == "VirtualMachine"
	some interface in devices.interfaces
	interface.bridge
	interface.name in pod_networks
}

deny contains sprintf("interface %q lists a port of live migration", [interface.name]) if {
	input.kind == "VirtualMachine"
	some interface in devices.interfaces
	interface.masquerade
	some port in interface.ports
	port.port in {49152, 49153}
}

deny contains "filesystems cannot be migrated" if {
	input.kind == "VirtualMachine"
	count(devices.filesystems) > 0
}

deny contains "host devices cannot be migrated" if {
	input.kind == "VirtualMachine"
	count(devices.hostDevices) > 0
}

deny contains "GPUs cannot be migrated" if {
	input.kind == "VirtualMachine"
	count(devices.gpus) > 0
}
