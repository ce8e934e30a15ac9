"""HTTP as every fake forge speaks it: TLS, keep-alive, the log of requests, and the faults that a test asked for."""

import http.server
import json
import socket
import ssl
import sys
import threading
import urllib.parse

# More than any test sends; a push of a repository goes through memory.
MOST_BODY = 256 << 20


class Request:
    def __init__(self, method, target, headers, body, origin):
        self.method, self.target, self.headers, self.body, self.origin = method, target, headers, body, origin
        split = urllib.parse.urlsplit(target)
        self.path = urllib.parse.unquote(split.path)
        self.raw_path, self.query_string = split.path, split.query
        self.query = dict(urllib.parse.parse_qsl(split.query, keep_blank_values=True))
        # Who asked, once that is known; for the log.
        self.login = None


class Reply:
    def __init__(self, status, body=b"", headers=()):
        self.status, self.body, self.headers = status, body, list(headers)

    @classmethod
    def of_json(cls, status, value, headers=()):
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, body, [("Content-Type", "application/json; charset=utf-8"), *headers])


class Log:
    """Every request that was seen, in order of arrival."""

    def __init__(self):
        self.lock = threading.Lock()
        self.entries = []

    def add(self, request):
        conditional = "If-None-Match" in request.headers or "If-Modified-Since" in request.headers
        entry = {"method": request.method, "path": request.path, "query": request.query_string,
                 "conditional": conditional, "login": None, "status": None, "fault": None}
        if request.path.endswith("/graphql"):
            entry["operation"] = operation_of(request.body)
        with self.lock:
            self.entries.append(entry)
        return entry

    def since(self, mark):
        with self.lock:
            return {"mark": len(self.entries), "count": len(self.entries) - mark,
                    "requests": [dict(entry) for entry in self.entries[mark:]]}


def operation_of(body):
    """The first words of a GraphQL document: `query Name` or `mutation Name`."""
    try:
        return json.loads(body)["query"].split("{", 1)[0].split("(", 1)[0].strip()
    except (ValueError, KeyError, AttributeError, TypeError):
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # A client that goes away in the middle must not hold a thread for ever.
    timeout = 300

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= MOST_BODY:
            raise ValueError("a body of this length is not read")
        return self.rfile.read(length)

    def handle_any(self):
        site = self.server.site
        try:
            body = self.read_body()
        except ValueError:
            self.close_connection = True
            return self.give(site, Reply(400))
        request = Request(self.command, self.path, self.headers, body, site.origin)
        entry = site.log.add(request)
        fault = site.faults.take(request.method, request.path, body)
        if fault:
            entry["fault"] = fault.number
            if fault.hang_ms and site.stopping.wait(fault.hang_ms / 1000):
                self.close_connection = True
                return
        reply = None
        if not fault or not fault.replaces() or fault.when == "after":
            try:
                reply = site.answer(request)
            except Exception as error:  # A fault of the fake is told as one, to the client and to the test.
                site.failures.append(repr(error))
                import traceback
                traceback.print_exc(file=sys.stderr)
                reply = Reply.of_json(500, {"message": f"the fake forge failed: {error!r}"})
            entry["login"] = request.login
        if fault:
            reply = self.spoiled(site, fault, reply)
        entry["status"] = reply.status if reply else None
        if reply is None:
            self.close_connection = True
            self.connection.close()
            return
        for watcher in site.watchers:
            watcher(request, reply, fault)
        self.give(site, reply, fault.cut if fault else None)

    def spoiled(self, site, fault, reply):
        if fault.drop:
            return None
        if fault.redirect:
            return Reply(fault.status or 302, b"", [("Location", fault.redirect), *fault.headers.items()])
        if fault.secondary:
            reply = site.secondary_limit(fault.secondary)
        elif fault.status:
            kind = "text/html; charset=utf-8" if isinstance(fault.body, str) else "application/json; charset=utf-8"
            reply = Reply(fault.status, fault.payload(), [("Content-Type", kind)])
        replaced = {name.lower() for name in fault.headers}
        kept = [pair for pair in reply.headers if pair[0].lower() not in replaced]
        reply.headers = kept + list(fault.headers.items())
        return reply

    def give(self, site, reply, cut=None):
        bodiless = reply.status in (204, 304)
        body = b"" if bodiless else reply.body
        self.log_request(reply.status)
        self.send_response_only(reply.status)
        self.send_header("Server", site.server_name)
        self.send_header("Date", site.date())
        for name, value in reply.headers:
            self.send_header(name, value)
        if not bodiless:
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut is not None and cut < len(body):
            self.close_connection = True
            body = body[:cut]
        try:
            self.wfile.write(body)
            self.wfile.flush()
        except OSError:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (OSError, ssl.SSLError):
            # The other side went away: its own affair.
            pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, site, port, tls=None):
        super().__init__(("127.0.0.1", port), Handler)
        self.site, self.tls = site, tls
        if site.origin is None:
            site.origin = f"{'https' if tls else 'http'}://localhost:{self.server_port}"

    def get_request(self):
        connection, address = super().get_request()
        if self.tls:
            # The handshake is made by the connection's own thread, at its first read.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def shutdown_request(self, request):
        try:
            request.shutdown(socket.SHUT_RDWR)
        except (OSError, ValueError):
            pass
        self.close_request(request)

    def handle_error(self, request, client_address):
        pass

    def start(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


def tls_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Site:
    """One server's side of what it serves. A forge derives from it: answer() and what is in the form of the forge."""

    server_name = "fake-forge"

    def __init__(self, clock, log, faults):
        self.origin = None
        self.clock, self.log, self.faults = clock, log, faults
        self.watchers = []
        self.failures = []
        self.stopping = threading.Event()

    def date(self):
        from clock import http_date
        return http_date(self.clock.now())

    def answer(self, request):
        raise NotImplementedError

    def secondary_limit(self, status):
        return Reply(status)
