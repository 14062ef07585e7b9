"""What no request of the operator may be. Each rule yields what is wrong, and names the invariant.

A rule looks at one request `it`, and at what was seen before: `seen` of the cluster, and `read` by the same process."""

from request import seconds
from seen import LEASE, claim_of, condition_of

FINALIZER = "noderemoval.dev/removal"
PROTECT = "noderemoval.dev/protect"
REMOVING = "noderemoval.dev/removing"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
MIRROR = "kubernetes.io/config.mirror"
ALLOWED = {
    ("nodes", "patch"), ("nodes", "delete"), ("pods", "create"), ("pods", "delete"), ("pods/eviction", "create"),
    ("noderemovals", "create"), ("noderemovals", "patch"), ("noderemovals", "delete"),
    ("noderemovals/status", "patch"), ("configmaps", "create"), ("configmaps", "patch"), ("events", "create"),
    ("leases", "create"), ("leases", "update"), ("leases", "patch"),
    ("tokenreviews", "create"), ("subjectaccessreviews", "create")}
# A read counts as fresh for as long as a request and those that wait beside it may take.
FRESH_SECONDS = 60
SETTLE_SECONDS = 2
BRAKE_NODES = 3
START, REPORT = "noderemoval.dev/host-cleanup-start", "noderemoval.dev/host-cleanup-report"
HAND_OVER = "host-cleanup-"


def only_known_kinds_of_writes(it, seen, read):
    if (it.resource, it.verb) not in ALLOWED:
        yield f"S21: the operator has no business with {it.verb} of {it.resource}"
    elif it.verb != "create" and not it.name:
        yield "S2: it names no object"
    if "dryRun" in it.query or (it.body or {}).get("dryRun"):
        yield "S2: a dry run of what only evictions may try"


def nodes_are_patched_by_identity(it, seen, read):
    if (it.resource, it.verb) != ("nodes", "patch"):
        return
    metadata, spec = it.body.get("metadata", {}), it.body.get("spec", {})
    if not metadata.get("uid") or not metadata.get("resourceVersion"):
        yield "S1: a patch of a Node without its UID and resourceVersion"
    if set(metadata) - {"uid", "resourceVersion", "annotations"} or set(spec) - {"unschedulable", "taints"}:
        yield "S16: a patch of a Node changes what is not the operator's"
    annotations = metadata.get("annotations") or {}
    if set(annotations) - {"noderemoval.dev/claim", START, REPORT} or annotations.get(REPORT):
        yield "S16: a patch of a Node changes a foreign annotation"


def taints_of_others_stay(it, seen, read):
    if (it.resource, it.verb) != ("nodes", "patch") or not it.succeeded or "taints" not in it.body.get("spec", {}):
        return
    before = seen.nodes.before(it.answer["metadata"]["uid"], it.answer["metadata"]["resourceVersion"])
    if before and _foreign_taints(before) != _foreign_taints(it.answer):
        yield "S16: a patch of a Node changes the taints of others"


def claims_are_of_bound_removals(it, seen, read):
    """A Node is cordoned only for the NodeRemoval that is bound to its UID."""
    cordons = it.verb == "patch" and (it.body or {}).get("spec", {}).get("unschedulable")
    if it.resource != "nodes" or not it.succeeded or not cordons:
        return
    claim = claim_of(it.answer)
    removals = seen.removals.all(claim["uid"]) if claim else []
    uid = it.answer["metadata"]["uid"]
    if not any(each.get("status", {}).get("nodeUID") == uid for each in removals):
        yield "S1, S17: a Node is cordoned for a NodeRemoval whose status does not name its UID"


def nodes_are_given_back_by_their_claim(it, seen, read):
    if (it.resource, it.verb) != ("nodes", "patch") or not it.succeeded:
        return
    if "unschedulable" not in it.body.get("spec", {}):
        return
    if it.body["spec"]["unschedulable"]:
        return
    before = seen.nodes.before(it.answer["metadata"]["uid"], it.answer["metadata"]["resourceVersion"])
    claim = before and claim_of(before)
    if before and not claim and not _is_marked(before):  # a user may have taken the claim alone
        yield "S13: a Node is uncordoned that no NodeRemoval claimed"
    elif claim and claim.get("wasUnschedulable"):
        yield "S13: a Node is uncordoned that was cordoned before it was claimed"


def pods_leave_by_identity(it, seen, read):
    if not _is_pod_request(it) or _is_of_hand_over(it):
        return
    uid = _options(it).get("preconditions", {}).get("uid")
    pod = uid and seen.pods.latest(uid)
    if not uid:
        yield "S2: a pod is told to leave without its UID"
    elif not pod:
        yield "S12: nobody ever saw a pod of this UID"
    elif _controller(pod).get("kind") == "DaemonSet" and _ignores_daemon_sets(pod, read):
        yield "S12: a pod of a DaemonSet is told to leave"
    elif MIRROR in pod["metadata"].get("annotations", {}):
        yield "S12: a mirror pod is told to leave"


def pods_leave_nodes_that_are_being_removed(it, seen, read):
    """Its node and the NodeRemoval were read before, and both said so."""
    pod = _pod(it, seen)
    if not pod:
        return
    node, removal, problem = _removal_of(pod["spec"].get("nodeName", ""), it, read)
    if problem:
        yield problem
    elif condition_of(removal, "Cordoned")["status"] != "True":
        yield "S4, S17: a pod is told to leave before the cordon is in status"
    elif it.resource == "pods/eviction" and not is_ready(node):
        yield "S7: an eviction from a node that was not Ready"
    elif it.resource == "pods" and is_ready(node) and not _may_delete_on_ready_node(removal):
        yield "S7: a pod of a Ready node is deleted, not evicted"


def grace_is_shortened_on_dead_nodes_only(it, seen, read):
    pod = _pod(it, seen)
    if not pod or _options(it).get("gracePeriodSeconds") != 0:
        return
    node, removal, problem = _removal_of(pod["spec"].get("nodeName", ""), it, read)
    if problem:
        return  # said already
    ends = [seconds(state["metadata"]["deletionTimestamp"]) for state in seen.pods.all(pod["metadata"]["uid"])
            if "deletionTimestamp" in state["metadata"]]
    if is_ready(node):
        yield "S6: grace 0 on a Ready node"
    if not ends or min(ends) > it.received:
        yield "S5: grace 0 for a pod whose grace period is not over"
    if not removal.get("status", {}).get("evidence"):
        yield "S5: grace 0 without evidence in status that the node is dead"


def pods_that_must_not_run_twice_need_fencing(it, seen, read):
    pod = _pod(it, seen)
    if not pod or it.resource != "pods" or _controller(pod).get("kind") != "StatefulSet":
        return
    if pod["status"].get("phase") in ("Succeeded", "Failed"):
        return
    node, removal, problem = _removal_of(pod["spec"].get("nodeName", ""), it, read)
    if problem or is_ready(node):
        return
    if not removal["spec"].get("unreachable", {}).get("fenced") and not _out_of_service(node):
        yield "S5: a pod of a StatefulSet is deleted on a node that nobody said is off"


def machines_are_cleaned_by_pods_of_their_removal(it, seen, read):
    """The pod that hands the cleaning of a machine over to it is made for a NodeRemoval that wants it and holds the
    node, and goes by its UID."""
    if (it.resource, it.verb) == ("pods", "delete") and _is_of_hand_over(it):
        if not _options(it).get("preconditions", {}).get("uid"):
            yield "S2: a pod that hands over is deleted without its UID"
        return
    if (it.resource, it.verb) != ("pods", "create"):
        return
    owners = it.body["metadata"].get("ownerReferences", [])
    uid = next((each["uid"] for each in owners if each["kind"] == "NodeRemoval" and each.get("controller")), None)
    removals = seen.removals.all(uid) if uid else []
    if not removals or it.body["metadata"]["name"] != HAND_OVER + uid:
        yield "S21: a pod is made that hands nothing over for a NodeRemoval"
    elif not all(each["spec"].get("hostCleanup", {}).get("enabled") for each in removals):
        yield "S21: a machine is to be cleaned that nobody wants clean"
    elif it.body["spec"]["nodeName"] != removals[-1]["spec"]["nodeName"]:
        yield "S1: a pod that hands over is bound to another node than that of its NodeRemoval"


def machines_are_cleaned_for_the_removal_that_holds_them(it, seen, read):
    if not _is_start(it):
        return
    node, removal, problem = _removal_of(it.name, it, read)
    if problem:
        yield problem
    elif it.body["metadata"]["annotations"][START] != removal["metadata"]["uid"]:
        yield "S1: a machine is cleaned for another NodeRemoval than the one that holds its node"
    elif it.body["metadata"].get("resourceVersion") != node["metadata"]["resourceVersion"]:
        yield "S18: a machine is cleaned by another resourceVersion than the one read"
    elif not is_ready(node):
        yield "S7: the machine of a node is cleaned that was not Ready"


def nodes_are_deleted_by_identity(it, seen, read):
    if not _is_node_delete(it):
        return
    node, removal, problem = _removal_of(it.name, it, read)
    wanted = (it.body or {}).get("preconditions", {})
    if not wanted.get("uid") or not wanted.get("resourceVersion"):
        yield "S2: a Node is deleted without UID and resourceVersion"
    elif problem:
        yield problem
    elif wanted["uid"] != node["metadata"]["uid"]:
        yield "S1: a Node of another UID than the one read is deleted"
    elif wanted["resourceVersion"] != node["metadata"]["resourceVersion"]:
        yield "S18: a Node is deleted by another resourceVersion than the one read"
    elif removal["spec"].get("deleteNode") is False:
        yield "S1: a Node is deleted that was only to be drained"


def nodes_are_deleted_last(it, seen, read):
    node, removal = _of_node_loss(it, read)
    if not removal:
        return
    for step in ("Accepted", "Cordoned"):
        if condition_of(removal, step)["status"] != "True":
            yield f"S4: a Node is deleted while {step} is {condition_of(removal, step)['status']}"
    if not any(condition_of(removal, step)["status"] == "True" for step in ("Drained", "TerminatingPodsCleared")):
        yield "S4: a Node is deleted that was neither drained nor cleared"
    to_be_clean = removal["spec"].get("hostCleanup", {}).get("enabled") and it.verb == "delete"
    if to_be_clean and condition_of(removal, "HostCleaned")["status"] not in ("True", "False"):
        yield "S4: a Node is deleted before it is known what became of the cleaning of its machine"
    cordoned = seen.cordoned.get((node["metadata"]["uid"], removal["metadata"]["uid"]))
    pods_read, pods = read.pods_of.get(it.name, (None, []))
    if cordoned is None:
        yield "S3: a Node is deleted that the operator never cordoned"
    elif pods_read is None or pods_read < cordoned + SETTLE_SECONDS:
        yield f"S3: no quorum list of its pods, {SETTLE_SECONDS} s after the cordon, preceded the deletion of a Node"
    elif pods_read < it.received - FRESH_SECONDS:
        yield "S18: the list of its pods is too old for the deletion of a Node"
    lost = [pod["metadata"]["name"] for pod in pods if not _goes_with_the_node(pod)]
    if lost:
        yield f"S3: the deletion of a Node loses pods: {lost}"


def protected_nodes_stay(it, seen, read):
    node, removal = _of_node_loss(it, read)
    if not removal:
        return
    labels = node["metadata"].get("labels", {})
    if PROTECT in node["metadata"].get("annotations", {}):
        yield "S10: a protected Node is deleted"
    if any(each in labels for each in CONTROL_PLANE) and not removal["spec"].get("allowControlPlane"):
        yield "S10: a control-plane Node is deleted without permission"
    _, nodes = read.all_nodes or (0, [])
    # One that is not Ready takes no pods anyway.
    if is_ready(node) and not any(is_ready(each) and not each["spec"].get("unschedulable") for each in nodes
                                  if each["metadata"]["uid"] != node["metadata"]["uid"]):
        yield "S10: no other Ready node would be left that takes pods"


def many_dead_nodes_stop_everything(it, seen, read):
    """The brake: of the nodes that were read last, too many were not Ready."""
    grace_zero = _is_pod_request(it) and _options(it).get("gracePeriodSeconds") == 0 and not _is_of_hand_over(it)
    if not _is_node_loss(it) and not grace_zero:
        return
    asked, nodes = read.all_nodes or (0, [])
    nodes = [each for each in nodes if is_ready(each) or not _is_being_cleaned(each)]
    dead = sum(not is_ready(each) for each in nodes)
    if asked < it.received - FRESH_SECONDS:
        yield "S9: something that cannot be undone is done without a look at all nodes"
    elif dead >= BRAKE_NODES and 100 * (len(nodes) - dead) <= seen.min_healthy_percent * len(nodes):
        yield f"S9: something that cannot be undone is done while {dead} of {len(nodes)} nodes are not Ready"


def volumes_are_detached_first(it, seen, read):
    _, removal = _of_node_loss(it, read)
    if not removal:
        return
    detached = condition_of(removal, "VolumesDetached")
    if detached["status"] not in ("True", "False"):
        yield "S20: a Node is deleted before its volumes were looked at"
    elif detached["reason"] == "Detached" and read.attachments is None:
        yield "S20: nobody looked at the VolumeAttachments"


def gone_is_what_the_server_says(it, seen, read):
    """NodeDeleted=True needs an answer that the Node is not there, or that there is another one, of which a watch may
    have told as well."""
    if it.resource != "noderemovals/status" or not it.succeeded:
        return
    before = seen.removals.before(it.answer["metadata"]["uid"], it.answer["metadata"]["resourceVersion"])
    status = it.answer["status"]
    if condition_of(it.answer, "NodeDeleted")["status"] != "True" or (
            before and condition_of(before, "NodeDeleted")["status"] == "True"):
        return
    _, node = read.nodes.get(it.answer["spec"]["nodeName"], (None, "never read"))
    if node != "never read" and (not node or node["metadata"]["uid"] != status.get("nodeUID")):
        return
    if not seen.nodes.has_other(it.answer["spec"]["nodeName"], status.get("nodeUID"),
                                it.answer["metadata"]["resourceVersion"]):
        yield "S11: a Node is called deleted that was there when it was read last"


def what_is_bound_stays_bound(it, seen, read):
    if it.resource != "noderemovals/status" or not it.succeeded:
        return
    before = seen.removals.before(it.answer["metadata"]["uid"], it.answer["metadata"]["resourceVersion"])
    old, new = (before or {}).get("status", {}), it.answer["status"]
    if old.get("nodeUID") and old["nodeUID"] != new.get("nodeUID"):
        yield "S1: a NodeRemoval is bound to another Node"
    if old.get("completionTime"):
        ends = [(each.get("completionTime"), *map(condition_of(each_of, "Succeeded").get, ("status", "reason")))
                for each, each_of in ((old, before), (new, it.answer))]
        if ends[0] != ends[1]:
            yield f"S17: a finished NodeRemoval gets another end: {ends}"


def finalizers_of_others_stay(it, seen, read):
    if it.resource.partition("/")[2] == "finalize":
        yield "S16: a finalize subresource is written"
    if "finalizers" not in ((it.body or {}).get("metadata") or {}) or it.verb != "patch":
        return
    if it.resource != "noderemovals":
        yield f"S16: finalizers of {it.resource} are written"
    elif not it.body["metadata"].get("resourceVersion"):
        yield "S16: finalizers are written without resourceVersion"
    elif it.succeeded and it.answer.get("metadata"):
        # The answer to the patch that lets an object go has the version from before.
        before = seen.removals.at(it.answer["metadata"]["uid"], it.body["metadata"]["resourceVersion"])
        if before and _foreign_finalizers(before) != _foreign_finalizers(it.answer):
            yield "S16: finalizers of others are changed"


def removals_come_and_go_by_identity(it, seen, read):
    if it.resource != "noderemovals":
        return
    if it.verb == "create":
        owners = it.body["metadata"].get("ownerReferences", [])
        if not any(each["kind"] == "NodeRemoval" and each.get("controller") for each in owners):
            yield "S21: a NodeRemoval is made that no other one owns"
    elif it.verb == "delete" and not (it.body or {}).get("preconditions", {}).get("uid"):
        yield "S2: a NodeRemoval is deleted without its UID"


def only_the_leader_writes(it, seen, read):
    """Applies to processes that take part in an election, which their user agent names."""
    if "(" not in it.agent or (it.resource == "leases" and it.name in ("", LEASE)):
        return
    if it.resource in ("tokenreviews", "subjectaccessreviews"):
        return  # every replica serves its metrics
    lease = seen.lease
    spec = lease.answer.get("spec", {}) if lease else {}
    if not lease or lease.agent != it.agent or not spec.get("holderIdentity"):
        yield f"S8: it writes while {spec.get('holderIdentity') or 'nobody'} holds the Lease"
    elif it.received > lease.received + spec["leaseDurationSeconds"]:
        yield "S8: it writes after its Lease ran out"


RULES = [
    only_known_kinds_of_writes, nodes_are_patched_by_identity, taints_of_others_stay, claims_are_of_bound_removals,
    nodes_are_given_back_by_their_claim, pods_leave_by_identity, pods_leave_nodes_that_are_being_removed,
    grace_is_shortened_on_dead_nodes_only, pods_that_must_not_run_twice_need_fencing,
    machines_are_cleaned_by_pods_of_their_removal, machines_are_cleaned_for_the_removal_that_holds_them,
    nodes_are_deleted_by_identity,
    nodes_are_deleted_last, protected_nodes_stay, many_dead_nodes_stop_everything, volumes_are_detached_first,
    gone_is_what_the_server_says, what_is_bound_stays_bound, finalizers_of_others_stay,
    removals_come_and_go_by_identity, only_the_leader_writes]


def is_ready(node):
    return condition_of(node, "Ready")["status"] == "True"


def _is_node_delete(it):
    return (it.resource, it.verb) == ("nodes", "delete")


def _is_start(it):
    """Its machine is told to clean itself, which stops its kubelet and its pods."""
    annotations = ((it.body or {}).get("metadata") or {}).get("annotations") or {}
    return (it.resource, it.verb) == ("nodes", "patch") and bool(annotations.get(START))


def _is_node_loss(it):
    """After it the node is of no use any more."""
    return _is_node_delete(it) or _is_start(it)


def _of_node_loss(it, read):
    """The Node and its NodeRemoval as they were read last; none when the request is another one, or when the rules of
    its identity say what is wrong with them."""
    node, removal, problem = _removal_of(it.name, it, read)
    return (node, removal) if _is_node_loss(it) and not problem else (None, None)


def _is_of_hand_over(it):
    return it.resource == "pods" and it.name.startswith(HAND_OVER)


def _is_being_cleaned(node):
    started = node["metadata"].get("annotations", {}).get(START)
    return bool(started) and (claim_of(node) or {}).get("uid") == started


def _is_pod_request(it):
    """Not an eviction in policy/v1, which a server before 1.22 refuses unread."""
    return it.body is not None and (it.resource, it.verb) in (("pods", "delete"), ("pods/eviction", "create"))


def _options(it):
    return (it.body.get("deleteOptions") or {}) if it.resource == "pods/eviction" else it.body


def _pod(it, seen):
    """The pod that is told to leave; none when it is only asked whether it could."""
    if _is_pod_request(it) and (_options(it).get("dryRun") or _is_of_hand_over(it)):
        return None
    uid = _options(it).get("preconditions", {}).get("uid") if _is_pod_request(it) else None
    return uid and seen.pods.latest(uid)


def _removal_of(node_name, it, read):
    """The node and its NodeRemoval as the process read them last, or what is wrong with them."""
    asked_node, node = read.nodes.get(node_name, (0, None))
    claim = (node and claim_of(node)) or {}
    asked_removal, removal = read.removals.get(claim.get("removal"), (0, None))
    return node, removal, _problem(node, claim, removal) or (
        "S18: the reads before it are too old"
        if min(asked_node, asked_removal) < it.received - FRESH_SECONDS else None)


def _problem(node, claim, removal):
    if not node:
        return "S18: the node was not there when it was read last, or never read"
    if not claim or not removal or removal["metadata"]["uid"] != claim.get("uid"):
        return "S1: the node was not claimed by a NodeRemoval that was read"
    if not node["spec"].get("unschedulable"):
        return "S4: the node was schedulable when it was read last"
    status = removal.get("status", {})
    if removal["spec"].get("nodeName") != node["metadata"]["name"] or status.get("nodeUID") != node["metadata"]["uid"]:
        return "S1: the NodeRemoval is bound to another node"
    if "deletionTimestamp" in removal["metadata"]:
        return "S13: the NodeRemoval was cancelled when it was read last"
    if status.get("completionTime"):
        return "S19: the NodeRemoval was finished when it was read last"
    if removal["spec"].get("dryRun"):
        return "S17: the NodeRemoval was a dry run"
    if removal["spec"].get("suspend"):
        return "S9: the NodeRemoval was suspended when it was read last"
    return None


def _may_delete_on_ready_node(removal):
    drain = removal["spec"].get("drain", {})
    return drain.get("disableEviction") or drain.get("onTimeout") == "Delete"


def _ignores_daemon_sets(pod, read):
    """Unless a NodeRemoval of its node wants such pods to leave."""
    removals = [removal for _, removal in read.removals.values()
                if removal and removal["spec"].get("nodeName") == pod["spec"].get("nodeName")]
    return all(each["spec"].get("drain", {}).get("ignoreDaemonSets", True) for each in removals)


def _goes_with_the_node(pod):
    return (_controller(pod).get("kind") in ("DaemonSet", "NodeRemoval")
            or MIRROR in pod["metadata"].get("annotations", {})
            or pod["status"].get("phase") in ("Succeeded", "Failed"))


def _controller(thing):
    owners = thing["metadata"].get("ownerReferences", [])
    return next((each for each in owners if each.get("controller")), {})


def _foreign_taints(node):
    return [(each["key"], each.get("value"), each["effect"]) for each in node["spec"].get("taints", [])
            if each["key"] not in (REMOVING, OUT_OF_SERVICE)]


def _out_of_service(node):
    return any(each["key"] == OUT_OF_SERVICE for each in node["spec"].get("taints", []))


def _is_marked(node):
    return any(each["key"] == REMOVING for each in node["spec"].get("taints", []))


def _foreign_finalizers(thing):
    return [each for each in thing["metadata"].get("finalizers", []) if each != FINALIZER]
