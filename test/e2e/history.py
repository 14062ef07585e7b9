"""Replays what happened to the objects of a kind, in the order of the one clock that all objects share: the revision
of etcd in their resourceVersion."""

import json


class History:
    """The changes from the moment this object was made. The API server forgets them after about a minute."""

    def __init__(self, sandbox):
        self._sandbox = sandbox
        self._start = sandbox.api.request("GET", "/api/v1/nodes?limit=1")["metadata"]["resourceVersion"]

    def revision(self, kind, name, reached):
        """The revision at which `reached(event type, object)` was first true of the object."""
        return next(int(event["object"]["metadata"]["resourceVersion"]) for event in self._events(kind)
                    if event["object"]["metadata"]["name"] == name and reached(event["type"], event["object"]))

    def _events(self, kind):
        query = f"watch=1&resourceVersion={self._start}&timeoutSeconds=1"
        answer = self._sandbox.cluster.kubectl("get", "--raw", f"{self._sandbox.api.path(kind)}?{query}")
        return map(json.loads, answer.splitlines())


def is_ready(_, thing):
    return any(each["type"] == "Ready" and each["status"] == "True" for each in thing["status"].get("conditions", []))


def is_deleted(event, _):
    return event == "DELETED"
