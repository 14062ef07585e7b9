"""Times at which there is no API server to talk to, or none that knows of NodeRemovals."""

import operator_account
import pytest
from objects import STAYS_ON_DEAD_NODES, deployment, using_whole_grace
from operator_requests import OperatorRequests, succeeded, uid_of
from removal import Removal
from unanswering_server import UnansweringServer
from waiting import wait_until

CRD = "noderemovals.noderemoval.dev"


def test_an_operator_that_starts_before_the_api_server_waits_for_it(cluster, sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    removal = Removal(sandbox, jetson)
    cluster.kill("kube-apiserver")
    operator = start_operator()
    wait_until(lambda: "is the API server running?" in operator.log_text(), 10,
               "the operator says what is wrong", seen=operator.log_text)
    assert cluster.server in operator.log_text()
    assert operator.alive()
    cluster.restart("kube-apiserver")
    assert removal.wait_end() == ("True", "NodeRemoved")


def test_a_removal_goes_on_after_the_api_server_was_away(cluster, sandbox, start_operator):
    jetson, spare = sandbox.add_nodes(2)
    requests = OperatorRequests(sandbox)
    operator = start_operator()
    with UnansweringServer() as server:
        # While the API server is away, the node may be taken for dead.
        stays = {"tolerations": STAYS_ON_DEAD_NODES}
        slow = deployment("slow", grace=5, pre_stop=using_whole_grace(server.port), **stays)
        sandbox.create_on(jetson, slow, deployment("web", replicas=3, **stays))
        leaving = {pod["metadata"]["uid"] for pod in sandbox.pods()}
        removal = Removal(sandbox, jetson)
        wait_until(lambda: any(map(succeeded, requests.evictions())), 30, "the drain has begun",
                   seen=removal.status)
        cluster.kill("kube-apiserver")
        cluster.restart("kube-apiserver")
        assert removal.wait_end() == ("True", "NodeRemoved")
    assert operator.alive()
    assert {uid_of(each) for each in requests.evictions()} == leaving
    assert {pod["spec"]["nodeName"] for pod in sandbox.pods()} == {spare}


@pytest.fixture
def without_crd(cluster, operator_kubeconfig):
    cluster.kubectl("delete", "crd", CRD)
    yield
    operator_account.install(cluster)


def test_an_operator_without_its_crd_says_so_and_goes_on_when_it_is_installed(
        cluster, sandbox, start_operator, without_crd):
    jetson, _ = sandbox.add_nodes(2)
    operator = start_operator()
    wait_until(lambda: CRD in operator.log_text(), 10, "the operator says that the CRD is missing",
               seen=operator.log_text)
    assert operator.alive()
    operator_account.install(cluster)
    assert Removal(sandbox, jetson).wait_end() == ("True", "NodeRemoved")
