"""kubectl noderemoval, as a user calls it: by the real kubectl, which finds it on the PATH."""

import os
import signal
import subprocess

import kubeconfig

NAMES = ("kubectl-noderemoval", "kubectl_complete-noderemoval")
TIMEOUT_SECONDS = 60
TOKEN_SECONDS = 3600


class KubectlPlugin:
    """Installed into a folder of its own, and called with one kubeconfig and no environment of ours."""

    def __init__(self, cluster, program, folder, config):
        folder.mkdir()
        (folder / "kubectl").symlink_to(cluster.kubectl_program)
        for name in NAMES:
            (folder / name).symlink_to(program.resolve())
        self.kubectl = folder / "kubectl"
        self.config = config
        self.environment = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder), "LANG": "C.UTF-8",
                            "KUBECONFIG": str(config)}

    def start(self, *arguments, **environment):
        """Standard output is a pipe, standard input is empty."""
        return subprocess.Popen([self.kubectl, "noderemoval", *arguments], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment | environment,
                                # Whoever started the tests may have it ignored, as shells do in the background.
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def run(self, *arguments, **environment):
        """Exit code, standard output and standard error."""
        process = self.start(*arguments, **environment)
        try:
            out, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        finally:
            process.kill()
        return process.returncode, out, errors

    def shell(self, *command):
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS,
                              env=self.environment).stdout


def editor_kubeconfig(sandbox, folder):
    """Of a user who has the role noderemoval-editor and nothing else."""
    name = sandbox.name("editor")
    sandbox.create({"kind": "ServiceAccount", "metadata": {"name": name}})
    sandbox.create({"kind": "ClusterRoleBinding", "metadata": {"name": name},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                                "name": "noderemoval-editor"},
                    "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": sandbox.namespace}]})
    api = sandbox.api
    token = api.request("POST", api.path("ServiceAccount", sandbox.namespace, name, "token"), {
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"expirationSeconds": TOKEN_SECONDS}})["status"]["token"]
    return kubeconfig.write(folder / "editor.kubeconfig", sandbox.cluster.server, sandbox.cluster.ca, token=token)
