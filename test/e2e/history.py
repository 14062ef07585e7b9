"""Replays what happened to objects, in the order of the clock that all share: their resourceVersion."""

import json


class History:
    """The changes from the moment this object was made. The API server forgets them after about a minute."""

    def __init__(self, sandbox):
        self._sandbox = sandbox
        self._start = sandbox.api.request("GET", "/api/v1/nodes?limit=1")["metadata"]["resourceVersion"]

    def revision(self, kind, name, reached):
        """The revision at which `reached(event type, object)` was first true of the object."""
        events = [event for event in self._events(kind) if event["object"]["metadata"]["name"] == name]
        found = [event for event in events if reached(event["type"], event["object"])]
        assert found, f"{kind} {name} never got that far: {[event['type'] for event in events]}"
        return int(found[0]["object"]["metadata"]["resourceVersion"])

    def _events(self, kind):
        query = f"watch=1&resourceVersion={self._start}&timeoutSeconds=1"
        answer = self._sandbox.cluster.kubectl("get", "--raw", f"{self._sandbox.api.path(kind)}?{query}")
        return map(json.loads, answer.splitlines())


def is_ready(_, thing):
    conditions = thing["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def is_deleted(event, _):
    return event == "DELETED"
