"""Where the Kubernetes programs are: in $KUBEBUILDER_ASSETS, or built by ./build into its cache."""

import os
import re
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kubelet", "kube-proxy",
            "kubemark")
DEFAULT_VERSION = "1.36"
BUILD = Path(__file__).resolve().parent / "build"


def find(kubernetes=None):
    """Maps each program to its path, and builds the missing ones. `kubernetes` is "1.36" or "1.20".

    $KUBEBUILDER_ASSETS is used when it has a kube-apiserver of that version, or when no version is asked for.
    The simulated kubelet (kubemark) is always our own, because only ours renews its lease every second.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    found = _assets(Path(assets), kubernetes) if assets else {}
    found.pop("kubemark", None)
    missing = [program for program in PROGRAMS if program not in found]
    if found:
        print(f"controlplane: from $KUBEBUILDER_ASSETS {', '.join(found)}; built {', '.join(missing)}",
              file=sys.stderr)
    folder = built(BUILD, kubernetes or DEFAULT_VERSION)
    return found | {program: folder / program for program in missing}


def minor_version(kube_apiserver):
    """The minor version of a kube-apiserver program: 36 for Kubernetes 1.36."""
    answer = subprocess.run([kube_apiserver, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"v1\.(\d+)\.", answer).group(1))


def _assets(folder, kubernetes):
    found = {program: folder / program for program in PROGRAMS if os.access(folder / program, os.X_OK)}
    for needed in ("etcd", "kube-apiserver"):
        if needed not in found:
            raise RuntimeError(f"$KUBEBUILDER_ASSETS ({folder}) has no program {needed}; "
                               "unset it to let test/controlplane/build make all programs")
    version = f"1.{minor_version(found['kube-apiserver'])}"
    if kubernetes and version != kubernetes:
        print(f"controlplane: $KUBEBUILDER_ASSETS is not used: it has Kubernetes {version}, "
              f"and {kubernetes} was asked for", file=sys.stderr)
        return {}
    return found


def built(script, *arguments):
    """The folder of the programs that this script builds, and prints."""
    done = subprocess.run([script, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, (script, *arguments)))} failed; its messages are above")
    return Path(done.stdout.strip())
