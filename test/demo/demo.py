#!/usr/bin/python3
"""Removes the node jetson from a Kubernetes control plane that is started for this, and shows what happens.

Everything runs on this machine and on loopback addresses, and is gone at the end.
"""

import argparse
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path += [str(REPOSITORY / "test/controlplane"), str(REPOSITORY / "test/e2e")]

from controlplane import ControlPlane  # noqa: E402
from operator_process import Operator  # noqa: E402
from waiting import wait_until  # noqa: E402

WORKLOADS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: kube-verify}
spec:
  replicas: 3
  selector: {matchLabels: {app: kube-verify}}
  template:
    metadata: {labels: {app: kube-verify}}
    spec:
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: kube-verify}}}
      containers: [{name: main, image: demo.invalid/none}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node-agent}
spec:
  selector: {matchLabels: {app: node-agent}}
  template:
    metadata: {labels: {app: node-agent}}
    spec:
      containers: [{name: main, image: demo.invalid/none}]
"""

REMOVAL = """
apiVersion: noderemoval.dev/v1alpha1
kind: NodeRemoval
metadata: {name: jetson}
spec:
  nodeName: jetson
"""
DEAD_NODE_REMOVAL = REMOVAL + """\
  unreachable: {toleranceSeconds: 5}
"""


class Display:
    """Prints each fact of the cluster when it is new or has changed, with the seconds since the start."""

    def __init__(self):
        self._start = time.monotonic()
        self._shown = {}

    def elapsed(self):
        return time.monotonic() - self._start

    def line(self, text):
        print(f"{self.elapsed():6.1f} s  {text}", flush=True)

    def facts(self, kind, facts):
        """`facts` maps a name to what is to be said of it; names that are no longer there are gone."""
        for name, text in facts.items():
            if self._shown.get((kind, name)) != text:
                self._shown[kind, name] = text
                self.line(f"{kind:10} {name:32} {text}")
        for key in [key for key in self._shown if key[0] == kind and key[1] not in facts]:
            del self._shown[key]
            self.line(f"{kind:10} {key[1]:32} gone")


def nodes(api):
    def text(node):
        ready = next((each["status"] for each in node["status"].get("conditions", []) if each["type"] == "Ready"), "?")
        state = "Ready" if ready == "True" else "NotReady"
        return state + (",SchedulingDisabled" if node["spec"].get("unschedulable") else "")

    return {node["metadata"]["name"]: text(node) for node in api.list("Node")}


def pods(api):
    def text(pod):
        if pod["metadata"].get("deletionTimestamp"):
            state = "Terminating"
        else:
            conditions = pod["status"].get("conditions", [])
            ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
            state = "Running" if ready else "Pending"
        return f"{state:12} on {pod['spec'].get('nodeName', '(no node yet)')}"

    return {pod["metadata"]["name"]: text(pod) for pod in api.list("Pod", "default")}


def conditions(api):
    removal = api.get("NodeRemoval", "jetson")
    hidden = {"Reconciling", "Stalled"}  # for GitOps tools; they repeat what Succeeded says
    return {each["type"]: f"{each['status']:8} {each['reason']}: {each['message']}"
            for each in removal["status"].get("conditions", []) if each["type"] not in hidden}


def watch(display, api, done, timeout):
    def look():
        display.facts("node", nodes(api))
        display.facts("pod", pods(api))
        display.facts("condition", conditions(api))
        return done()

    wait_until(look, timeout, "the removal goes on")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dead-node", action="store_true",
                        help="kill the kubelet of jetson first: no drain, stuck pods are cleared")
    parser.add_argument("--to-the-end", action="store_true",
                        help="go on until nothing of the node is left (about a minute more)")
    parser.add_argument("--kubernetes", choices=("1.36", "1.20"), default="1.36", help="default: %(default)s")
    return parser.parse_args()


def prepare(control_plane):
    names = ["worker-1", "worker-2", "worker-3"]
    control_plane.add_node("jetson", wait=False)
    for name in names:
        control_plane.add_node(name, wait=False)
    for name in ["jetson", *names]:
        control_plane.wait_ready(name)
    # Three nodes for three replicas that do not share one, so that one of them runs on jetson.
    control_plane.kubectl("cordon", "worker-3")
    control_plane.kubectl("apply", "-f", "-", stdin=WORKLOADS)
    control_plane.kubectl("rollout", "status", "deployment/kube-verify", "--timeout=60s")
    control_plane.kubectl("rollout", "status", "daemonset/node-agent", "--timeout=60s")
    control_plane.kubectl("uncordon", "worker-3")


def run(control_plane, options):
    print(f"Starting Kubernetes {options.kubernetes} with four nodes ...", flush=True)
    control_plane.start()
    prepare(control_plane)
    api = control_plane.api
    log = control_plane.folder / "operator.log"
    # One replica, so there is no election to wait for.
    flags = ["--leader-elect=false", *(["--overdue-margin", "5"] if options.dead_node else [])]
    operator = Operator(REPOSITORY / "build/release/noderemoval", control_plane.operator_kubeconfig(), log, flags)
    operator.start()
    try:
        display = Display()
        if options.dead_node:
            display.line("kubelet of jetson killed")
            control_plane.kill_node("jetson")
            control_plane.wait_ready("jetson", ready=False)
        display.facts("node", nodes(api))
        display.facts("pod", pods(api))
        display.line("kubectl apply of a NodeRemoval for jetson")
        applied = display.elapsed()
        control_plane.kubectl("apply", "-f", "-", stdin=DEAD_NODE_REMOVAL if options.dead_node else REMOVAL)
        watch(display, api, lambda: api.get("Node", "jetson") is None, 300)
        display.line(f"Node jetson is gone, {display.elapsed() - applied:.1f} s after the apply")
        if options.to_the_end:
            watch(display, api, lambda: "True" in conditions(api).get("Succeeded", ""), 300)
        print("\n$ kubectl get nodes\n" + control_plane.kubectl("get", "nodes"))
        print("$ kubectl get noderemovals\n" + control_plane.kubectl("get", "noderemovals"))
    except AssertionError:
        print(f"\nThe operator's log:\n{operator.log_text()}", file=sys.stderr)
        raise
    finally:
        operator.kill()


def main():
    options = parse_arguments()
    control_plane = ControlPlane(options.kubernetes)
    try:
        run(control_plane, options)
    except (AssertionError, RuntimeError) as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit("demo: stopped")
    finally:
        if control_plane.folder:
            control_plane.stop()


if __name__ == "__main__":
    main()
