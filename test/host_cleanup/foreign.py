"""What is on a machine that has nothing to do with Kubernetes, although some of it looks as if, and has to stay."""

import json

from host import BACKENDS

LINK = "br-admin"
FILES = {"/opt/admin/notes": "keep me\n",
         "/etc/cni/net.d/87-podman-bridge.conflist": json.dumps({
             "cniVersion": "0.4.0", "name": "podman",
             "plugins": [{"type": "bridge", "bridge": "cni-podman0", "ipam": {"type": "host-local"}}]})}
RULES = """
iptables-nft -A INPUT -p tcp --dport 22 -m comment --comment "ssh: keep KUBE- out" -j ACCEPT
iptables-nft -N ADMIN
iptables-nft -A ADMIN -s 192.0.2.0/24 -m comment --comment "the flannel trousers of CNI-1" -j DROP
iptables-nft -A FORWARD -j ADMIN
iptables-nft -t nat -A POSTROUTING -s 192.0.2.0/24 ! -o br-admin -j MASQUERADE
ip6tables-nft -A INPUT -p tcp --dport 22 -j ACCEPT
iptables-legacy -A INPUT -p udp --dport 4500 -m comment --comment "KUBE-SERVICES" -j ACCEPT
iptables-legacy -t nat -A POSTROUTING -s 198.51.100.0/24 -j MASQUERADE
nft add table inet admin
nft add chain inet admin input '{ type filter hook input priority 10; }'
nft add rule inet admin input tcp dport '{ 80, 443 }' accept
"""


def install(host):
    host.shell(RULES)
    host.shell(f"ip link add {LINK} type bridge; ip address add 192.0.2.1/24 dev {LINK}; ip link set {LINK} up")
    for path, text in FILES.items():
        host.cluster.write_on(host.name, path, text)


def seen_on(host):
    """Everything of it, to compare. What belongs to Kubernetes is not in it, so there must be none of that then."""
    return {"rules": {backend: host.rules(backend) for backend in BACKENDS},
            "table": host.run("nft", "list", "table", "inet", "admin"),
            "address": host.run("ip", "-brief", "address", "show", "dev", LINK).split()[2:],
            "files": {path: host.read(path) for path in FILES}}
