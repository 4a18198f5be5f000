// Decode reads Kubernetes objects, a JSON array on standard input, by the types that an API server has, and refuses what these do not know: a
// misspelt key, or a number where a text belongs. It prints an array of problems, each naming its object. What is not Kubernetes' own is left out.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "k8s.io/apimachinery/pkg/runtime/serializer/json"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

var foreign = map[string]bool{"keda.sh": true, "monitoring.coreos.com": true}

func problems(input []byte) ([]string, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		appsv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme, corev1.AddToScheme,
		networkingv1.AddToScheme, policyv1.AddToScheme, rbacv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	decoder := kjson.NewSerializerWithOptions(kjson.DefaultMetaFactory, scheme, scheme, kjson.SerializerOptions{Strict: true})

	var objects []json.RawMessage
	if err := json.Unmarshal(input, &objects); err != nil {
		return nil, err
	}
	found := []string{}
	for _, object := range objects {
		var named struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
			Metadata   struct {
				Name string `json:"name"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(object, &named); err != nil {
			return nil, err
		}
		version, err := schema.ParseGroupVersion(named.APIVersion)
		if err != nil {
			return nil, err
		}
		if foreign[version.Group] {
			continue
		}
		if _, _, err := decoder.Decode(object, nil, nil); err != nil {
			found = append(found, fmt.Sprintf("%s %s: %v", named.Kind, named.Metadata.Name, err))
		}
	}
	return found, nil
}

func main() {
	input, err := io.ReadAll(os.Stdin)
	var found []string
	if err == nil {
		found, err = problems(input)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
