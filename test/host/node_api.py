"""An API server that knows one Node, in a file. node_api.py FOLDER PORT: certificates are in FOLDER, and node.json.

Who asks must have a client certificate. Without node.json there is no such Node.
"""

import http.server
import json
import ssl
import sys
from pathlib import Path

FOLDER = Path(sys.argv[1])
NODE = FOLDER / "node.json"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, code, body):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def refuse(self, code, reason):
        self.answer(code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code,
                           "message": reason, "details": {"name": "worker-9", "kind": "nodes"}})

    def do_GET(self):
        if not NODE.exists():
            return self.refuse(404, "NotFound")
        return self.answer(200, json.loads(NODE.read_text(encoding="utf-8")))

    def do_PATCH(self):
        patch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not NODE.exists():
            return self.refuse(404, "NotFound")
        node = json.loads(NODE.read_text(encoding="utf-8"))
        if patch["metadata"]["uid"] != node["metadata"]["uid"]:
            return self.refuse(409, "Conflict")
        node["metadata"]["annotations"].update(patch["metadata"]["annotations"])
        NODE.write_text(json.dumps(node), encoding="utf-8")
        return self.answer(200, node)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "server.crt", FOLDER / "server.key")
    context.load_verify_locations(FOLDER / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
