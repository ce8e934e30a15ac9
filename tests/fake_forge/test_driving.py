"""Starting and ending the fake, faults on demand, the log, and what the control port refuses."""

import http.client
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from fixture import HERE, PATIENCE_S, ForgeTest, forge


class Faults(ForgeTest):
    def fault(self, **given):
        return self.forge.control("/faults", path=f"/api/v3/repos/{self.full}*", **given)

    def test_an_answer_is_replaced_so_many_times(self):
        self.fault(times=2, status=502, body="<html>Bad gateway</html>", headers={"Retry-After": "7"})
        for _ in range(2):
            answer = self.repo("GET")
            self.assertEqual((answer.status, answer.headers["Retry-After"], answer.headers["Content-Type"]),
                             (502, "7", "text/html; charset=utf-8"))
        self.assertEqual(self.repo("GET").status, 200)

    def test_method_path_body_and_skip_choose_the_request(self):
        self.fault(method="POST", contains="second", skip=1, status=500)
        number = self.pull()
        seen = [self.repo("POST", f"/issues/{number}/comments", {"body": body}).status
                for body in ("first", "second", "first", "second", "second")]
        self.assertEqual(seen, [201, 201, 201, 500, 201])
        self.forge.control("/faults", path="/api/graphql", contains="viewer", status=503)
        answer = self.request("POST", "/api/graphql", {"query": "{ viewer { login } }"})
        self.assertEqual(answer.status, 503)

    def test_before_leaves_it_undone_and_after_does_it(self):
        number = self.pull()
        path = f"/issues/{number}/comments"
        self.fault(method="POST", status=502)
        self.repo("POST", path, {"body": "lost"})
        self.fault(method="POST", status=502, when="after")
        self.assertEqual(self.repo("POST", path, {"body": "kept"}).status, 502)
        self.assertEqual([comment["body"] for comment in self.repo("GET", path).json], ["kept"])

    def test_a_connection_is_dropped(self):
        number = self.pull()
        self.fault(method="PUT", drop=True, when="after")
        with self.assertRaises((http.client.HTTPException, OSError)):
            self.repo("PUT", f"/pulls/{number}/merge", {})
        self.assertTrue(self.repo("GET", f"/pulls/{number}").json["merged"])

    def test_a_body_is_cut_short(self):
        self.fault(cut=10)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.repo("GET")
        self.assertEqual(len(caught.exception.partial), 10)

    def test_an_answer_is_late(self):
        self.fault(hang_ms=150)
        before = time.monotonic()
        self.assertEqual(self.repo("GET").status, 200)
        self.assertGreaterEqual(time.monotonic() - before, 0.15)

    def test_a_redirect_and_a_secondary_limit(self):
        self.fault(redirect="https://elsewhere.example/", status=307)
        answer = self.repo("GET")
        self.assertEqual((answer.status, answer.headers["Location"]), (307, "https://elsewhere.example/"))
        for status in (403, 429):
            self.fault(secondary=status)
            answer = self.repo("GET")
            self.assertEqual((answer.status, answer.headers["Retry-After"]), (status, "60"))
            self.assertIn("secondary rate limit", answer.json["message"])

    def test_git_meets_faults_too(self):
        self.forge.control("/faults", path=f"/{self.full}.git/*", status=503)
        self.assertIn("503", self.git("ls-remote", self.url(), fails=True))
        self.assertIn("refs/heads/main", self.git("ls-remote", self.url()))

    def test_an_unknown_fault_is_refused(self):
        with self.assertRaises(AssertionError):
            self.forge.control("/faults", statos=500)
        self.assertEqual(self.forge.control("/faults")["faults"], [])


class Logs(ForgeTest):
    def test_every_request_is_in_the_log(self):
        mark = self.forge.control("/log")["mark"]
        first = self.repo("GET", "/branches?per_page=1")
        self.repo("GET", "/branches?per_page=1", headers={"If-None-Match": first.headers["ETag"]})
        self.graphql("query Poll { viewer { login } }")
        self.repo("GET", token=None)
        self.git("ls-remote", self.url())
        log = self.forge.control("/log", since=mark)
        self.assertEqual([(one["method"], one["status"], one["conditional"], one["login"])
                          for one in log["requests"][:4]],
                         [("GET", 200, False, "ada"), ("GET", 304, True, "ada"), ("POST", 200, False, "ada"),
                          ("GET", 404, False, None)])
        self.assertEqual(log["requests"][0]["query"], "per_page=1")
        self.assertEqual(log["requests"][2]["operation"], "query Poll")
        self.assertIn(f"/{self.full}.git/info/refs", [one["path"] for one in log["requests"]])
        self.assertEqual(log["count"], len(log["requests"]))

    def test_protocol_and_control_do_not_mix(self):
        self.assertEqual(self.request("POST", "/faults", {}).status, 404)
        with self.assertRaises(AssertionError) as caught:
            self.forge.control("/api/v3/user")
        self.assertIn("no such command", str(caught.exception))

    def test_a_client_that_does_not_trust_the_certificate_is_no_harm(self):
        line = http.client.HTTPSConnection(self.forge.address, timeout=PATIENCE_S, context=ssl.create_default_context())
        with self.assertRaises(ssl.SSLCertVerificationError):
            line.request("GET", "/api/v3/")
        self.assertEqual(self.repo("GET").status, 200)

    def test_a_command_with_a_slip_is_refused(self):
        for command, body in (("/users", {"name": "x"}), ("/repositories", {"owner": "a", "name": "b", "colour": 1}),
                              ("/act", {"do": "fly", "login": "ada", "repository": self.full}),
                              ("/act", {"do": "close", "login": "ada", "repository": self.full, "number": 77}),
                              ("/protection", {"repository": self.full, "branch": "main", "strict": "yes"})):
            with self.assertRaises(AssertionError):
                self.forge.control(command, **body)

    def test_an_existing_repository_is_served_where_it_is_or_copied(self):
        for name, how in (("path", "path"), ("copy", "copy_of")):
            made = self.forge.control("/repositories", owner="ada", name=f"{self.name}-{name}",
                                      **{how: self.made["path"]})
            self.assertEqual(made["path"] == self.made["path"], how == "path")
            answer = self.api("GET", f"/repos/ada/{self.name}-{name}/branches")
            self.assertEqual([branch["name"] for branch in answer.json], ["main"])


class Many(ForgeTest):
    def test_many_at_once_do_not_get_in_each_others_way(self):
        """Polls, pushes over HTTP, acts and merges of one repository, all at the same time."""
        numbers = [self.pull(f"b{number}") for number in range(3)]
        folder, failures = self.clone(), []

        def several(work):
            def run():
                try:
                    for round_number in range(4):
                        work(round_number)
                except Exception as error:
                    failures.append(repr(error))
            return threading.Thread(target=run)

        def over_a_line_of_its_own(method, path, body=None):
            line = http.client.HTTPSConnection(self.forge.address, timeout=PATIENCE_S, context=self.forge.tls)
            line.request(method, path, json.dumps(body) if body else None, {
                "User-Agent": "tests", "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
            answer = line.getresponse()
            status = answer.status, answer.read()
            line.close()
            return status

        def poll(_):
            query = ('{ repository(owner: "acme", name: "%s") { pullRequests(first: 9) { nodes { mergeable } } } }'
                     % self.name)
            self.assertNotIn(b"errors", over_a_line_of_its_own("POST", "/api/graphql", {"query": query})[1])

        def push(round_number):
            self.git("push", "-q", "origin", f"HEAD:refs/heads/p{round_number}", cwd=folder)

        def comment(round_number):
            status, _ = over_a_line_of_its_own("POST", f"/api/v3/repos/{self.full}/issues/{numbers[0]}/comments",
                                               {"body": f"{round_number}"})
            self.assertEqual(status, 201)

        def merge(round_number):
            if round_number < len(numbers):
                status, body = over_a_line_of_its_own(
                    "PUT", f"/api/v3/repos/{self.full}/pulls/{numbers[round_number]}/merge", {"merge_method": "squash"})
                self.assertEqual(status, 200, body)
        threads = [several(work) for work in (poll, poll, push, comment, merge)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.bare("rev-list", "--count", "main"), "4")
        self.assertEqual(len(self.repo("GET", f"/issues/{numbers[0]}/comments").json), 4)


class Process(unittest.TestCase):
    def start(self, *more):
        folder = forge().folder
        process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "serve.py"), "--root", os.path.join(folder, "second"), "--certificate",
             "server.pem", "--key", "server.key", *more], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        said = json.loads(process.stdout.readline())
        self.assertEqual(sorted(said), ["address", "control"])
        return process

    def test_it_makes_its_own_certificate_when_it_is_given_none(self):
        with tempfile.TemporaryDirectory(dir=forge().folder) as root:
            process = subprocess.Popen(
                [sys.executable, os.path.join(HERE, "serve.py"), "--root", root, "--with-parent"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            said = json.loads(process.stdout.readline())
            trusted = ssl.create_default_context(cafile=said["ca"])
            line = http.client.HTTPSConnection(said["address"], timeout=PATIENCE_S, context=trusted)
            line.request("GET", "/api/v3/meta", headers={"User-Agent": "tests"})
            self.assertEqual(line.getresponse().status, 200)
            line.close()
            process.communicate(timeout=PATIENCE_S)

    def test_it_ends_when_told(self):
        process = self.start()
        process.stdin.close()
        process.terminate()
        self.assertEqual(process.wait(PATIENCE_S), 0)

    def test_it_ends_with_its_standard_input(self):
        process = self.start("--with-parent")
        process.stdin.close()
        self.assertEqual(process.wait(PATIENCE_S), 0)

    def test_it_ends_with_its_parent(self):
        """The parent here is a shell that goes away while the pipe stays open."""
        folder = forge().folder
        serve = f"{sys.executable} {os.path.join(HERE, 'serve.py')}"
        script = (f"exec 3<&0; {serve} --root second --certificate server.pem --key server.key --with-parent <&3 & "
                  "read -r line <&3; exit 0")
        shell = subprocess.Popen(["sh", "-c", script], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.assertIn(b"address", shell.stdout.readline())
        reader = threading.Thread(target=shell.stdout.read)
        reader.start()
        shell.kill()
        shell.wait()
        # The forge holds the other end of this pipe: it closes when the forge has ended.
        reader.join(PATIENCE_S)
        ended = not reader.is_alive()
        shell.stdin.close()
        reader.join()
        shell.stdout.close()
        self.assertTrue(ended)


if __name__ == "__main__":
    unittest.main()
