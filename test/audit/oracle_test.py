"""Each rule finds what it is for in a log in which that alone is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
import rules
import story
from oracle import Oracle
from story import NODE, NODES, PODS, REMOVAL, REMOVALS, graceful, of_dead_node, with_cleanup

LEASE = "/apis/coordination.k8s.io/v1/namespaces/noderemoval-system/leases/noderemoval-controller"


def violations(told, tmp_path, only=rules.RULES):
    log = tmp_path / "audit.log"
    told.write(log)
    return Oracle(log, rules=only).violations()


def spoiled(tell, spoil):
    told = tell()
    spoil(told)
    return told


def assert_found(problem, told, tmp_path):
    found = violations(told, tmp_path)
    assert any(text.startswith(problem) for text in found), found


@pytest.mark.parametrize("tell", [graceful, with_cleanup, of_dead_node])
def test_nothing_is_found_in_a_removal_in_which_everything_is_right(tell, tmp_path):
    assert violations(tell(), tmp_path) == []


def without(mapping, *path):
    for key in path[:-1]:
        mapping = mapping[key]
    del mapping[path[-1]]


def creates_a_node(told):
    told.add("wrong", 10, "create", NODES, {}, story.node())


def deletes_all_nodes(told):
    told.add("wrong", 10, "delete", NODES + "/", {})


def deletes_a_node_on_trial(told):
    told.steps["delete node"]["requestURI"] += "?dryRun=All"


def evicts_for_a_dry_run(told):
    told.answer("read removal")["spec"]["dryRun"] = True


def patches_a_node_by_name(told):
    without(told.body("cordon"), "metadata", "uid")


def labels_a_node(told):
    told.body("cordon")["metadata"]["labels"] = {}


def annotates_a_node(told):
    told.body("cordon")["metadata"]["annotations"]["somebody/else"] = ""


def drops_a_taint(told):
    told.answer("node made")["spec"]["taints"] = [{"key": "gpu", "effect": "NoSchedule"}]


def cordons_before_the_node_is_bound(told):
    for title in ("bind", "finalizer", "read removal", "read removal again", "end"):
        told.answer(title)["status"]["nodeUID"] = ""


def uncordons_what_is_not_claimed(told):
    before = story.node(20, claimed=False, uid="other")
    told.add("cordoned by a user", 20, "patch", f"{NODES}/other", {}, before, user="somebody")
    told.add("wrong", 21, "patch", f"{NODES}/other", {"metadata": {"uid": "other", "resourceVersion": "20"},
                                                      "spec": {"unschedulable": None}},
             story.node(21, claimed=False, uid="other"))


def uncordons_what_was_cordoned_before(told):
    before = story.node(20, uid="other")
    before["metadata"]["annotations"]["noderemoval.dev/claim"] = '{"uid": "x", "wasUnschedulable": true}'
    told.add("claimed", 20, "patch", f"{NODES}/other", {}, before, user="somebody")
    told.add("wrong", 21, "patch", f"{NODES}/other", {"metadata": {"uid": "other", "resourceVersion": "20"},
                                                      "spec": {"unschedulable": None}},
             story.node(21, claimed=False, uid="other"))


def evicts_by_name(told):
    without(told.body("evict"), "deleteOptions")


def evicts_the_unseen(told):
    told.body("evict")["deleteOptions"]["preconditions"]["uid"] = "unseen"


def evicts_a_daemon(told):
    told.body("evict")["deleteOptions"]["preconditions"]["uid"] = "daemon-uid"


def evicts_a_mirror_pod(told):
    told.answer("pods made")["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}


def evicts_from_another_node(told):
    told.answer("pods made")["spec"]["nodeName"] = "other"


def evicts_before_the_claim(told):
    without(told.answer("read node"), "metadata", "annotations", "noderemoval.dev/claim")


def evicts_from_a_schedulable_node(told):
    without(told.answer("read node"), "spec", "unschedulable")


def evicts_for_a_cancelled_removal(told):
    told.answer("read removal")["metadata"]["deletionTimestamp"] = story.time_text(2)


def evicts_for_a_finished_removal(told):
    told.answer("read removal")["status"]["completionTime"] = story.time_text(2)


def evicts_for_a_suspended_removal(told):
    told.answer("read removal")["spec"]["suspend"] = True


def evicts_for_another_node(told):
    told.answer("read removal")["status"]["nodeUID"] = "other"


def evicts_without_a_fresh_read(told):
    for title in ("read node", "read removal"):
        told.steps[title]["requestReceivedTimestamp"] = story.time_text(-100)


def evicts_after_reads_from_a_cache(told):
    told.steps["read node"]["requestURI"] += "?resourceVersion=0"


def evicts_before_the_cordon_is_in_status(told):
    told.answer("read removal")["status"]["conditions"] = []


def evicts_from_a_dead_node(told):
    told.answer("read node")["status"]["conditions"] = []


def deletes_a_pod_of_a_ready_node(told):
    told.add("wrong", 3.3, "delete", f"{PODS}/web", {"preconditions": {"uid": "web-uid"}})


def deletes_a_node_by_name(told):
    without(told.body("delete node"), "preconditions", "resourceVersion")


def deletes_another_node(told):
    told.body("delete node")["preconditions"]["uid"] = "other"


def deletes_a_node_that_changed(told):
    told.body("delete node")["preconditions"]["resourceVersion"] = "3"


def deletes_a_node_that_was_only_to_be_drained(told):
    told.answer("read removal again")["spec"]["deleteNode"] = False


def deletes_a_node_that_is_not_drained(told):
    told.answer("read removal again")["status"]["conditions"][2]["status"] = "Unknown"


def deletes_a_node_that_is_not_accepted(told):
    told.answer("read removal again")["status"]["conditions"][0]["status"] = "False"


def deletes_a_node_that_it_never_cordoned(told):
    without(told.steps, "cordon")


def deletes_a_node_at_once(told):
    told.steps["cordon"]["stageTimestamp"] = story.time_text(6)


def deletes_a_node_without_a_look_at_its_pods(told):
    without(told.steps, "list pods")


def deletes_a_node_with_pods(told):
    told.answer("list pods")["items"].append(story.pod())


def deletes_a_node_after_an_old_look(told):
    for title in ("read removal again", "read node again", "list nodes", "delete node"):
        told.steps[title]["requestReceivedTimestamp"] = story.time_text(100)
    told.steps["delete node"]["requestReceivedTimestamp"] = story.time_text(101)


def deletes_a_protected_node(told):
    told.answer("read node again")["metadata"]["annotations"]["noderemoval.dev/protect"] = ""


def deletes_a_control_plane_node(told):
    told.answer("read node again")["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": ""}


def deletes_the_last_node_that_takes_pods(told):
    told.answer("list nodes")["items"].pop()


def deletes_a_node_without_a_look_at_the_others(told):
    without(told.steps, "list nodes")


def deletes_a_node_among_dead_ones(told):
    told.answer("list nodes")["items"] = [story.node(1, "Unknown")] * 3


def deletes_a_node_before_its_volumes_are_looked_at(told):
    told.answer("read removal again")["status"]["conditions"][3]["status"] = "Unknown"


def never_lists_attachments(told):
    without(told.steps, "list attachments")


def calls_a_node_gone_that_is_there(told):
    without(told.steps, "node is gone")


def binds_another_node(told):
    told.answer("end")["status"]["nodeUID"] = "other"


def ends_twice(told):
    told.answer("end")["status"]["completionTime"] = story.time_text(9)
    told.add("wrong", 10, "patch", f"{REMOVALS}/{REMOVAL}/status", {"status": {}},
             story.removal(10, NodeDeleted="True"))


def writes_a_finalize_subresource(told):
    told.add("wrong", 10, "update", "/api/v1/namespaces/default/finalize", {})
    told.steps["wrong"]["objectRef"] = {"resource": "namespaces", "name": "default", "subresource": "finalize"}


def takes_the_finalizer_of_a_pod(told):
    told.add("wrong", 10, "patch", f"{PODS}/web", {"metadata": {"finalizers": []}}, story.pod(version=10))


def takes_a_finalizer_blindly(told):
    without(told.body("finalizer"), "metadata", "resourceVersion")


def takes_the_finalizer_of_somebody(told):
    told.answer("bind")["metadata"]["finalizers"] = ["somebody/else"]


def makes_a_removal_of_its_own(told):
    told.add("wrong", 10, "create", REMOVALS, {"metadata": {}})


def deletes_a_removal_by_name(told):
    told.add("wrong", 10, "delete", f"{REMOVALS}/{REMOVAL}", {})


def add_leader(told, agent, second, holder="x"):
    told.add(f"lease {second}", second, "update", LEASE, {},
             {"spec": {"holderIdentity": holder, "leaseDurationSeconds": 15}}, agent=agent)


def add_write(told, agent, second):
    told.add("event", second, "create", "/api/v1/namespaces/default/events", agent=agent)


def writes_without_a_lease(told):
    add_write(told, "noderemoval/1 (x)", 20)


def writes_under_the_lease_of_another(told):
    add_leader(told, "noderemoval/1 (x)", 20)
    add_leader(told, "noderemoval/1 (y)", 21)
    add_write(told, "noderemoval/1 (x)", 22)


def writes_after_it_gave_up_its_lease(told):
    add_leader(told, "noderemoval/1 (x)", 20, holder="")
    add_write(told, "noderemoval/1 (x)", 21)


def writes_after_its_lease_ran_out(told):
    add_leader(told, "noderemoval/1 (x)", 20)
    add_write(told, "noderemoval/1 (x)", 36)


@pytest.mark.parametrize("spoil, problem", [
    (creates_a_node, "S21: the operator has no business with create of nodes"),
    (deletes_all_nodes, "S2: it names no object"),
    (deletes_a_node_on_trial, "S2: a dry run"),
    (evicts_for_a_dry_run, "S17: the NodeRemoval was a dry run"),
    (patches_a_node_by_name, "S1: a patch of a Node without"),
    (labels_a_node, "S16: a patch of a Node changes what is not"),
    (annotates_a_node, "S16: a patch of a Node changes a foreign annotation"),
    (drops_a_taint, "S16: a patch of a Node changes the taints"),
    (cordons_before_the_node_is_bound, "S1, S17: a Node is cordoned for"),
    (uncordons_what_is_not_claimed, "S13: a Node is uncordoned that no"),
    (uncordons_what_was_cordoned_before, "S13: a Node is uncordoned that was cordoned before"),
    (evicts_by_name, "S2: a pod is told to leave without"),
    (evicts_the_unseen, "S12: nobody ever saw"),
    (evicts_a_daemon, "S12: a pod of a DaemonSet"),
    (evicts_a_mirror_pod, "S12: a mirror pod"),
    (evicts_from_another_node, "S18: the node was not there"),
    (evicts_before_the_claim, "S1: the node was not claimed"),
    (evicts_from_a_schedulable_node, "S4: the node was schedulable"),
    (evicts_for_a_cancelled_removal, "S13: the NodeRemoval was cancelled"),
    (evicts_for_a_finished_removal, "S19: the NodeRemoval was finished"),
    (evicts_for_a_suspended_removal, "S9: the NodeRemoval was suspended"),
    (evicts_for_another_node, "S1: the NodeRemoval is bound to another node"),
    (evicts_without_a_fresh_read, "S18: the reads before it are too old"),
    (evicts_after_reads_from_a_cache, "S18: the node was not there"),
    (evicts_before_the_cordon_is_in_status, "S4, S17: a pod is told to leave"),
    (evicts_from_a_dead_node, "S7: an eviction from a node"),
    (deletes_a_pod_of_a_ready_node, "S7: a pod of a Ready node is deleted"),
    (deletes_a_node_by_name, "S2: a Node is deleted without"),
    (deletes_another_node, "S1: a Node of another UID"),
    (deletes_a_node_that_changed, "S18: a Node is deleted by another resourceVersion"),
    (deletes_a_node_that_was_only_to_be_drained, "S1: a Node is deleted that was only"),
    (deletes_a_node_that_is_not_drained, "S4: a Node is deleted that was neither"),
    (deletes_a_node_that_is_not_accepted, "S4: a Node is deleted while Accepted"),
    (deletes_a_node_that_it_never_cordoned, "S3: a Node is deleted that the operator never"),
    (deletes_a_node_at_once, "S3: no quorum list"),
    (deletes_a_node_without_a_look_at_its_pods, "S3: no quorum list"),
    (deletes_a_node_with_pods, "S3: the deletion of a Node loses pods"),
    (deletes_a_node_after_an_old_look, "S18: the list of its pods is too old"),
    (deletes_a_protected_node, "S10: a protected Node"),
    (deletes_a_control_plane_node, "S10: a control-plane Node"),
    (deletes_the_last_node_that_takes_pods, "S10: no other Ready node"),
    (deletes_a_node_without_a_look_at_the_others, "S9: something that cannot be undone is done without"),
    (deletes_a_node_among_dead_ones, "S9: something that cannot be undone is done while"),
    (deletes_a_node_before_its_volumes_are_looked_at, "S20: a Node is deleted before"),
    (never_lists_attachments, "S20: nobody looked"),
    (calls_a_node_gone_that_is_there, "S11: a Node is called deleted"),
    (binds_another_node, "S1: a NodeRemoval is bound to another"),
    (ends_twice, "S17: a finished NodeRemoval"),
    (writes_a_finalize_subresource, "S16: a finalize subresource"),
    (takes_the_finalizer_of_a_pod, "S16: finalizers of pods"),
    (takes_a_finalizer_blindly, "S16: finalizers are written without"),
    (takes_the_finalizer_of_somebody, "S16: finalizers of others"),
    (makes_a_removal_of_its_own, "S21: a NodeRemoval is made"),
    (deletes_a_removal_by_name, "S2: a NodeRemoval is deleted without"),
    (writes_without_a_lease, "S8: it writes while nobody"),
    (writes_under_the_lease_of_another, "S8: it writes while x"),
    (writes_after_it_gave_up_its_lease, "S8: it writes while nobody"),
    (writes_after_its_lease_ran_out, "S8: it writes after"),
], ids=lambda value: getattr(value, "__name__", ""))
def test_it_finds_an_operator_that(spoil, problem, tmp_path):
    assert_found(problem, spoiled(graceful, spoil), tmp_path)


def clears_a_pod_of_a_ready_node(told):
    told.answer("read node")["status"]["conditions"][0]["status"] = "True"


def clears_a_pod_that_nobody_told(told):
    without(told.answer("pod told"), "metadata", "deletionTimestamp")
    without(told.answer("clear"), "metadata", "deletionTimestamp")


def clears_a_pod_too_early(told):
    for title in ("pod told", "clear"):
        told.answer(title)["metadata"]["deletionTimestamp"] = story.time_text(30)


def clears_a_pod_without_evidence(told):
    without(told.answer("read removal"), "status", "evidence")


def clears_a_pod_that_must_not_run_twice(told):
    without(told.answer("read removal"), "spec", "unreachable")


@pytest.mark.parametrize("spoil, problem", [
    (clears_a_pod_of_a_ready_node, "S6: grace 0 on a Ready node"),
    (clears_a_pod_that_nobody_told, "S5: grace 0 for a pod whose"),
    (clears_a_pod_too_early, "S5: grace 0 for a pod whose"),
    (clears_a_pod_without_evidence, "S5: grace 0 without evidence"),
    (clears_a_pod_that_must_not_run_twice, "S5: a pod of a StatefulSet"),
], ids=lambda value: getattr(value, "__name__", ""))
def test_on_a_dead_node_it_finds_an_operator_that(spoil, problem, tmp_path):
    assert_found(problem, spoiled(of_dead_node, spoil), tmp_path)


def cleans_unasked(told):
    for title in ("bind", "finalizer", "read removal", "read removal again", "report is in status", "end"):
        del told.answer(title)["spec"]["hostCleanup"]


def makes_a_pod_of_its_own(told):
    told.body("hand over")["metadata"]["ownerReferences"] = []


def hands_over_to_another_node(told):
    told.body("hand over")["spec"]["nodeName"] = "other"


def deletes_the_hand_over_pod_by_name(told):
    del told.body("hand-over pod goes")["preconditions"]


def starts_for_another(told):
    told.body("start")["metadata"]["annotations"]["noderemoval.dev/host-cleanup-start"] = "x"


def starts_by_an_old_version(told):
    told.body("start")["metadata"]["resourceVersion"] = "3"


def starts_on_a_dead_machine(told):
    told.answer("read node again")["status"]["conditions"][0]["status"] = "Unknown"


def starts_before_the_drain(told):
    for condition in told.answer("read removal again")["status"]["conditions"]:
        if condition["type"] == "Drained":
            condition["status"] = "Unknown"


def starts_with_pods(told):
    told.answer("list pods")["items"].append(story.pod())


def deletes_before_the_report(told):
    del told.steps["report is in status"]


@pytest.mark.parametrize(("spoil", "problem"), [
    (cleans_unasked, "S21: a machine is to be cleaned that nobody wants clean"),
    (makes_a_pod_of_its_own, "S21: a pod is made"),
    (hands_over_to_another_node, "S1: a pod that hands over is bound"),
    (deletes_the_hand_over_pod_by_name, "S2: a pod that hands over"),
    (starts_for_another, "S1: a machine is cleaned for another"),
    (starts_by_an_old_version, "S18: a machine is cleaned by another"),
    (starts_on_a_dead_machine, "S7: the machine of a node"),
    (starts_before_the_drain, "S4: a Node is deleted that was neither"),
    (starts_with_pods, "S3: the deletion of a Node loses pods"),
    (deletes_before_the_report, "S4: a Node is deleted before it is known"),
], ids=lambda value: getattr(value, "__name__", ""))
def test_with_a_cleanup_it_finds_an_operator_that(spoil, problem, tmp_path):
    assert_found(problem, spoiled(with_cleanup, spoil), tmp_path)


def test_every_rule_finds_something(tmp_path):
    """A rule that no log of this file violates would prove nothing."""
    silent = {rule.__name__ for rule in rules.RULES}
    for test, tell in ((test_it_finds_an_operator_that, graceful),
                       (test_with_a_cleanup_it_finds_an_operator_that, with_cleanup),
                       (test_on_a_dead_node_it_finds_an_operator_that, of_dead_node)):
        [mark] = test.pytestmark
        for spoil, _ in mark.args[1]:
            silent -= names_of_rules_that_speak(spoiled(tell, spoil), tmp_path)
    assert silent == set()


def names_of_rules_that_speak(told, tmp_path):
    return {rule.__name__ for rule in rules.RULES if violations(told, tmp_path, [rule])}


def test_the_brake_is_what_the_operator_was_told(tmp_path):
    told = graceful()
    dead = [story.node(1, "Unknown", uid=f"dead-{number}") for number in range(3)]
    told.answer("list nodes")["items"] += dead
    log = tmp_path / "audit.log"
    told.write(log)
    found = {}
    for percent in (39, 40):
        oracle = Oracle(log)
        oracle.expect_min_healthy(percent)
        found[percent] = [text.partition(":")[0] for text in oracle.violations()]
    assert found == {39: [], 40: ["S9"]}


def test_a_dry_run_may_ask_whether_a_pod_could_be_evicted(tmp_path):
    told = graceful()
    told.body("evict")["deleteOptions"]["dryRun"] = ["All"]
    evicts_for_a_dry_run(told)
    without(told.steps, "delete node")
    assert violations(told, tmp_path) == []


def test_a_watch_may_tell_that_another_node_has_joined(tmp_path):
    told = graceful()
    without(told.steps, "node is gone")
    told.add("joined again", 8, "create", NODES, {}, story.node(8, claimed=False, uid="another"), user="somebody")
    assert violations(told, tmp_path) == []


def test_an_answer_without_a_version_is_no_state(tmp_path):
    told = graceful()
    told.add("deleted at once", 20, "delete", f"{PODS}/web", {}, story.pod(), user="somebody")
    without(told.answer("deleted at once"), "metadata", "resourceVersion")
    assert violations(told, tmp_path) == []


def test_a_finalizer_that_the_garbage_collector_took_is_not_held_against_the_operator(tmp_path):
    told = story.graceful()
    deleted, collected, let_go = (story.removal(version) for version in (30, 31, 31))
    deleted["metadata"]["finalizers"] = ["noderemoval.dev/removal", "foregroundDeletion"]
    collected["metadata"]["finalizers"] = ["noderemoval.dev/removal"]
    told.add("deleted", 30, "delete", f"{REMOVALS}/{REMOVAL}", {}, deleted, user="somebody")
    told.add("collected", 31, "patch", f"{REMOVALS}/{REMOVAL}", {},
             {"kind": "PartialObjectMetadata", "metadata": collected["metadata"]}, user="somebody")
    told.add("let go", 32, "patch", f"{REMOVALS}/{REMOVAL}",
             {"metadata": {"resourceVersion": "31", "finalizers": []}}, let_go)
    assert violations(told, tmp_path) == []


def test_requests_of_others_are_not_judged(tmp_path):
    told = graceful()
    told.add("of a user", 10, "delete", f"{NODES}/{NODE}", {}, user="somebody")
    told.add("of a human in its name", 10, "delete", f"{NODES}/{NODE}", {}, agent="kubectl/1")
    assert violations(told, tmp_path) == []


def test_a_log_is_read_on_from_where_it_ended_and_not_before_a_line_is_complete(tmp_path):
    log = tmp_path / "audit.log"
    told = graceful()
    told.write(log)
    whole = log.read_bytes()
    oracle = Oracle(log)
    log.write_bytes(whole[:len(whole) // 2])
    found = oracle.violations()
    log.write_bytes(whole)
    assert found + oracle.violations() == []
    assert oracle.writes == len([step for step in told.steps.values()
                                 if step["verb"] not in ("get", "list") and step["user"]["username"] != "somebody"])


@pytest.mark.parametrize("spoil, code", [(lambda told: None, 0), (evicts_by_name, 1)], ids=["right", "wrong"])
def test_the_command_prints_what_it_finds_and_its_exit_code_says_whether(spoil, code, tmp_path):
    told = graceful()
    spoil(told)
    log = tmp_path / "audit.log"
    told.write(log)
    done = subprocess.run([sys.executable, Path(__file__).with_name("oracle.py"), log], capture_output=True, text=True,
                          check=False)
    assert done.returncode == code
    assert ("auditID evict" in done.stdout) == bool(code)
