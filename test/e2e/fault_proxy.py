"""A TLS proxy in front of the API server that does to chosen requests what faults.py offers.

    with FaultProxy(cluster) as proxy:
        lost = proxy.on("PATCH", "/api/v1/nodes/.*", faults.commit_then_drop)
        operator = start_operator(kubeconfig=proxy.kubeconfig(operator_kubeconfig))
        ...
        assert lost.hits == 1
"""

import http.client
import http.server
import re
import secrets
import socket
import ssl
import struct
import threading
import urllib.parse

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "date"}
PIECE = 64 * 1024


class Rule:
    """Which requests get the fault; `hits` says how many have got it."""

    def __init__(self, verb, path, fault, skip, times):
        self._verb = verb
        self.fault = fault
        self.hits = 0
        self._path = re.compile(path)
        self._skip = skip
        self._times = times

    def claims(self, verb, path):
        """Whether this request is the rule's; asked once for each request."""
        if not re.fullmatch(self._verb, verb) or not self._path.fullmatch(path):
            return False
        if self._skip > 0:
            self._skip -= 1
            return False
        if self._times is not None and self.hits >= self._times:
            return False
        self.hits += 1
        return True


class FaultProxy:
    """Listens on a free port of `address` with a certificate of the control plane's authority."""

    def __init__(self, cluster, address="127.0.0.1"):
        self._upstream = urllib.parse.urlsplit(cluster.server)
        self._server_url = cluster.server
        self._to_upstream = ssl.create_default_context(cafile=cluster.ca)
        self.certificate = cluster.issue_server(f"fault-proxy-{secrets.token_hex(4)}", [f"IP:{address}"])
        self.present(*self.certificate)
        self._lock = threading.Lock()
        self._rules = []
        self._open = set()
        self.passed = []  # (verb, path, query) of each request, in the order they came
        self._listener = _Listener((address, 0), self)
        host, port = self._listener.server_address
        self.url = f"https://{host}:{port}"

    def __enter__(self):
        threading.Thread(target=self._listener.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown()
        self._listener.server_close()
        self.cut_all()

    def on(self, verb, path, fault, skip=0, times=1):
        """Does `fault` to requests of this verb (a pattern of WATCH and HTTP methods) whose path matches wholly: to
        `times` of them (None: to all) after the first `skip`. Of several rules the first that is due counts."""
        rule = Rule(verb, path, fault, skip, times)
        with self._lock:
            self._rules.append(rule)
        return rule

    def present(self, certificate, key):
        """Shows this certificate to those who connect from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._from_client = context

    def kubeconfig(self, original):
        """A copy of this kubeconfig that leads to the proxy."""
        copy = original.with_name(f"{original.name}-{secrets.token_hex(4)}")
        copy.touch(mode=0o600)
        copy.write_text(original.read_text(encoding="utf-8").replace(self._server_url, self.url), encoding="utf-8")
        return copy

    def lead_to(self, server_url):
        """To another API server from now on; what is connected is cut."""
        self._upstream = urllib.parse.urlsplit(server_url)
        self.cut_all()

    def cut_all(self):
        """Resets every connection there is; new ones are served."""
        with self._lock:
            sockets, self._open = self._open, set()
        for each in sockets:
            reset(each)

    def count(self, verb, path):
        """How many requests of this kind came so far."""
        with self._lock:
            return sum(verb == its_verb and re.fullmatch(path, its_path) is not None
                       for its_verb, its_path, _ in self.passed)

    def fault_for(self, verb, path, query):
        with self._lock:
            self.passed.append((verb, path, query))
            rule = next((each for each in self._rules if each.claims(verb, path)), None)
        return rule and rule.fault

    def accept(self, plain):
        plain.settimeout(30)
        tls = self._from_client.wrap_socket(plain, server_side=True)
        tls.settimeout(None)
        self._remember(tls)
        return tls

    def ask(self, method, target, headers, body):
        """Sends the request to the API server; returns its answer, of which the body is still to be read."""
        connection = http.client.HTTPSConnection(self._upstream.hostname, self._upstream.port,
                                                 context=self._to_upstream)
        connection.connect()
        self._remember(connection.sock)
        connection.request(method, target, body or None, headers)
        return connection.getresponse()

    def _remember(self, connection):
        with self._lock:
            self._open = {each for each in self._open if each.fileno() >= 0} | {connection}


class Exchange:
    """One request, and the means to answer it."""

    def __init__(self, proxy, handler, body):
        self._proxy = proxy
        self._handler = handler
        self._body = body
        self.path = handler.path.partition("?")[0]
        self.is_watch = verb_of(handler) == "WATCH"

    def ask(self):
        """Lets the API server do it; returns the answer, unread."""
        headers = {name: value for name, value in self._handler.headers.items()
                   if name.lower() not in HOP_BY_HOP | {"host"}}
        return self._proxy.ask(self._handler.command, self._handler.path, headers, self._body)

    def head(self, status, headers, length=None):
        """Answers with this status; without `length` the body follows in chunks."""
        self._handler.send_response(status)
        for name, value in headers.items():
            if name.lower() not in HOP_BY_HOP:
                self._handler.send_header(name, value)
        if length is None:
            self._handler.send_header("Transfer-Encoding", "chunked")
        else:
            self._handler.send_header("Content-Length", str(length))
        self._handler.end_headers()

    def send(self, data):
        self._handler.wfile.write(data)

    def chunk(self, data):
        """An empty one is the last."""
        self.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def reply(self, status, headers, body):
        self.head(status, headers, len(body))
        self.send(body)

    def pass_on(self, answer):
        """Answers with what the API server answered, a watch while it goes on."""
        if not self.is_watch or answer.status != 200:
            self.reply(answer.status, dict(answer.getheaders()), answer.read())
            return
        self.head(answer.status, dict(answer.getheaders()))
        for piece in pieces_of(answer):
            self.chunk(piece)
        self.chunk(b"")

    def reset(self):
        self._handler.close_connection = True
        reset(self._handler.connection)

    def wait_closed(self):
        """Says nothing until the client has closed the connection."""
        self._handler.close_connection = True
        self._handler.rfile.read(1)


def pieces_of(answer):
    """The body of an answer, piece by piece as it comes."""
    while piece := answer.read1(PIECE):
        yield piece


def verb_of(handler):
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query)
    return "WATCH" if query.get("watch") in (["1"], ["true"]) else handler.command


def reset(connection):
    """Ends the connection with a TCP reset, also for a thread that reads from it."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        pass  # the other end was faster
    connection.close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        exchange = Exchange(self.server.proxy, self, body)
        path, _, query = self.path.partition("?")
        fault = self.server.proxy.fault_for(verb_of(self), path, query)
        try:
            if fault:
                fault(exchange)
            else:
                exchange.pass_on(exchange.ask())
        except (OSError, http.client.HTTPException, ValueError):
            # Either side went away, or cut_all() closed a socket under us.
            exchange.reset()

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    def log_message(self, *_):
        pass


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address, proxy):
        super().__init__(address, _Handler)
        self.proxy = proxy

    def finish_request(self, request, client_address):
        try:
            self.RequestHandlerClass(self.proxy.accept(request), client_address, self)
        except (OSError, ValueError):
            pass  # the client went away

    def shutdown_request(self, request):
        # The TLS socket has taken the connection over.
        request.close()
