"""Ways to log in. With a kubeconfig that is no good the operator ends, and says what is wrong and what to do."""

import base64
import json
import re
import subprocess
from pathlib import Path

import kubeconfig
import pytest
from certificates import Authority
from api import Api, ApiError
from operator_process import Operator
from removal import Removal
from waiting import wait_until

BAD_CONFIGURATION = 2
CANNOT_GO_ON = 1


@pytest.fixture
def run_operator(request, tmp_path):
    """Runs the operator, which has to end by itself; returns exit code and standard error."""
    def run(*arguments):
        done = subprocess.run([request.config.getoption("--operator"), *arguments], capture_output=True,
                              text=True, timeout=20, check=False, env={"HOME": str(tmp_path)})
        return done.returncode, done.stderr

    return run


@pytest.fixture
def authority(tmp_path):
    """A certificate authority that no cluster knows, with a user called someone."""
    made = Authority(tmp_path / "pki")
    made.create()
    made.issue_client("someone", "someone")
    return made


@pytest.fixture
def good(tmp_path, authority):
    """A kubeconfig with nothing wrong in it."""
    return kubeconfig.write(tmp_path / "kubeconfig", "https://127.0.0.1:1", authority.certificate("ca"),
                            certificate=authority.certificate("someone"), key=authority.key("someone"))


def changed(config, key, value, folder):
    """A copy of the kubeconfig with another value of this key."""
    text = re.sub(rf"\b{key}: .*", f"{key}: {value}", config.read_text(encoding="utf-8"))
    copy = folder / "changed"
    copy.write_text(text, encoding="utf-8")
    return copy


def token_in(config):
    return re.search(r"token: (\S+)", config.read_text(encoding="utf-8")).group(1)


def account_of(token):
    """Namespace and name of the ServiceAccount that the token is of."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims["sub"].split(":")[2:]


@pytest.fixture
def log_in(request, operators, tmp_path):
    """Starts the operator with a kubeconfig and flags, or with what the environment says."""
    def start(config=None, *flags, through=(), **environment):
        program = request.config.getoption("--operator")
        operators.append(Operator(program, config, tmp_path / "log", flags, environment, through))
        operators[-1].start()
        return operators[-1]

    return start


def assert_removes_a_node(sandbox, operator):
    node, _ = sandbox.add_nodes(2)
    assert Removal(sandbox, node).wait_end() == ("True", "NodeRemoved")
    assert operator.alive()


def server_in(config):
    return re.search(r"server: (\S+)", config.read_text(encoding="utf-8")).group(1)


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_missing_kubeconfig(run_operator, tmp_path):
    code, message = run_operator("--kubeconfig", tmp_path / "missing")
    assert code == BAD_CONFIGURATION
    assert f"kubeconfig {tmp_path}/missing: No such file" in message


def test_no_kubeconfig_anywhere(run_operator, tmp_path):
    code, message = run_operator()
    assert code == BAD_CONFIGURATION
    for place in ("--kubeconfig", "KUBECONFIG", "KUBERNETES_SERVICE_HOST", f"{tmp_path}/.kube/config"):
        assert place in message


@pytest.mark.parametrize("text", ["", "{", "just words", "- a\n- list\n", "\tx: 1\n", "\0\1\2"],
                         ids=["empty", "cut", "words", "list", "tab", "binary"])
def test_a_kubeconfig_that_is_none(run_operator, tmp_path, text):
    path = tmp_path / "kubeconfig"
    path.write_text(text, encoding="utf-8")
    code, message = run_operator("--kubeconfig", path)
    assert code == BAD_CONFIGURATION
    assert f"kubeconfig {path}" in message


@pytest.mark.parametrize("old, new, complaint", [
    ("current-context: test", "", "current-context"),
    ("current-context: test", "current-context: prod", 'there is no context "prod"'),
    ("      cluster: test", "      cluster: other", 'there is no cluster "other"'),
    ("      user: user", "      user: other", 'there is no user "other"'),
    ("https://", "http://", "is not an https:// URL"),
    ("pki/ca.crt", "pki/gone.crt", "pki/gone.crt"),
    ("pki/ca.crt", "pki/ca.key", "pki/ca.key"),
    ("pki/someone.crt", "pki/ca.crt", "is not the key of"),
])
def test_a_kubeconfig_with_an_error_in_it(run_operator, good, old, new, complaint):
    replace(good, old, new)
    code, message = run_operator("--kubeconfig", good)
    assert code == BAD_CONFIGURATION
    assert f"kubeconfig {good}" in message
    assert complaint in message


def test_an_expired_client_certificate(run_operator, good, authority, tmp_path):
    expired, request, key = authority.certificate("someone"), tmp_path / "request", authority.key("someone")
    for command in (["req", "-new", "-key", key, "-subj", "/CN=someone", "-out", request],
                    ["x509", "-req", "-in", request, "-signkey", key, "-days", "-1", "-out", expired]):
        subprocess.run(["openssl", *command], capture_output=True, check=True)
    code, message = run_operator("--kubeconfig", good)
    assert code == BAD_CONFIGURATION
    assert f"{expired} expired at " in message
    assert "renew it" in message


def test_a_certificate_authority_that_is_not_that_of_the_server(
        run_operator, operator_kubeconfig, authority, tmp_path):
    bad = changed(operator_kubeconfig, "certificate-authority", authority.certificate("ca"), tmp_path)
    code, message = run_operator("--kubeconfig", bad)
    assert code == CANNOT_GO_ON
    assert server_in(bad) in message
    assert f"check certificate-authority in kubeconfig {bad}" in message


def test_a_token_that_the_server_does_not_accept_is_reported_and_tried_again(
        request, operator_kubeconfig, tmp_path):
    # The API server may not know of the account yet.
    bad = changed(operator_kubeconfig, "token", "wrong", tmp_path)
    operator = Operator(request.config.getoption("--operator"), bad, tmp_path / "log")
    operator.start()
    try:
        wait_until(lambda: operator.log_text().count("401") >= 2, 20, "the operator tries again",
                   seen=operator.log_text)
        assert operator.alive()
        assert server_in(bad) in operator.log_text()
        assert "Unauthorized" in operator.log_text()
        assert "wrong" not in operator.log_text()
    finally:
        operator.kill()


def test_an_exec_plugin_logs_in_again_whenever_its_token_ends(log_in, sandbox, operator_kubeconfig, tmp_path):
    token, runs = token_in(operator_kubeconfig), tmp_path / "runs"
    plugin = tmp_path / "plugin"
    plugin.write_text(f"""#!/bin/sh
echo "$KUBERNETES_EXEC_INFO" >> {runs}
cat << END
{{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
  "status": {{"token": "{token}", "expirationTimestamp": "$(date -u -d '6 seconds' +%FT%TZ)"}}}}
END
""", encoding="utf-8")
    plugin.chmod(0o700)
    config = changed(operator_kubeconfig, "token", "x", tmp_path)
    replace(config, "token: x", """exec:
        apiVersion: client.authentication.k8s.io/v1
        command: ./plugin
        interactiveMode: IfAvailable
        provideClusterInfo: true""")
    operator = log_in(config)
    for _ in range(2):
        assert_removes_a_node(sandbox, operator)
    lines = runs.read_text(encoding="utf-8").splitlines()
    assert len(lines) > 1
    assert json.loads(lines[0])["spec"]["cluster"]["server"] == server_in(config)
    assert token not in operator.log_text()


def test_a_token_that_is_replaced_in_its_file_while_the_operator_runs(
        log_in, sandbox, operator_kubeconfig, tmp_path):
    cluster, good = sandbox.cluster, token_in(operator_kubeconfig)
    namespace, account = account_of(good)
    secret = sandbox.api.create(
        {"kind": "Secret", "metadata": {"name": sandbox.name("bound"), "namespace": namespace}})
    bound_to = {"kind": "Secret", "apiVersion": "v1", "name": secret["metadata"]["name"],
                "uid": secret["metadata"]["uid"]}
    old = sandbox.api.request("POST", sandbox.api.path("ServiceAccount", namespace, account, "token"), {
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3600, "boundObjectRef": bound_to}})["status"]["token"]
    file = tmp_path / "token"
    file.write_text(old, encoding="utf-8")
    config = changed(operator_kubeconfig, "token", "x", tmp_path)
    replace(config, "token: x", f"tokenFile: {file.name}")
    operator = log_in(config)
    assert_removes_a_node(sandbox, operator)

    sandbox.api.delete("Secret", bound_to["name"], namespace)
    # The API server remembers for some seconds whom it has let in.
    wait_until(lambda: is_refused(cluster, old), 60, "the old token is refused")
    file.write_text(good, encoding="utf-8")
    assert_removes_a_node(sandbox, operator)


def is_refused(cluster, token):
    try:
        Api(cluster.server, cluster.ca, token=token).list("NodeRemoval")
    except ApiError as error:
        return error.status == 401
    return False


def test_two_kubeconfigs_of_the_environment_are_merged(log_in, sandbox, operator_kubeconfig, tmp_path):
    text = operator_kubeconfig.read_text(encoding="utf-8")
    start, end = text.index("users:"), text.index("contexts:")
    users, rest = tmp_path / "users", tmp_path / "rest"
    users.write_text(text[start:end], encoding="utf-8")
    # Its user does not count: the first file has one of that name.
    rest.write_text(text[:start] + "users: [{name: user, user: {token: wrong}}]\n" + text[end:], encoding="utf-8")
    assert_removes_a_node(sandbox, log_in(KUBECONFIG=f"{users}:{tmp_path}/missing:{rest}"))


def test_an_api_server_that_is_not_verified_needs_the_flag(run_operator, good):
    replace(good, f"certificate-authority: {good.parent}/pki/ca.crt", "insecure-skip-tls-verify: true")
    code, message = run_operator("--kubeconfig", good)
    assert code == BAD_CONFIGURATION
    assert "--insecure-skip-tls-verify" in message


def test_an_api_server_that_is_not_verified_is_warned_of(log_in, sandbox, operator_kubeconfig, tmp_path):
    config = changed(operator_kubeconfig, "certificate-authority", "x", tmp_path)
    replace(config, "certificate-authority: x", "insecure-skip-tls-verify: true")
    operator = log_in(config, "--insecure-skip-tls-verify")
    assert_removes_a_node(sandbox, operator)
    [warning] = [line for line in operator.log_text().splitlines() if "insecure-skip-tls-verify" in line]
    assert " WARN " in warning
    assert server_in(config).removeprefix("https://") in warning


@pytest.mark.parametrize(("mode", "warns"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_kubeconfig_that_others_can_read_is_warned_of(log_in, operator_kubeconfig, tmp_path, mode, warns):
    config = tmp_path / "config"
    config.write_bytes(operator_kubeconfig.read_bytes())
    config.chmod(mode)
    operator = log_in(config)
    operator.address("health")
    assert (f'chmod go-rwx it kubeconfig="{config}"' in operator.log_text()) == warns


def test_a_host_name_that_can_not_be_resolved_is_tried_again(log_in, sandbox, operator_kubeconfig, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n", encoding="ascii")
    host, port = server_in(operator_kubeconfig).removeprefix("https://").split(":")
    server = f"https://kubernetes.test:{port}\n      tls-server-name: kubernetes"
    config = changed(operator_kubeconfig, "server", server, tmp_path)
    mount = f"mount --bind {hosts} /etc/hosts && exec \"$@\""
    operator = log_in(config, through=("unshare", "--mount", "sh", "-c", mount, "sh"))
    wait_until(lambda: r'\"kubernetes.test\" could not be resolved' in operator.log_text(), 40, "it says so",
               seen=operator.log_text)
    assert operator.alive()
    hosts.write_text(f"{host} kubernetes.test\n", encoding="ascii")
    assert_removes_a_node(sandbox, operator)


def test_a_crash_leaves_no_core_dump(log_in, sandbox, operator_kubeconfig):
    operator = log_in(operator_kubeconfig)
    assert_removes_a_node(sandbox, operator)
    limits = Path(f"/proc/{operator.pid}/limits").read_text(encoding="ascii")
    assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


def test_an_unknown_flag(run_operator):
    code, message = run_operator("--fast")
    assert code == BAD_CONFIGURATION
    assert "--fast" in message
