"""A server with a certificate that the kubeconfig does not vouch for."""

import pytest
from certificates import Authority
from removal import Removal
from waiting import wait_until


@pytest.fixture
def foreign_certificate(tmp_path):
    authority = Authority(tmp_path / "foreign")
    authority.create()
    authority.issue_server("foreign", ["IP:127.0.0.1"])
    return authority.certificate("foreign"), authority.key("foreign")


def test_an_operator_says_nothing_to_a_server_that_it_can_not_trust_and_goes_on_when_it_can(
        proxy, sandbox, start_operator, operator_kubeconfig, foreign_certificate):
    jetson, _ = sandbox.add_nodes(2)
    operator = start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
    wait_until(lambda: proxy.count("WATCH", ".*noderemovals") == 1, 30, "the operator watches",
               seen=operator.log_text)
    proxy.present(*foreign_certificate)
    proxy.cut_all()
    heard = len(proxy.passed)
    removal = Removal(sandbox, jetson)
    wait_until(lambda: "the certificate of the server was refused" in operator.log_text(), 30,
               "the operator refuses the certificate", seen=operator.log_text)
    assert operator.alive()
    assert len(proxy.passed) == heard
    proxy.present(*proxy.certificate)
    assert removal.wait_end() == ("True", "NodeRemoved")
