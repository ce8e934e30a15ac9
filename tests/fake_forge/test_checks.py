"""Commit statuses, check runs and suites, and apps with their JSON web tokens."""

import base64
import json
import os
import subprocess
import unittest

from fixture import ForgeTest


def encoded(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Statuses(ForgeTest):
    def setUp(self):
        super().setUp()
        self.number = self.pull()
        self.sha = self.bare("rev-parse", "feature")

    def test_statuses_are_set_listed_and_combined(self):
        self.assertEqual(self.repo("GET", f"/commits/{self.sha}/status").json["state"], "pending")
        for state, context in (("pending", "build"), ("success", "build"), ("success", "lint")):
            answer = self.repo("POST", f"/statuses/{self.sha}", {"state": state, "context": context})
            self.assertEqual((answer.status, answer.json["state"]), (201, state))
        made = self.repo("GET", "/commits/feature/status").json
        self.assertEqual((made["state"], made["total_count"], made["sha"]), ("success", 2, self.sha))
        self.assertEqual(len(self.repo("GET", f"/commits/{self.sha}/statuses").json), 3)
        self.repo("POST", f"/statuses/{self.sha}", {"state": "error", "context": "lint"})
        self.assertEqual(self.repo("GET", f"/commits/{self.sha}/status").json["state"], "failure")
        self.assertEqual(self.ask("statusCheckRollup { state }", self.number)["statusCheckRollup"]["state"], "ERROR")

    def test_what_is_not_a_status(self):
        self.assertEqual(self.error_of(self.repo("POST", f"/statuses/{self.sha}", {"state": "odd"}))["field"], "state")
        self.assertEqual(self.repo("POST", f"/statuses/{'0' * 40}", {"state": "error"}).status, 422)
        answer = self.repo("POST", f"/statuses/{self.sha}", {"state": "error"}, token=self.new_token("eve"))
        self.refused(answer, 404, "Not Found")

    def test_a_new_commit_has_no_checks(self):
        self.repo("POST", f"/statuses/{self.sha}", {"state": "success"})
        self.push("ada", "feature", {"f": "2\n"})
        self.assertIsNone(self.ask("commits(last: 1) { nodes { commit { statusCheckRollup { state } } } }", self.number)
                          ["commits"]["nodes"][0]["commit"]["statusCheckRollup"])

    def test_people_do_not_write_check_runs(self):
        answer = self.repo("POST", "/check-runs", {"name": "x", "head_sha": self.sha})
        self.refused(answer, 403, "You must authenticate via a GitHub App.")

    def test_a_check_run_by_control_is_updated_until_done_and_then_another(self):
        for given in ({"status": "queued"}, {"status": "in_progress"}, {"status": "completed", "conclusion": "failure"},
                      {"status": "completed", "conclusion": "success"}):
            self.forge.control("/checks", repository=self.full, sha=self.sha, app="ci", name="build", **given)
        latest = self.repo("GET", f"/commits/{self.sha}/check-runs").json
        self.assertEqual((latest["total_count"], latest["check_runs"][0]["conclusion"]), (1, "success"))
        self.assertEqual(self.repo("GET", f"/commits/{self.sha}/check-runs?filter=all").json["total_count"], 2)
        self.assertEqual(self.repo("GET", "/commits/feature/check-runs?check_name=none").json["total_count"], 0)
        suites = self.repo("GET", f"/commits/{self.sha}/check-suites").json["check_suites"]
        self.assertEqual([(suite["app"]["slug"], suite["conclusion"]) for suite in suites], [("ci", "success")])


class Apps(ForgeTest):
    def setUp(self):
        super().setUp()
        self.key = os.path.join(self.forge.folder, "app.key")
        if not os.path.exists(self.key):
            subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, capture_output=True)
        public = subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout"], check=True, capture_output=True)
        self.app = self.forge.control(
            "/apps", slug=f"gate-{self.name}", owner="acme", public_key=public.stdout.decode(),
            permissions={"checks": "write", "contents": "write", "pull_requests": "write", "metadata": "read"})

    def jwt(self, algorithm="RS256", issuer=None, issued_s=-10, expires_s=300):
        now = self.forge.control("/clock")["now"]
        head = encoded({"alg": algorithm, "typ": "JWT"})
        claims = encoded({"iat": now + issued_s, "exp": now + expires_s, "iss": issuer or str(self.app["app_id"])})
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=f"{head}.{claims}".encode(),
                                check=True, capture_output=True)
        return f"{head}.{claims}.{encoded(signed.stdout)}"

    def installation(self, **body):
        path = f"/app/installations/{self.app['installation_id']}/access_tokens"
        return self.api("POST", path, body, token=self.jwt())

    def test_an_app_is_known_by_its_signature(self):
        answer = self.api("GET", "/app", token=self.jwt())
        self.assertEqual((answer.status, answer.json["id"]), (200, self.app["app_id"]))
        undecodable = "A JSON web token could not be decoded"
        self.refused(self.api("GET", "/app"), 401, undecodable)
        self.refused(self.api("GET", "/app", token=self.jwt()[:-8] + "AAAAAAAA"), 401, undecodable)
        self.refused(self.api("GET", "/app", token=self.jwt(algorithm="HS256")), 401, undecodable)
        self.refused(self.api("GET", "/app", token=self.jwt(issuer="7")), 404, "Integration not found")

    def test_the_times_of_a_jwt_are_looked_at(self):
        for jwt in (self.jwt(expires_s=-1), self.jwt(expires_s=900), self.jwt(issued_s=-900),
                    self.jwt(issued_s=400, expires_s=500)):
            self.assertEqual(self.api("GET", "/app", token=jwt).status, 401)

    def test_an_installation_writes_check_runs(self):
        sha = self.bare("rev-parse", "main")
        answer = self.installation()
        self.assertEqual((answer.status, answer.json["repository_selection"]), (201, "all"))
        token = answer.json["token"]
        run = self.repo("POST", "/check-runs", {"name": "build", "head_sha": sha, "status": "in_progress"}, token=token)
        self.assertEqual((run.status, run.json["status"], run.json["conclusion"]), (201, "in_progress", None))
        path = f"/check-runs/{run.json['id']}"
        done = self.repo("PATCH", path, {"conclusion": "success", "completed_at": "2026-01-02T03:04:05Z",
                                         "output": {"title": "Built", "summary": "All well"}}, token=token)
        self.assertEqual((done.json["status"], done.json["completed_at"]), ("completed", "2026-01-02T03:04:05Z"))
        self.assertEqual(self.repo("GET", path).json["output"]["title"], "Built")
        self.assertEqual(self.error_of(self.repo("PATCH", path, {"status": "completed"}, token=token))["field"],
                         "conclusion")

    def test_an_installation_is_a_bot(self):
        number = self.pull()
        token = self.installation().json["token"]
        made = self.repo("POST", f"/pulls/{number}/reviews", {"event": "APPROVE"}, token=token).json
        self.assertEqual((made["user"]["login"], made["user"]["type"]), (f"gate-{self.name}[bot]", "Bot"))
        self.refused(self.api("GET", "/user", token=token), 403, "Resource not accessible by integration")

    def test_a_token_can_be_less_than_the_installation_and_ends(self):
        token = self.installation(permissions={"checks": "read"}, repositories=[self.name]).json["token"]
        answer = self.repo("POST", "/check-runs", {"name": "x", "head_sha": "0" * 40}, token=token)
        self.refused(answer, 403, "Resource not accessible by integration")
        self.assertEqual(self.installation(permissions={"issues": "write"}).status, 422)
        self.assertEqual(self.installation(repositories=["none"]).status, 422)
        self.forge.control("/clock", advance_s=3601)
        self.refused(self.repo("GET", token=token), 401, "Bad credentials")


if __name__ == "__main__":
    unittest.main()
