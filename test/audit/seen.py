"""What the audit log tells about the cluster, and about what the operator had read when it acted."""

import bisect
import json
import urllib.parse
from collections import defaultdict

CLAIM = "noderemoval.dev/claim"
LEASE = "noderemoval-controller"
KEPT_VERSIONS = 8


class Versions:
    """The states of objects by UID, each with its resourceVersion."""

    def __init__(self):
        self._states = defaultdict(list)

    def add(self, thing):
        states = self._states[thing["metadata"]["uid"]]
        entry = (int(thing["metadata"]["resourceVersion"]), thing)
        place = bisect.bisect_left(states, entry[0], key=lambda each: each[0])
        if place == len(states) or states[place][0] != entry[0]:
            states.insert(place, entry)

    def before(self, uid, version):
        """The last state that is known from before this version, or None."""
        states = self._states.get(uid, [])
        place = bisect.bisect_left(states, int(version), key=lambda each: each[0])
        return states[place - 1][1] if place else None

    def at(self, uid, version):
        """The state of this version, or None when it is not known."""
        return next((thing for each, thing in self._states.get(uid, []) if each == int(version)), None)

    def with_metadata(self, metadata):
        """The state that a change of nothing but metadata leads to, or None."""
        before = self.before(metadata["uid"], metadata["resourceVersion"])
        return before and {**before, "metadata": metadata}

    def has_other(self, name, uid, version):
        """Whether an object of this name but of another UID existed before this version, and after the last state of
        this UID."""
        last = max((each for each, _ in self._states.get(uid, [])), default=0)
        return any(last < each < int(version) and thing["metadata"]["name"] == name
                   for other, states in self._states.items() if other != uid for each, thing in states)

    def all(self, uid):
        return [thing for _, thing in self._states.get(uid, [])]

    def latest(self, uid):
        return self.all(uid)[-1] if self.all(uid) else None

    def forget_old(self):
        for states in self._states.values():
            del states[:-KEPT_VERSIONS]


class Reads:
    """The last answers to the quorum reads of one user agent, each with the time when it was asked."""

    def __init__(self):
        self.removals = {}
        self.nodes = {}
        self.pods_of = {}
        self.all_nodes = None
        self.attachments = None

    def add(self, request):
        if "resourceVersion" in request.query:
            return  # may come from a cache
        if request.verb == "get" and request.code in (200, 404):
            known = {"nodes": self.nodes, "noderemovals": self.removals}.get(request.resource)
            if known is not None:
                known[request.name] = (request.received, request.answer if request.succeeded else None)
        elif request.verb == "list" and request.succeeded:
            self._add_list(request)

    def _add_list(self, request):
        items = request.answer.get("items") or []
        selector = urllib.parse.unquote(request.query.get("fieldSelector", ""))
        if request.resource == "pods" and selector.startswith("spec.nodeName="):
            node = selector.partition("=")[2]
            self.pods_of[node] = _with_page(request, self.pods_of.get(node), items)
        elif request.resource == "nodes" and not selector:
            self.all_nodes = _with_page(request, self.all_nodes, items)
        elif request.resource == "volumeattachments":
            self.attachments = _with_page(request, self.attachments, items)


class Seen:
    """Grows with every request. The states of objects run ahead of the requests that are looked at: they are told
    apart by their resourceVersion."""

    def __init__(self, min_healthy_percent):
        self.cordoned = {}  # (UID of the node, UID of the NodeRemoval) -> when
        self.min_healthy_percent = min_healthy_percent
        self.begin_anew()

    def begin_anew(self):
        """Forgets all that has a resourceVersion."""
        self.nodes, self.pods, self.removals = Versions(), Versions(), Versions()
        self.reads = defaultdict(Reads)
        self.lease = None  # the last request of an operator that changed the Lease

    def learn_states(self, request):
        """Of requests of anybody."""
        if not request.succeeded:
            return
        items = request.answer.get("items") if request.verb == "list" else [request.answer]
        known = {"nodes": self.nodes, "pods": self.pods, "noderemovals": self.removals}.get(
            request.resource.partition("/")[0])
        for thing in items or [] if known else []:
            # A pod that is deleted at once is answered without a version.
            if not {"uid", "resourceVersion"} <= set(thing.get("metadata", {})):
                continue
            if thing.get("kind") == "PartialObjectMetadata":  # what the garbage collector writes
                thing = known.with_metadata(thing["metadata"])
            if thing and "spec" in thing:
                known.add(thing)

    def learn(self, request):
        """Of requests of the operator, after they were looked at."""
        if not request.is_write:
            self.reads[request.agent].add(request)
        elif request.succeeded and request.resource == "leases" and request.name == LEASE:
            self.lease = request
        elif request.succeeded and request.resource == "nodes" and request.verb == "patch":
            if request.body.get("spec", {}).get("unschedulable"):
                claim = claim_of(request.answer) or {}
                self.cordoned[request.answer["metadata"]["uid"], claim.get("uid")] = request.answered

    def forget_old(self):
        for known in (self.nodes, self.pods, self.removals):
            known.forget_old()


def claim_of(node):
    text = node["metadata"].get("annotations", {}).get(CLAIM)
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None  # a user wrote it


def condition_of(thing, kind):
    conditions = thing.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {"status": None, "reason": None})


def _with_page(request, known, items):
    return (known[0], known[1] + items) if known and "continue" in request.query else (request.received, items)
