# The five checks for `opa run --server`: POST an AdmissionReview to /, the decision is data.system.main.
package system

main := {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}

response := {"uid": input.request.uid, "allowed": true} if count(problems) == 0

response := {
	"uid": input.request.uid,
	"allowed": false,
	"status": {"code": 422, "reason": "Invalid", "message": concat("; ", problems)},
} if {
	count(problems) > 0
}

spec := input.request.object.spec.template.spec

devices := spec.domain.devices

pod_networks contains network.name if {
	some network in spec.networks
	network.pod
}

problems contains sprintf("interface %q is bound by bridge to the pod network", [interface.name]) if {
	some interface in devices.interfaces
	interface.bridge
	interface.name in pod_networks
}

problems contains sprintf("interface %q lists a port of live migration", [interface.name]) if {
	some interface in devices.interfaces
	interface.masquerade
	some port in interface.ports
	port.port in {49152, 49153}
}

problems contains "filesystems cannot be migrated" if count(devices.filesystems) > 0

problems contains "host devices cannot be migrated" if count(devices.hostDevices) > 0

problems contains "host devices cannot be migrated" if count(devices.gpus) > 0

problems contains sprintf("claim %q is not ReadWriteMany", [name]) if {
	some volume in spec.volumes
	name := volume.persistentVolumeClaim.claimName
	not shared(name)
}

shared(name) if "ReadWriteMany" in data.claims[sprintf("%s/%s", [input.request.namespace, name])]
