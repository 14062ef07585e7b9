"""The image runs, as a node of a cluster runs it: imported into containerd, started by runc; and with chroot alone."""

import re
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

DEADLINE = 30
# What the chart asks for; the network and /etc/hosts are those of this machine.
RESTRICTED = ["--read-only", "--seccomp", "--net-host"]


@pytest.fixture(scope="module")
def imported(containerd, image):
    containerd.ctr("images", "import", image.tar)
    return image.name


def test_podman_and_buildah_read_it(buildah, image):
    """They have a reader of their own, which checks each digest."""
    buildah("pull", f"oci-archive:{image.tar}")
    listed = buildah("images", "--format", "{{.Name}}:{{.Tag}} {{.Digest}}")
    assert listed.split() == [image.name, image.descriptor["digest"]]
    buildah("rmi", image.name)


def said_on_this_machine(build, argument):
    return subprocess.run([build / "noderemoval", argument], stdout=subprocess.PIPE, text=True, check=True).stdout


def test_it_is_imported_under_the_name_that_a_pod_says(containerd, imported, image):
    listed = containerd.ctr("images", "list").stdout.splitlines()[1:]
    assert [line.split()[0] for line in listed] == [imported]
    assert image.descriptor["digest"] in listed[0]
    assert imported == "docker.io/library/noderemoval:" + image.labels["org.opencontainers.image.version"]


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_the_program_says_the_same_in_its_container(containerd, imported, build, argument):
    done = containerd.ctr("run", "--rm", *RESTRICTED, imported, "says", "/usr/bin/noderemoval", argument)
    assert done.stdout == said_on_this_machine(build, argument)


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_the_program_says_the_same_when_the_files_of_the_image_are_all_it_has(image, build, argument):
    done = subprocess.run(["chroot", "--userspec=65532:65532", image.root, "/usr/bin/noderemoval", argument],
                          stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == said_on_this_machine(build, argument)


def test_without_arguments_it_starts_the_operator(containerd, imported):
    done = containerd.ctr("run", "--rm", *RESTRICTED, imported, "alone", check=False)
    assert done.returncode == 2
    assert "noderemoval: no way to reach a cluster" in done.stderr


def certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "3", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout",
                    folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)


class ApiServer:
    """A listener with TLS, under the name localhost, that reads the first request; the operator logs into `folder`."""

    def __init__(self, folder):
        self._folder = folder
        certificate(folder, "localhost")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        self._listener = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self._listener.settimeout(DEADLINE)
        self.port = self._listener.getsockname()[1]

    def first_line(self):
        try:
            connection, _ = self._listener.accept()
        except TimeoutError:
            pytest.fail("the operator asks nothing; its log:\n" + (self._folder / "log").read_text(encoding="utf-8"))
        with connection:
            return connection.recv(4096).split(b"\r\n")[0].decode()

    def close(self):
        self._listener.close()


@pytest.fixture
def api_server(tmp_path):
    server = ApiServer(tmp_path)
    yield server
    server.close()


@pytest.fixture
def operator(containerd, imported, api_server, tmp_path):
    """An operator in its container, which has asked `api_server` something: that, its process number, and the process
    that ends with it."""
    (tmp_path / "config").write_text(f"""\
apiVersion: v1
kind: Config
current-context: it
contexts: [{{name: it, context: {{cluster: it, user: it}}}}]
users: [{{name: it, user: {{token: secret}}}}]
clusters:
- name: it
  cluster: {{server: "https://localhost:{api_server.port}", certificate-authority: /it/cert.pem}}
""", encoding="utf-8")
    mounts = []
    for name in ("config", "cert.pem"):
        (tmp_path / name).chmod(0o644)
        mounts += ["--mount", f"type=bind,src={tmp_path}/{name},dst=/it/{name},options=rbind:ro"]
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            containerd.command("run", "--rm", *RESTRICTED, *mounts, imported, "operator", "/usr/bin/noderemoval",
                               "--kubeconfig", "/it/config", "--health-address", "127.0.0.1:0",
                               "--metrics-address", "127.0.0.1:0"), stdout=log, stderr=log)
    try:
        request = api_server.first_line()
        [line] = containerd.ctr("tasks", "list").stdout.splitlines()[1:]
        yield request, int(line.split()[1]), running
    finally:
        if running.poll() is None:
            containerd.ctr("tasks", "kill", "--signal", "SIGKILL", "operator", check=False)
            running.wait(DEADLINE)


def status(process):
    return dict(re.findall(r"^(\w+):\s+(.*)", Path(f"/proc/{process}/status").read_text(encoding="utf-8"), re.M))


def test_the_operator_runs_as_its_own_user_without_rights_on_a_root_that_it_cannot_write(operator):
    _, process, _ = operator
    facts = status(process)
    assert facts["Uid"].split() == ["65532"] * 4
    assert facts["Gid"].split() == ["65532"] * 4
    assert (facts["CapEff"], facts["CapPrm"], facts["NoNewPrivs"], facts["Seccomp"]) == ("0" * 16, "0" * 16, "1", "2")
    [root] = [line.split() for line in Path(f"/proc/{process}/mountinfo").read_text(encoding="utf-8").splitlines()
              if line.split()[4] == "/"]
    assert "ro" in root[5].split(",")


def test_the_operator_finds_its_api_server_by_name_and_trusts_it(operator):
    request, _, _ = operator
    assert re.fullmatch(r"GET /apis?/\S+ HTTP/1.1", request)


def test_the_operator_is_the_first_process_of_its_container_and_ends_when_told(containerd, operator):
    _, process, running = operator
    assert status(process)["NSpid"].split()[1:] == ["1"]
    containerd.ctr("tasks", "kill", "--signal", "SIGTERM", "operator")
    assert running.wait(DEADLINE) == 0
