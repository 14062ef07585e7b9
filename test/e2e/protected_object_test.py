"""What nobody may change of a NodeRemoval, on servers that know the rules in the CRD (1.25 on)."""

import pytest
from api import ApiError
from objects import naked_pod
from removal import Removal, traces_on
from waiting import wait_until

FIRST_MINOR_WITH_RULES = 25
FIXED = [{"nodeName": "another"}, {"drain": {"force": True}}, {"drain": {"podSelector": {"matchLabels": {"a": "b"}}}},
         {"deleteNode": False}, {"dryRun": True}, {"unreachable": {"toleranceSeconds": 1}},
         {"migration": {"wait": False}}, {"nodeUID": "x"}, {"maxConcurrent": 2}]
FREE = [{"suspend": True}, {"suspend": False}, {"unreachable": {"fenced": True}}, {"ttlSecondsAfterFinished": 3600}]


@pytest.fixture
def blocked(sandbox, start_operator):
    """A removal that waits for a pod."""
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create(naked_pod("single", node=jetson))
    start_operator()
    removal = Removal(sandbox, jetson)
    removal.wait_reason("DrainBlocked")
    return removal


def test_a_spec_is_fixed_except_for_what_steers_the_removal(sandbox, blocked):
    for change in FREE:
        blocked.change(**change)
    if sandbox.api.minor < FIRST_MINOR_WITH_RULES:
        _assert_stands_still_while_changed(sandbox, blocked)
        return
    for change in FIXED:
        with pytest.raises(ApiError) as refusal:
            blocked.change(**change)
        assert refusal.value.status == 422, change


def test_a_group_whose_selector_an_old_server_lets_change_holds_its_children(sandbox, start_operator):
    if sandbox.api.minor >= FIRST_MINOR_WITH_RULES:
        return
    labels = {"pool": sandbox.namespace}
    jetson = sandbox.add_node(labels=labels)
    sandbox.add_node()
    sandbox.create(naked_pod("single", node=jetson))
    start_operator()
    group = Removal(sandbox, nodeSelector={"matchLabels": labels})
    child = f"{group.name}-{jetson}"
    wait_until(lambda: _reason_of(sandbox, child) == "DrainBlocked", 30, "the child is blocked", seen=group.status)

    group.change(nodeSelector=None, nodeName="another")
    group.wait_reason("SpecChanged")
    wait_until(lambda: _reason_of(sandbox, child) == "Suspended", 30, "the child stands still", seen=group.status)
    group.change(nodeSelector={"matchLabels": labels}, nodeName=None)
    wait_until(lambda: _reason_of(sandbox, child) == "DrainBlocked", 30, "the child goes on", seen=group.status)
    group.cancel()


def _reason_of(sandbox, removal):
    conditions = (sandbox.get("NodeRemoval", removal) or {}).get("status", {}).get("conditions", [])
    return next((each["reason"] for each in conditions if each["type"] == "Succeeded"), None)


def test_the_status_cannot_be_wiped(sandbox, blocked):
    if sandbox.api.minor < FIRST_MINOR_WITH_RULES:
        uid = blocked.status()["nodeUID"]
        sandbox.api.patch("NodeRemoval", blocked.name, {"status": None}, subresource="status")
        blocked.wait_reason("DrainBlocked")  # it is bound again, to the same node
        assert blocked.status()["nodeUID"] == uid
        return
    for wiped in (None, {"nodeUID": None}, {"nodeUID": "another"}):
        with pytest.raises(ApiError) as refusal:
            sandbox.api.patch("NodeRemoval", blocked.name, {"status": wiped}, subresource="status")
        assert refusal.value.status == 422, wiped


def _assert_stands_still_while_changed(sandbox, removal):
    """An old server takes the change; the operator neither follows it nor loses the node that it has cordoned."""
    for change, back in (({"drain": {"force": True}}, {"drain": {"force": False}}),
                         ({"nodeName": "another"}, {"nodeName": removal.node})):
        removal.change(**change)
        assert "suspend, unreachable.fenced and ttlSecondsAfterFinished" in removal.wait_reason("SpecChanged")["message"]
        assert sandbox.get("Pod", "single")
        removal.change(**back)
        removal.wait_reason("DrainBlocked")
    removal.change(nodeName="another")
    removal.wait_reason("SpecChanged")
    removal.cancel()
    removal.wait_gone()
    node = sandbox.get("Node", removal.node)
    assert not node["spec"].get("unschedulable") and traces_on(node) == []
