"""Steps CNI and IPVS: interfaces, files of plugins, IP sets."""

import json

import pytest

FLANNEL = json.dumps({"name": "cbr0", "cniVersion": "0.3.1", "plugins": [{"type": "flannel"}, {"type": "portmap"}]})
PODMAN = json.dumps({"name": "podman", "plugins": [{"type": "bridge", "bridge": "cni-podman0"}]})
BRIDGE = json.dumps({"name": "rack7", "type": "bridge", "bridge": "cni0"})


def links(machine):
    return {link["ifname"] for link in json.loads(machine.sh("ip -j link show"))}


def add_uplink(machine):
    """By which the machine is reached: an address and the default route, in the role of eth0."""
    machine.sh("ip link add uplink type veth peer name cable && ip link set uplink up && ip link set cable up && "
               "ip address add 192.0.2.7/24 dev uplink && ip route add default via 192.0.2.1")


def test_interfaces_of_cni_go_and_those_of_the_machine_stay(machine):
    add_uplink(machine)
    machine.sh("""
        ip link add cni0 type bridge && ip link set cni0 up && ip address add 10.244.1.1/24 dev cni0
        ip link add veth1234abcd type veth peer name in-pod && ip link set veth1234abcd master cni0
        ip link add flannel.1 type vxlan id 1 dstport 8472 dev uplink
        ip link add cali0123456789a type veth peer name in-pod2
        ip link add calico-lab type bridge
        ip link add br-admin type bridge && ip link add vethadmin type veth peer name other
        ip link set vethadmin master br-admin
    """)
    before = links(machine)
    cleaning = machine.clean("--steps=CNI", check=0)
    gone = {"cni0", "veth1234abcd", "in-pod", "flannel.1", "cali0123456789a", "in-pod2"}
    assert before - links(machine) == gone, cleaning.text
    assert "10.244.1" not in machine.sh("ip route")
    assert "default via 192.0.2.1" in machine.sh("ip route")
    assert machine.clean("--steps=CNI", check=0).steps["CNI"] == "NothingToDo"


@pytest.mark.parametrize(("set_up", "name", "why"), [
    ("true", "uplink", "has the default route"),
    ("ip link add cni0 type bridge && ip address add 192.0.2.7/32 dev cni0", "cni0",
     "has the node's address 192.0.2.7"),
    ("ip link add over link cable type macvlan && ip link set over up && ip address add 198.51.100.7/24 dev over && "
     "ip route add default via 198.51.100.1 metric 7", "cable", "over lies upon it"),
    ("ip link add cilium_host type veth peer name cilium_net", "cilium_host", "Cilium's programs"),
])
def test_an_interface_that_the_machine_needs_is_refused_even_when_it_is_named(machine, set_up, name, why):
    add_uplink(machine)
    machine.sh(f"{set_up} && ip link add flannel.1 type vxlan id 1 dstport 8472 dev uplink")
    before = links(machine)
    cleaning = machine.clean(f"--cni-interfaces={name},flannel.1", "--steps=CNI", check=1)
    assert f"refused to delete {name} ({why}" in cleaning.details["CNI"]
    assert "InterfaceRefused" in cleaning.errors
    assert before - links(machine) == {"flannel.1"}, "the others go nevertheless"


def test_files_of_kubernetes_go_and_those_of_others_stay(machine):
    for name, text in (("10-flannel.conflist", FLANNEL), ("87-podman-bridge.conflist", PODMAN),
                       ("10-mine.conf", BRIDGE), ("calico-kubeconfig", "secret")):
        machine.write(f"/etc/cni/net.d/{name}", text)
    for file in ("networks/cbr0/10.244.1.7", "networks/podman/10.88.0.2", "results/cbr0-4a1c-eth0",
                 "results/podman-77aa-eth0", "flannel/4a1c"):
        machine.write(f"/var/lib/cni/{file}")
    machine.write("/run/flannel/subnet.env")
    cleaning = machine.clean("--steps=CNI", check=0)
    assert machine.sh("ls /etc/cni/net.d").split() == ["10-mine.conf.noderemoval-by-hand", "87-podman-bridge.conflist"]
    assert machine.sh("cd /var/lib/cni && find . -type f | sort").split() == \
        ["./networks/podman/10.88.0.2", "./results/podman-77aa-eth0"], cleaning.text
    assert not machine.exists("/run/flannel")
    assert machine.read("/etc/cni/net.d/10-mine.conf.noderemoval-by-hand") == BRIDGE
    assert machine.clean("--steps=CNI", check=0).steps["CNI"] == "NothingToDo"


def test_a_file_that_is_moved_aside_again_does_not_replace_the_first(machine):
    for text in ("first", "second"):
        machine.write("/etc/cni/net.d/10-mine.conf", text)
        machine.clean("--steps=CNI", check=0)
    assert machine.read("/etc/cni/net.d/10-mine.conf.noderemoval-by-hand") == "first"
    assert machine.read("/etc/cni/net.d/10-mine.conf.noderemoval-by-hand.2") == "second"


def test_ip_sets_of_kube_proxy_go_after_the_rules_that_use_them(machine):
    made = machine.run("ipset", "create", "KUBE-CLUSTER-IP", "hash:ip,port", check=False)
    if made.returncode:
        pytest.skip(f"this kernel has no IP sets: {made.stderr}")
    machine.sh("ipset create KUBE-LOOP-BACK hash:ip && ipset create adminset hash:ip && "
               "ipset create XKUBE-1 hash:ip && iptables-nft -N KUBE-SERVICES && "
               "iptables-nft -A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT")
    busy = machine.clean("--steps=IPVS", check=1)
    assert "in use by a kernel component" in busy.details["IPVS"]
    cleaning = machine.clean("--steps=Iptables,IPVS", check=0)
    assert cleaning.steps["IPVS"] == "Done", cleaning.text
    assert sorted(machine.sh("ipset list -n").split()) == ["XKUBE-1", "adminset"]
    assert machine.clean("--steps=IPVS", check=0).steps["IPVS"] == "NothingToDo"


def test_the_interface_of_kube_proxy_goes(machine):
    machine.sh("ip link add kube-ipvs0 type bridge && ip address add 10.96.0.1/32 dev kube-ipvs0")
    assert machine.clean("--steps=IPVS", check=0).details["IPVS"] == "removed kube-ipvs0"
    assert "kube-ipvs0" not in links(machine)


def test_what_needs_a_tool_that_is_missing_is_a_failure_and_the_rest_is_done(machine):
    machine.sh("ip link add kube-ipvs0 type bridge")
    machine.hide("ipset")
    assert "ipset is not installed" in machine.clean("--steps=IPVS", check=1).details["IPVS"]
    assert "kube-ipvs0" not in links(machine)


def test_a_kernel_without_ipvs_has_nothing_to_do_and_a_full_flush_fails_there(machine):
    if machine.exists("/proc/net/ip_vs"):
        pytest.skip("this kernel has IPVS")
    assert machine.clean("--steps=IPVS", check=0).steps["IPVS"] == "NothingToDo"
    cleaning = machine.clean("--steps=IPVS", "--flush-all", check=1)
    assert cleaning.steps["IPVS"] == "Failed"
    assert "ipvsadm: Can't initialize ipvs" in cleaning.details["IPVS"]
