"""A real Prometheus scrapes operators at work: alerts fire and end, and every query of the dashboard is answered."""

import re
import time

import pytest
from repository import alerts, dashboard, expressions, panels
from waiting import wait_until

PANELS = panels()
# Labels that Prometheus itself or its configuration sets, and that histograms have.
NOT_OF_THE_OPERATOR = {"job", "instance", "cluster", "alertname", "alertstate"}
# What does not happen in this run, or not between two scrapes.
ALWAYS_ZERO = {"Brake", "Requests withheld", "Lost", "Queue", "Longest round that runs"}
# About a replica that did not answer in time, which happens on a busy machine.
OF_A_SLOW_REPLICA = {"NodeRemovalNoLeader", "NodeRemovalOperatorDown"}
# Where the values of a label can be found while no removal has them.
CLOSED_SETS = {
    ("noderemoval_active_blocked_since_timestamp_seconds", "reason"): ("noderemoval_blocked_pods", "reason"),
    ("noderemoval_active_needs_decision", "decision"): ("noderemoval_decisions_owed", "decision"),
    ("noderemoval_active_step_start_timestamp_seconds", "step"): ("noderemoval_removals", "reason"),
    ("noderemoval_active_step_start_timestamp_seconds", "path"): ("noderemoval_nodes_deleted_total", "path"),
}
WORDS_OF_PROMQL = {"and", "bool", "by", "ignoring", "on", "or", "unless", "without"}


def substituted(expression, seconds):
    for name, value in (("$__rate_interval", "10s"), ("$__range", f"{seconds}s"), ("$cluster", ".*"),
                        ("$job", "noderemoval"), ("$noderemoval", ".*")):
        expression = expression.replace(name, value)
    return expression


@pytest.fixture(scope="module")
def idle(scene):
    """The answers of the row "Now" before the first removal, by panel."""
    return {title: scene.prometheus.now(substituted(expressions(panel)[0], 60))
            for title, panel in PANELS.items() if panel["type"] == "stat"}


@pytest.fixture(scope="module")
def run(scene, idle):
    """The scene, when everything in it has happened."""
    scene.begin()
    on = {"noderemoval": scene.dead.name, "target": scene.dead.node}
    scene.wait_alert("NodeRemovalNodeNotReady", **on, step="NodeNotReady", severity="warning")
    scene.wait_fencing()
    scene.wait_alert("NodeRemovalNeedsFencing", **on, severity="critical")
    scene.wait_alert("NodeRemovalBlocked", noderemoval=scene.blocked.name, target=scene.blocked.node,
                     reason="PodDisruptionBudget")
    scene.wait_alert("NodeRemovalNeedsDecision", noderemoval=scene.protected.name, decision="NodeProtected")
    scene.wait_alert("NodeRemovalFailed", reason="DrainTimedOut")
    scene.wait_alert("NodeRemovalSlow", noderemoval=scene.blocked.name, step="DrainBlocked", severity="info")
    scene.end()
    scene.wait_no_alert()
    return scene


def over_time(run, expression):
    seconds = int(run.ended - run.began) + 1
    return run.prometheus.over_time(substituted(expression, seconds), run.began, time.time())


def test_an_idle_cluster_shows_numbers(idle):
    numbers = {title: [value for _, value in answer] for title, answer in idle.items()}
    assert numbers == {title: [1.0] if title == "Leaders" else [0.0] for title in idle} and len(numbers) == 8


def test_alerts_fire_on_the_removal_that_they_are_about_and_end_with_their_cause(run):
    # The fixture has waited for each of them. No other alert fired meanwhile:
    fired = {labels["alertname"] for labels, _ in over_time(run, 'ALERTS{alertstate="firing"}')}
    assert fired - OF_A_SLOW_REPLICA == {f"NodeRemoval{name}" for name in (
        "NodeNotReady", "NeedsFencing", "Blocked", "NeedsDecision", "Failed", "Slow")}


def test_an_alert_is_about_the_removal_it_names(run):
    blocked = over_time(run, 'ALERTS{alertname="NodeRemovalBlocked",alertstate="firing"}')
    assert {labels["noderemoval"] for labels, _ in blocked} <= {run.blocked.name, run.failing.name}


QUERIES = [(title, expression) for title, panel in PANELS.items() for expression in expressions(panel)]


@pytest.mark.parametrize("title, expression", QUERIES, ids=[f"{title}-{n}" for n, (title, _) in enumerate(QUERIES)])
def test_a_query_of_the_dashboard_is_answered_with_data(run, title, expression):
    # Without what stands in for missing data.
    assert over_time(run, expression.removesuffix(" or vector(0)")), expression


@pytest.mark.parametrize("title", sorted(PANELS.keys() - ALWAYS_ZERO))
def test_a_panel_shows_what_happened(run, title):
    series = [each for expression in expressions(PANELS[title]) for each in over_time(run, expression)]
    assert any(value for _, samples in series for _, value in samples), series


def test_a_standby_is_not_counted(run):
    # Of the five removals, two are left after they ended well, and the dead one.
    [(_, samples)] = over_time(run, 'sum(noderemoval_removals{job="noderemoval"})')
    assert max(value for _, value in samples) == 5
    [(_, samples)] = over_time(run, 'sum(leader_election_master_status{job="noderemoval"})')
    assert max(value for _, value in samples) == 1


def test_removals_take_their_series_with_them(run):
    wait_until(lambda: not run.prometheus.now('{__name__=~"noderemoval_active_.+",noderemoval!=""}'), 30,
               "no removal has a series", seen=lambda: run.prometheus.now('{__name__=~"noderemoval_active_.+"}'))


def everything_that_was_written():
    """Where an expression stands, and the expression."""
    found = {alert: rule["expr"] for alert, rule in alerts().items()}
    for title, panel in PANELS.items():
        found |= {f"{title} {number}": expression for number, expression in enumerate(expressions(panel))}
    found |= {"annotation": dashboard()["annotations"]["list"][0]["expr"]}
    variables = [each["query"] for each in dashboard()["templating"]["list"] if each["type"] == "query"]
    return found | {f"variable {each['refId']}": re.sub(r"^label_values\((.*), \w+\)$", r"\1", each["query"])
                    for each in variables}


def selectors(expression):
    """The metrics that an expression asks for, each with its matchers as triples of label, operator and value."""
    bare = re.sub(r"\[[^]]*\]", "", expression)
    grouping = r"\b(?:by|on|ignoring|without) \([^)]*\)"
    for metric, matchers in re.findall(r"\b([a-z_A-Z]\w*)\b(?!\()(?:\{(.*?)\})?", re.sub(grouping, "", bare), re.S):
        if re.match("noderemoval_|controller_runtime_|workqueue_|rest_client_|process_|leader_|up$", metric):
            yield metric, re.findall(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"', matchers)


@pytest.fixture(scope="module")
def known(run):
    """The values of each label of each metric that was scraped."""
    found = {}
    for series in run.prometheus.ask("series", **{"match[]": '{job="noderemoval"}', "start": run.began,
                                                  "end": time.time()}):
        labels = found.setdefault(series.pop("__name__"), {})
        for label, value in series.items():
            labels.setdefault(label, set()).add(value)
    return found


EVERYTHING = everything_that_was_written()


@pytest.mark.parametrize("place", EVERYTHING)
def test_metrics_labels_and_values_that_are_asked_for_exist(known, place):
    expression = EVERYTHING[place]
    asked = list(selectors(expression))
    assert asked or "ALERTS" in expression
    for metric, matchers in asked:
        assert metric in known, metric
        for label, _, value in matchers:
            if label in NOT_OF_THE_OPERATOR:
                continue
            assert label in known[metric], f"{metric} has no label {label}"
            metric_of_values, label_of_values = CLOSED_SETS.get((metric, label), (metric, label))
            values = known[metric_of_values][label_of_values]
            assert value.startswith("$") or set(value.split("|")) <= values, f"{metric} has no {label} {value}"
    grouped = {label for text in re.findall(r"by \(([^)]*)\)", expression) for label in re.split(r",\s*", text)}
    there = set().union(*(known[metric] for metric, _ in asked)) if asked else set()
    assert grouped - NOT_OF_THE_OPERATOR <= there


def test_legends_and_headings_name_labels_of_their_query(known):
    for panel in PANELS.values():
        for target in panel["targets"]:
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            there = set().union(*(known[metric] for metric, _ in selectors(target["expr"])), {"instance"})
            assert named <= there, panel["title"]


def test_the_alert_about_operators_that_are_down_fires_and_ends(run):
    """The last one, as it ends them."""
    for operator in run.operators:
        operator.kill()
    run.wait_alert("NodeRemovalOperatorDown")
    assert [name for name, _ in run.prometheus.alerts()] == ["NodeRemovalOperatorDown"]
