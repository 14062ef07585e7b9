# shellcheck shell=bash
# The Go that builds programs for the tests. Needs build_once.sh.
go_version=1.26.8

# Prints the go command to use. Debian 12 has Go 1.19, which can fetch a newer toolchain like any other
# module, checksum included.
find_go() {
    local wanted=${go_version%.*} found module answer
    found=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed -n 's/^go\([0-9]*\.[0-9]*\).*/\1/p')
    if [ -n "$found" ] && [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -1)" = "$wanted" ]; then
        command -v go
        return
    fi
    need go:golang-go jq:jq
    module=golang.org/toolchain@v0.0.1-go$go_version.$(go env GOHOSTOS)-$(go env GOHOSTARCH)
    say "fetching $module"
    answer=$(GOFLAGS='' go mod download -json "$module") || fail "cannot fetch Go: $(jq -r .Error <<<"$answer")"
    # The module cache is read-only, and module archives carry no execute bits.
    cp -r --no-preserve=mode "$(jq -r .Dir <<<"$answer")" toolchain
    chmod +x toolchain/bin/* toolchain/pkg/tool/*/*
    echo "$PWD/toolchain/bin/go"
}
