#!/usr/bin/python3
"""Compares the operator with `kubectl drain` followed by `kubectl delete node`, on one control plane.

Each round removes one Ready node with both, in turn, so that a machine that gets slower meets both alike. The node runs
--pods pods of a Deployment and one of a DaemonSet; it is gone when the API server answers 404.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path += [str(REPOSITORY / "test/controlplane"), str(REPOSITORY / "test/e2e")]

from audit import AuditLog  # noqa: E402
from controlplane import ControlPlane  # noqa: E402
from objects import daemon_set, deployment, node_removal  # noqa: E402
from operator_process import Operator  # noqa: E402
from waiting import wait_until  # noqa: E402

OPERATOR = "noderemoval-controller"
ADMIN = "test-admin"
NAMESPACE = "default"


class Bench:
    def __init__(self, control_plane, pods):
        self._control_plane = control_plane
        self._api = control_plane.api
        self._pods = pods
        self._numbers = iter(range(1000))
        self.operator = None
        self.peak_bytes = 0

    def prepare(self):
        for name in ("spare-1", "spare-2"):
            self._control_plane.add_node(name)
        self._api.create({**daemon_set("agent"), "metadata": {"name": "agent", "namespace": NAMESPACE}})
        log = self._control_plane.folder / "operator.log"
        program = REPOSITORY / "build/release/noderemoval"
        self.operator = Operator(program, self._control_plane.operator_kubeconfig(), log,
                                 ("--leader-elect=false",))
        self.operator.start()
        # The first node pays for what is done once: connections, caches, the first pods on the spare nodes.
        self.by_operator()

    def by_operator(self):
        node = self._fresh_node()
        audit = AuditLog(self._control_plane.audit_log)
        start = time.monotonic()
        self._api.create(node_removal(node, node))
        self._wait_gone(node)
        seconds = time.monotonic() - start
        requests = len(audit.requests(user=OPERATOR))
        wait_until(lambda: "completionTime" in self._api.get("NodeRemoval", node)["status"], 180, f"{node} is finished")
        self._clean(node)
        return seconds, requests, len(audit.requests(user=OPERATOR))

    def by_kubectl(self):
        node = self._fresh_node()
        audit = AuditLog(self._control_plane.audit_log)
        start = time.monotonic()
        self._control_plane.kubectl("drain", node, "--ignore-daemonsets")
        self._control_plane.kubectl("delete", "node", node)
        self._wait_gone(node)
        seconds = time.monotonic() - start
        requests = sum(1 for each in audit.requests(user=ADMIN) if each.get("userAgent", "").startswith("kubectl"))
        self._clean(node)
        return seconds, requests

    def _fresh_node(self):
        """A node on which all pods of a Deployment run that may afterwards run anywhere."""
        node = self._control_plane.add_node(f"node-{next(self._numbers)}")
        for spare in ("spare-1", "spare-2"):
            self._api.patch("Node", spare, {"spec": {"unschedulable": True}})
        app = deployment(f"app-{node}", self._pods)
        self._api.create({**app, "metadata": {"name": app["metadata"]["name"], "namespace": NAMESPACE}})
        wait_until(lambda: self._ready_pods(node) == self._pods + 1, 60, f"all pods run on {node}")
        for spare in ("spare-1", "spare-2"):
            self._api.patch("Node", spare, {"spec": {"unschedulable": None}})
        return node

    def _ready_pods(self, node):
        def ready(pod):
            return any(each["type"] == "Ready" and each["status"] == "True"
                       for each in pod["status"].get("conditions", []))

        return sum(map(ready, self._api.list("Pod", NAMESPACE, fields=f"spec.nodeName={node}")))

    def _wait_gone(self, node):
        def gone():
            self.peak_bytes = max(self.peak_bytes, self.operator.resident_bytes())
            return self._api.get("Node", node) is None

        wait_until(gone, 120, f"node {node} is gone")

    def _clean(self, node):
        self._control_plane.remove_node(node)
        self._api.delete("Deployment", f"app-{node}", NAMESPACE)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pods", type=int, default=3)
    parser.add_argument("--kubernetes", choices=("1.36", "1.20"), default="1.36")
    options = parser.parse_args()
    with ControlPlane(options.kubernetes) as control_plane:
        bench = Bench(control_plane, options.pods)
        try:
            bench.prepare()
            idle = bench.operator.resident_bytes()
            ours, theirs = [], []
            for number in range(options.rounds):
                ours.append(bench.by_operator())
                theirs.append(bench.by_kubectl())
                print(f"round {number + 1}: operator {ours[-1][0]:.2f} s, {ours[-1][1]} requests until the node was gone, "
                      f"{ours[-1][2]} in all; kubectl {theirs[-1][0]:.2f} s, {theirs[-1][1]} requests", flush=True)
            print(f"median: operator {statistics.median(each[0] for each in ours):.2f} s, "
                  f"kubectl {statistics.median(each[0] for each in theirs):.2f} s; resident memory of the operator: "
                  f"idle {idle >> 10} kB, highest seen {bench.peak_bytes >> 10} kB")
        finally:
            if bench.operator:
                bench.operator.kill()


if __name__ == "__main__":
    main()
