"""The operator loses its rights for a while."""

import json

import pytest
from operator_requests import OperatorRequests
from removal import Removal
from waiting import wait_until

BINDING = "noderemoval-controller"


@pytest.fixture
def without_rights(cluster):
    """Takes the rights away when it is called, and gives them back at the end or when that is called."""
    saved = json.loads(cluster.kubectl("get", "clusterrolebinding", BINDING, "-o", "json"))
    for field in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
        saved["metadata"].pop(field, None)

    def give_back():
        cluster.kubectl("apply", "-f", "-", stdin=json.dumps(saved))

    def take():
        cluster.kubectl("delete", "clusterrolebinding", BINDING)
        return give_back

    yield take
    give_back()


def test_a_removal_that_may_not_read_waits_with_backoff_and_goes_on_by_itself(
        sandbox, start_operator, without_rights):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_guarded_on(jetson, "web")
    requests = OperatorRequests(sandbox)
    operator = start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_reason("DrainBlocked")

    give_back = without_rights()
    wait_until(lambda: refusals(operator) >= 9, 60, "it was refused nine times", seen=operator.log_text)
    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    give_back()
    assert removal.wait_end() == ("True", "NodeRemoved")
    # 5 ms, 10 ms, 20 ms ... at least: had they come at once, there would be hundreds.
    assert refusals(operator) < 40
    assert requests.node_deletes()


def refusals(operator):
    """Of reads before an eviction, and of writes of the status that was to say so."""
    return operator.log_text().count("pods are left alone") + operator.log_text().count("status not written")
