"""What Prometheus and Grafana get: the same from the chart as from manifests/overlays/monitoring."""

import json

import pytest
import yaml
from helm import CHART, NAMESPACE
from objects import ABSENT, difference

SECRET = "noderemoval-metrics-tls"
EVERYTHING = {"metrics": {"tlsSecret": SECRET}, "serviceMonitor": {"enabled": True},
              "prometheusRule": {"enabled": True}, "grafanaDashboard": {"enabled": True}}
MONITOR = f"ServiceMonitor {NAMESPACE}/noderemoval"
RULE = f"PrometheusRule {NAMESPACE}/noderemoval"
DASHBOARD = f"ConfigMap {NAMESPACE}/noderemoval-dashboard"
BINDING = "ClusterRoleBinding noderemoval-metrics-reader"
ENDPOINT = (MONITOR, "spec", "endpoints", 0)
FILES = CHART / "files"


@pytest.fixture(scope="session")
def rendered(helm):
    return helm.render(EVERYTHING)


@pytest.fixture(scope="session")
def overlay(kustomize):
    return kustomize("manifests/overlays/monitoring")


def added_by(without, all_of_them):
    return {name: document for name, document in all_of_them.items() if name not in without}


def test_the_objects_are_those_of_the_overlay(helm, rendered, overlay):
    from_chart = added_by(helm.render(), rendered)
    assert from_chart.keys() == {MONITOR, RULE, DASHBOARD, f"Service {NAMESPACE}/noderemoval-metrics",
                                 "ClusterRole noderemoval-metrics-reader"}
    for name, document in from_chart.items():
        assert difference(overlay[name], document) == {}, name


def test_the_overlay_lets_the_operator_serve_as_the_chart_does(rendered, overlay):
    name = f"Deployment {NAMESPACE}/noderemoval-controller"
    [ours], [others] = (each[name]["spec"]["template"]["spec"]["containers"] for each in (rendered, overlay))
    assert sorted(ours["args"]) == sorted(others["args"])
    volumes = [each[name]["spec"]["template"]["spec"]["volumes"] for each in (rendered, overlay)]
    assert (ours["volumeMounts"], volumes[0]) == (others["volumeMounts"], volumes[1])


def test_the_rules_are_those_of_the_file(rendered):
    assert rendered[RULE]["spec"] == yaml.safe_load((FILES / "rules.yaml").read_text(encoding="utf-8"))


def test_the_dashboard_is_that_of_the_file(rendered):
    assert rendered[DASHBOARD]["data"]["noderemoval.json"] == (FILES / "dashboard.json").read_text(encoding="utf-8")
    assert json.loads(rendered[DASHBOARD]["data"]["noderemoval.json"])["uid"] == "noderemoval"


def test_nothing_of_it_is_there_unless_it_is_asked_for(helm):
    assert not {"ServiceMonitor", "PrometheusRule"} & {document["kind"] for document in helm.render().values()}
    assert DASHBOARD not in helm.render()


CHANGES = [
    ({"metrics": {"readers": [{"namespace": "monitoring", "name": "prometheus"}]}}, {(BINDING,): {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "noderemoval-metrics-reader", "labels": {"app.kubernetes.io/name": "noderemoval"}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                    "name": "noderemoval-metrics-reader"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "monitoring", "name": "prometheus"}]}}),
    ({"serviceMonitor": {"labels": {"release": "a"}}}, {(MONITOR, "metadata", "labels", "release"): "a"}),
    ({"serviceMonitor": {"interval": "1m30s"}}, {(*ENDPOINT, "interval"): "1m30s"}),
    ({"serviceMonitor": {"tlsConfig": {"insecureSkipVerify": True}}},
     {(*ENDPOINT, "tlsConfig", "insecureSkipVerify"): True, (*ENDPOINT, "tlsConfig", "serverName"): ABSENT,
      (*ENDPOINT, "tlsConfig", "ca"): ABSENT}),
    ({"serviceMonitor": {"relabelings": [{"targetLabel": "cluster", "replacement": "a"}]}},
     {(*ENDPOINT, "relabelings"): [{"targetLabel": "cluster", "replacement": "a"}]}),
    ({"prometheusRule": {"labels": {"release": "a"}}}, {(RULE, "metadata", "labels", "release"): "a"}),
    ({"grafanaDashboard": {"labels": {"grafana_dashboard": None, "mine": "1"}}},
     {(DASHBOARD, "metadata", "labels", "grafana_dashboard"): ABSENT, (DASHBOARD, "metadata", "labels", "mine"): "1"}),
    ({"grafanaDashboard": {"annotations": {"folder": "Nodes"}}},
     {(DASHBOARD, "metadata", "annotations"): {"folder": "Nodes"}}),
]


@pytest.mark.parametrize("values, changes", CHANGES, ids=[str(values)[:70] for values, _ in CHANGES])
def test_a_value_changes_what_it_says_and_nothing_else(helm, rendered, values, changes):
    merged = {key: EVERYTHING.get(key, {}) | values.get(key, {}) for key in EVERYTHING | values}
    assert difference(rendered, helm.render(merged)) == changes


@pytest.mark.parametrize("value, name", [("prometheusRule", RULE), ("grafanaDashboard", DASHBOARD)])
def test_an_object_can_be_put_into_another_namespace(helm, rendered, value, name):
    moved = helm.render(EVERYTHING | {value: {"enabled": True, "namespace": "monitoring"}})
    there = name.replace(NAMESPACE, "monitoring")
    assert moved.keys() == rendered.keys() - {name} | {there}
    assert difference(rendered[name], moved[there]) == {("metadata", "namespace"): "monitoring"}


def rules_with(helm, **values):
    """The alerts by their names."""
    document = helm.render(EVERYTHING | {"prometheusRule": {"enabled": True, **values}})[RULE]
    return {rule["alert"]: rule for group in document["spec"]["groups"] for rule in group["rules"]}


def test_an_alert_can_be_changed_or_left_out(helm):
    before = rules_with(helm)
    after = rules_with(helm, overrides={"NodeRemovalSlow": {"enabled": False},
                                        "NodeRemovalNoLeader": {"enabled": True},
                                        "NodeRemovalBlocked": {"for": "1h", "severity": "critical"}})
    assert difference(before, after) == {("NodeRemovalSlow",): ABSENT, ("NodeRemovalBlocked", "for"): "1h",
                                         ("NodeRemovalBlocked", "labels", "severity"): "critical"}


def test_every_alert_gets_the_labels_that_are_asked_for(helm):
    before, after = rules_with(helm), rules_with(helm, additionalAlertLabels={"team": "infra"})
    assert difference(before, after) == {(alert, "labels", "team"): "infra" for alert in before}


@pytest.mark.parametrize("base", ["https://runbooks.example/ours", "https://runbooks.example/ours/"])
def test_the_pages_can_be_elsewhere(helm, base):
    urls = {alert: rule["annotations"]["runbook_url"] for alert, rule in rules_with(helm, runbookBaseURL=base).items()}
    assert urls == {alert: f"https://runbooks.example/ours/{alert}.md" for alert in urls} and urls


def test_in_another_namespace_commands_and_names_are_for_that_one(helm):
    rendered = helm.render(EVERYTHING, namespace="other")
    [endpoint] = rendered["ServiceMonitor other/noderemoval"]["spec"]["endpoints"]
    assert endpoint["tlsConfig"]["serverName"] == "noderemoval-metrics.other.svc"
    rules = json.dumps(rendered["PrometheusRule other/noderemoval"])
    assert "kubectl -n other describe pods" in rules and NAMESPACE not in rules


def test_the_schema_has_the_names_of_the_alerts(helm):
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    names = schema["properties"]["prometheusRule"]["properties"]["overrides"]["propertyNames"]["enum"]
    assert names == sorted(rules_with(helm))
