"""A user with nothing but kubectl."""

from pathlib import Path

from objects import deployment

EXAMPLE = Path(__file__).resolve().parents[2] / "manifests/example.yaml"


def test_a_user_removes_a_node_with_the_example_and_follows_it_with_kubectl(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", replicas=2))
    start_operator()

    cluster.kubectl("apply", "-f", "-", stdin=EXAMPLE.read_text(encoding="utf-8").replace("jetson", jetson))
    cluster.kubectl("wait", f"nrm/{jetson}", "--for=condition=Succeeded", "--timeout=60s")
    header, line = cluster.kubectl("get", "nrm", jetson).splitlines()
    assert header.split() == ["NAME", "NODE", "STATUS", "PODS", "BLOCKED", "BY", "AGE"]
    assert line.split()[:4] == [jetson, jetson, "NodeRemoved", "2/2"]
    assert jetson not in cluster.kubectl("get", "nodes")
