"""The pod hands a cleaning over: nothing on the machine is changed before the operator lets it start."""

import json

import pytest
from hand_over import CLAIM, HandOver, results
from membership import is_ready_again
from waiting import wait_until


def test_a_dry_run_in_a_pod_reads_all_and_starts_nothing_that_stays(shared_host, image):
    before = shared_host.state()
    cleaning = HandOver(shared_host, image, "--dry-run")
    said = cleaning.wait_said()

    assert said["phase"] == "Planned", said
    found = results(said)
    for step in ("Kubelet", "Pods", "KubeadmReset", "CNI", "Iptables"):
        assert found[step] == "Planned", said
    cleaning.wait_pod_gone()
    assert shared_host.state() == before
    assert shared_host.unit(cleaning.unit)[0] == "inactive"


def test_nothing_is_changed_when_the_removal_is_cancelled(shared_host, image):
    before = shared_host.state()
    cleaning = HandOver(shared_host, image)
    cleaning.wait_handed_over()
    cleaning.annotate({CLAIM: None})
    cleaning.start()
    cleaning.wait_unit_gone()

    assert_not_started(cleaning, before)


def test_nothing_is_changed_when_the_start_never_comes(shared_host, image):
    before = shared_host.state()
    cleaning = HandOver(shared_host, image, timeout=5)
    cleaning.wait_handed_over()
    cleaning.wait_unit_gone()

    assert_not_started(cleaning, before)


@pytest.mark.long
def test_nothing_is_changed_when_another_node_of_the_same_name_has_joined_meanwhile(host, image):
    cleaning = HandOver(host, image)
    cleaning.wait_handed_over()
    host.cluster.api.delete("Node", host.name)
    host.run("systemctl", "restart", "kubelet")
    wait_until(lambda: is_ready_again(host, cleaning.node_uid), 60, f"{host.name} is Ready under another UID",
               seen=cleaning.told)
    cleaning.wait_pod_gone()
    before = host.state()
    cleaning.annotate({CLAIM: json.dumps({"uid": cleaning.uid})})
    cleaning.start()
    cleaning.wait_unit_gone()

    assert_not_started(cleaning, before)
    assert cleaning.report() is None


def assert_not_started(cleaning, before):
    result = cleaning.result()
    assert (result["phase"], result["reason"]) == ("Failed", "NotStarted"), cleaning.told()
    cleaning.wait_pod_gone()
    assert cleaning.host.state() == before
    assert not cleaning.host.exists(f"{cleaning.folder}/program"), "the copied program is removed"
