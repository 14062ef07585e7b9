"""A real terminal with a shell in it, by tmux, on a server of its own."""

import os
import subprocess

from waiting import wait_until

COLUMNS, LINES = 100, 30


class Terminal:
    def __init__(self, folder, environment):
        self._socket = folder / "tmux"
        self._environment = environment | {"TERM": "xterm-256color", "PS1": "ready> "}

    def __enter__(self):
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES),
                   "bash", "--norc", "--noprofile")
        self.wait_for("ready>")
        return self

    def __exit__(self, *_):
        self._tmux("kill-server")

    def type(self, *keys):
        """Text, and names of keys such as Enter and C-c."""
        self._tmux("send-keys", *keys)

    def resize(self, columns, lines):
        self._tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def text(self):
        """What one sees now."""
        return self._tmux("capture-pane", "-p")

    def scrolled_away(self):
        """Lines above the window."""
        return int(self._tmux("display-message", "-p", "#{history_size}"))

    def state(self):
        """Whether the other screen is shown, the cursor is, and long lines are broken."""
        return self._tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}").split()

    def wait_for(self, *texts, timeout=30):
        """Waits until all these texts are on the screen; returns it."""
        def seen():
            screen = self.text()
            return screen if all(text in screen for text in texts) else None

        return wait_until(seen, timeout, f"the terminal shows {texts}", seen=self.text)

    def _tmux(self, *arguments):
        return subprocess.run(["tmux", "-u", "-S", self._socket, *arguments], capture_output=True, text=True,
                              check=True, env=self._environment | {"PATH": self._environment["PATH"]}).stdout
