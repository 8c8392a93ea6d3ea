// Prints the type-checking warnings of every ValidatingAdmissionPolicy of a cluster, as JSON by name.
//
// kube-controller-manager writes them to status.typeChecking; this calls the same code without one.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"

	admission "k8s.io/api/admissionregistration/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	groups, err := restmapper.GetAPIGroupResources(client.Discovery())
	if err != nil {
		log.Fatal(err)
	}
	policies, err := client.AdmissionregistrationV1().ValidatingAdmissionPolicies().List(context.Background(), meta.ListOptions{})
	if err != nil {
		log.Fatal(err)
	}
	checker := validating.TypeChecker{
		SchemaResolver: &resolver.ClientDiscoveryResolver{Discovery: client.Discovery()},
		RestMapper:     restmapper.NewDiscoveryRESTMapper(groups),
	}
	warnings := map[string][]admission.ExpressionWarning{}
	for index := range policies.Items {
		policy := &policies.Items[index]
		warnings[policy.Name] = checker.Check(policy)
	}
	if err := json.NewEncoder(os.Stdout).Encode(warnings); err != nil {
		log.Fatal(err)
	}
}
