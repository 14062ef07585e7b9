"""A cleaning meets what happens to machines and clusters in the meantime."""

import json

import foreign
import pytest
from hand_over import NAMESPACE, HandOver, results
from membership import hang_once_kubelet_is_stopped, leave_cluster, thaw_containerd
from waiting import wait_until

CLEAN = ("noderemoval", "host-cleanup", "--yes")


def test_the_pod_may_be_killed_once_it_has_handed_over(host, image):
    cleaning = HandOver(host, image)
    cleaning.wait_handed_over()
    host.cluster.kubectl("delete", "pod", f"--namespace={NAMESPACE}", cleaning.pod()["metadata"]["name"],
                         "--force", "--grace-period=0")
    cleaning.start()

    assert cleaning.wait_report()["phase"] == "Succeeded", cleaning.told()
    assert host.leftovers() == {}


def test_the_report_arrives_although_the_api_server_was_gone_during_the_cleaning(host, image):
    cleaning = stopped_in_the_middle(host, image)
    host.cluster.kill("kube-apiserver")
    try:
        thaw_containerd(host)
        cleaning.wait_result("Succeeded", "Failed")
    finally:
        host.cluster.heal()

    assert cleaning.wait_report()["phase"] == "Succeeded", cleaning.told()
    assert host.leftovers() == {}


def test_after_a_reboot_in_the_middle_the_kubelet_stays_off_and_the_cleaning_can_be_finished_by_hand(host, image):
    cleaning = stopped_in_the_middle(host, image)
    host.cluster.reboot(host.name)

    assert host.unit("kubelet") == ("inactive", "disabled")
    assert not host.processes("kubelet")
    assert cleaning.result()["phase"] == "Running", "it tells where the cleaning stopped"
    assert cleaning.report() is None
    done = host.attempt(*CLEAN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert host.leftovers() == {}


def test_a_cleaned_machine_stays_out_of_the_cluster_after_a_reboot(host, image):
    cleaning = HandOver(host, image)
    cleaning.wait_handed_over()
    cleaning.start()
    assert cleaning.wait_report()["phase"] == "Succeeded", cleaning.told()
    host.cluster.api.delete("Node", host.name)
    host.cluster.reboot(host.name)

    assert host.leftovers() == {}
    assert host.unit("containerd") == ("active", "enabled")
    assert host.cluster.api.get("Node", host.name) is None


@pytest.mark.long
def test_a_report_never_marks_a_node_that_has_taken_the_name_meanwhile(host, image):
    cleaning = stopped_in_the_middle(host, image)
    api = host.cluster.api
    api.delete("Node", host.name)
    api.create({"kind": "Node", "metadata": {"name": host.name}})
    thaw_containerd(host)
    result = cleaning.wait_result("Succeeded", "Failed")
    cleaning.wait_unit_gone()

    assert result["phase"] == "Succeeded", cleaning.told()
    assert cleaning.report() is None


@pytest.mark.long
def test_killed_again_and_again_it_comes_to_the_same_end(host, foreign_before):
    """Each run is killed as soon as it has published one more step."""
    killed = 0
    for count in range(1, 12):
        host.run("systemd-run", "--unit=cleaning", "--collect", *CLEAN)
        if not wait_until(lambda wanted=count: steps_done(host) >= wanted and "killed" or ended(host) and "ended", 60,
                          f"{count} steps are done or all") == "killed":
            break
        host.attempt("systemctl", "kill", "--signal=KILL", "cleaning")
        killed += 1
        wait_until(lambda: ended(host), 10, "the killed unit is gone")

    last = host.attempt(*CLEAN)

    assert killed > 2
    assert last.returncode == 0, last.stdout + last.stderr
    assert host.leftovers() == {}
    assert foreign.seen_on(host) == foreign_before
    leave_cluster(host)
    host.cluster.join(host.name)
    host.cluster.wait_ready(host.name)


def steps_done(host):
    """How many steps the newest run has published as done."""
    done = host.attempt("cat", "/var/lib/noderemoval/by-hand/result.json")
    if done.returncode:
        return 0
    return sum(result in ("Done", "NothingToDo") for result in results(json.loads(done.stdout)).values())


def ended(host):
    return host.unit("cleaning")[0] in ("inactive", "failed", "unknown")


def stopped_in_the_middle(host, image):
    """A cleaning that was started and stands still, with the kubelet stopped; thaw_containerd lets it go on."""
    cleaning = HandOver(host, image)
    cleaning.wait_handed_over()
    hang_once_kubelet_is_stopped(host)
    cleaning.start()
    wait_until(lambda: results(cleaning.result() or {"steps": []}).get("Kubelet") == "Done", 60,
               "the kubelet is stopped", seen=cleaning.told)
    return cleaning
