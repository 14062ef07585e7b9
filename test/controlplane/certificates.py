"""The certificate authority of one control plane, made with openssl."""

import subprocess

DAYS = "30"


class Authority:
    """Issues certificates into one folder: ca.crt, ca.key, and NAME.crt and NAME.key for each user."""

    def __init__(self, folder):
        self._folder = folder

    def create(self):
        self._folder.mkdir(mode=0o700)
        for name in ("ca", "service-accounts"):
            self._openssl("req", "-x509", *self._new_key(name), "-subj", f"/CN={name}", "-days", DAYS)

    def issue_server(self, name, hosts):
        self._issue(name, f"/CN={name}", "serverAuth", "-addext", f"subjectAltName={','.join(hosts)}")

    def issue_client(self, name, user, group=None):
        self._issue(name, f"/O={group}/CN={user}" if group else f"/CN={user}", "clientAuth")

    def certificate(self, name):
        return self._folder / f"{name}.crt"

    def key(self, name):
        return self._folder / f"{name}.key"

    def _issue(self, name, subject, usage, *extra):
        self._openssl("req", "-x509", "-CA", self.certificate("ca"), "-CAkey", self.key("ca"),
                      *self._new_key(name), "-subj", subject, "-days", DAYS,
                      "-addext", "basicConstraints=CA:FALSE", "-addext", f"extendedKeyUsage={usage}", *extra)

    def _new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", self.key(name), "-out", self.certificate(name))

    @staticmethod
    def _openssl(*arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"openssl {arguments[0]} failed: {done.stderr.strip()}")
