"""Each value changes what it says, and nothing else."""

import json
import re
import shutil

import pytest
from helm import CHART, NAMESPACE, REPOSITORY
from objects import ABSENT, difference, of_kustomization

DEPLOYMENT = f"Deployment {NAMESPACE}/noderemoval-controller"
CRD = "CustomResourceDefinition noderemovals.noderemoval.dev"
POD = (DEPLOYMENT, "spec", "template")
POD_SPEC = (*POD, "spec")
CONTAINER = (*POD_SPEC, "containers", 0)
IMAGE = (*CONTAINER, "image")
ARGS = (*CONTAINER, "args")
HEALTH = "--health-address=:8081"
TLS = "/etc/noderemoval/metrics-tls"
API_ACCESS = {"name": "api-access", "projected": {"sources": [
    {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
    {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}]}}
API_ACCESS_MOUNT = {"name": "api-access", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                    "readOnly": True}

DIGEST = "sha256:" + "0123456789abcdef" * 4
SECRETS = [{"name": "registry"}, {"name": "other"}]
TOLERATIONS = [{"operator": "Exists"}]
SPREAD = {"preferredDuringSchedulingIgnoredDuringExecution": [
    {"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "labelSelector": {}}}]}

# The oldest that has what values can switch on.
KUBERNETES = ("--kube-version", "1.30.0")
ADMISSION = of_kustomization(REPOSITORY / "manifests/overlays/admission")

# The value, what it is set to, and what changes. A list and not a dict, because a value may have several rows.
CHANGES = [
    ("replicas", 2, {(DEPLOYMENT, "spec", "replicas"): 2}),
    ("image.repository", "registry.example:5000/noderemoval", {IMAGE: "registry.example:5000/noderemoval:0.1.0"}),
    ("image.tag", "1.2.3-rc.1", {IMAGE: "noderemoval:1.2.3-rc.1"}),
    ("image.digest", DIGEST, {IMAGE: f"noderemoval@{DIGEST}"}),
    ("image.pullPolicy", "Always", {(*CONTAINER, "imagePullPolicy"): "Always"}),
    ("imagePullSecrets", SECRETS, {(*POD_SPEC, "imagePullSecrets"): SECRETS}),
    ("crds.enabled", False, {(CRD,): ABSENT}),
    ("crds.keep", False, {(CRD, "metadata", "annotations"): ABSENT}),
    ("options.workers", 256, {ARGS: [HEALTH, "--workers=256"]}),
    ("options.maxConnections", 64, {ARGS: [HEALTH, "--max-connections=64"]}),
    ("options.deletionsPerSecond", 20, {ARGS: [HEALTH, "--deletions-per-second=20"]}),
    ("options.settle", 3600, {ARGS: [HEALTH, "--settle=3600"]}),
    ("options.overdueMargin", 86400, {ARGS: [HEALTH, "--overdue-margin=86400"]}),
    ("options.leftoversTimeout", 86400, {ARGS: [HEALTH, "--leftovers-timeout=86400"]}),
    ("options.minHealthy", 0, {ARGS: [HEALTH, "--min-healthy=0"]}),
    ("options.maxConcurrentRemovals", 3, {ARGS: [HEALTH, "--max-concurrent-removals=3"]}),
    ("options.leaderElectLeaseDuration", 30, {ARGS: [HEALTH, "--leader-elect-lease-duration=30"]}),
    ("options.leaderElectRenewDeadline", 8, {ARGS: [HEALTH, "--leader-elect-renew-deadline=8"]}),
    ("options.leaderElectRetryPeriod", 1, {ARGS: [HEALTH, "--leader-elect-retry-period=1"]}),
    ("options.logLevel", "debug", {ARGS: [HEALTH, "--log-level=debug"]}),
    ("options.logFormat", "json", {ARGS: [HEALTH, "--log-format=json"]}),
    ("options.shutdownTimeout", 60, {ARGS: [HEALTH, "--shutdown-timeout=60"],
                                     (*POD_SPEC, "terminationGracePeriodSeconds"): 70}),
    ("metrics.tlsSecret", "metrics", {
        ARGS: [HEALTH, "--metrics-address=:8080", f"--metrics-tls-cert-file={TLS}/tls.crt",
               f"--metrics-tls-key-file={TLS}/tls.key"],
        (*CONTAINER, "volumeMounts"): [API_ACCESS_MOUNT, {"name": "metrics-tls", "mountPath": TLS, "readOnly": True}],
        (*POD_SPEC, "volumes"): [API_ACCESS, {"name": "metrics-tls", "secret": {"secretName": "metrics"}}]}),
    ("options", {"workers": 1, "minHealthy": 50}, {ARGS: [HEALTH, "--min-healthy=50", "--workers=1"]}),
    ("resources.requests", {"cpu": 1}, {(*CONTAINER, "resources", "requests", "cpu"): 1}),
    ("resources.limits", {"cpu": "200m"}, {(*CONTAINER, "resources", "limits", "cpu"): "200m"}),
    ("resources.limits", None, {(*CONTAINER, "resources", "limits"): ABSENT}),
    ("resources", None, {(*CONTAINER, "resources"): ABSENT}),
    ("priorityClassName", "important", {(*POD_SPEC, "priorityClassName"): "important"}),
    ("priorityClassName", "", {(*POD_SPEC, "priorityClassName"): ABSENT}),
    ("nodeSelector", {"disk": "ssd"}, {(*POD_SPEC, "nodeSelector", "disk"): "ssd"}),
    ("nodeSelector", {"gpu": "true"}, {(*POD_SPEC, "nodeSelector", "gpu"): "true"}),
    ("nodeSelector", {"kubernetes.io/os": None}, {(*POD_SPEC, "nodeSelector"): ABSENT}),
    ("affinity.nodeAffinity", None, {(*POD_SPEC, "affinity"): ABSENT}),
    ("affinity.podAffinity", SPREAD, {(*POD_SPEC, "affinity", "podAffinity"): SPREAD}),
    ("affinity.podAntiAffinity", SPREAD, {(*POD_SPEC, "affinity", "podAntiAffinity"): SPREAD}),
    ("tolerations", TOLERATIONS, {(*POD_SPEC, "tolerations"): TOLERATIONS}),
    ("tolerations", [], {(*POD_SPEC, "tolerations"): ABSENT}),
    ("podAnnotations", {"example.com/a": "1"}, {(*POD, "metadata", "annotations"): {"example.com/a": "1"}}),
    ("podLabels", {"team": "infra"}, {(*POD, "metadata", "labels", "team"): "infra"}),
    ("admission.enabled", True, {(name,): each for name, each in ADMISSION.items()}),
    ("admission.allowControlPlane", True, {}),
    ("admission.onlyEvictions", True, {}),
    ("admission", None, {}),
    ("global", {"imageRegistry": "elsewhere"}, {}),
    ("enabled", True, {}),
]


def nested(path, value):
    """{"image": {"tag": value}} for the path image.tag."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


@pytest.fixture(scope="session")
def default_render(helm):
    return helm.render({}, *KUBERNETES)


@pytest.mark.parametrize("path, value, changes", CHANGES, ids=[f"{path}={value}"[:60] for path, value, _ in CHANGES])
def test_a_value_changes_what_it_says_and_nothing_else(helm, default_render, path, value, changes):
    assert difference(default_render, helm.render(nested(path, value), *KUBERNETES)) == changes


def test_every_value_of_the_schema_is_in_the_table():
    def leaves(schema, path=()):
        properties = {key: of for key, of in schema.get("properties", {}).items() if of}
        if not properties:
            yield ".".join(path)
        for key, of in properties.items():
            yield from leaves(of, (*path, key))

    assert set(leaves(_schema())) <= {path for path, _, _ in CHANGES}


def test_the_digest_goes_before_the_tag(helm):
    rendered = helm.render({"image": {"tag": "1.2.3", "digest": DIGEST}})
    assert rendered[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]["image"] == f"noderemoval@{DIGEST}"


def test_without_crds_no_crd_is_rendered(helm):
    assert "CustomResourceDefinition" not in helm.text({"crds": {"enabled": False}})


def test_the_chart_has_the_options_of_the_operator_with_the_same_bounds():
    # Else the chart would refuse what the operator takes, or install a pod that ends with a usage error.
    source = (REPOSITORY / "controller/options.cpp").read_text(encoding="utf-8")
    statements = {found.group(1): found.group(0) for found in re.finditer(r'"--([a-z-]+)"[^;]*;', source)}
    options = {re.sub("[A-Z]", lambda letter: "-" + letter.group(0).lower(), key): schema
               for key, schema in _schema()["properties"]["options"]["properties"].items()}

    # In a pod the operator knows by itself where the API server is, and the Deployment tells it which pod it is and
    # where to serve what; --version ends it.
    assert options.keys() == statements.keys() - {
        "kubeconfig", "context", "insecure-skip-tls-verify", "namespace", "own-pod", "version", "health-address",
        "metrics-address", "metrics-tls-cert-file", "metrics-tls-key-file", "metrics-insecure", "leader-elect"}
    for name, schema in options.items():
        if schema.get("type") == "integer":
            assert f"{schema['minimum']}, {schema['maximum']}" in statements[name], name


@pytest.mark.parametrize("enabled", [True, False])
def test_a_parent_chart_can_switch_it_and_hand_down_global_values(helm, default_render, tmp_path, enabled):
    (tmp_path / "Chart.yaml").write_text(
        "{apiVersion: v2, name: parent, version: 1.0.0, dependencies: "
        "[{name: node-removal, version: 0.1.0, condition: node-removal.enabled}]}", encoding="utf-8")
    shutil.copytree(CHART, tmp_path / "charts/node-removal")

    rendered = helm.render({"global": {"a": "b"}, "node-removal": {"enabled": enabled}}, chart=tmp_path)

    assert rendered == (default_render if enabled else {})


def _schema():
    return json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
