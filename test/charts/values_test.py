"""Each value changes what it says, and nothing else."""

import json
import re
import shutil

import pytest
from helm import CHART, NAMESPACE, REPOSITORY
from objects import ABSENT, by_name, difference

DEPLOYMENT = f"Deployment {NAMESPACE}/noderemoval-controller"
CRD = "CustomResourceDefinition noderemovals.noderemoval.dev"
LABELS = {"app.kubernetes.io/name": "noderemoval", "app.kubernetes.io/component": "controller"}
ACCOUNT = f"ServiceAccount {NAMESPACE}/noderemoval-controller"
BUDGET = f"PodDisruptionBudget {NAMESPACE}/noderemoval-controller"
FLOW_SCHEMA = "FlowSchema noderemoval-controller"
BINDINGS = ["ClusterRoleBinding noderemoval-controller",
            *(f"RoleBinding {namespace}/noderemoval-controller" for namespace in
              ("kube-node-lease", "default", NAMESPACE))]
ROLES = [*BINDINGS, *(name.replace("Binding", "") for name in BINDINGS), "ClusterRole noderemoval-viewer",
         "ClusterRole noderemoval-editor"]
OBJECTS = [CRD, ACCOUNT, *ROLES, DEPLOYMENT, BUDGET, FLOW_SCHEMA]
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

USER_AND_GROUPS = ("runAsUser", "runAsGroup", "fsGroup")
DIGEST = "sha256:" + "0123456789abcdef" * 4
SECRETS = [{"name": "registry"}, {"name": "other"}]
MONITORING = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
TOLERATIONS = [{"operator": "Exists"}]
SPREAD = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", "labelSelector": {}}]}


def of_account(name):
    """Where the ServiceAccount is named."""
    return {(binding, "subjects", 0, "name"): name for binding in BINDINGS} | {
        (FLOW_SCHEMA, "spec", "rules", 0, "subjects", 0, "serviceAccount", "name"): name,
        (*POD_SPEC, "serviceAccountName"): name}


def ports(*numbers, protocols=("TCP",)):
    return [{"port": number, "protocol": protocol} for number in numbers for protocol in protocols]


def policy(*more_ingress, health=None, api_server=None):
    """The NetworkPolicy, with what is beside the ports of its rules."""
    ingress = [{"ports": ports("health"), **(health or {})}, *more_ingress]
    egress = [{"ports": ports(53, protocols=("UDP", "TCP"))}, {"ports": ports(443, 6443), **(api_server or {})}]
    return {(f"NetworkPolicy {NAMESPACE}/noderemoval-controller",): {
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "noderemoval-controller", "namespace": NAMESPACE, "labels": LABELS},
        "spec": {"podSelector": {"matchLabels": LABELS}, "policyTypes": ["Ingress", "Egress"], "ingress": ingress,
                 "egress": egress}}}


# The oldest that has what values can switch on.
KUBERNETES = ("--kube-version", "1.30.0")
ADMISSION = by_name("\n---\n".join(path.read_text(encoding="utf-8") for path in sorted(
    (REPOSITORY / "manifests/overlays/admission").glob("*.yaml")) if path.name != "kustomization.yaml"))

HOST = "noderemoval-host"
HOST_CLEANUP = by_name("\n---\n".join((REPOSITORY / f"manifests/components/host-cleanup/{name}.yaml").read_text(
    encoding="utf-8") for name in ("namespace", "rbac")))

SERVICE = f"Service {NAMESPACE}/noderemoval-metrics"
READER = "ClusterRole noderemoval-metrics-reader"


def metrics_service():
    names = {"app.kubernetes.io/name": "noderemoval"}
    return {"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "noderemoval-metrics", "namespace": NAMESPACE,
                         "labels": names | {"app.kubernetes.io/component": "metrics"}},
            "spec": {"clusterIP": "None", "selector": names | {"app.kubernetes.io/component": "controller"},
                     "ports": [{"name": "metrics", "port": 8080, "targetPort": "metrics"}]}}


def metrics_reader():
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": "noderemoval-metrics-reader", "labels": {"app.kubernetes.io/name": "noderemoval"}},
            "rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]}


def host_cleanup(*more_args, namespace=HOST, image="noderemoval:0.1.0"):
    """What is there when it is switched on."""
    return {ARGS: [HEALTH, f"--host-cleanup-namespace={namespace}", f"--host-cleanup-image={image}", *more_args]} | {
        (name.replace(HOST, namespace),): json.loads(json.dumps(each).replace(f'"{HOST}"', f'"{namespace}"'))
        for name, each in HOST_CLEANUP.items()}


# The value, what it is set to, and what changes. A list and not a dict, because a value may have several rows.
CHANGES = [
    ("replicas", 3, {(DEPLOYMENT, "spec", "replicas"): 3}),
    ("replicas", 1, {(DEPLOYMENT, "spec", "replicas"): 1, (BUDGET,): ABSENT}),
    ("image.repository", "registry.example:5000/noderemoval", {IMAGE: "registry.example:5000/noderemoval:0.1.0"}),
    ("image.tag", "1.2.3-rc.1", {IMAGE: "noderemoval:1.2.3-rc.1"}),
    ("image.digest", DIGEST, {IMAGE: f"noderemoval@{DIGEST}"}),
    ("image.pullPolicy", "Always", {(*CONTAINER, "imagePullPolicy"): "Always"}),
    ("imagePullSecrets", SECRETS, {(*POD_SPEC, "imagePullSecrets"): SECRETS}),
    ("crds.enabled", False, {(CRD,): ABSENT}),
    ("crds.keep", False, {(CRD, "metadata", "annotations"): ABSENT}),
    ("commonLabels", {"team": "infra"}, {(name, "metadata", "labels", "team"): "infra" for name in OBJECTS} | {
        (*POD, "metadata", "labels", "team"): "infra"}),
    ("serviceAccount.annotations", {"a": "b"}, {(ACCOUNT, "metadata", "annotations"): {"a": "b"}}),
    ("serviceAccount.name", "mine", of_account("mine") | {(ACCOUNT,): ABSENT, (f"ServiceAccount {NAMESPACE}/mine",): {
        "apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": False,
        "metadata": {"name": "mine", "namespace": NAMESPACE, "labels": LABELS}}}),
    ("serviceAccount", {"create": False, "name": "mine"}, of_account("mine") | {(ACCOUNT,): ABSENT}),
    ("rbac.create", False, {(name,): ABSENT for name in ROLES}),
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
        (*POD_SPEC, "volumes"): [API_ACCESS, {"name": "metrics-tls", "secret": {"secretName": "metrics"}}],
        (SERVICE,): metrics_service(), (READER,): metrics_reader()}),
    # The values of what needs the certificate, or is made only when it is asked for, are in monitoring_test.py.
    ("metrics.readers", [{"namespace": "monitoring", "name": "prometheus"}], {}),
    ("serviceMonitor.enabled", False, {}),
    ("serviceMonitor.labels", {"release": "a"}, {}),
    ("serviceMonitor.interval", "30s", {}),
    ("serviceMonitor.tlsConfig", {"insecureSkipVerify": True}, {}),
    ("serviceMonitor.relabelings", [{"targetLabel": "cluster"}], {}),
    ("prometheusRule.enabled", False, {}),
    ("prometheusRule.namespace", "monitoring", {}),
    ("prometheusRule.labels", {"release": "a"}, {}),
    ("prometheusRule.additionalAlertLabels", {"team": "infra"}, {}),
    ("prometheusRule.runbookBaseURL", "https://runbooks.example", {}),
    ("prometheusRule.overrides", {"NodeRemovalSlow": {"enabled": False}}, {}),
    ("grafanaDashboard.enabled", False, {}),
    ("grafanaDashboard.namespace", "monitoring", {}),
    ("grafanaDashboard.labels", {"a": "b"}, {}),
    ("grafanaDashboard.annotations", {"a": "b"}, {}),
    ("options", {"workers": 1, "minHealthy": 50}, {ARGS: [HEALTH, "--min-healthy=50", "--workers=1"]}),
    ("podDisruptionBudget.enabled", False, {(BUDGET,): ABSENT}),
    ("flowSchema.enabled", False, {(FLOW_SCHEMA,): ABSENT}),
    ("networkPolicy", {"enabled": True}, policy()),
    ("networkPolicy", {"enabled": True, "apiServerPorts": [8443]}, policy(api_server={"ports": ports(8443)})),
    ("networkPolicy", {"enabled": True, "apiServerCIDRs": ["10.0.0.1/32", "fd00::1/128"]},
     policy(api_server={"to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}, {"ipBlock": {"cidr": "fd00::1/128"}}]})),
    ("networkPolicy", {"enabled": True, "nodeCIDRs": ["10.0.0.0/8"]},
     policy(health={"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]})),
    ("networkPolicy", {"enabled": True, "metricsFrom": MONITORING},
     policy({"ports": ports("metrics"), "from": MONITORING})),
    ("resources.requests", {"cpu": 1}, {(*CONTAINER, "resources", "requests", "cpu"): 1}),
    ("resources.limits", {"cpu": "200m"}, {(*CONTAINER, "resources", "limits", "cpu"): "200m"}),
    ("resources.limits", None, {(*CONTAINER, "resources", "limits"): ABSENT}),
    ("resources", None, {(*CONTAINER, "resources"): ABSENT}),
    ("priorityClassName", "important", {(*POD_SPEC, "priorityClassName"): "important"}),
    ("priorityClassName", "", {(*POD_SPEC, "priorityClassName"): ABSENT}),
    ("nodeSelector", {"disk": "ssd"}, {(*POD_SPEC, "nodeSelector", "disk"): "ssd"}),
    ("nodeSelector", {"gpu": "true"}, {(*POD_SPEC, "nodeSelector", "gpu"): "true"}),
    ("nodeSelector", {"kubernetes.io/os": None}, {(*POD_SPEC, "nodeSelector"): ABSENT}),
    ("runAsUser", 1000, {(*POD_SPEC, "securityContext", key): 1000 for key in USER_AND_GROUPS}),
    ("runAsUser", None, {(*POD_SPEC, "securityContext", key): ABSENT for key in USER_AND_GROUPS}),
    ("affinity.nodeAffinity", None, {(*POD_SPEC, "affinity", "nodeAffinity"): ABSENT}),
    ("affinity", None, {(*POD_SPEC, "affinity"): ABSENT}),
    ("topologySpreadConstraints", [], {(*POD_SPEC, "topologySpreadConstraints"): ABSENT}),
    ("affinity.podAffinity", SPREAD, {(*POD_SPEC, "affinity", "podAffinity"): SPREAD}),
    ("affinity.podAntiAffinity", SPREAD | {"preferredDuringSchedulingIgnoredDuringExecution": None},
     {(*POD_SPEC, "affinity", "podAntiAffinity", key): terms for key, terms in SPREAD.items()} |
     {(*POD_SPEC, "affinity", "podAntiAffinity", "preferredDuringSchedulingIgnoredDuringExecution"): ABSENT}),
    ("tolerations", TOLERATIONS, {(*POD_SPEC, "tolerations"): TOLERATIONS}),
    ("tolerations", [], {(*POD_SPEC, "tolerations"): ABSENT}),
    ("podAnnotations", {"example.com/a": "1"}, {(*POD, "metadata", "annotations"): {"example.com/a": "1"}}),
    ("podLabels", {"team": "infra"}, {(*POD, "metadata", "labels", "team"): "infra"}),
    ("admission.enabled", True, {(name,): each for name, each in ADMISSION.items()}),
    ("admission.allowControlPlane", True, {}),
    ("admission.onlyEvictions", True, {}),
    ("admission", None, {}),
    ("hostCleanup.enabled", True, host_cleanup()),
    ("hostCleanup.namespace", "mine", {}),
    ("hostCleanup", {"enabled": True, "namespace": "mine"}, host_cleanup(namespace="mine")),
    ("hostCleanup.createNamespace", False, {}),
    ("hostCleanup", {"enabled": True, "createNamespace": False},
     {path: each for path, each in host_cleanup().items() if path != (f"Namespace {HOST}",)}),
    ("hostCleanup.allowImages", ["registry.example/cleanup:1"], {}),
    ("hostCleanup", {"enabled": True, "allowImages": ["registry.example:5000/a:1", f"b@{DIGEST}"]},
     host_cleanup("--host-cleanup-allow-image=registry.example:5000/a:1", f"--host-cleanup-allow-image=b@{DIGEST}")),
    ("hostCleanup", None, {}),
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
    schema = _schema()

    def leaves(schema_of, path=()):
        properties = {key: of for key, of in _resolved(schema, schema_of).get("properties", {}).items() if of}
        if not properties:
            yield path
        for key, of in properties.items():
            yield from leaves(of, (*path, key))

    def is_set(path, value):
        for key in path:
            value = value.get(key, ABSENT) if isinstance(value, dict) else ABSENT
        return value is not ABSENT

    tried = [nested(path, value) for path, value, _ in CHANGES]
    assert [path for path in leaves(schema) if not any(is_set(path, values) for values in tried)] == []


def test_the_pods_have_a_label_of_both_once(helm):
    rendered = helm.render({"commonLabels": {"team": "infra", "a": "b"}, "podLabels": {"team": "mine"}})
    labels = rendered[DEPLOYMENT]["spec"]["template"]["metadata"]["labels"]
    assert (labels["team"], labels["a"]) == ("mine", "b")


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

    # In a pod the operator knows by itself where the API server is, and the Deployment tells it which pod it is, where
    # to serve what, and where to clean machines from; --version ends it.
    assert options.keys() == statements.keys() - {
        "kubeconfig", "context", "insecure-skip-tls-verify", "namespace", "own-pod", "version", "health-address",
        "metrics-address", "metrics-tls-cert-file", "metrics-tls-key-file", "metrics-insecure", "leader-elect",
        "host-cleanup-namespace", "host-cleanup-image", "host-cleanup-allow-image"}
    for name, schema in options.items():
        if schema.get("type") == "integer":
            assert f"{schema['minimum']}, {schema['maximum']}" in statements[name], name


@pytest.mark.parametrize("enabled", [True, False])
def test_a_parent_chart_can_switch_it_and_hand_down_global_values(helm, default_render, tmp_path, enabled):
    (tmp_path / "Chart.yaml").write_text(
        "{apiVersion: v2, name: parent, version: 1.0.0, dependencies: "
        "[{name: node-removal, version: 0.1.0, condition: node-removal.enabled}]}", encoding="utf-8")
    shutil.copytree(CHART, tmp_path / "charts/node-removal")

    rendered = helm.render({"global": {"a": "b"}, "node-removal": {"enabled": enabled}}, *KUBERNETES, chart=tmp_path)

    assert rendered == (default_render if enabled else {})


def _schema():
    return json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))


def _resolved(schema, part):
    reference = part.get("$ref", "").rpartition("/")[2]
    return schema["definitions"][reference] if reference else part
