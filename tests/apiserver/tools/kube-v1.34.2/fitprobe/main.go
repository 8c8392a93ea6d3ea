// kube-scheduler with one more plugin, FitProbe. For every pod of a profile that enables it, FitProbe reports why each
// node does not fit, as a line of JSON on a TCP connection, and keeps the pod pending.
//
// As the last Filter plugin it rejects the nodes that all other plugins accept, so PostFilter is called with a status
// for every node. Profiles without FitProbe are those of kube-scheduler.
package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"strconv"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/component-base/cli"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/cmd/kube-scheduler/app"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
)

const name = "FitProbe"

type fitProbe struct {
	handle framework.Handle
	answer *json.Encoder
}

// Count and highest resource version of the objects of one kind that the scheduler has received.
type seen struct {
	Count   int   `json:"count"`
	Version int64 `json:"version"`
}

type nodeStatus struct {
	Plugin  string   `json:"plugin"`
	Reasons []string `json:"reasons"`
}

type answer struct {
	UID   string                `json:"uid"`
	Nodes map[string]nodeStatus `json:"nodes"`
	Seen  map[string]*seen      `json:"seen"`
}

func (p *fitProbe) Name() string { return name }

func (p *fitProbe) Filter(context.Context, fwk.CycleState, *core.Pod, fwk.NodeInfo) *fwk.Status {
	return fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "fits")
}

func (p *fitProbe) PostFilter(_ context.Context, _ fwk.CycleState, pod *core.Pod, statuses framework.NodeToStatusReader) (*framework.PostFilterResult, *fwk.Status) {
	nodes, err := p.handle.SnapshotSharedLister().NodeInfos().List()
	if err != nil {
		return nil, fwk.AsStatus(err)
	}
	found := answer{UID: string(pod.UID), Nodes: map[string]nodeStatus{}, Seen: map[string]*seen{}}
	for _, node := range nodes {
		status := statuses.Get(node.Node().Name)
		found.Nodes[node.Node().Name] = nodeStatus{status.Plugin(), status.Reasons()}
		found.note("nodes", node.Node())
		for _, running := range node.GetPods() {
			found.note("pods", running.GetPod())
		}
	}
	if err := p.noteListed(&found); err != nil {
		return nil, fwk.AsStatus(err)
	}
	if err := p.answer.Encode(found); err != nil {
		return nil, fwk.AsStatus(err)
	}
	return nil, fwk.NewStatus(fwk.Unschedulable)
}

func (p *fitProbe) noteListed(found *answer) error {
	factory := p.handle.SharedInformerFactory()
	everything := labels.Everything()
	claims, err := factory.Core().V1().PersistentVolumeClaims().Lister().List(everything)
	note(found, "persistentvolumeclaims", claims)
	if err != nil {
		return err
	}
	volumes, err := factory.Core().V1().PersistentVolumes().Lister().List(everything)
	note(found, "persistentvolumes", volumes)
	if err != nil {
		return err
	}
	namespaces, err := factory.Core().V1().Namespaces().Lister().List(everything)
	note(found, "namespaces", namespaces)
	if err != nil {
		return err
	}
	classes, err := factory.Storage().V1().StorageClasses().Lister().List(everything)
	note(found, "storageclasses", classes)
	if err != nil {
		return err
	}
	limits, err := factory.Storage().V1().CSINodes().Lister().List(everything)
	note(found, "csinodes", limits)
	if err != nil {
		return err
	}
	drivers, err := factory.Storage().V1().CSIDrivers().Lister().List(everything)
	note(found, "csidrivers", drivers)
	if err != nil {
		return err
	}
	capacities, err := factory.Storage().V1().CSIStorageCapacities().Lister().List(everything)
	note(found, "csistoragecapacities", capacities)
	if err != nil {
		return err
	}
	attachments, err := factory.Storage().V1().VolumeAttachments().Lister().List(everything)
	note(found, "volumeattachments", attachments)
	return err
}

func note[T meta.Object](found *answer, kind string, objects []T) {
	for _, object := range objects {
		found.note(kind, object)
	}
}

func (a *answer) note(kind string, object meta.Object) {
	if a.Seen[kind] == nil {
		a.Seen[kind] = &seen{}
	}
	version, _ := strconv.ParseInt(object.GetResourceVersion(), 10, 64)
	a.Seen[kind].Count++
	a.Seen[kind].Version = max(a.Seen[kind].Version, version)
}

func newProbe(_ context.Context, configuration runtime.Object, handle framework.Handle) (framework.Plugin, error) {
	var args struct {
		Address string `json:"address"`
	}
	if err := frameworkruntime.DecodeInto(configuration, &args); err != nil {
		return nil, err
	}
	connection, err := net.Dial("tcp", args.Address)
	if err != nil {
		return nil, err
	}
	return &fitProbe{handle, json.NewEncoder(connection)}, nil
}

func main() {
	os.Exit(cli.Run(app.NewSchedulerCommand(app.WithPlugin(name, newProbe))))
}
