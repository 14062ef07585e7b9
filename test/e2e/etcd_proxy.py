"""A TCP proxy between an API server and etcd. While it is frozen, etcd's words do not arrive."""

import socket
import threading

PIECE = 64 * 1024


class EtcdProxy:
    def __init__(self, etcd_port):
        self._etcd = ("127.0.0.1", etcd_port)
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._flows.set()
        self._listener.close()

    def freeze(self):
        self._flows.clear()

    def thaw(self):
        self._flows.set()

    def _accept(self):
        while True:
            try:
                api_server, _ = self._listener.accept()
            except OSError:
                return  # closed
            etcd = socket.create_connection(self._etcd)
            threading.Thread(target=self._copy, args=(api_server, etcd), daemon=True).start()
            threading.Thread(target=self._copy, args=(etcd, api_server, self._flows), daemon=True).start()

    @staticmethod
    def _copy(source, target, flows=None):
        try:
            while piece := source.recv(PIECE):
                if flows:
                    flows.wait()
                target.sendall(piece)
        except OSError:
            pass  # one of them went away
        finally:
            for each in (source, target):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
