"""Who may ask Gitea what: tokens, scopes, repositories and who may do what there, and git."""

import unittest

from fixture import basic
from gitea_fixture import FORGEJO, GiteaTest

NEEDS = "token does not have at least one of required scope(s)"


class Callers(GiteaTest):
    def test_tokens_are_taken_in_three_ways(self):
        for header in (f"token {self.token}", f"Bearer {self.token}", basic("anybody", self.token)):
            said = self.api("GET", "/user", token=None, headers={"Authorization": header})
            self.assertEqual((said.status, said.json["login"]), (200, "ada"))
        self.refused(self.api("GET", "/user", token=None), 401, "token is required")
        self.refused(self.api("GET", "/version", token="wrong"), 401, "user does not exist [uid: 0, name: ]")
        self.forge.control("/tokens", revoke=self.token)
        self.forge.control("/server", version=FORGEJO)
        self.refused(self.repo("GET"), 401, f"access token does not exist [sha: {self.token}]")

    def test_scopes_come_before_repositories(self):
        none = self.new_token("ada", scopes=["read:user"])
        self.assertEqual(self.api("GET", "/user", token=none).status, 200)
        self.refused(self.api("GET", "/repos/no/such", token=none), 403,
                     f"{NEEDS}, required=[read:repository], token scope=read:user")
        self.forge.control("/server", version=FORGEJO)
        self.refused(self.repo("POST", "/pulls", {}, token=none), 403, f"{NEEDS}: [write:repository]")
        self.refused(self.repo("POST", "/issues/1/comments", {}, token=self.new_token(
            "ada", scopes=["write:repository"])), 403, f"{NEEDS}: [write:issue]")
        for scope, status in (("read:repository", 200), ("write:repository", 200), ("all", 200), ("read:issue", 403)):
            self.assertEqual(self.repo("GET", token=self.new_token("ada", scopes=[scope])).status, status, scope)
        public = self.new_token("ada", scopes=["public-only", "all"])
        self.assertEqual(self.repo("GET", token=public).status, 404)

    def test_the_version(self):
        self.assertEqual(self.api("GET", "/version", token=None).json, {"version": "1.26.1"})
        self.forge.control("/server", version=FORGEJO)
        self.assertEqual(self.api("GET", "/version", token=None).json, {"version": FORGEJO})
        self.assertEqual(self.repo("GET", "/none").json, {
            "message": "The target couldn't be found.", "errors": None,
            "url": f"https://{self.forge.address}/api/swagger"})
        self.assertEqual(self.api("GET", "/settings/api").json["max_response_items"], 50)

    def test_repositories_are_seen_by_who_may_read(self):
        said = self.repo("GET").json
        self.assertEqual((said["full_name"], said["permissions"], said["archived"], said["default_merge_style"]),
                         (self.full, {"admin": False, "push": True, "pull": True}, False, "merge"))
        said = self.repo("GET", token=self.new_token("root")).json
        self.assertEqual(said["permissions"], {"admin": True, "push": True, "pull": True})
        for token in (self.new_token("stranger"), None):
            self.refused(self.repo("GET", token=token), 404, "not found")
        self.settings(private=False, allow_rebase=False)
        said = self.repo("GET", token=None).json
        self.assertEqual((said["private"], said["allow_rebase"], said["permissions"]["push"]), (False, False, False))

    def test_who_writes(self):
        path = "/collaborators/{}/permission"
        self.refused(self.repo("GET", path.format("bob")), 403,
                     "Only admins can query all permissions, repo admins can query all repo permissions, collaborators "
                     "can query only their own")
        self.assertEqual(self.repo("GET", path.format("ada")).json["permission"], "write")
        root = self.new_token("root")
        found = {login: self.repo("GET", path.format(login), token=root).json["permission"]
                 for login in ("bob", "eve", "root", "stranger")}
        self.assertEqual(found, {"bob": "write", "eve": "read", "root": "owner", "stranger": "none"})
        self.refused(self.repo("GET", path.format("nobody"), token=root), 404,
                     "user does not exist [uid: 0, name: nobody]")
        self.assertEqual({one["login"] for one in self.repo("GET", "/assignees").json}, {"ada", "bob", "root"})
        self.assertEqual(self.repo("GET", "/collaborators/eve").status, 204)
        self.assertEqual(self.repo("GET", "/collaborators/stranger").status, 404)
        self.assertEqual(len(self.repo("GET", "/collaborators?limit=2").json), 2)

    def test_a_renamed_repository_redirects_every_method(self):
        self.forge.control("/rename", repository=self.full, to=f"{self.name}-new")
        for method, path in (("GET", "/pulls?state=all"), ("POST", "/pulls")):
            answer = self.repo(method, path)
            self.assertEqual((answer.status, answer.headers["Location"]),
                             (307, f"/api/v1/repos/{self.full}-new{path}"))
        folder = self.clone()
        self.commit(folder, {"more": "1\n"})
        self.git("push", "-q", "origin", "main", cwd=folder)

    def test_branches_tell_of_their_protection(self):
        self.push("ada", "a/b", {"x": "1\n"})
        self.protect("a/b", required_approvals=2, enable_status_check=True, status_check_contexts=["ci"],
                     enable_push=False)
        said = self.repo("GET", "/branches/a/b").json
        self.assertEqual((said["name"], said["protected"], said["required_approvals"], said["status_check_contexts"],
                          said["user_can_push"], said["user_can_merge"]), ("a/b", True, 2, ["ci"], False, True))
        self.assertEqual([one["name"] for one in self.repo("GET", "/branches").json], ["a/b", "main"])
        self.assertEqual(self.repo("GET", "/branch_protections").status, 403)
        root = self.new_token("root")
        self.assertEqual(self.repo("GET", "/branch_protections", token=root).json[0]["required_approvals"], 2)
        self.assertFalse(self.repo("GET", "/branch_protections/a/b", token=root).json["enable_push"])
        self.refused(self.repo("DELETE", "/branches/a/b"), 403, "branch protected")
        self.refused(self.repo("DELETE", "/branches/main"), 403, "can not delete default branch")
        self.assertEqual(self.repo("POST", "/branches", {"new_branch_name": "c", "old_ref_name": "main"}).status, 201)
        self.assertEqual(self.repo("DELETE", "/branches/c").status, 204)

    def test_faults_the_log_and_what_is_not_there(self):
        mark = self.forge.control("/log")["mark"]
        self.forge.control("/faults", path="*/pulls", status=502, body="bad")
        self.assertEqual(self.repo("GET", "/pulls").status, 502)
        seen = self.forge.control("/log", since=mark)["requests"][0]
        self.assertEqual((seen["status"], seen["path"]), (502, f"/api/v1/repos/{self.full}/pulls"))
        self.forge.control("/faults", secondary=429)
        self.assertEqual(self.repo("GET").headers["Retry-After"], "60")
        self.refused(self.api("GET", "/nonsense"), 404, "not found")
        answer = self.repo("DELETE", "/pulls")
        self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, POST"))


class Git(GiteaTest):
    def test_pushing_moves_the_pull_request(self):
        number = self.pull()
        folder = self.clone()
        self.git("checkout", "-q", "feature", cwd=folder)
        oid = self.commit(folder, {"more": "1\n"})
        self.git("push", "-q", "origin", "feature", cwd=folder)
        self.assertEqual(self.pr(number).json["head"]["sha"], oid)
        self.assertIn(oid, self.git("ls-remote", self.url(), f"refs/pull/{number}/head"))
        self.assertEqual(self.pr(number, path="/commits").json[0]["sha"], oid)
        self.assertEqual({one["filename"] for one in self.pr(number, path="/files").json}, {"feature", "more"})

    def test_a_protected_branch_refuses(self):
        self.protect(push_whitelist_usernames=["root"])
        folder = self.clone()
        self.commit(folder, {"more": "1\n"})
        said = self.git("push", "origin", "main", cwd=folder, fails=True)
        self.assertIn("remote: Gitea: Not allowed to push to protected branch main", said)
        self.assertIn("! [remote rejected] main -> main (pre-receive hook declined)", said)
        self.git("remote", "set-url", "origin", self.url(self.new_token("root")), cwd=folder)
        self.git("push", "-q", "origin", "main", cwd=folder)
        self.forge.control("/server", version=FORGEJO)
        said = self.git("push", "--force", "origin", "main^:main", cwd=folder, fails=True)
        self.assertIn("Forgejo: Not allowed to force-push to protected branch main", said)
        said = self.git("push", "origin", ":main", cwd=folder, fails=True)
        self.assertIn("branch main is the default branch and cannot be deleted", said)

    def test_who_may_clone_and_push(self):
        refs = f"/{self.full}.git/info/refs?service="

        def asked(token, service="git-upload-pack"):
            answer = self.request("GET", refs + service, token=None, headers={
                "Authorization": basic("anybody", token)} if token else {})
            return answer.status
        reading = self.new_token("ada", scopes=["read:repository"])
        self.assertEqual([asked(None), asked("wrong"), asked(self.new_token("stranger")), asked(reading),
                          asked(self.new_token("ada", scopes=["read:user"]))], [401, 401, 404, 200, 403])
        push = "git-receive-pack"
        self.assertEqual([asked(reading, push), asked(self.new_token("eve"), push), asked(self.token, push)],
                         [403, 404, 200])
        self.settings(archived=True)
        self.assertEqual(asked(self.token, push), 403)


if __name__ == "__main__":
    unittest.main()
