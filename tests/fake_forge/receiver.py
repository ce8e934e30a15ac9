"""Who takes webhooks in the tests."""

import http.server
import json
import threading

from fixture import PATIENCE_S


class Receiver(http.server.ThreadingHTTPServer):
    """Takes what is sent and keeps it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.changed, self.got, self.answer = threading.Condition(), [], 200
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def stop(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class ReceiverHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.changed:
            self.server.got.append((self.headers, body))
            self.server.changed.notify_all()
        self.send_response(self.server.answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Hooked:
    """A test with a receiver and a hook to it."""

    def setUp(self):
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)

    def hook(self, **more):
        url = f"http://127.0.0.1:{self.receiver.server_port}/hook"
        self.id = self.forge.control("/webhooks", repository=self.full, url=url, secret="s3cret", **more)["id"]

    def wait(self, count):
        """(headers, body) of so many, once they are there."""
        with self.receiver.changed:
            self.assertTrue(self.receiver.changed.wait_for(lambda: len(self.receiver.got) >= count, PATIENCE_S))
            return list(self.receiver.got)

    def told(self, count):
        return [(headers, json.loads(body)) for headers, body in self.wait(count)]
