// A validating webhook in the plainest Go: net/http, encoding/json, and the five checks written out.
//
//	handler -addr 127.0.0.1:9000 -cert tls.crt -key tls.key -claims claims.json
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"
)

type named struct {
	Name string `json:"name"`
}

type iface struct {
	Name       string    `json:"name"`
	Bridge     *struct{} `json:"bridge"`
	Masquerade *struct{} `json:"masquerade"`
	Ports      []struct {
		Port int `json:"port"`
	} `json:"ports"`
}

type vmiSpec struct {
	Domain struct {
		Devices struct {
			Interfaces  []iface `json:"interfaces"`
			Filesystems []named `json:"filesystems"`
			HostDevices []named `json:"hostDevices"`
			GPUs        []named `json:"gpus"`
		} `json:"devices"`
	} `json:"domain"`
	Networks []struct {
		Name string    `json:"name"`
		Pod  *struct{} `json:"pod"`
	} `json:"networks"`
	Volumes []struct {
		Name                  string `json:"name"`
		PersistentVolumeClaim *struct {
			ClaimName string `json:"claimName"`
		} `json:"persistentVolumeClaim"`
	} `json:"volumes"`
}

type review struct {
	Request struct {
		UID       string `json:"uid"`
		Namespace string `json:"namespace"`
		Object    struct {
			Spec struct {
				Template struct {
					Spec vmiSpec `json:"spec"`
				} `json:"template"`
			} `json:"spec"`
		} `json:"object"`
	} `json:"request"`
}

type status struct {
	Code    int    `json:"code"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type response struct {
	UID     string  `json:"uid"`
	Allowed bool    `json:"allowed"`
	Status  *status `json:"status,omitempty"`
}

type answer struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Response   response `json:"response"`
}

// problems does the five checks; claims holds access modes by "namespace/name".
func problems(spec *vmiSpec, namespace string, claims map[string][]string) []string {
	var wrong []string
	pod := map[string]bool{}
	for _, each := range spec.Networks {
		if each.Pod != nil {
			pod[each.Name] = true
		}
	}
	devices := &spec.Domain.Devices
	for _, each := range devices.Interfaces {
		if each.Bridge != nil && pod[each.Name] {
			wrong = append(wrong, fmt.Sprintf("interface %q is bound by bridge to the pod network", each.Name))
		}
		for _, port := range each.Ports {
			if each.Masquerade != nil && (port.Port == 49152 || port.Port == 49153) {
				wrong = append(wrong, fmt.Sprintf("interface %q lists a port of live migration", each.Name))
			}
		}
	}
	if len(devices.Filesystems) > 0 {
		wrong = append(wrong, "filesystems cannot be migrated")
	}
	if len(devices.HostDevices) > 0 || len(devices.GPUs) > 0 {
		wrong = append(wrong, "host devices cannot be migrated")
	}
	for _, each := range spec.Volumes {
		if each.PersistentVolumeClaim == nil {
			continue
		}
		name := each.PersistentVolumeClaim.ClaimName
		if !slices.Contains(claims[namespace+"/"+name], "ReadWriteMany") {
			wrong = append(wrong, fmt.Sprintf("claim %q is not ReadWriteMany", name))
		}
	}
	return wrong
}

func main() {
	addr := flag.String("addr", "127.0.0.1:9000", "where to listen")
	cert := flag.String("cert", "tls.crt", "certificate")
	key := flag.String("key", "tls.key", "private key")
	file := flag.String("claims", "claims.json", "access modes by namespace/name")
	flag.Parse()
	content, err := os.ReadFile(*file)
	if err != nil {
		log.Fatal(err)
	}
	claims := map[string][]string{}
	if err := json.Unmarshal(content, &claims); err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("POST /validate", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		var asked review
		if err := json.Unmarshal(body, &asked); err != nil {
			http.Error(w, "not an AdmissionReview", http.StatusBadRequest)
			return
		}
		said := response{UID: asked.Request.UID, Allowed: true}
		spec := &asked.Request.Object.Spec.Template.Spec
		if wrong := problems(spec, asked.Request.Namespace, claims); len(wrong) > 0 {
			said.Allowed = false
			said.Status = &status{Code: 422, Reason: "Invalid", Message: strings.Join(wrong, "; ")}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer{"admission.k8s.io/v1", "AdmissionReview", said})
	})
	// an API server speaks HTTP/1.1 to a webhook behind a Service
	server := &http.Server{Addr: *addr, TLSConfig: &tls.Config{NextProtos: []string{"http/1.1"}}}
	log.Fatal(server.ListenAndServeTLS(*cert, *key))
}
