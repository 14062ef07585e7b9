"""Kubeconfig files."""


def write(path, server, ca, *, token=None, certificate=None, key=None):
    """Writes a kubeconfig for one user, who has either a token or a client certificate."""
    user = f"token: {token}" if token else f"client-certificate: {certificate}\n      client-key: {key}"
    path.touch(mode=0o600)
    path.write_text(f"""\
apiVersion: v1
kind: Config
clusters:
  - name: test
    cluster:
      server: {server}
      certificate-authority: {ca}
users:
  - name: user
    user:
      {user}
contexts:
  - name: test
    context:
      cluster: test
      user: user
current-context: test
""", encoding="utf-8")
    return path
