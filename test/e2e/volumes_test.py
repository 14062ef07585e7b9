"""Volumes that are still attached to a node that has no pods any more."""

from objects import volume_attachment
from operator_requests import OperatorRequests
from removal import Removal


def test_a_node_is_only_deleted_once_its_volumes_are_detached(sandbox, start_operator):
    jetson, _ = sandbox.add_nodes(2)
    attachment = sandbox.name("attachment")
    sandbox.create(volume_attachment(attachment, jetson, "disk"))
    requests = OperatorRequests(sandbox)
    start_operator()

    removal = Removal(sandbox, jetson)
    waiting = removal.wait_reason("WaitingForVolumes")
    assert attachment in waiting["message"]
    assert requests.node_deletes() == []
    sandbox.api.delete("VolumeAttachment", attachment)
    assert removal.wait_end() == ("True", "NodeRemoved")
    assert removal.condition("VolumesDetached")["status"] == "True"
