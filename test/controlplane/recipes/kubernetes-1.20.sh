# shellcheck shell=bash disable=SC2034,SC2154
# Kubernetes 1.20.2 from Debian 12's own source package, with Debian's security patches and its Go, and
# Debian's etcd 3.4, the series that Kubernetes 1.20 was released with.
version=1.20.2
source_version=1.20.5+really1.20.2
go_bin=/usr/lib/go-1.19/bin
patches=("$here"/recipes/kubernetes-1.20{,-audit,-go-1.19}.patch)
inputs=("${patches[@]}")

# Downloads and unpacks the source package. Its index is kept in this folder, so that the package sources of
# the machine stay as they are.
fetch_source() {
    local options=(-o "Dir::Etc::SourceList=$PWD/sources.list" -o Dir::Etc::SourceParts=-
        -o "Dir::State::Lists=$PWD/lists")
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    apt-get indextargets --format \
        "\$(ORIGIN) \$(COMPONENT) \$(CREATED_BY) deb-src [signed-by=$keyring] \$(REPO_URI) \$(RELEASE) main" |
        sed -n 's/^Debian main Packages //p' >sources.list
    [ -s sources.list ] || fail "apt knows no Debian archive on this machine; run apt-get update as root"
    mkdir -p lists/partial
    apt-get "${options[@]}" update -qq >&2
    apt-get "${options[@]}" source -qq --download-only kubernetes >&2
    compgen -G "kubernetes_$source_version-*.dsc" >/dev/null ||
        fail "Debian's source package kubernetes is not $source_version but $(ls -- *.dsc); Debian 12 has it"
    dpkg-source --extract kubernetes_"$source_version"-*.dsc source >&2
}

# Unpacks etcd instead of installing it, because its package also starts it as a service.
fetch_etcd() {
    if ! command -v etcd; then
        apt-get download -qq etcd-server >&2
        dpkg-deb --extract etcd-server_*.deb etcd-server
        echo "$PWD/etcd-server/usr/bin/etcd"
    fi
}

# The reflect2 that Kubernetes 1.20 brings walks maps in a way that Go 1.18 ended: its API server crashes on the
# first custom resource. Debian has the version that works with both.
renew_reflect2() {
    local package=golang-github-modern-go-reflect2-dev vendored=source/vendor/github.com/modern-go/reflect2
    apt-get download -qq "$package" >&2
    dpkg-deb --extract "$package"_*.deb reflect2
    rm "$vendored"/*.go
    cp reflect2/usr/share/gocode/src/github.com/modern-go/reflect2/*.go "$vendored"
}

compile() {
    local into=$1 programs=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubemark kubectl)
    need dpkg-source:dpkg-dev make:make patch:patch jq:jq rsync:rsync openssl:openssl \
        "$go_bin/go:golang-1.19-go"
    cp "$(fetch_etcd)" "$into/etcd"
    fetch_source
    renew_reflect2
    cat "${patches[@]}" | patch --quiet --strip=1 --directory=source
    env -u GOROOT PATH="$go_bin:$PATH" GOFLAGS='' CGO_ENABLED=0 \
        make --directory=source WHAT="$(printf 'cmd/%s ' "${programs[@]}")" >&2
    (cd source/_output/bin && cp -L "${programs[@]}" "$into")
}
