"""A server that accepts connections and never answers."""

import socket


class UnansweringServer:
    """With objects.using_whole_grace it makes a pod that takes its whole grace period to end."""

    def __enter__(self):
        # Nobody accepts: the kernel completes the connections, and the caller waits for an answer.
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._socket.getsockname()[1]
        return self

    def __exit__(self, *_):
        self._socket.close()
