"""A wrong value is refused before anything is installed, and the message names it."""

import pytest
from helm import HelmError

REFUSED = [
    ({"replicas": 0}, "replicas"),
    ({"image": {"tga": "1.2.3"}}, "'/image': .*'tga'"),
    ({"image": {"tag": 1.2}}, "'/image/tag'"),
    ({"image": {"digest": "0123"}}, "'/image/digest'"),
    ({"image": {"pullPolicy": "Sometimes"}}, "'/image/pullPolicy'"),
    ({"image": {"repository": ""}}, "'/image/repository'"),
    ({"image": {"repository": None}}, "'/image': .*'repository'"),
    ({"image": None}, "'image'"),
    ({"imagePullSecrets": ["registry"]}, "'/imagePullSecrets/0'"),
    ({"crds": {"enabled": "yes"}}, "'/crds/enabled'"),
    ({"crds": {"keep": None}}, "'/crds': .*'keep'"),
    ({"crds": {"install": True}}, "'/crds': .*'install'"),
    ({"options": {"worker": 3}}, "'/options': .*'worker'"),
    ({"options": {"workers": "3"}}, "'/options/workers'"),
    ({"options": {"workers": 0}}, "'/options/workers'"),
    ({"options": {"workers": None}}, "'/options/workers'"),
    ({"options": {"maxConnections": 65}}, "'/options/maxConnections'"),
    ({"options": {"deletionsPerSecond": 0}}, "'/options/deletionsPerSecond'"),
    ({"options": {"settle": "2s"}}, "'/options/settle'"),
    ({"options": {"overdueMargin": 86401}}, "'/options/overdueMargin'"),
    ({"options": {"leftoversTimeout": 1.5}}, "'/options/leftoversTimeout'"),
    ({"options": {"minHealthy": "45%"}}, "'/options/minHealthy'"),
    ({"options": {"logLevel": "loud"}}, "'/options/logLevel'"),
    ({"options": {"logFormat": "xml"}}, "'/options/logFormat'"),
    ({"options": {"shutdownTimeout": 0}}, "'/options/shutdownTimeout'"),
    ({"metrics": {"tlsSecret": 1}}, "'/metrics/tlsSecret'"),
    ({"metrics": None}, "'metrics'"),
    # These two the operator itself would refuse.
    ({"options": {"leaderElectLeaseDuration": 10}}, r"leaderElectLeaseDuration \(10\) must be longer than .* \(10\)"),
    ({"options": {"leaderElectRetryPeriod": 9}}, r"leaderElectRenewDeadline \(10\) must be longer than .* \(9\)"),
    ({"resources": {"limit": {}}}, "'/resources': .*'limit'"),
    ({"commonLabels": {"a": "not a label"}}, "'/commonLabels/a'"),
    ({"commonLabels": {"app.kubernetes.io/name": "mine"}}, "'/commonLabels/app.kubernetes.io~1name'"),
    ({"serviceAccount": {"create": False}}, "'/serviceAccount/name'"),
    ({"serviceAccount": {"name": "Mine"}}, "'/serviceAccount/name'"),
    ({"serviceAccount": None}, "'serviceAccount'"),
    ({"rbac": {"create": "no"}}, "'/rbac/create'"),
    ({"rbac": None}, "'rbac'"),
    ({"podDisruptionBudget": {"minAvailable": 1}}, "'/podDisruptionBudget': .*'minAvailable'"),
    ({"flowSchema": {"enabled": None}}, "'/flowSchema': .*'enabled'"),
    ({"networkPolicy": {"apiServerPorts": []}}, "'/networkPolicy/apiServerPorts'"),
    ({"networkPolicy": {"apiServerPorts": ["https"]}}, "'/networkPolicy/apiServerPorts/0'"),
    ({"networkPolicy": {"nodeCIDRs": ["10.0.0.1"]}}, "'/networkPolicy/nodeCIDRs/0'"),
    # It would let everybody in.
    ({"networkPolicy": {"metricsFrom": [{}]}}, "'/networkPolicy/metricsFrom/0'"),
    ({"networkPolicy": {"metricsFrom": [{"namespace": "a"}]}}, "'/networkPolicy/metricsFrom/0': .*'namespace'"),
    ({"runAsUser": 0}, "'/runAsUser'"),
    ({"priorityClassName": 1}, "'/priorityClassName'"),
    ({"nodeSelector": {"gpu": True}}, "'/nodeSelector/gpu'"),
    ({"affinity": {"nodeAffinty": {}}}, "'/affinity': .*'nodeAffinty'"),
    ({"tolerations": {"operator": "Exists"}}, "'/tolerations'"),
    ({"admission": {"enabled": "yes"}}, "'/admission/enabled'"),
    ({"admission": {"enable": True}}, "'/admission': .*'enable'"),
    ({"tolerations": [{"key": "a", "opreator": "Exists"}]}, "'/tolerations/0': .*'opreator'"),
    ({"topologySpreadConstraints": [{"topologyKey": "zone"}]}, "'/topologySpreadConstraints/0': .*'maxSkew'"),
    ({"podAnnotations": {"a": 1}}, "'/podAnnotations/a'"),
    # The Deployment would not find its pods.
    ({"podLabels": {"app.kubernetes.io/name": "mine"}}, "'/podLabels/app.kubernetes.io~1name'"),
    ({"podLabels": {"app.kubernetes.io/component": "mine"}}, "'/podLabels/app.kubernetes.io~1component'"),
]


@pytest.mark.parametrize("values, named", REFUSED, ids=[str(values) for values, _ in REFUSED])
def test_a_wrong_value_is_refused_by_name(helm, values, named):
    with pytest.raises(HelmError, match=named):
        helm.text(values)
