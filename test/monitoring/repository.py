"""The files that the tests are about."""

import json
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / "charts/node-removal/files/rules.yaml"
DASHBOARD = REPOSITORY / "charts/node-removal/files/dashboard.json"
OVERLAY = REPOSITORY / "manifests/overlays/monitoring"
RUNBOOKS = REPOSITORY / "docs/runbooks"


def alerts():
    """The alert rules by their names."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def dashboard():
    return json.loads(DASHBOARD.read_text(encoding="utf-8"))


def panels():
    """Those of the dashboard that show something, by their titles."""
    return {panel["title"]: panel for panel in dashboard()["panels"] if panel["type"] != "row"}


def expressions(panel):
    return [target["expr"] for target in panel["targets"]]
