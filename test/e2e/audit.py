"""Reads the audit log of the API server: who sent which request, and what it did."""

import json


class AuditLog:
    """The requests from the moment this object was made."""

    def __init__(self, path):
        self._path = path
        self._start = path.stat().st_size

    def requests(self, user=None, verb=None, resource=None, name=None):
        """One event per request, in the order of their first stage. A watch shows up as soon as it started.

        `user` may be the end of the user name. `resource` may name a subresource, as in "pods/eviction".
        """
        wanted = {"verb": verb, "resource": resource, "name": name}
        return [event for event in self._events()
                if (user is None or event["user"].get("username", "").endswith(user))
                and all(value is None or value == _field(event, key) for key, value in wanted.items())]

    def _events(self):
        events = {}
        with open(self._path, "rb") as log:
            self._skip_to_first_line(log)
            for line in log:
                if not line.endswith(b"\n"):
                    break  # still being written
                event = json.loads(line)
                events[event["auditID"]] = event
        return events.values()

    def _skip_to_first_line(self, log):
        """The log may have ended inside a line, which is about an earlier request."""
        log.seek(max(self._start - 1, 0))
        if self._start and log.read(1) != b"\n":
            log.readline()


def _field(event, key):
    if key == "verb":
        return event["verb"]
    target = event.get("objectRef", {})
    if key == "resource":
        return "/".join(part for part in (target.get("resource"), target.get("subresource")) if part)
    return target.get(key)
