# shellcheck shell=bash
# For scripts that build programs for the tests: every program is built once, also when two runs want it at
# the same time, and is kept in ${NODEREMOVAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/noderemoval}.

say() { echo "${0##*/}: $*" >&2; }
fail() { say "$*"; exit 1; }

# Takes "command:package" and installs the packages of the commands that are missing.
need() {
    local entry missing=()
    for entry in "$@"; do
        command -v "${entry%%:*}" >/dev/null || missing+=("${entry#*:}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || fail "missing, and there is no apt-get to install them: ${missing[*]}"
    [ "$(id -u)" -eq 0 ] || fail "missing packages; install them as root: apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    apt-get update -qq >&2
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >&2
}

# program_folder GROUP VERSION FILE... prints where programs of this version are kept. The name holds a hash of
# the files, which are everything that determines the build, so that a changed recipe never meets old programs.
program_folder() {
    local group=$1 version=$2
    shift 2
    echo "${NODEREMOVAL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/noderemoval}/$group/$version-$(
        { uname -m; cat "$@"; } | sha256sum | cut -c1-12)"
}

# build_once FOLDER WHAT DURATION: unless the folder is there, calls `compile INTO` of the caller, which puts the
# programs into INTO, and makes that the folder. Changes the current folder.
build_once() {
    local folder=$1 what=$2 duration=$3 version lock
    [ ! -d "$folder" ] || return 0
    mkdir -p "${folder%/*}"
    version=${folder##*/}
    # The same folder each time, so that the next build finds what this one compiled in the cache of Go.
    building=${folder%/*}/.building-${version%-*}
    exec {lock}>"$building.lock"
    if ! flock --nonblock "$lock"; then
        say "another run builds $what; waiting for it"
        flock "$lock"
    fi
    [ ! -d "$folder" ] || return 0
    rm -rf "$building"
    trap 'rm -rf "$building"' EXIT
    mkdir -p "$building/done"
    cd "$building" || return
    say "building $what; this takes $duration, once"
    compile "$building/done"
    mv -T "$building/done" "$folder"
}
