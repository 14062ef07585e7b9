"""The wait until the pods of a drained node run elsewhere."""

from history import History, is_deleted, is_ready
from objects import deployment
from oracle import OPERATOR
from removal import Removal
from waiting import wait_until


def test_a_deployment_that_is_rolled_out_meanwhile_is_awaited_with_its_new_pods(sandbox, start_operator):
    labels = {"pool": sandbox.namespace}
    jetson, nano = sandbox.add_nodes(2, labels=labels)
    sandbox.add_node()
    sandbox.cordon(nano)
    sandbox.create(deployment("web", node_selector=labels))
    sandbox.wait_ready("Deployment", "web")
    history = History(sandbox)
    requests = sandbox.audit()
    start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_reason("WaitingForMigration")

    sandbox.api.patch("Deployment", "web", {"spec": {
        "strategy": {"type": "Recreate", "rollingUpdate": None},
        "template": {"metadata": {"labels": {"version": "2"}}}}}, sandbox.namespace)
    [old] = removal.status()["workloads"]
    wait_until(lambda: sandbox.get("ReplicaSet", old["name"])["spec"]["replicas"] == 0, 60,
               "the old ReplicaSet wants no pods", seen=lambda: sandbox.get("Deployment", "web"))
    wait_until(lambda: requests.requests(user=OPERATOR, resource="deployments"), 30, "the Deployment is looked at",
               seen=removal.status)
    removal.wait_reason("WaitingForMigration")
    sandbox.uncordon(nano)
    assert removal.wait_end() == ("True", "NodeRemoved")
    [new] = [pod for pod in sandbox.pods("web") if pod["metadata"]["labels"].get("version") == "2"]
    assert new["spec"]["nodeName"] == nano
    assert history.revision("Pod", new["metadata"]["name"], is_ready) < history.revision("Node", jetson, is_deleted)
