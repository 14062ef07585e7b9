# shellcheck shell=bash disable=SC2034,SC2154
# Kubernetes 1.36 and its etcd: the Go module of this folder, linked into one binary (main.go).
version=1.36.3
inputs=("$here"/{go.mod,go.sum,main.go,recipes/kubernetes-1.36.patch,../find_go.sh})
# shellcheck source=test/find_go.sh
source "$here/../find_go.sh"

compile() {
    local into=$1 go stamp=k8s.io/component-base/version name
    need patch:patch openssl:openssl
    go=$(find_go)
    export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS='' GOWORK=off
    unset GOROOT

    mkdir module
    cp "$here"/{go.mod,go.sum,main.go} module
    cd module || return
    "$go" mod download k8s.io/kubernetes
    cp -r --no-preserve=mode "$("$go" list -m -f '{{.Dir}}' k8s.io/kubernetes)" kubernetes
    patch --quiet --strip=1 --directory=kubernetes <"$here/recipes/kubernetes-1.36.patch"
    "$go" mod edit -replace k8s.io/kubernetes=./kubernetes
    "$go" build -trimpath -buildvcs=false -o "$into/kubernetes" -ldflags \
        "-s -w -X $stamp.gitVersion=v$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=36" >&2
    for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubemark kubectl; do
        ln -s kubernetes "$into/$name"
    done
}
