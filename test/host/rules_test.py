"""Step Iptables, with the real tools: what is of Kubernetes goes, and nothing else changes."""

import re
import subprocess

import pytest

OWNED = re.compile(r"KUBE-|CNI-|FLANNEL|cali-")
NFT = ("iptables-nft", "ip6tables-nft")
LEGACY = ("iptables-legacy", "ip6tables-legacy")
FOREIGN_TABLE = """
table inet admin {
    set trusted { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2 } }
    chain input { type filter hook input priority 5; policy accept; ip saddr @trusted accept; }
}
"""


def for_ipv6(save):
    """The same rules where IPv6 allows them."""
    save = re.sub(r"\d+\.\d+\.\d+\.\d+/\d+", "2001:db8::/64", save)
    save = re.sub(r"--to-destination [\d.]+:80", "--to-destination [2001:db8::7]:80", save)
    return save.replace("icmp-port-unreachable", "icmp6-port-unreachable")


def lines(save):
    """Without the times and counters."""
    return [re.sub(r" \[\d+:\d+\]", "", line) for line in save.splitlines() if not line.startswith("#")]


def chain_of_kubernetes(name):
    return bool(OWNED.match(name)) and name != "CNI-ADMIN"


def foreign(save):
    """What must be left of rules, said in another way than the program says it."""
    left = []
    for line in lines(save):
        unquoted = re.sub(r'"(?:[^"\\]|\\.)*"', "Q", line)
        target = re.search(r" -[jg] (\S+)", unquoted)
        words = line.split()
        if line.startswith(":") and chain_of_kubernetes(words[0][1:]):
            continue
        if line.startswith("-A") and (chain_of_kubernetes(words[1]) or target and chain_of_kubernetes(target[1])):
            continue
        if re.search(r'--comment "cali:[\w-]{16}"', line):
            continue
        left.append(line)
    return left


@pytest.mark.parametrize("tool", [*NFT, *LEGACY])
def test_rules_of_kubernetes_go_and_all_others_stay_as_they_were(machine, worker_rules, tool):
    machine.load(tool, for_ipv6(worker_rules) if tool.startswith("ip6") else worker_rules)
    before = machine.rules(tool)
    cleaning = machine.clean(check=0)
    assert cleaning.steps["Iptables"] == "Done", cleaning.text
    assert lines(machine.rules(tool)) == foreign(before)
    assert machine.clean(check=0).steps["Iptables"] == "NothingToDo"


def test_all_four_backends_are_cleaned_in_one_run(machine, worker_rules):
    for tool in (*NFT, *LEGACY):
        machine.load(tool, for_ipv6(worker_rules) if tool.startswith("ip6") else worker_rules)
    before = {tool: machine.rules(tool) for tool in (*NFT, *LEGACY)}
    detail = machine.clean(check=0).details["Iptables"]
    for tool in (*NFT, *LEGACY):
        assert lines(machine.rules(tool)) == foreign(before[tool]), tool
    assert "iptables-nft: 28 chains and 19 rules" in detail


def test_rules_from_before_are_kept_for_a_human(machine, worker_rules):
    machine.load("iptables-nft", worker_rules)
    before = machine.rules("iptables-nft")
    machine.clean(check=0)
    kept = machine.read("/var/lib/noderemoval/by-hand/iptables-nft.before")
    assert lines(kept) == lines(before)


def test_a_backend_without_its_tool_is_a_failure_and_the_other_is_cleaned(machine, worker_rules):
    machine.load("iptables-nft", worker_rules)
    machine.load("iptables-legacy", worker_rules)
    machine.hide("iptables-nft-save")
    cleaning = machine.clean(check=1)
    assert cleaning.details["Iptables"] == \
        "iptables-nft is not installed, but there are tables of its kind"
    assert "ToolMissing" in cleaning.errors
    assert not any("KUBE-SERVICES" in line and line.startswith(":")
                   for line in machine.rules("iptables-legacy").splitlines())


def test_no_tool_is_missed_where_there_are_no_rules(machine):
    machine.hide("iptables-nft-save", "iptables-legacy-save", "nft", "ipset", "ipvsadm")
    assert machine.clean(check=0).steps["Iptables"] == "NothingToDo"


def test_tools_without_a_suffix_do_when_they_are_of_the_kind(machine, worker_rules):
    machine.load("iptables-nft", worker_rules)
    before = machine.rules("iptables-nft")
    machine.only_these_iptables()
    for tool in ("iptables", "iptables-save", "iptables-restore"):
        machine.sh(f"ln -s xtables-nft-multi /usr/sbin/{tool}")
    assert "iptables-nft" in machine.clean(check=0).details["Iptables"]
    assert lines(machine.rules("iptables")) == foreign(before)


def test_looking_makes_no_tables(machine):
    before = machine.sh("nft list tables; cat /proc/net/ip_tables_names")
    machine.clean("--dry-run", check=0)
    machine.clean(check=0)
    assert machine.sh("nft list tables; cat /proc/net/ip_tables_names") == before == ""


def test_native_rules_of_nft_stay_as_they_were(machine, worker_rules):
    machine.load("iptables-nft", worker_rules)
    machine.run("nft", "-f", "-", stdin=FOREIGN_TABLE + """
        add rule ip filter INPUT tcp dport { 80, 443 } accept
        add chain ip filter mine { type filter hook input priority 7; policy accept; }
        add rule ip filter mine tcp dport 8443 accept
    """)
    kubernetes = re.compile(r"^\tchain (KUBE|CNI-[^A]|FLANNEL|cali-).*?^\t}\n", re.M | re.S)
    jumps = re.compile(r"^.*(jump|goto) (KUBE|CNI-[^A]|FLANNEL|cali-).*\n|^.*mark & 0x00010000 == 0x00010000.*\n", re.M)

    def native():
        text = re.sub(r"packets \d+ bytes \d+", "", machine.sh("nft list ruleset"))
        return re.sub(r"\n\n+", "\n", jumps.sub("", kubernetes.sub("", text)))

    before = native()
    assert machine.clean(check=0).steps["Iptables"] == "Done"
    assert native() == before
    for rule in ("tcp dport { 80, 443 } accept", "chain mine", "table inet admin", "192.0.2.1, 192.0.2.2"):
        assert rule in before


def test_a_table_that_iptables_cannot_show_is_a_failure_only_when_kubernetes_is_in_it(machine):
    machine.sh("iptables-nft -N mine && "
               "nft add rule ip filter mine numgen random mod 2 vmap '{ 0 : accept, 1 : drop }'")
    assert "incompatible" in machine.rules("iptables-nft")
    assert machine.clean("--steps=Iptables", check=0).steps["Iptables"] == "NothingToDo"
    machine.sh("nft add chain ip filter KUBE-FORWARD")
    before = machine.sh("nft list ruleset")
    cleaning = machine.clean("--steps=Iptables", check=1)
    assert "table ip filter has KUBE-FORWARD beside rules that only nft understands" in cleaning.details["Iptables"]
    assert machine.sh("nft list ruleset") == before


def test_no_rule_is_lost_that_somebody_adds_meanwhile(machine, worker_rules):
    writer = machine.start("bash", "-c", """
        for i in $(seq 1 60); do iptables-nft -A INPUT -p tcp --dport $((2000 + i)) -j ACCEPT; done
        echo written; read -r end""", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for _ in range(5):
        machine.run("iptables-nft-restore", "--noflush", stdin=worker_rules)
        machine.clean("--steps=Iptables", check=0)
    assert writer.stdout.readline() == "written\n"
    rules = machine.rules("iptables-nft")
    assert [port for port in range(2001, 2061) if f"--dport {port} " not in rules] == []


def test_tables_of_kube_proxy_in_nft_go_as_a_whole_and_others_stay(machine):
    own = "".join(f"table {family} {name} {{ chain services {{ counter; }}\n}}\n"
                  for family, name in (("ip", "kube-proxy"), ("ip6", "kube-proxy"), ("ip", "flannel-ipv4"),
                                       ("ip6", "flannel-ipv6")))
    machine.run("nft", "-f", "-", stdin=FOREIGN_TABLE)
    before = machine.sh("nft list ruleset")
    machine.run("nft", "-f", "-", stdin=own + "table inet kube-proxy { chain mine { }\n}\n")
    detail = machine.clean(check=0).details["Iptables"]
    assert "table ip kube-proxy, table ip6 kube-proxy, table ip flannel-ipv4, table ip6 flannel-ipv6" in detail
    assert machine.sh("nft list tables") == "table inet admin\ntable inet kube-proxy\n"
    machine.run("nft", "delete", "table", "inet", "kube-proxy")
    assert machine.sh("nft list ruleset") == before
    assert machine.clean(check=0).steps["Iptables"] == "NothingToDo"


def test_the_chain_for_administrators_goes_when_it_is_empty(machine):
    machine.load("iptables-nft", "*filter\n:CNI-ADMIN - [0:0]\n:CNI-FORWARD - [0:0]\n-A FORWARD -j CNI-FORWARD\n"
                                 "-A CNI-FORWARD -j CNI-ADMIN\nCOMMIT\n")
    machine.clean(check=0)
    assert "CNI-" not in machine.rules("iptables-nft")


def test_flush_all_takes_every_rule_and_leaves_the_policies(machine, worker_rules):
    machine.load("iptables-nft", worker_rules)
    machine.load("iptables-legacy", worker_rules)
    machine.run("nft", "-f", "-", stdin=FOREIGN_TABLE)
    machine.clean("--flush-all", "--steps=Iptables", check=0)
    for tool in ("iptables-nft", "iptables-legacy"):
        left = [line for line in lines(machine.rules(tool)) if line[0] in ":-"]
        assert [line for line in left if line.startswith("-A") or line.endswith(" -")] == [], tool
        assert ":FORWARD DROP" in left
    assert "table inet admin" in machine.sh("nft list tables")
    assert machine.clean("--flush-all", "--steps=Iptables", check=0).steps["Iptables"] == "NothingToDo"


def test_flush_all_is_refused_when_it_would_cut_the_machine_off(machine, worker_rules):
    machine.load("iptables-legacy", worker_rules.replace(":INPUT ACCEPT", ":INPUT DROP", 2))
    before = machine.rules("iptables-legacy")
    cleaning = machine.clean("--flush-all", "--steps=Iptables", check=1)
    assert "WouldLockOut" in cleaning.errors and "filter INPUT" in cleaning.details["Iptables"]
    assert lines(machine.rules("iptables-legacy")) == lines(before)


def test_a_dry_run_changes_no_rule(machine, worker_rules):
    machine.load("iptables-nft", worker_rules)
    before = machine.rules("iptables-nft")
    cleaning = machine.clean("--dry-run", check=0)
    assert cleaning.details["Iptables"] == "would remove iptables-nft: 28 chains and 19 rules"
    assert lines(machine.rules("iptables-nft")) == lines(before)
    assert not machine.exists("/var/lib/noderemoval")
