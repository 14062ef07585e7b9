#!/usr/bin/env python3
"""Peak memory of the operator that looks at a cluster of many nodes and at a node of many pods.

    test/bench/list_memory.py [--nodes 5000] [--pods 1000] [PROGRAM ...]

A real control plane; the nodes and pods are only objects, and the pods weigh about 17 kB like those of a real
cluster. Each program gets a NodeRemoval for the node with the pods, reads what it needs, and waits because the node
is not Ready.
"""

import argparse
import concurrent.futures
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "test/controlplane"), str(REPOSITORY / "test/e2e")]

from controlplane import ControlPlane  # noqa: E402
from objects import node_removal  # noqa: E402
from operator_process import Operator  # noqa: E402
from waiting import wait_until  # noqa: E402

NODE = "big"
ENVIRONMENT = [{"name": f"VARIABLE_{number}", "value": "x" * 200} for number in range(60)]


def node(name):
    return {"kind": "Node", "metadata": {"name": name, "labels": {f"label-{i}": "x" * 30 for i in range(20)},
                                         "annotations": {f"annotation-{i}": "x" * 100 for i in range(10)}}}


def pod(number):
    container = {"name": "main", "image": "test.invalid/none", "env": ENVIRONMENT}
    return {"kind": "Pod", "metadata": {"name": f"pod-{number}", "namespace": "default"},
            "spec": {"nodeName": NODE, "containers": [container],
                     "tolerations": [{"operator": "Exists"}]}}


def fill(control_plane, nodes, pods):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(control_plane.api.create, [node(NODE), *(node(f"node-{i}") for i in range(nodes))]))
        list(pool.map(control_plane.api.create, map(pod, range(pods))))


def peak_bytes(pid):
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def measure(control_plane, program):
    api = control_plane.api
    log = control_plane.folder / f"{program.name}.log"
    operator = Operator(program, control_plane.operator_kubeconfig(), log, ("--leader-elect=false",))
    operator.start()
    try:
        wait_until(lambda: "noderemoval starts" in operator.log_text(), 10, "the operator starts")
        before = peak_bytes(operator.pid)
        api.create(node_removal("bench", NODE))
        wait_until(lambda: (api.get("NodeRemoval", "bench").get("status", {}).get("pods") or {}).get("total"), 120,
                   "it has seen the pods", seen=lambda: api.get("NodeRemoval", "bench"))
        return before, peak_bytes(operator.pid)
    finally:
        operator.kill()
        api.patch("NodeRemoval", "bench", {"metadata": {"finalizers": None}})
        api.delete("NodeRemoval", "bench")
        api.patch("Node", NODE, {"metadata": {"annotations": None}, "spec": {"unschedulable": None, "taints": None}})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=5000)
    parser.add_argument("--pods", type=int, default=1000)
    parser.add_argument("programs", nargs="*", type=Path, default=[REPOSITORY / "build/release/noderemoval"])
    options = parser.parse_args()
    with ControlPlane("1.36") as control_plane:
        control_plane.operator_kubeconfig()
        control_plane.freeze("kube-controller-manager")  # it would clear the pods of nodes that do not exist
        fill(control_plane, options.nodes, options.pods)
        for program in options.programs:
            before, peak = measure(control_plane, program)
            print(f"{program}: {before / 1e6:.1f} MB at start, {peak / 1e6:.1f} MB at the peak "
                  f"({options.nodes} nodes, {options.pods} pods)")
        control_plane.thaw("kube-controller-manager")


if __name__ == "__main__":
    main()
