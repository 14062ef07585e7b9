"""An admission webhook of this test, which the API server calls over TLS."""

import base64
import json
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"


class AdmissionWebhook:
    """Refuses evictions in one namespace with this message; with `answers` False it never answers."""

    def __init__(self, sandbox, folder, message="", answers=True):
        self._sandbox = sandbox
        self._message = message
        self._released = threading.Event()
        if answers:
            self._released.set()
        self._certificate = _self_signed(Path(folder))
        self.name = sandbox.name("webhook")

    def __enter__(self):
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*self._certificate)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever).start()
        self._sandbox.create(self._configuration())
        return self

    def __exit__(self, *_):
        self.remove()
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def remove(self):
        """From now on nothing is refused any more."""
        self._sandbox.api.delete("ValidatingWebhookConfiguration", self.name)

    def _handler(webhook):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                webhook._released.wait()
                answer = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": {
                    "uid": review["request"]["uid"], "allowed": False,
                    "status": {"code": 403, "message": webhook._message}}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        return Handler

    def _configuration(self):
        authority = base64.b64encode(Path(self._certificate[0]).read_bytes()).decode()
        return {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": self.name}, "webhooks": [{
            "name": "evictions.test.noderemoval.dev", "sideEffects": "None", "timeoutSeconds": 1,
            "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
            "clientConfig": {"url": f"https://{HOST}:{self._server.server_port}/", "caBundle": authority},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                       "resources": ["pods/eviction"], "scope": "Namespaced"}],
            "namespaceSelector": {"matchLabels": {"test": self._sandbox.namespace}}}]}


def _self_signed(folder):
    certificate, key = folder / "webhook.crt", folder / "webhook.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=webhook",
                    "-addext", f"subjectAltName=IP:{HOST}"], check=True, capture_output=True)
    return certificate, key
