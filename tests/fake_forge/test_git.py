"""git over HTTP: who may fetch and push, what protection refuses, and what a push does to pull requests."""

import unittest

from fixture import ForgeTest, basic


class Git(ForgeTest):
    def test_clone_push_and_fetch(self):
        folder = self.clone()
        self.git("checkout", "-qb", "topic", cwd=folder)
        oid = self.commit(folder, {"new": "text\n"})
        self.git("push", "-q", "origin", "topic", cwd=folder)
        self.assertEqual(self.repo("GET", "/git/ref/heads/topic").json["object"]["sha"], oid)
        newer = self.push("bob", "topic", {"new": "other\n"})
        self.git("fetch", "-q", cwd=folder)
        self.assertEqual(self.git("rev-parse", "origin/topic", cwd=folder).strip(), newer)

    def test_a_large_push_comes_in_chunks(self):
        folder = self.clone()
        import random
        noise = "".join(random.choice("0123456789abcdef") for _ in range(3_000_000))
        self.commit(folder, {"large": noise})
        self.git("push", "-q", "origin", "HEAD:large", cwd=folder)
        self.assertIn("large", self.bare("branch", "--list", "large"))

    def test_a_wrong_token_and_a_stranger_are_refused(self):
        self.assertIn("Authentication failed", self.git("ls-remote", self.url("ghp_wrong"), fails=True))
        said = self.git("ls-remote", self.url(self.new_token("stranger")), fails=True)
        self.assertIn("remote: Repository not found.", said)
        self.assertIn("could not read Username", self.git("ls-remote", self.url(None), fails=True))
        answer = self.request("GET", f"/{self.full}.git/info/refs?service=git-upload-pack", token=None)
        self.assertEqual((answer.status, answer.headers["WWW-Authenticate"]), (401, 'Basic realm="GitHub"'))

    def test_a_reader_may_not_push(self):
        folder = self.clone(self.new_token("eve"))
        self.commit(folder, {"new": "text\n"})
        said = self.git("push", "origin", "HEAD:topic", cwd=folder, fails=True)
        self.assertIn(f"remote: Permission to {self.full}.git denied to eve.", said)
        self.assertIn("403", said)

    def test_a_public_repository_is_read_by_anybody(self):
        self.forge.control("/repositories", owner="acme", name=self.name, private=False)
        self.assertIn("refs/heads/main", self.git("ls-remote", self.url(None)))

    def test_any_user_name_goes_with_a_token(self):
        answer = self.request("GET", f"/{self.full}.git/info/refs?service=git-upload-pack", token=None,
                              headers={"Authorization": basic("whoever", self.token)})
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Content-Type"], "application/x-git-upload-pack-advertisement")

    def test_a_protected_branch_refuses_in_githubs_words(self):
        self.forge.control("/protection", repository=self.full, branch="main", required_reviews=1,
                           required_checks=["build"])
        folder = self.clone()
        self.commit(folder, {"new": "text\n"})
        said = self.git("push", "origin", "HEAD:main", cwd=folder, fails=True)
        self.assertIn("remote: error: GH006: Protected branch update failed for refs/heads/main.", said)
        self.assertIn("remote: error: At least 1 approving review is required by reviewers with write access.", said)
        self.assertIn('remote: error: Required status check "build" is expected.', said)
        self.assertIn("! [remote rejected] HEAD -> main (protected branch hook declined)", said)
        self.git("push", "-q", "origin", "HEAD:topic", cwd=folder)
        self.assertIn("Cannot delete this branch", self.git("push", "origin", ":main", cwd=folder, fails=True))
        both = self.git("push", "origin", "HEAD:main", "HEAD:second", cwd=folder, fails=True)
        self.assertIn("[new branch]", both)

    def test_an_admin_passes_unless_the_rule_is_for_them_too(self):
        self.forge.control("/protection", repository=self.full, branch="main", required_reviews=1)
        folder = self.clone(self.new_token("root"))
        self.commit(folder, {"new": "text\n"})
        self.git("push", "-q", "origin", "HEAD:main", cwd=folder)
        self.forge.control("/protection", repository=self.full, branch="main", enforce_admins=True)
        self.commit(folder, {"new": "more\n"})
        self.assertIn("GH006", self.git("push", "origin", "HEAD:main", cwd=folder, fails=True))

    def test_a_forced_push_to_a_protected_branch_is_refused(self):
        self.forge.control("/protection", repository=self.full, branch="main")
        folder = self.clone()
        self.git("commit", "-q", "--amend", "-m", "other", cwd=folder)
        said = self.git("push", "--force", "origin", "HEAD:main", cwd=folder, fails=True)
        self.assertIn("remote: error: Cannot force-push to this branch", said)

    def test_refs_of_pull_requests_are_kept_and_not_to_be_pushed(self):
        number = self.pull()
        folder = self.clone()
        self.git("checkout", "-q", "feature", cwd=folder)
        oid = self.commit(folder, {"more": "text\n"})
        self.git("push", "-q", "origin", "feature", cwd=folder)
        self.assertEqual(self.bare("rev-parse", f"refs/pull/{number}/head"), oid)
        self.git("fetch", "-q", "origin", f"refs/pull/{number}/head", cwd=folder)
        said = self.git("push", "origin", f"HEAD:refs/pull/{number}/head", cwd=folder, fails=True)
        self.assertIn("deny updating a hidden ref", said)

    def test_a_push_moves_the_pull_request(self):
        number = self.pull()
        self.assertTrue(self.ready(number)["mergeable"])
        folder = self.clone()
        self.git("checkout", "-q", "feature", cwd=folder)
        oid = self.commit(folder, {"more": "text\n"})
        self.git("push", "-q", "origin", "feature", cwd=folder)
        first = self.repo("GET", f"/pulls/{number}").json
        self.assertEqual((first["head"]["sha"], first["mergeable"], first["mergeable_state"]), (oid, None, "unknown"))
        self.assertEqual(self.repo("GET", f"/pulls/{number}").json["mergeable"], True)

    def test_pushing_the_head_into_the_base_merges(self):
        number = self.pull()
        folder = self.clone()
        self.git("merge", "-q", "--no-ff", "-m", "by hand", "origin/feature", cwd=folder)
        self.git("push", "-q", "origin", "main", cwd=folder)
        pull = self.repo("GET", f"/pulls/{number}").json
        self.assertEqual((pull["merged"], pull["state"], pull["merged_by"]["login"]), (True, "closed", "ada"))

    def test_deleting_a_branch_closes_its_pull_request_and_retargets_what_was_stacked(self):
        below = self.pull("below")
        self.push("ada", "above", {"above": "x\n"}, onto="below")
        above = self.act("ada", "open", head="above", base="below", title="Above")["number"]
        other = self.pull("other")
        self.act("bob", "merge", number=below)
        self.assertEqual(self.repo("DELETE", "/git/refs/heads/below").status, 204)
        pull = self.repo("GET", f"/pulls/{above}").json
        self.assertEqual((pull["base"]["ref"], pull["state"]), ("main", "open"))
        self.git("push", "-q", self.url(), ":other", cwd=self.clone())
        self.assertEqual(self.repo("GET", f"/pulls/{other}").json["state"], "closed")
        self.assertEqual(self.repo("DELETE", "/git/refs/heads/other").json["message"], "Reference does not exist")

    def test_a_renamed_repository_redirects_git(self):
        old = self.url()
        self.forge.control("/rename", repository=self.full, to=f"{self.name}-new")
        self.full = f"acme/{self.name}-new"
        self.assertIn("refs/heads/main", self.git("ls-remote", old))


if __name__ == "__main__":
    unittest.main()
