"""A machine whose kubelet and containerd died, with pods that still run on it."""

import containers
from objects import deployment, stateful_set
from removal import Removal


def test_a_stateful_set_pod_that_still_runs_on_a_node_without_kubelet_starts_elsewhere_only_after_its_power_is_cut(
        cluster, sandbox):
    jetson = sandbox.add_node()
    sandbox.create_on(jetson, deployment("web", grace=1), stateful_set("db", grace=1))
    [web] = sandbox.pods("web")
    before = running_programs(cluster, jetson)
    assert before == 4  # one for each container and each sandbox
    cluster.kill_agents(jetson)
    cluster.wait_ready(jetson, ready=False)

    removal = Removal(sandbox, jetson, unreachable={"toleranceSeconds": 2})
    sandbox.wait_gone(web)
    removal.wait_blocked_by("db-0", "NeedsFencing", timeout=60)
    assert running_programs(cluster, jetson) == before

    cluster.kill_node(jetson)
    removal.change(unreachable={"fenced": True})
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert sandbox.get("Node", jetson) is None
    started = sandbox.wait_running("db-0")
    assert started["spec"]["nodeName"] != jetson
    assert containers.ids([started]) <= cluster.containers_on(started["spec"]["nodeName"])


def running_programs(cluster, node):
    """How many processes run that pods brought; containerd, which could tell, is dead."""
    return cluster.on_node(node, "ps", "-e", "-o", "args=").splitlines().count("/pause")
