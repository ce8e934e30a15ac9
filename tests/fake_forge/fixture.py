"""For the tests of the fake forge: one forge for all of them, a client that checks TLS, and git as a person uses it."""

import atexit
import base64
import http.client
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

from certificates import make_certificates

HERE = os.path.dirname(os.path.abspath(__file__))
# What a test waits for at most; it is there long before.
PATIENCE_S = 20


class Forge:
    """A running fake forge and its folder."""

    def __init__(self, kind):
        self.folder = tempfile.mkdtemp(prefix="town-fake-forge.")
        atexit.register(self.stop)
        make_certificates(self.folder)
        self.ca = os.path.join(self.folder, "ca.pem")
        self.errors = open(os.path.join(self.folder, "errors"), "w+", encoding="utf-8")
        # What is recorded is held against what the forge publishes.
        record = os.environ.get("FAKE_FORGE_RECORD")
        record = ["--record", f"{record}.{kind}"] if record else []
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "serve.py"), "--kind", kind, "--root",
             os.path.join(self.folder, "root"), "--port", "0", "--certificate", "server.pem", "--key",
             "server.key", "--ca", "ca.pem", "--with-parent", *record],
            cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        said = json.loads(self.process.stdout.readline())
        self.address, self.control_address = said["address"], said["control"]
        self.tls = ssl.create_default_context(cafile=self.ca)
        self.tls_line = http.client.HTTPSConnection(self.address, timeout=PATIENCE_S, context=self.tls)
        self.names, self.line = 0, None

    def stop(self):
        if getattr(self, "line", None):
            self.line.close()
            self.tls_line.close()
        process = getattr(self, "process", None)
        if process:
            process.stdin.close()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
            self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def control(self, command, **body):
        if self.line is None:
            url = urllib.parse.urlsplit(self.control_address)
            self.line = http.client.HTTPConnection(url.hostname, url.port, timeout=PATIENCE_S)
        self.line.request("POST", command, json.dumps(body))
        answer = self.line.getresponse()
        said = json.loads(answer.read())
        if answer.status != 200:
            raise AssertionError(f"{command}: {said}")
        return said


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


shared = {}


def forge(kind="github"):
    if kind not in shared:
        shared[kind] = Forge(kind)
    return shared[kind]


class ForgeTest(unittest.TestCase):
    """Each test has a repository of its own, `acme/rN`, with one commit on main; ada and bob write, eve reads, root
    administers."""

    kind, accept = "github", "application/vnd.github+json"

    def setUp(self):
        self.forge = forge(self.kind)
        self.forge.names += 1
        self.name = f"r{self.forge.names}"
        self.full = f"acme/{self.name}"
        for login in ("ada", "bob", "eve", "root", "stranger"):
            self.forge.control("/users", login=login)
        self.forge.control("/users", login="acme", kind="Organization", members=["root"])
        self.made = self.forge.control(
            "/repositories", owner="acme", name=self.name,
            permissions={"ada": "write", "bob": "write", "eve": "read", "root": "admin"})
        self.push("ada", "main", {"README": "one\ntwo\nthree\n", "main.c": "int main;\n"})
        self.token = self.new_token("ada")

    def tearDown(self):
        self.forge.control("/faults", clear=True)
        self.assertEqual(self.forge.control("/failures")["failures"], [])

    def new_token(self, login, **more):
        return self.forge.control("/tokens", login=login, **more)["token"]

    def act(self, login, do, **more):
        return self.forge.control("/act", login=login, do=do, repository=self.full, **more)

    def push(self, login, branch, files, **more):
        return self.act(login, "push", branch=branch, files=files, **more)["sha"]

    def pull(self, branch="feature", files=None, login="ada", **more):
        """The number of a new pull request from a branch with a change."""
        self.push(login, branch, files or {branch: f"{branch}\n"})
        return self.act(login, "open", head=branch, title=f"Add {branch}", **more)["number"]

    def request(self, method, path, body=None, token="", headers=None, raw=None):
        """`token`: "" for ada's, None for none."""
        sent = {"User-Agent": "tests", "Accept": self.accept, **(headers or {})}
        token = self.token if token == "" else token
        if token:
            sent.setdefault("Authorization", f"Bearer {token}")
        data = raw
        if body is not None:
            data = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        # Kept open from test to test, as clients do; one that broke is closed, and the next request opens another.
        line = self.forge.tls_line
        try:
            line.request(method, path, data, {name: value for name, value in sent.items() if value is not None})
            answer = line.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        except (http.client.HTTPException, OSError):
            line.close()
            raise

    def api(self, method, path, body=None, **more):
        return self.request(method, f"/api/v3{path}", body, **more)

    def repo(self, method, path="", body=None, **more):
        return self.api(method, f"/repos/{self.full}{path}", body, **more)

    def graphql(self, query, token="", **variables):
        answer = self.request("POST", "/api/graphql", {"query": query, "variables": variables}, token=token)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json

    def ask(self, fields, number, token=""):
        """Fields of a pull request by GraphQL."""
        query = ("query($owner: String!, $name: String!, $number: Int!) { repository(owner: $owner, name: $name) "
                 "{ pullRequest(number: $number) { %s } } }" % fields)
        said = self.graphql(query, token, owner="acme", name=self.name, number=number)
        self.assertNotIn("errors", said)
        return said["data"]["repository"]["pullRequest"]

    def mutate(self, name, fields, token="", **given):
        kind = name[0].upper() + name[1:] + "Input"
        return self.graphql(f"mutation($input: {kind}!) {{ {name}(input: $input) {{ {fields} }} }}", token, input=given)

    def ready(self, number):
        """The pull request once its mergeability is known."""
        self.repo("GET", f"/pulls/{number}")
        return self.repo("GET", f"/pulls/{number}").json

    def refused(self, answer, status, message):
        self.assertEqual((answer.status, answer.json["message"]), (status, message), answer.body)
        self.assertTrue(answer.json["documentation_url"].startswith("https://docs.github.com/"))

    def error_of(self, answer):
        self.assertEqual(answer.status, 422, answer.body)
        return answer.json["errors"][0]

    def url(self, token=""):
        """The address to clone from, with the token as GitHub takes it."""
        token = self.token if token == "" else token
        user = f"x-access-token:{token}@" if token else ""
        return f"https://{user}{self.forge.address}/{self.full}.git"

    def git(self, *arguments, cwd=None, fails=False, input=None):
        environment = {**os.environ, "GIT_SSL_CAINFO": self.forge.ca, "GIT_TERMINAL_PROMPT": "0",
                       "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_NAME": "Ada",
                       "GIT_AUTHOR_EMAIL": "ada@localhost", "GIT_COMMITTER_NAME": "Ada",
                       "GIT_COMMITTER_EMAIL": "ada@localhost", "LC_ALL": "C"}
        done = subprocess.run(["git", *arguments], cwd=cwd, env=environment, capture_output=True, text=True,
                              input=input)
        if not fails:
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        self.assertNotEqual(done.returncode, 0)
        return done.stderr

    def clone(self, token=""):
        folder = tempfile.mkdtemp(dir=self.forge.folder)
        self.git("clone", "-q", self.url(token), folder)
        return folder

    def commit(self, folder, files, message="A change"):
        for path, text in files.items():
            with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                file.write(text)
        self.git("add", "-A", cwd=folder)
        self.git("commit", "-qm", message, cwd=folder)
        return self.git("rev-parse", "HEAD", cwd=folder).strip()

    def bare(self, *arguments, input=None):
        """git in the forge's own repository."""
        return self.git("-C", self.made["path"], *arguments, input=input).strip()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
