"""Hand-made audit logs: a removal in which everything is right, for tests to spoil."""

import copy
import json
from datetime import datetime, timedelta, timezone

from oracle import OPERATOR

NODE_UID, REMOVAL_UID, NODE, REMOVAL = "node-uid", "removal-uid", "jetson", "removal"
BEGIN = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
NODES, PODS = "/api/v1/nodes", "/api/v1/namespaces/default/pods"
HOST_PODS = "/api/v1/namespaces/noderemoval-host/pods"
REMOVALS = "/apis/noderemoval.dev/v1alpha1/noderemovals"
CLAIM_TEXT = json.dumps({"removal": REMOVAL, "uid": REMOVAL_UID, "wasUnschedulable": False})
MARK = {"key": "noderemoval.dev/removing", "effect": "NoSchedule"}


def time_text(second):
    return (BEGIN + timedelta(seconds=second)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def node(version=1, ready="True", claimed=True, name=NODE, uid=NODE_UID):
    annotations = {"noderemoval.dev/claim": CLAIM_TEXT} if claimed else {}
    spec = {"unschedulable": True, "taints": [MARK]} if claimed else {}
    return {"metadata": {"name": name, "uid": uid, "resourceVersion": str(version), "annotations": annotations},
            "spec": spec, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def removal(version=1, node_uid=NODE_UID, **conditions):
    given = {"Accepted": "True", "Cordoned": "True", "Drained": "True", "VolumesDetached": "True", **conditions}
    return {"metadata": {"name": REMOVAL, "uid": REMOVAL_UID, "resourceVersion": str(version)},
            "spec": {"nodeName": NODE},
            "status": {"nodeUID": node_uid, "conditions": [
                {"type": kind, "status": status, "reason": "Detached"} for kind, status in given.items()]}}


def pod(name="web", owner="ReplicaSet", version=1, on=NODE):
    return {"metadata": {"name": name, "uid": f"{name}-uid", "resourceVersion": str(version), "namespace": "default",
                         "ownerReferences": [{"kind": owner, "name": "owner", "controller": True}]},
            "spec": {"nodeName": on}, "status": {"phase": "Running"}}


class Story:
    """Requests by what they are called, in order."""

    def __init__(self):
        self.steps = {}

    def add(self, title, second, verb, path, body=None, answer=None, code=200, user=OPERATOR, agent="noderemoval/1"):
        base = path.partition("?")[0]
        parts = base.strip("/").split("/")
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = parts[1] if parts[0] == "namespaces" and len(parts) > 2 else ""
        parts = parts[2:] if namespace else parts
        target = dict(zip(("resource", "name", "subresource"), parts), namespace=namespace)
        self.steps[title] = {
            "auditID": title, "stage": "ResponseComplete", "requestURI": path, "verb": verb, "objectRef": target,
            "user": {"username": user}, "userAgent": agent, "responseStatus": {"code": code},
            **({"requestObject": body} if body is not None else {}), "responseObject": copy.deepcopy(answer),
            "requestReceivedTimestamp": time_text(second), "stageTimestamp": time_text(second + 0.001)}

    def body(self, title):
        return self.steps[title]["requestObject"]

    def answer(self, title):
        return self.steps[title]["responseObject"]

    def write(self, path):
        path.write_text("".join(json.dumps(step) + "\n" for step in self.steps.values()), encoding="utf-8")


def graceful():
    """Bound, cordoned, one pod evicted, deleted."""
    story = Story()
    story.add("pods made", 0, "create", PODS, {}, pod(), user="somebody")
    story.add("daemon made", 0, "create", PODS, {}, pod("daemon", "DaemonSet"), user="somebody")
    story.add("node made", 0, "create", NODES, {}, node(1, claimed=False), user="somebody")
    story.add("bind", 1, "patch", f"{REMOVALS}/{REMOVAL}/status", {"status": {}}, removal(2, Drained="Unknown"))
    story.add("finalizer", 1.1, "patch", f"{REMOVALS}/{REMOVAL}",
              {"metadata": {"resourceVersion": "2", "finalizers": ["noderemoval.dev/removal"]}}, removal(3))
    story.add("cordon", 2, "patch", f"{NODES}/{NODE}",
              {"metadata": {"uid": NODE_UID, "resourceVersion": "1",
                            "annotations": {"noderemoval.dev/claim": CLAIM_TEXT}},
               "spec": {"unschedulable": True, "taints": [MARK]}}, node(4))
    story.add("read removal", 3, "get", f"{REMOVALS}/{REMOVAL}", answer=removal(3))
    story.add("read node", 3.1, "get", f"{NODES}/{NODE}", answer=node(4))
    story.add("evict", 3.2, "create", f"{PODS}/web/eviction",
              {"kind": "Eviction", "deleteOptions": {"preconditions": {"uid": "web-uid"}}}, {"status": "Success"})
    story.add("list attachments", 7, "list", "/apis/storage.k8s.io/v1/volumeattachments", answer={"items": []})
    story.add("list nodes", 7.1, "list", f"{NODES}?limit=500", 
              answer={"items": [node(4), node(5, name="other", uid="other", claimed=False)]})
    story.add("list pods", 7.2, "list", "/api/v1/pods?fieldSelector=spec.nodeName%3Djetson",
              answer={"items": [pod("daemon", "DaemonSet")]})
    story.add("read removal again", 7.3, "get", f"{REMOVALS}/{REMOVAL}", answer=removal(3))
    story.add("read node again", 7.4, "get", f"{NODES}/{NODE}", answer=node(4))
    story.add("delete node", 7.5, "delete", f"{NODES}/{NODE}",
              {"preconditions": {"uid": NODE_UID, "resourceVersion": "4"}}, {"status": "Success"})
    story.add("node is gone", 8, "get", f"{NODES}/{NODE}", answer={"code": 404}, code=404)
    story.add("end", 9, "patch", f"{REMOVALS}/{REMOVAL}/status", {"status": {}}, removal(9, NodeDeleted="True"))
    return story


def with_cleanup():
    """As graceful, and the machine is told to clean itself before its Node is deleted."""
    story = graceful()
    rest = {title: story.steps.pop(title) for title in ("delete node", "node is gone", "end")}
    answers = [story.answer(each) for each in ("bind", "finalizer", "read removal", "read removal again")]
    for answer in (*answers, rest["end"]["responseObject"]):
        answer["spec"]["hostCleanup"] = {"enabled": True}
    name = f"host-cleanup-{REMOVAL_UID}"
    hand_over = pod("x", "NodeRemoval")
    hand_over["metadata"] |= {"name": name, "uid": "hand-over-uid"}
    hand_over["metadata"]["ownerReferences"][0] |= {"name": REMOVAL, "uid": REMOVAL_UID}
    story.add("hand over", 7.41, "create", HOST_PODS, copy.deepcopy(hand_over), hand_over)
    started = node(5)
    started["metadata"]["annotations"]["noderemoval.dev/host-cleanup-start"] = REMOVAL_UID
    story.add("start", 7.42, "patch", f"{NODES}/{NODE}",
              {"metadata": {"uid": NODE_UID, "resourceVersion": "4",
                            "annotations": {"noderemoval.dev/host-cleanup-start": REMOVAL_UID}}}, started)
    story.add("hand-over pod goes", 7.43, "delete", f"{HOST_PODS}/{name}",
              {"gracePeriodSeconds": 0, "preconditions": {"uid": "hand-over-uid"}}, {"status": "Success"})
    story.add("report is in status", 7.44, "get", f"{REMOVALS}/{REMOVAL}", answer=removal(6, HostCleaned="True"))
    story.answer("report is in status")["spec"]["hostCleanup"] = {"enabled": True}
    story.add("read cleaned node", 7.45, "get", f"{NODES}/{NODE}", answer=started)
    story.steps |= rest
    story.body("delete node")["preconditions"]["resourceVersion"] = "5"
    return story


def of_dead_node():
    """A terminating pod is cleared."""
    story = Story()
    fenced = removal(3)
    fenced["spec"]["unreachable"] = {"fenced": True}
    fenced["status"]["evidence"] = {"reason": "NodeStatusUnknown"}
    stuck = pod("db", "StatefulSet", version=2)
    stuck["metadata"]["deletionTimestamp"] = time_text(1)
    story.add("pod told", 0, "delete", f"{PODS}/db", {}, stuck, user="somebody")
    story.add("list nodes", 3, "list", f"{NODES}?limit=500",
              answer={"items": [node(4, "Unknown"), *(node(5, name=f"other-{n}", uid=str(n)) for n in range(4))]})
    story.add("read removal", 3.1, "get", f"{REMOVALS}/{REMOVAL}", answer=fenced)
    story.add("read node", 3.2, "get", f"{NODES}/{NODE}", answer=node(4, "Unknown"))
    story.add("clear", 4, "delete", f"{PODS}/db", {"gracePeriodSeconds": 0, "preconditions": {"uid": "db-uid"}}, stuck)
    return story
