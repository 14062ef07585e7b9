# shellcheck shell=bash disable=SC2034,SC2154
# Kubernetes 1.36 and its etcd: the Go module of this folder, linked into one binary (main.go).
version=1.36.3
go_version=1.26.8
inputs=("$here"/{go.mod,go.sum,main.go,recipes/kubernetes-1.36.patch})

# Prints the go command to use. Debian 12 has Go 1.19, which can fetch a newer toolchain like any other
# module, checksum included.
find_go() {
    local wanted=${go_version%.*} found module
    found=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed -n 's/^go\([0-9]*\.[0-9]*\).*/\1/p')
    if [ -n "$found" ] && [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -1)" = "$wanted" ]; then
        command -v go
        return
    fi
    need go:golang-go jq:jq
    module=golang.org/toolchain@v0.0.1-go$go_version.$(go env GOHOSTOS)-$(go env GOHOSTARCH)
    say "fetching $module"
    # The module cache is read-only, and module archives carry no execute bits.
    cp -r --no-preserve=mode "$(GOFLAGS='' go mod download -json "$module" | jq -r .Dir)" toolchain
    chmod +x toolchain/bin/* toolchain/pkg/tool/*/*
    echo "$PWD/toolchain/bin/go"
}

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
    for name in etcd kube-apiserver kube-controller-manager kube-scheduler kubemark kubectl; do
        ln -s kubernetes "$into/$name"
    done
}
