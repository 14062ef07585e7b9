"""kubectl noderemoval, by a user who has the role noderemoval-editor and nothing else, unless a test says otherwise."""

import json
import re
import signal
import subprocess

import faults
import kubeconfig
import pytest
import yaml
from kubectl_plugin import KubectlPlugin, editor_kubeconfig
from objects import deployment, naked_pod
from removal import Removal, traces_on
from terminal import Terminal
from waiting import wait_until

DONE, ERROR, FAILED, NEEDS_DECISION, TIMED_OUT, REFUSED, GONE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130
NODE_REMOVALS = "/apis/noderemoval.dev/v1alpha1/noderemovals"
A_CHANGE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (\S+) (\S+)")


@pytest.fixture
def install(request, cluster, tmp_path):
    """Installs the plugin for the user of a kubeconfig."""
    return lambda config: KubectlPlugin(cluster, request.config.getoption("--operator"), tmp_path / "bin", config)


@pytest.fixture
def plugin(install, sandbox, operator_kubeconfig, tmp_path):  # the CRD and the roles are installed with the operator
    return install(editor_kubeconfig(sandbox, tmp_path))


@pytest.fixture
def admin(install, cluster, operator_kubeconfig):
    return install(cluster.kubeconfig)


def removals_of(sandbox, node):
    return [each for each in sandbox.api.list("NodeRemoval") if each["spec"].get("nodeName") == node]


def condition(removal, kind):
    return next(each for each in removal["status"]["conditions"] if each["type"] == kind)


def test_a_plan_says_what_would_happen_and_leaves_nothing_behind(sandbox, start_operator, plugin):
    jetson, spare = sandbox.add_nodes(2)
    guarded = sandbox.create_guarded_on(jetson, "web")["metadata"]["name"]
    sandbox.create(naked_pod("debug", node=jetson))
    sandbox.wait_running("debug")
    start_operator()

    code, out, errors = plugin.run("plan", jetson)
    assert (code, errors) == (NEEDS_DECISION, "")
    assert f"Plan for node {jetson}" in out
    assert f"Blocked    1   {sandbox.namespace}/debug" in out
    assert f"Blocked    1   {sandbox.namespace}/{guarded}" in out
    assert "Result: 2 pods would hold it up, unless you act." in out
    assert "\x1b" not in out

    code, out, _ = plugin.run("plan", jetson, "--force", "-o", "json")
    actions = {each["pod"].partition("/")[2]: each["action"] for each in json.loads(out)["status"]["plan"]}
    assert (code, actions) == (NEEDS_DECISION, {guarded: "Blocked", "debug": "Evict"})

    code, out, _ = plugin.run("plan", spare)
    assert code == DONE
    assert "Result: the removal would go through." in out
    code, out, _ = plugin.run("plan", "no-such-node")
    assert code == ERROR
    assert "There was no Node no-such-node" in out

    sandbox.api.patch("Node", spare, {"metadata": {"annotations": {"noderemoval.dev/protect": ""}}})
    code, out, _ = plugin.run("plan", spare)
    assert code == NEEDS_DECISION
    assert "(NodeProtected)" in out
    assert removals_of(sandbox, jetson) == removals_of(sandbox, spare) == []
    assert traces_on(sandbox.get("Node", jetson)) == []
    assert "unschedulable" not in sandbox.get("Node", jetson)["spec"]


def test_a_plan_that_nobody_answers_says_so_and_an_interrupt_takes_it_back(sandbox, plugin):
    jetson = sandbox.add_node()
    running = plugin.start("plan", jetson)
    assert "is the operator running?" in running.stderr.readline()
    assert len(removals_of(sandbox, jetson)) == 1
    running.send_signal(signal.SIGINT)
    assert running.wait(10) == INTERRUPTED
    assert removals_of(sandbox, jetson) == []


def test_a_removal_without_a_terminal_needs_yes_and_is_followed_line_by_line(sandbox, start_operator, plugin):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_on(jetson, deployment("web", replicas=2))
    start_operator()

    code, out, errors = plugin.run("start", jetson)
    assert (code, out) == (REFUSED, "")
    assert "give --yes" in errors
    assert removals_of(sandbox, jetson) == []

    code, out, errors = plugin.run("start", jetson, "--yes", "--watch", "--grace-period=1")
    assert (code, errors) == (DONE, "")
    changes = [A_CHANGE.match(line) for line in out.splitlines()]
    assert all(changes), out
    assert {change[1] for change in changes} == {jetson}
    assert changes[-1][2] == "NodeRemoved", out
    assert "Draining" in [change[2] for change in changes], out
    assert len(set(out.splitlines())) == len(changes), "a line for each change"

    code, out, errors = plugin.run("start", jetson, "--yes")
    assert (code, out) == (ERROR, "")
    assert f"NodeRemoval {jetson} exists already (NodeRemoved)" in errors
    assert plugin.run("status", jetson)[0] == DONE
    assert plugin.run("suspend", jetson)[0] == REFUSED
    code, out, _ = plugin.run("cancel", jetson)
    assert (code, out) == (DONE, f"noderemoval.noderemoval.dev/{jetson} deleted\n")


def test_a_removal_that_is_blocked_is_shown_suspended_resumed_and_cancelled(sandbox, start_operator, plugin):
    jetson, _ = sandbox.add_nodes(2)
    pod = f"{sandbox.namespace}/{sandbox.create_guarded_on(jetson, 'web')['metadata']['name']}"
    start_operator()
    assert plugin.run("start", jetson, "--yes", "-o", "name")[:2] == (DONE, f"noderemoval.noderemoval.dev/{jetson}\n")

    def blocked():
        return "DrainBlocked" in plugin.run("status", jetson)[1]

    wait_until(blocked, 30, "the removal is blocked")
    code, out, errors = plugin.run("status", jetson)
    assert (code, errors) == (DONE, "")
    assert f"! {pod}" in out
    assert "PodDisruptionBudget" in out
    assert f"Next: {pod}: " in out
    assert plugin.run("status", jetson, "--wait", "--timeout=1s")[0] == TIMED_OUT
    code, out, _ = plugin.run("list")
    assert code == DONE
    assert re.search(rf"^{jetson} +{jetson} +DrainBlocked +0/1 +{pod} \(PodDisruptionBudget\)", out, re.M), out

    code, out, _ = plugin.run("status", jetson, "-o", "json")
    assert code == DONE
    assert json.loads(out)["status"]["blockers"][0]["pod"] == pod
    out = plugin.run("status", jetson, "-o", "yaml")[1]
    shown, stored = yaml.safe_load(out), sandbox.get("NodeRemoval", jetson)
    assert shown["spec"] == stored["spec"]
    assert shown["status"]["conditions"] == stored["status"]["conditions"]
    assert "managedFields" not in out
    assert jetson in [each["metadata"]["name"] for each in json.loads(plugin.run("list", "-o", "json")[1])["items"]]

    assert plugin.run("suspend", jetson)[:2] == (DONE, f"noderemoval.noderemoval.dev/{jetson} suspended\n")
    wait_until(lambda: "Suspended" in plugin.run("status", jetson)[1], 30, "it is suspended")
    assert plugin.run("resume", jetson)[0] == DONE
    wait_until(blocked, 30, "it goes on")

    watching = plugin.start("status", jetson, "--watch")
    assert "DrainBlocked" in watching.stdout.readline()
    assert plugin.run("cancel", jetson)[:2] == (DONE, f"noderemoval.noderemoval.dev/{jetson} cancelled\n")
    assert watching.wait(10) == GONE
    assert sandbox.get("NodeRemoval", jetson) is None
    assert "unschedulable" not in sandbox.get("Node", jetson)["spec"]
    code, _, errors = plugin.run("status", jetson)
    assert code == ERROR
    assert f"there is no NodeRemoval {jetson}" in errors


def test_a_removal_that_fails_has_an_exit_code_of_its_own(sandbox, start_operator, plugin):
    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_guarded_on(jetson, "web")
    start_operator()
    code, out, _ = plugin.run("start", jetson, "--yes", "--watch", "--timeout=1s")
    assert code == FAILED
    assert "DrainTimedOut" in out.splitlines()[-1]
    assert plugin.run("status", jetson)[0] == plugin.run("status", jetson, "--wait")[0] == FAILED


def test_what_argo_cd_would_create_again_is_not_deleted_by_a_cancel(sandbox, plugin):
    jetson = sandbox.add_node()
    removal = Removal(sandbox, jetson, suspend=True)
    sandbox.api.patch("NodeRemoval", removal.name,
                      {"metadata": {"annotations": {"argocd.argoproj.io/tracking-id": "app"}}})
    code, out, errors = plugin.run("cancel", removal.name)
    assert (code, out) == (REFUSED, "")
    assert "managed by Argo CD" in errors and "--delete-anyway" in errors and "spec.suspend: true" in errors
    code, _, errors = plugin.run("resume", removal.name)
    assert code == DONE
    assert "may set it back" in errors
    assert removal.get()["spec"]["suspend"] is False
    assert plugin.run("cancel", removal.name, "--delete-anyway")[0] == DONE
    assert removal.get() is None


def test_a_dry_run_of_start_creates_nothing(sandbox, plugin, tmp_path):
    jetson = sandbox.add_node()
    flags = ("--force", "--timeout=5m", "--pod-selector=app=web,tier!=db", "--no-delete")
    code, out, errors = plugin.run("start", jetson, *flags, "--dry-run=client", KUBECONFIG=str(tmp_path / "none"))
    assert (code, errors) == (DONE, ""), "without a cluster"
    made = yaml.safe_load(out)
    code, out, errors = plugin.run("start", jetson, *flags, "--dry-run=server", "-o", "json")
    assert (code, errors) == (DONE, "")
    checked = json.loads(out)
    assert checked["metadata"]["uid"], "the API server has seen it"
    assert made["spec"]["drain"].items() <= checked["spec"]["drain"].items()
    assert checked["spec"]["migration"]["wait"] is True, "defaults are filled in"
    code, _, errors = plugin.run("start", jetson, "--node-uid=not_a_uid", "--dry-run=server")
    assert code == ERROR
    assert "nodeUID" in errors
    assert removals_of(sandbox, jetson) == []


def test_who_may_read_nodes_pins_the_one_that_is_there(sandbox, admin):
    jetson = sandbox.add_node()
    uid = sandbox.get("Node", jetson)["metadata"]["uid"]
    code, out, _ = admin.run("start", jetson, "--yes", "-o", "json")
    assert (code, json.loads(out)["spec"]["nodeUID"]) == (DONE, uid)
    [written] = [each for each in sandbox.get("NodeRemoval", jetson)["metadata"]["managedFields"]]
    assert written["manager"] == "kubectl-noderemoval"
    code, _, errors = admin.run("start", "no-such-node", "--yes")
    assert code == ERROR
    assert "there is no node no-such-node" in errors
    assert admin.run("list", f"--as=system:serviceaccount:{sandbox.namespace}:default")[0] == ERROR
    assert admin.run("list", "--as=somebody", "--as-group=system:masters")[0] == DONE


def test_the_kubeconfig_is_found_and_merged_as_by_kubectl(cluster, sandbox, admin, tmp_path):
    text = cluster.kubeconfig.read_text(encoding="utf-8")
    users, rest, home = tmp_path / "users", tmp_path / "rest", tmp_path / "home"
    start, end = text.index("users:"), text.index("contexts:")
    users.write_text(text[start:end] + "current-context: other\n", encoding="utf-8")
    rest.write_text(text[:start] + text[end:] + "", encoding="utf-8")
    both = f"{users}:{tmp_path}/missing:{rest}"
    code, _, errors = admin.run("list", KUBECONFIG=both)
    assert (code, 'there is no context "other"' in errors) == (ERROR, True), errors
    assert admin.run("list", "--context=test", KUBECONFIG=both)[0] == DONE
    assert admin.run("list", "--context", "test", "--cluster=test", "--user=user", KUBECONFIG=both)[0] == DONE
    code, _, errors = admin.run("list", "--context=test", "--user=nobody", KUBECONFIG=both)
    assert (code, 'there is no user "nobody"' in errors) == (ERROR, True), errors

    (home / ".kube").mkdir(parents=True)
    (home / ".kube/config").write_text(text, encoding="utf-8")
    # In a pod of another cluster, as CI jobs are.
    assert admin.run("list", KUBECONFIG="", HOME=str(home), KUBERNETES_SERVICE_HOST="127.0.0.1",
                     KUBERNETES_SERVICE_PORT="1")[0] == DONE


def test_an_api_server_that_is_away_is_named_and_waited_for(sandbox, start_operator, plugin, proxy):
    code, out, errors = plugin.run("list", "--server=https://127.0.0.1:1")
    assert (code, out) == (ERROR, "")
    assert "https://127.0.0.1:1" in errors and "is the API server running?" in errors

    jetson, _ = sandbox.add_nodes(2)
    sandbox.create_guarded_on(jetson, "web")
    removal = Removal(sandbox, jetson)
    start_operator()
    removal.wait_reason("DrainBlocked")
    watching = plugin.start("status", removal.name, "--watch", KUBECONFIG=str(proxy.kubeconfig(plugin.config)))
    assert "DrainBlocked" in watching.stdout.readline()
    wait_until(lambda: proxy.count("WATCH", NODE_REMOVALS), 10, "it watches")
    away = proxy.on("GET|WATCH", NODE_REMOVALS, faults.drop, times=2)
    proxy.cut_all()
    assert f"{removal.name} no news: " in watching.stdout.readline()
    assert "DrainBlocked" in watching.stdout.readline(), "there is news again"
    assert away.hits == 2
    sandbox.api.delete("PodDisruptionBudget", "web", sandbox.namespace)
    out, errors = watching.communicate(timeout=60)
    assert (watching.returncode, errors) == (DONE, "")
    assert "NodeRemoved" in out.splitlines()[-1]


def test_words_are_completed(cluster, sandbox, admin):
    jetson = sandbox.add_node()
    removal = Removal(sandbox, jetson, suspend=True)
    if cluster.minor >= 26:  # older ones do not complete plugins
        by_kubectl = admin.shell(admin.kubectl, "__complete", "noderemoval", "status", removal.name[:-3])
        assert by_kubectl.splitlines()[0] == removal.name
        assert f"{jetson}\n" in admin.shell(admin.kubectl, "__complete", "noderemoval", "start", "--force", "")
        assert admin.shell(admin.kubectl, "__complete", "noderemoval", "susp").splitlines()[0] == "suspend"
    bash = admin.shell("bash", "-c", """source <(kubectl-noderemoval completion bash)
        for COMP_LINE in 'kubectl-noderemoval status ' 'kubectl-noderemoval start --dry-run=s'; do
            COMP_POINT=${#COMP_LINE}; _kubectl_noderemoval; printf '%s\\n' "${COMPREPLY[@]}"
        done""").splitlines()
    assert removal.name in bash and bash[-1] == "server"
    fish = admin.shell("fish", "-c", "kubectl-noderemoval completion fish | source\n"
                                     "complete -C 'kubectl-noderemoval status '").splitlines()
    assert removal.name in fish
    zsh = admin.shell("zsh", "-f", "-c", """autoload -U compinit; compinit -D
        source <(kubectl-noderemoval completion zsh)
        compadd() { print -l -- "${found[@]}"; }
        words=(kubectl-noderemoval status ''); CURRENT=3; _kubectl_noderemoval""").splitlines()
    assert removal.name in zsh


def test_a_terminal_shows_a_removal_while_it_happens_and_is_as_before_afterwards(
        sandbox, start_operator, plugin, tmp_path):
    jetson, _ = sandbox.add_nodes(2)
    pod = f"{sandbox.namespace}/{sandbox.create_guarded_on(jetson, 'web')['metadata']['name']}"
    start_operator()
    with Terminal(tmp_path, plugin.environment) as terminal:
        settings = terminal_settings(terminal)
        terminal.type("clear; echo was here; kubectl noderemoval start " + jetson + " --watch; echo exit $?", "Enter")
        terminal.wait_for("type the name of the node:")
        terminal.type("something else", "Enter")
        terminal.wait_for("nothing was done", f"exit {REFUSED}")
        assert removals_of(sandbox, jetson) == []

        terminal.type("clear; echo was here; kubectl noderemoval start " + jetson + " --watch; echo exit $?", "Enter")
        terminal.wait_for("type the name of the node:")
        terminal.type(jetson, "Enter")
        screen = terminal.wait_for("DrainBlocked", f"! {pod}", "Next: ", "ctrl-c stops watching")
        assert "0 of 1 pod gone, 1 blocked" in screen
        assert "was here" not in screen
        assert terminal.state() == ["1", "0", "0"]
        terminal.resize(60, 12)
        wait_until(lambda: is_cut(terminal.text(), 60, 12), 10, "the tree fits the window", seen=terminal.text)
        terminal.resize(100, 30)
        terminal.type("C-c")
        screen = terminal.wait_for("was here", "The removal goes on.", f"exit {INTERRUPTED}")
        assert f"! {pod}" in screen, "the last state stays on the terminal"
        assert terminal.state() == ["0", "1", "1"]
        assert terminal_settings(terminal) == settings

        terminal.type("clear; kubectl noderemoval status " + jetson + " --watch; echo exit $?", "Enter")
        terminal.wait_for(f"! {pod}")
        scrolled = terminal.scrolled_away()
        sandbox.cluster.kubectl("scale", "deployment", "web", "--replicas=2", "-n", sandbox.namespace)
        screen = terminal.wait_for("NodeRemoved", "1 of 1 pod gone", f"exit {DONE}", timeout=60)
        assert f"! {pod}" not in screen
        assert terminal.state() == ["0", "1", "1"]
        assert terminal.scrolled_away() == scrolled, "no picture of the past is left above"
        assert terminal_settings(terminal) == settings


def test_colours_are_for_terminals_that_have_them(sandbox, plugin, tmp_path):
    removal = Removal(sandbox, sandbox.add_node(), suspend=True)
    assert "\x1b" in plugin.run("status", removal.name, "--color=always")[1]
    assert "\x1b" not in plugin.run("status", removal.name)[1]
    assert "├" not in plugin.run("status", removal.name, LANG="C")[1]

    def in_terminal(**environment):
        command = ["script", "--quiet", "--return", "--command", f"kubectl noderemoval status {removal.name}",
                   "/dev/null"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30,
                              env=plugin.environment | {"TERM": "xterm"} | environment).stdout

    assert "\x1b[1m" in in_terminal()
    assert "\x1b" not in in_terminal(NO_COLOR="1")
    assert "\x1b" not in in_terminal(TERM="dumb")


def test_a_cluster_without_the_operator_is_named(cluster, sandbox, tmp_path, install):
    # The CRD is shared by all tests, so another group stands for it.
    away = kubeconfig.write(tmp_path / "k", cluster.server + "/no/such/prefix", cluster.ca,
                            certificate=cluster.folder / "pki/admin.crt", key=cluster.folder / "pki/admin.key")
    code, _, errors = install(away).run("list")
    assert code == ERROR
    assert "does not serve NodeRemovals: install the operator" in errors


def terminal_settings(terminal):
    terminal.type("clear; stty -g; echo done", "Enter")
    return terminal.wait_for("\ndone").splitlines()[0]


def is_cut(screen, columns, lines):
    shown = screen.splitlines()
    return len(shown) <= lines and all(len(line) <= columns for line in shown) and "Next: " in screen
