"""Gitea's pull requests: opening, listing, whether they merge, merging for real, updating."""

import unittest

from gitea_fixture import FORGEJO, GiteaTest

LATER, WIP = "Please try again later", "Work in progress PRs cannot be merged"


class Opening(GiteaTest):
    def create(self, **body):
        return self.repo("POST", "/pulls", {"title": "Topic", "head": "topic", "base": "main", **body})

    def test_a_pull_request_is_created_once(self):
        base, oid = self.bare("rev-parse", "main"), self.push("ada", "topic", {"x": "1\n"})
        answer = self.create(body="Why")
        made = answer.json
        self.assertEqual(answer.status, 201)
        self.assertEqual((made["number"], made["state"], made["merged"], made["mergeable"], made["draft"]),
                         (1, "open", False, False, False))
        self.assertEqual((made["head"]["ref"], made["head"]["sha"], made["base"]["ref"], made["base"]["sha"],
                          made["merge_base"]), ("topic", oid, "main", base, base))
        self.assertEqual(made["head"]["repo"]["full_name"], self.full)
        self.assertEqual(made["html_url"], f"https://{self.forge.address}/{self.full}/pulls/1")
        number = made["head"]["repo_id"]
        self.refused(self.create(), 409, f"pull request already exists for these targets [id: {made['id']}, issue_id: "
                     f"1, head_repo_id: {number}, base_repo_id: {number}, head_branch: topic, base_branch: main]")
        self.assertEqual(self.bare("rev-parse", "refs/pull/1/head"), oid)
        self.assertEqual(self.repo("GET", "/pulls/main/topic").json["number"], 1)
        self.assertEqual(self.repo("GET", "/pulls/main/none").status, 404)

    def test_what_cannot_be_opened(self):
        self.push("ada", "topic", {"x": "1\n"})
        self.refused(self.create(head="main"), 422,
                     "Invalid PullRequest: There are no changes between the head and the base")
        self.refused(self.create(head="none"), 404, "not found")
        self.refused(self.create(base="none"), 404, "not found")
        self.refused(self.repo("POST", "/pulls", {"title": "x", "base": "main"}), 422, "[Head]: Required")
        self.refused(self.create(titel="x"), 422, "[titel]: the fake Gitea does not know it")
        self.assertEqual(self.create(title=7).status, 422)
        self.refused(self.repo("POST", "/pulls", raw="x=1", headers={"Content-Type": "text/plain"}), 422,
                     "Empty Content-Type")
        self.refused(self.repo("POST", "/pulls", {}, token=None), 404, "not found")
        self.settings(private=False)
        self.refused(self.repo("POST", "/pulls", {}, token=None), 401, "token is required")
        self.settings(archived=True)
        self.refused(self.create(), 423, "repo is archived")
        self.settings(archived=False, has_pull_requests=False)
        self.refused(self.repo("GET", "/pulls"), 404, "not found")

    def test_lists_have_pages_and_say_how_long_they_are(self):
        numbers = [self.pull(f"f{number}") for number in range(3)]
        self.act("ada", "close", number=numbers[1])
        listed = self.repo("GET", "/pulls")
        self.assertEqual([one["number"] for one in listed.json], [3, 1])
        self.assertEqual((listed.headers["X-Total-Count"], listed.headers["Link"]), ("2", None))
        first = self.repo("GET", "/pulls?state=all&limit=2&sort=oldest")
        self.assertEqual([one["number"] for one in first.json], [1, 2])
        self.assertEqual(first.headers["X-Total-Count"], "3")
        url = f"https://{self.forge.address}/api/v1/repos/{self.full}/pulls"
        self.assertEqual(first.headers["Link"], f'<{url}?limit=2&page=2&sort=oldest&state=all>; rel="next",'
                                                f'<{url}?limit=2&page=2&sort=oldest&state=all>; rel="last"')
        last = self.repo("GET", "/pulls?state=all&limit=2&page=2&sort=oldest")
        self.assertEqual([one["number"] for one in last.json], [3])
        self.assertIn('rel="first"', last.headers["Link"])
        self.assertEqual(self.repo("GET", "/pulls?state=closed&limit=99").json[0]["number"], 2)
        self.forge.control("/pages", cap=1)
        self.addCleanup(self.forge.control, "/pages", cap=None)
        self.assertEqual(len(self.repo("GET", "/pulls?state=all").json), 1)

    def test_changing_closing_and_opening_again(self):
        number = self.pull()
        answer = self.pr(number, "PATCH", "", {"title": "New", "body": "B", "state": "closed"})
        self.assertEqual((answer.status, answer.json["title"], answer.json["body"], answer.json["state"]),
                         (201, "New", "B", "closed"))
        self.assertIsNotNone(answer.json["closed_at"])
        self.assertEqual(self.pr(number, "PATCH", "", {"state": "open"}).json["state"], "open")
        self.refused(self.pr(number, "PATCH", "", {"base": "none"}), 404, "new base 'none' not exist")
        self.push("ada", "next", {"n": "1\n"})
        self.assertEqual(self.pr(number, "PATCH", "", {"base": "next"}).json["base"]["ref"], "next")
        answer = self.pr(number, "PATCH", "", {"title": "x"}, token=self.new_token("eve"))
        self.assertEqual((answer.status, answer.body), (403, b""))
        self.refused(self.pr(99), 404, "not found")

    def test_a_draft_is_a_title(self):
        number = self.pull(draft=True)
        found = self.ready(number)
        self.assertEqual((found["title"], found["draft"], found["mergeable"]), ("WIP: Add feature", True, False))
        self.refused(self.merge(number), 405, WIP)
        self.assertTrue(self.pr(number, "PATCH", "", {"title": "Ready"}).json["mergeable"])


class Mergeability(GiteaTest):
    def test_it_is_not_known_at_first_and_after_every_move(self):
        number = self.pull()
        self.assertEqual([self.pr(number).json["mergeable"] for _ in "123"], [False, True, True])
        self.assertTrue(self.repo("GET", "/pulls").json[0]["mergeable"])
        self.push("ada", "feature", {"y": "1\n"})
        self.assertFalse(self.repo("GET", "/pulls").json[0]["mergeable"])
        self.assertTrue(self.ready(number)["mergeable"])
        self.push("bob", "main", {"z": "1\n"})
        self.assertEqual([self.pr(number).json["mergeable"] for _ in "12"], [False, True])

    def test_a_check_that_does_not_end_refuses_as_a_conflict_does(self):
        self.settings(checking_reads=-1)
        number = self.pull()
        self.assertEqual([self.pr(number).json["mergeable"] for _ in "123"], [False] * 3)
        self.refused(self.merge(number), 405, LATER)

    def test_a_conflict(self):
        number = self.pull("topic", {"README": "one\n2\nthree\n"})
        self.push("bob", "main", {"README": "one\nII\nthree\n"})
        self.assertFalse(self.ready(number)["mergeable"])
        self.refused(self.merge(number), 405, LATER)

    def test_being_behind_is_told_by_merge_base(self):
        number = self.pull()
        old = self.ready(number)["merge_base"]
        main = self.push("bob", "main", {"other": "1\n"})
        found = self.ready(number)
        self.assertEqual((found["mergeable"], found["base"]["sha"], found["merge_base"]), (True, main, old))


class Merging(GiteaTest):
    def test_a_merge_commit(self):
        number, head = self.pull(), self.bare("rev-parse", "main")
        head = self.ready(number)["head"]["sha"]
        self.refused(self.merge(number, head_commit_id="0" * 40), 409, "head out of date")
        self.assertEqual(self.pr(number, path="/merge").status, 404)
        answer = self.merge(number, head_commit_id=head)
        self.assertEqual((answer.status, answer.body), (200, b""))
        found = self.pr(number).json
        self.assertEqual((found["state"], found["merged"], found["merged_by"]["login"], found["merge_commit_sha"]),
                         ("closed", True, "ada", self.bare("rev-parse", "main")))
        self.assertEqual(self.bare("log", "-1", "--format=%s", "main"),
                         f"Merge pull request 'Add feature' (#{number}) from feature into main")
        self.assertEqual(self.pr(number, path="/merge").status, 204)
        self.refused(self.merge(number), 405, "")
        self.refused(self.pr(number, "PATCH", "", {"state": "closed"}), 412,
                     "cannot change state of this pull request, it was already merged")

    def test_every_style(self):
        self.pull("one")
        for style, parents in (("squash", 1), ("rebase", 1), ("rebase-merge", 2)):
            number = self.pull(style)
            self.push("bob", "main", {f"main-{style}": "1\n"})
            self.ready(number)
            self.assertEqual(self.merge(number, style, MergeTitleField="T", MergeMessageField="M").status, 200)
            self.assertEqual(len(self.bare("log", "-1", "--format=%P", "main").split()), parents)
            text = self.bare("log", "-1", "--format=%B", "main")
            self.assertEqual(text, "A change" if style == "rebase" else "T\n\nM")
        number = self.pull("ahead")
        self.ready(number)
        self.assertEqual(self.merge(number, "fast-forward-only").status, 200)
        self.assertEqual(self.bare("rev-parse", "main"), self.bare("rev-parse", "ahead"))
        number = self.pull("aside")
        self.push("bob", "main", {"m": "1\n"})
        self.ready(number)
        self.refused(self.merge(number, "fast-forward-only"), 500, "")

    def test_a_style_that_is_not_allowed(self):
        self.settings(allow_squash_merge=False, default_merge_style="rebase")
        number = self.pull()
        self.ready(number)
        self.refused(self.merge(number, "squash"), 405,
                     "squash is not allowed an allowed merge style for this repository")
        self.assertEqual(self.merge(number, "crush").status, 422)
        self.refused(self.pr(number, "POST", "/merge", {}), 422, "[Do]: Required")

    def test_a_rebase_that_conflicts_where_a_merge_does_not(self):
        self.push("ada", "topic", {"README": "one\n2\nthree\n"})
        self.push("ada", "topic", {"README": "one\ntwo\nthree\n", "x": "1\n"})
        number = self.act("ada", "open", head="topic", title="Back and forth")["number"]
        self.push("bob", "main", {"README": "one\nII\nthree\n"})
        self.assertTrue(self.ready(number)["mergeable"])
        answer = self.merge(number, "rebase")
        self.assertEqual((answer.status, answer.json["Style"]), (409, "rebase"))
        self.assertIn("CommitSHA", answer.json)

    def test_who_may_merge(self):
        number = self.pull()
        self.ready(number)
        self.refused(self.merge(number, token=self.new_token("eve")), 405, "User not allowed to merge PR")
        self.protect(merge_whitelist_usernames=["bob"])
        self.refused(self.merge(number), 405, "User not allowed to merge PR")
        self.assertEqual(self.merge(number, token=self.new_token("bob")).status, 200)

    def test_a_closed_one_is_not_found(self):
        number = self.pull()
        self.act("ada", "close", number=number)
        self.refused(self.merge(number), 404, "not found")

    def test_the_head_is_where_its_branch_is_even_after_the_end(self):
        number = self.pull()
        merged = self.act("ada", "merge", number=number)["sha"]
        later = self.push("ada", "feature", {"later": "1\n"})
        found = self.pr(number).json
        self.assertEqual((found["head"]["sha"], found["merge_commit_sha"]), (later, merged))
        self.assertNotEqual(self.bare("rev-parse", f"refs/pull/{number}/head"), later)

    def test_branches_are_deleted_and_stacked_ones_go_on(self):
        first = self.pull("one")
        self.push("ada", "two", {"two": "2\n"}, onto="one")
        second = self.act("ada", "open", head="two", title="Two", base="one")["number"]
        self.ready(first)
        self.assertEqual(self.merge(first, delete_branch_after_merge=True).status, 200)
        self.assertEqual(self.repo("GET", "/branches/one").status, 404)
        found = self.pr(first).json["head"]
        self.assertEqual((found["ref"], found["label"]), (f"refs/pull/{first}/head", "one"))
        self.assertEqual(self.pr(second).json["base"]["ref"], "main")
        self.act("ada", "delete_branch", branch="two")
        self.assertEqual(self.pr(second).json["state"], "closed")

    def test_the_repository_may_want_branches_deleted(self):
        self.settings(default_delete_branch_after_merge=True)
        for version, left in (("1.25.0", 200), ("1.26.1", 404)):
            self.forge.control("/server", version=version)
            branch = f"f{left}"
            number = self.pull(branch)
            self.ready(number)
            self.assertEqual(self.merge(number).status, 200)
            self.assertEqual(self.repo("GET", f"/branches/{branch}").status, left)

    def test_a_push_that_brings_the_head_merges_where_that_is_wanted(self):
        for wanted in (False, True):
            self.settings(autodetect_manual_merge=wanted)
            number = self.pull(f"b{wanted}")
            folder = self.clone()
            self.git("merge", "-q", "--no-ff", "--no-edit", f"origin/b{wanted}", cwd=folder)
            self.git("push", "-q", "origin", "HEAD:main", cwd=folder)
            found = self.pr(number).json
            self.assertEqual(found["merged"], wanted)
        self.assertEqual(found["merge_commit_sha"], self.bare("rev-parse", "main"))

    def test_updating(self):
        for style, parents in (("merge", 2), ("rebase", 1)):
            number = self.pull(style)
            main = self.push("bob", "main", {f"m-{style}": "1\n"})
            answer = self.pr(number, "POST", f"/update?style={style}")
            self.assertEqual((answer.status, answer.body), (200, b""))
            self.assertEqual(len(self.bare("log", "-1", "--format=%P", style).split()), parents)
            self.assertEqual(self.ready(number)["merge_base"], main)
        self.refused(self.pr(number, "POST", "/update"), 500, "")
        self.push("bob", "main", {"again": "1\n"})
        answer = self.pr(number, "POST", "/update", token=self.new_token("eve"))
        self.assertEqual((answer.status, answer.body), (403, b""))

    def test_an_update_that_conflicts(self):
        number = self.pull("topic", {"README": "one\n2\nthree\n"})
        self.push("bob", "main", {"README": "one\nII\nthree\n"})
        self.refused(self.pr(number, "POST", "/update"), 409, "merge failed because of conflict")
        self.refused(self.pr(number, "POST", "/update?style=rebase"), 409, "rebase failed because of conflict")


class Protection(GiteaTest):
    def test_what_a_protection_demands_in_its_order(self):
        self.protect(required_approvals=1, enable_status_check=True, status_check_contexts=["ci/*"],
                     block_on_rejected_reviews=True, block_on_outdated_branch=True)
        number = self.pull()
        self.push("bob", "main", {"m": "1\n"})
        self.assertTrue(self.ready(number)["mergeable"])
        self.refused(self.merge(number), 405, "Not all required status checks successful")
        self.checks(branch="feature", context="ci/build", state="success")
        self.refused(self.merge(number), 405, "Does not have enough approvals")
        self.act("bob", "approve", number=number)
        self.act("root", "request_changes", number=number)
        self.refused(self.merge(number), 405, "There are requested changes")
        self.act("root", "approve", number=number)
        self.refused(self.merge(number), 405, "The head branch is behind the base branch")
        self.forge.control("/server", version=FORGEJO)
        self.refused(self.merge(number), 405,
                     "not allowed to merge [reason: The head branch is behind the base branch]")
        self.assertEqual(self.pr(number, "POST", "/update").status, 200)
        self.checks(branch="feature", context="ci/build", state="success")
        self.ready(number)
        self.assertEqual(self.merge(number).status, 200)

    def test_an_administrator_forces_it(self):
        self.protect(required_approvals=1)
        number = self.pull()
        self.ready(number)
        reason, root = "Does not have enough approvals", self.new_token("root")
        self.refused(self.merge(number, force_merge=True), 405, reason)
        self.refused(self.merge(number, token=root), 405, reason)
        self.protect(block_admin_merge_override=True)
        self.refused(self.merge(number, force_merge=True, token=root), 405, reason)
        self.protect(block_admin_merge_override=False)
        self.assertEqual(self.merge(number, force_merge=True, token=root).status, 200)


if __name__ == "__main__":
    unittest.main()
