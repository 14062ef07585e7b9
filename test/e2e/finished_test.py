"""What becomes of a NodeRemoval after its end, and of one that is created again."""

from removal import Removal
from waiting import wait_until

ARGO = {"argocd.argoproj.io/tracking-id": "apps:noderemoval.dev/NodeRemoval:default/x"}


def test_a_finished_removal_is_deleted_when_its_time_is_over(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    start_operator()
    removal = Removal(sandbox, jetson, ttlSecondsAfterFinished=2)
    removal.wait_gone(60)
    assert sandbox.get("Node", jetson) is None


def test_a_removal_that_gitops_would_create_again_is_kept(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    start_operator()
    removal = Removal(sandbox, jetson, ttlSecondsAfterFinished=0)
    sandbox.api.patch("NodeRemoval", removal.name, {"metadata": {"annotations": ARGO}})
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert "ttlSecondsAfterFinished is ignored" in removal.condition("Succeeded")["message"]
    wait_until(lambda: removal.events() >= {("Normal", "NodeRemoved"), ("Warning", "TTLIgnored")}, 10,
               "the end and the ignored time are events", seen=removal.events)
    assert Removal(sandbox, sandbox.name("never")).wait_end() == ("True", "NodeAbsent")
    assert removal.get()


def test_a_removal_that_is_created_again_leaves_the_node_alone_that_has_joined_again(
        cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    operator = start_operator()
    assert Removal(sandbox, jetson).wait_end() == ("True", "NodeRemoved")
    cluster.kill_node(jetson)
    cluster.add_node(jetson)
    uid = sandbox.get("Node", jetson)["metadata"]["uid"]

    again = Removal(sandbox, jetson)
    waiting = again.wait_reason("NodeRejoined")
    assert uid in waiting["message"]
    operator.restart()
    wait_until(lambda: "noderemoval starts" in operator.log_text(), 10, "the operator starts again")
    again.wait_observed()
    assert again.wait_reason("NodeRejoined")
    node = sandbox.get("Node", jetson)
    assert node["metadata"]["uid"] == uid and not node["spec"].get("unschedulable")

    assert Removal(sandbox, jetson, nodeUID=uid).wait_end() == ("True", "NodeRemoved")
