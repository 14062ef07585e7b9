"""The alert rules, as promtool sees them, and their pages."""

import re
import subprocess
from pathlib import Path

import pytest
from repository import REPOSITORY, RULES, RUNBOOKS, alerts

ALERTS = alerts()
CASES = Path(__file__).resolve().parent / "rules"
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation", "What the operator will never do"]
COMMANDS = re.compile(r"kubectl [^:]*$")


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_rules():
    promtool("check", "rules", str(RULES))


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_fires_not_too_early_and_ends(alert):
    cases = CASES / f"{alert}.yaml"
    text = cases.read_text(encoding="utf-8")
    # Else a case that has no such series, or a misspelled name, would pass.
    assert set(re.findall(r"alertname: (\w+)", text)) == {alert}
    assert "exp_alerts: []" in text and "exp_annotations" in text
    promtool("test", "rules", str(cases))


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_is_wrong_and_ends_with_a_command(alert):
    rule = ALERTS[alert]
    annotations = rule["annotations"]
    assert rule["labels"]["severity"] in ("info", "warning", "critical")
    assert COMMANDS.search(annotations["description"]), annotations["description"]
    assert annotations["summary"].endswith(".") and "{{" not in annotations["summary"]
    assert annotations["runbook_url"] == f"https://noderemoval.dev/docs/runbooks/{alert}.md"


def test_every_alert_has_a_page_and_every_page_an_alert():
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == ALERTS.keys()


def test_every_case_is_of_an_alert():
    assert {path.stem for path in CASES.glob("*.yaml")} == ALERTS.keys()


@pytest.mark.parametrize("alert", ALERTS)
def test_a_page_has_its_headings_and_commands(alert):
    text = (RUNBOOKS / f"{alert}.md").read_text(encoding="utf-8")
    assert re.findall("^# (.*)", text, re.M) == [alert]
    assert re.findall("^## (.*)", text, re.M) == HEADINGS
    diagnosis = text.partition("## Diagnosis")[2].partition("## Mitigation")[0]
    assert re.search(r"```console\n\$ kubectl ", diagnosis)


@pytest.mark.parametrize("alert", ALERTS)
def test_links_of_a_page_lead_somewhere(alert):
    text = (RUNBOOKS / f"{alert}.md").read_text(encoding="utf-8")
    for target, anchor in re.findall(r"\]\(([\w./]+)(?:#([\w-]+))?\)", text):
        path = RUNBOOKS / target
        assert path.exists(), target
        anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
                   for heading in re.findall("^#+ (.*)", path.read_text(encoding="utf-8"), re.M)}
        assert not anchor or anchor in anchors, f"{target}#{anchor}"


def test_the_table_of_alerts_has_each_with_its_severity():
    text = (REPOSITORY / "docs/monitoring.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \[`(\w+)`\]\(runbooks/\1\.md\) \| (\w+) \|", text, re.M))
    assert rows == {alert: rule["labels"]["severity"] for alert, rule in ALERTS.items()}
