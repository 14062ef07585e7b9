"""docs/security.md names every right of the operator and every policy."""

import re
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs/security.md").read_text(encoding="utf-8")
PLACES = {None: "cluster", "noderemoval-system": "its own namespace"}


def documents(path):
    return list(yaml.safe_load_all((REPOSITORY / path).read_text(encoding="utf-8")))


def test_every_right_of_the_operator_is_in_the_table():
    rights = {(resource, verb, PLACES.get(namespace, f"`{namespace}`"))
              for path in ("manifests/base/rbac.yaml", "manifests/components/host-cleanup/rbac.yaml")
              for role in documents(path) if role["metadata"]["name"] == "noderemoval-controller"
              for namespace in [role["metadata"].get("namespace")]
              for rule in role.get("rules", []) for resource in rule["resources"] for verb in rule["verbs"]}
    rows = re.findall(r"^\| (`[^|]+) \| ([a-z, ]+) \| ([^|]+) \|", PAGE, re.MULTILINE)
    told = {(resource, verb, where) for resources, verbs, where in rows
            for resource in re.findall(r"`([^`]+)`", resources) for verb in verbs.split(", ")}
    assert told == rights


def test_every_policy_is_in_the_table():
    policies = {each["metadata"]["name"] for name in ("operator", "users")
                for each in documents(f"manifests/overlays/admission/{name}.yaml")}
    assert set(re.findall(r"^\| `(noderemoval-[a-z-]+)` \|", PAGE, re.MULTILINE)) == policies
