"""NodeRemovals that make no sense: each gets an answer that says what is wrong, and nothing is touched."""

import pytest
from api import ApiError
from objects import node_removal
from operator_requests import OperatorRequests
from removal import Removal

FIRST_MINOR_WITH_RULES = 25

# What the schema in the CRD refuses, on every server.
MALFORMED = {
    "empty name": ({"nodeName": ""}, "nodeName"),
    "number as name": ({"nodeName": 7}, "nodeName"),
    "list as name": ({"nodeName": ["a", "b"]}, "nodeName"),
    "name in capitals": ({"nodeName": "JETSON"}, "nodeName"),
    "path as name": ({"nodeName": "../pods"}, "nodeName"),
    "name of 10 kB": ({"nodeName": "x" * 10_000}, "nodeName"),
    "text as flag": ({"nodeName": "a", "drain": {"force": "yes"}}, "drain.force"),
    "text as seconds": ({"nodeName": "a", "volumes": {"timeoutSeconds": "5m"}}, "volumes.timeoutSeconds"),
    "negative seconds": ({"nodeName": "a", "drain": {"timeoutSeconds": -1}}, "timeoutSeconds"),
    "no grace at all": ({"nodeName": "a", "drain": {"gracePeriodSeconds": 0}}, "gracePeriodSeconds"),
    "unknown word": ({"nodeName": "a", "migration": {"onTimeout": "Explode"}}, "onTimeout"),
    "drain as text": ({"nodeName": "a", "drain": "all"}, "drain"),
    "empty selector": ({"nodeSelector": {}}, "nodeSelector"),
}

# What takes the rules in the CRD, or on older servers the operator, to refuse.
CONTRADICTORY = {
    "no node": ({}, "nodeName"),
    "name and selector": ({"nodeName": "a", "nodeSelector": {"matchLabels": {"a": "b"}}}, "nodeSelector"),
    "how many of one": ({"nodeName": "a", "maxConcurrent": 2}, "maxConcurrent"),
}


@pytest.mark.parametrize("spec, field", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_removal_is_refused_by_the_api_server_which_names_the_field(
        sandbox, operator_kubeconfig, spec, field):
    with pytest.raises(ApiError) as refusal:
        sandbox.create(node_removal(sandbox.name("bad"), **spec))
    assert refusal.value.status in {400, 422}
    assert field in str(refusal.value)


@pytest.mark.parametrize("spec, field", CONTRADICTORY.values(), ids=CONTRADICTORY)
def test_a_contradictory_removal_is_refused_with_a_message_that_names_the_field(
        sandbox, start_operator, spec, field):
    if sandbox.api.minor >= FIRST_MINOR_WITH_RULES:
        with pytest.raises(ApiError, match=field) as refusal:
            sandbox.create(node_removal(sandbox.name("bad"), **spec))
        assert refusal.value.status == 422
    else:
        start_operator()
        removal = Removal(sandbox, **spec)
        assert removal.wait_end() == ("False", "InvalidSpec")
        assert field in removal.condition("Succeeded")["message"]
        assert removal.condition("Accepted")["status"] == "False"


def test_a_node_that_does_not_exist_is_reported_as_absent(sandbox, start_operator):
    start_operator()
    name = sandbox.name("nowhere")
    removal = Removal(sandbox, name)
    assert removal.wait_end() == ("True", "NodeAbsent")
    assert name in removal.condition("Succeeded")["message"]


def test_a_node_with_another_uid_than_the_pinned_one_is_left_alone(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    requests = OperatorRequests(sandbox)
    start_operator()
    removal = Removal(sandbox, jetson, nodeUID="00000000-0000-0000-0000-000000000000")
    assert removal.wait_end() == ("True", "AlreadyReplaced")
    assert requests.touched() == set()
