"""What real API servers answered, in test/fake/api_answers.json: the unit tests of the client play these answers."""

import json
import re
from pathlib import Path

FILE = Path(__file__).resolve().parents[1] / "fake/api_answers.json"

CHANGING = re.compile(r"(?P<uid>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
                      r"|(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)|(?P<number>\b\d{2,}\b)")
INSTEAD = {"uid": "00000000-0000-4000-8000-000000000000", "time": "2026-01-01T00:00:00Z", "number": "1000"}
KEPT_METADATA = ("name", "namespace", "uid", "resourceVersion", "continue", "remainingItemCount", "deletionTimestamp",
                 "deletionGracePeriodSeconds")
# What the tests treat as opaque.
OPAQUE = {"resourceVersion": "1000", "continue": "TOKEN"}


def load():
    """The cases by their names."""
    return {case["name"]: case for case in json.loads(FILE.read_text(encoding="utf-8"))}


def write(cases):
    FILE.write_text(json.dumps(list(cases.values()), indent=1) + "\n", encoding="utf-8")


def normalised(answer, names):
    """The answer without what differs from run to run; `names` maps names of this run to recorded ones."""
    recorded = {"status": answer.status, "contentType": answer.content_type, "retryAfter": answer.retry_after}
    if answer.event is not None:
        recorded["event"] = {"type": answer.event["type"], "object": _shape(answer.event["object"], names)}
    elif isinstance(answer.body, dict):
        recorded["body"] = _shape(answer.body, names)
    else:
        recorded["text"] = _text(answer.body or "", names)
    return recorded


def _shape(thing, names):
    if thing.get("kind") == "Status":
        return _plain(thing, names)
    shape = {key: thing[key] for key in ("kind", "apiVersion") if key in thing}
    shape["metadata"] = {key: value for key, value in thing.get("metadata", {}).items() if key in KEPT_METADATA}
    if "items" in thing:
        shape["items"] = [_shape(item, names) for item in thing["items"]]
    return _plain(shape, names)


def _plain(value, names):
    if isinstance(value, dict):
        return {key: OPAQUE[key] if key in OPAQUE else _plain(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, names) for each in value]
    return _text(value, names) if isinstance(value, str) else value


def _text(text, names):
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return CHANGING.sub(lambda match: INSTEAD[match.lastgroup], text)
