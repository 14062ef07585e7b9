"""Kubeconfigs with which the operator can not go on: it ends, and says what is wrong and what to do."""

import re
import subprocess

import kubeconfig
import pytest
from certificates import Authority
from operator_process import Operator
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


def test_an_unknown_flag(run_operator):
    code, message = run_operator("--fast")
    assert code == BAD_CONFIGURATION
    assert "--fast" in message
