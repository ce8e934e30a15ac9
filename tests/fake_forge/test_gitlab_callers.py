"""Who may ask GitLab what: tokens, scopes, limits, conditional requests, projects, and git."""

import time
import unittest

from fixture import basic
from gitlab_fixture import GitLabTest

HIGHER = "The request requires higher privileges than provided by the access token."


class Callers(GitLabTest):
    def test_tokens_are_taken_in_two_headers(self):
        for headers in ({"PRIVATE-TOKEN": self.token}, {"Authorization": f"Bearer {self.token}"}):
            self.assertEqual(self.api("GET", "/user", token=None, headers=headers).json["username"], "ada")
        self.refused(self.api("GET", "/user", token="wrong"), 401, "401 Unauthorized")
        self.refused(self.api("GET", "/user", token=None), 401, "401 Unauthorized")
        self.forge.control("/tokens", login="ada", revoke=self.token)
        answer = self.api("GET", "/user")
        self.assertEqual((answer.status, answer.json["error"]), (401, "invalid_token"))
        self.assertIn("revoked", answer.json["error_description"])
        old = self.new_token("ada", expires_at=int(time.time()) - 1)
        self.assertIn("expired", self.api("GET", "/user", token=old).json["error_description"])

    def test_scopes(self):
        reading = self.new_token("ada", scopes=["read_api"], name="reader")
        said = self.api("GET", "/personal_access_tokens/self", token=reading).json
        self.assertEqual((said["scopes"], said["active"], said["user_id"]), (["read_api"], True, self.ids["ada"]))
        self.assertEqual(self.repo("GET", token=reading).status, 200)
        answer = self.repo("POST", "/merge_requests", {}, token=reading)
        self.assertEqual((answer.status, answer.json), (403, {
            "error": "insufficient_scope", "error_description": HIGHER, "scope": "api read_api"}))
        self.assertEqual(self.api("GET", "/version", token=self.new_token("ada", scopes=["read_user"])).status, 200)
        self.assertEqual(self.repo("GET", token=self.new_token("ada", scopes=["read_user"])).status, 403)

    def test_projects_are_seen_by_their_members(self):
        found = self.repo("GET").json
        self.assertEqual((found["path_with_namespace"], found["default_branch"], found["merge_method"],
                          found["permissions"]["project_access"]["access_level"]), (self.full, "main", "merge", 30))
        self.assertEqual(self.api("GET", f"/projects/{found['id']}").json["id"], found["id"])
        for token in (self.new_token("stranger"), None):
            self.refused(self.repo("GET", token=token), 404, "404 Project Not Found")
        self.settings(visibility="public")
        self.assertEqual(self.repo("GET", token=None).status, 200)
        member = self.repo("GET", f"/members/all/{self.ids['eve']}").json
        self.assertEqual((member["username"], member["access_level"]), ("eve", 20))
        self.refused(self.repo("GET", f"/members/all/{self.ids['stranger']}"), 404, "404 Not found")
        self.refused(self.api("GET", "/nonsense"), 404, "404 Not Found", "error")

    def test_a_renamed_project_redirects_what_is_read(self):
        self.forge.control("/rename", repository=self.full, to=f"{self.name}-new")
        answer = self.repo("GET", "/merge_requests")
        self.assertEqual(answer.status, 301)
        self.assertTrue(answer.headers["Location"].endswith(f"/projects/{self.made['id']}/merge_requests"))
        self.assertEqual(self.repo("POST", "/merge_requests", {}).status, 405)

    def test_what_did_not_change_is_not_sent_again(self):
        mark = self.repo("GET").headers["ETag"]
        answer = self.repo("GET", headers={"If-None-Match": mark})
        self.assertEqual((answer.status, answer.body), (304, b""))

    def test_the_limit(self):
        self.forge.control("/limits", token=self.token, limit=10, remaining=1)
        self.assertEqual(self.repo("GET").headers["RateLimit-Remaining"], "0")
        answer = self.repo("GET")
        self.assertEqual((answer.status, answer.body), (429, b"Retry later\n"))
        self.assertLessEqual(int(answer.headers["Retry-After"]), 60)
        self.assertEqual(self.request("POST", "/api/graphql", {"query": "{ currentUser { id } }"}).status, 429)
        self.forge.control("/clock", advance_s=61)
        self.assertEqual(self.repo("GET").status, 200)

    def test_faults_and_the_log(self):
        mark = self.forge.control("/log")["mark"]
        self.forge.control("/faults", path="*/merge_requests", status=502, body="bad")
        self.assertEqual(self.repo("GET", "/merge_requests").status, 502)
        seen = self.forge.control("/log", since=mark)["requests"][0]
        self.assertEqual((seen["status"], seen["path"]), (502, f"/api/v4/projects/{self.full}/merge_requests"))


class Git(GitLabTest):
    def test_pushing_moves_the_merge_request(self):
        number = self.pull()
        folder = self.clone()
        self.git("checkout", "-q", "feature", cwd=folder)
        oid = self.commit(folder, {"more": "1\n"})
        self.git("push", "-q", "origin", "feature", cwd=folder)
        self.assertEqual(self.mr(number).json["sha"], oid)
        self.assertIn(oid, self.git("ls-remote", self.url(), f"refs/merge-requests/{number}/head"))

    def test_a_protected_branch_refuses(self):
        self.forge.control("/protection", repository=self.full, branch="main")
        folder = self.clone()
        self.commit(folder, {"more": "1\n"})
        said = self.git("push", "origin", "main", cwd=folder, fails=True)
        self.assertIn("remote: GitLab: You are not allowed to push code to protected branches on this project.", said)
        self.assertIn("! [remote rejected] main -> main (pre-receive hook declined)", said)
        self.git("remote", "set-url", "origin", self.url(self.new_token("root")), cwd=folder)
        self.git("push", "-q", "origin", "main", cwd=folder)
        said = self.git("push", "--force", "origin", "main^:main", cwd=folder, fails=True)
        self.assertIn("GitLab: You are not allowed to force push code to a protected branch on this project.", said)
        said = self.git("push", "origin", ":main", cwd=folder, fails=True)
        self.assertIn("GitLab: The default branch of a project cannot be deleted.", said)

    def test_who_may_clone_and_push(self):
        for token in ("wrong", None, self.new_token("ada", scopes=["read_api"])):
            self.git("clone", "-q", self.url(token), "/nowhere/x", fails=True)
        refs = f"/{self.full}.git/info/refs?service="

        def asked(token, service="git-upload-pack"):
            answer = self.request("GET", refs + service, token=None, headers={
                "Authorization": basic("anybody", token)} if token else {})
            return answer.status, answer.body.decode("utf-8", "replace")
        self.assertEqual(asked(None)[0], 401)
        self.assertIn("HTTP Basic: Access denied", asked("wrong")[1])
        self.assertEqual(asked(self.new_token("stranger"))[0], 404)
        reading = self.new_token("ada", scopes=["read_repository"])
        self.assertEqual(asked(reading)[0], 200)
        self.assertEqual(asked(reading, "git-receive-pack"), (403, "You are not allowed to upload code."))
        self.assertEqual(asked(self.new_token("eve"), "git-receive-pack"),
                         (403, "You are not allowed to push code to this project."))


if __name__ == "__main__":
    unittest.main()
