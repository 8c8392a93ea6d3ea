# Checks 1 to 5 for `conftest --combine`, which sees all objects at once: the claims of all files are at hand.
package main

machines contains each if {
	some each in input
	each.contents.kind == "VirtualMachine"
}

shared contains [each.contents.metadata.namespace, each.contents.metadata.name] if {
	some each in input
	each.contents.kind == "PersistentVolumeClaim"
	"ReadWriteMany" in each.contents.spec.accessModes
}

deny contains sprintf("%s: interface %q is bound by bridge to the pod network", [machine.path, interface.name]) if {
	some machine in machines
	spec := machine.contents.spec.template.spec
	some interface in spec.domain.devices.interfaces
	interface.bridge
	some network in spec.networks
	network.pod
	network.name == interface.name
}

deny contains sprintf("%s: interface %q lists a port of live migration", [machine.path, interface.name]) if {
	some machine in machines
	some interface in machine.contents.spec.template.spec.domain.devices.interfaces
	interface.masquerade
	some port in interface.ports
	port.port in {49152, 49153}
}

deny contains sprintf("%s: filesystems cannot be migrated", [machine.path]) if {
	some machine in machines
	count(machine.contents.spec.template.spec.domain.devices.filesystems) > 0
}

deny contains sprintf("%s: host devices cannot be migrated", [machine.path]) if {
	some machine in machines
	count(machine.contents.spec.template.spec.domain.devices.hostDevices) > 0
}

deny contains sprintf("%s: GPUs cannot be migrated", [machine.path]) if {
	some machine in machines
	count(machine.contents.spec.template.spec.domain.devices.gpus) > 0
}

deny contains sprintf("%s: claim %q is not ReadWriteMany", [machine.path, name]) if {
	some machine in machines
	some volume in machine.contents.spec.template.spec.volumes
	name := volume.persistentVolumeClaim.claimName
	not [machine.contents.metadata.namespace, name] in shared
}
