"""One request from the audit log."""

import json
import urllib.parse
from datetime import datetime

READS = {"get", "list", "watch"}


class Request:
    """What was asked, and what the API server answered. Times are in seconds since 1970."""

    def __init__(self, event):
        target = event.get("objectRef", {})
        url = urllib.parse.urlsplit(event["requestURI"])
        self.id = event["auditID"]
        self.uri = event["requestURI"]
        self.user = event["user"].get("username", "")
        self.agent = event.get("userAgent", "")
        self.verb = event["verb"]
        self.resource = "/".join(filter(None, (target.get("resource"), target.get("subresource"))))
        self.namespace = target.get("namespace", "")
        self.name = target.get("name", "")
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.code = event.get("responseStatus", {}).get("code", 0)
        self.body = event.get("requestObject")
        self.answer = event.get("responseObject") or {}
        self.received = seconds(event["requestReceivedTimestamp"])
        self.answered = seconds(event["stageTimestamp"])

    @property
    def is_write(self):
        return self.verb not in READS

    @property
    def succeeded(self):
        return 200 <= self.code < 300

    def describe(self):
        time = datetime.fromtimestamp(self.received).isoformat(timespec="milliseconds")
        return f"{time} {self.verb} {self.uri} -> {self.code} (auditID {self.id})"


def read_events(path, offset=0):
    """The finished requests behind the byte `offset` in the order they came in, and where to go on."""
    events = []
    with open(path, "rb") as log:
        log.seek(offset)
        for line in log:
            if not line.endswith(b"\n"):
                break  # still being written
            offset += len(line)
            event = json.loads(line)
            if event["stage"] == "ResponseComplete":
                events.append(event)
    return sorted(map(Request, events), key=lambda request: request.received), offset


def seconds(text):
    """Of a time in an object or a log."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
