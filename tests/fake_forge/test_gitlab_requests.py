"""GitLab's merge requests: opening, the status of merging, merging for real, rebasing, approvals."""

import unittest

from gitlab_fixture import GitLabTest

MERGED = "405 Method Not Allowed"


class Opening(GitLabTest):
    def create(self, **body):
        return self.repo("POST", "/merge_requests", {"title": "Topic", "source_branch": "topic",
                                                     "target_branch": "main", **body})

    def test_a_merge_request_is_created_once(self):
        base = self.bare("rev-parse", "main")
        oid = self.push("ada", "topic", {"x": "1\n"})
        answer = self.create(description="Why")
        made = answer.json
        self.assertEqual(answer.status, 201)
        self.assertEqual((made["iid"], made["state"], made["sha"], made["detailed_merge_status"], made["diff_refs"]),
                         (1, "opened", oid, "preparing", None))
        self.assertEqual(made["web_url"], f"https://{self.forge.address}/{self.full}/-/merge_requests/1")
        self.assertEqual(made["source_project_id"], made["target_project_id"])
        self.assertEqual(self.mr(1).json["diff_refs"], {"base_sha": base, "start_sha": base, "head_sha": oid})
        self.refused(self.create(), 409, ["Another open merge request already exists for this source branch: !1"])
        self.assertEqual(self.bare("rev-parse", "refs/merge-requests/1/head"), oid)

    def test_what_cannot_be_opened(self):
        self.push("ada", "topic", {"x": "1\n"})
        self.refused(self.create(source_branch="main"), 422,
                     ["You can't use same project/branch for source and target"])
        self.assertEqual(self.create(source_branch="none").status, 422)
        self.refused(self.repo("POST", "/merge_requests", {"title": "x"}), 400,
                     "source_branch is missing, target_branch is missing", "error")
        self.refused(self.create(titel="x"), 400, "titel is unknown", "error")
        self.refused(self.create(squash="maybe"), 400, "squash is invalid", "error")
        self.refused(self.repo("POST", "/merge_requests", {"title": "T", "source_branch": "topic", "target_branch":
                               "main"}, token=self.new_token("eve")), 403, "403 Forbidden")
        self.refused(self.repo("POST", "/merge_requests", {}, token=None), 401, "401 Unauthorized")

    def test_a_form_is_taken_as_well_as_json(self):
        self.push("ada", "topic", {"x": "1\n"})
        answer = self.repo("POST", "/merge_requests", raw="title=Topic&source_branch=topic&target_branch=main",
                           headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual(answer.status, 201)

    def test_title_text_target_and_state_are_changed(self):
        number = self.pull()
        self.push("ada", "release", {"r": "1\n"})
        made = self.mr(number, "PUT", "", {"title": "Draft: New", "target_branch": "release"}).json
        self.assertEqual((made["title"], made["draft"], made["target_branch"]), ("Draft: New", True, "release"))
        self.assertEqual(self.mr(number, "PUT", "", {"state_event": "close"}).json["state"], "closed")
        self.assertEqual(self.mr(number, "PUT", "", {"state_event": "reopen"}).json["state"], "opened")
        self.refused(self.mr(number, "PUT", "", {"state_event": "gone"}), 400,
                     "state_event does not have a valid value", "error")
        self.refused(self.mr(number, "PUT", "", {"title": "x"}, token=self.new_token("eve")), 403, "403 Forbidden")
        self.refused(self.mr(99), 404, "404 Not found")

    def test_the_list_is_filtered_and_paged(self):
        numbers = [self.pull(name) for name in ("one", "two", "three")]
        answer = self.repo("GET", "/merge_requests?per_page=2&state=opened")
        self.assertEqual([one["iid"] for one in answer.json], numbers[:0:-1])
        self.assertEqual([answer.headers[name] for name in ("X-Page", "X-Next-Page", "X-Total", "X-Total-Pages")],
                         ["1", "2", "3", "2"])
        self.assertIn('rel="next"', answer.headers["Link"])
        found = self.repo("GET", "/merge_requests?source_branch=two").json
        self.assertEqual([one["iid"] for one in found], [numbers[1]])


class Merging(GitLabTest):
    def test_the_status_is_worked_out_after_it_was_asked_for(self):
        number = self.pull()
        self.assertEqual(self.mr(number).json["detailed_merge_status"], "checking")
        self.assertEqual(self.mr(number).json["detailed_merge_status"], "mergeable")
        self.push("ada", "feature", {"more": "1\n"})
        self.assertEqual(self.repo("GET", "/merge_requests").json[0]["detailed_merge_status"], "unchecked")
        self.assertEqual(self.ask("detailedMergeStatus", number), {"detailedMergeStatus": "UNCHECKED"})
        self.assertEqual([self.mr(number).json["merge_status"] for _ in range(2)], ["checking", "can_be_merged"])

    def test_what_stands_in_the_way(self):
        number = self.pull()
        self.settings(approvals_required=1)
        self.assertEqual(self.status(number), "not_approved")
        self.act("bob", "approve", number=number)
        self.act("ada", "draft", number=number)
        self.assertEqual(self.status(number), "draft_status")
        self.act("ada", "draft", number=number, draft=False)
        self.settings(only_allow_merge_if_all_discussions_are_resolved=True)
        thread = self.act("bob", "open_thread", number=number, body="Why?")["thread"]
        self.assertEqual(self.status(number), "discussions_not_resolved")
        self.assertFalse(self.ready(number)["blocking_discussions_resolved"])
        self.refused(self.mr(number, "PUT", "/merge", {}), 405, MERGED)
        self.act("ada", "resolve", thread=thread)
        self.settings(only_allow_merge_if_pipeline_succeeds=True)
        self.assertEqual(self.status(number), "ci_must_pass")
        self.checks(branch="feature", job="build", status="running")
        self.assertEqual(self.status(number), "ci_still_running")
        self.checks(branch="feature", job="build", status="success")
        self.assertEqual(self.status(number), "mergeable")
        self.settings(merge_method="ff")
        self.push("bob", "main", {"other": "1\n"})
        self.assertEqual(self.status(number), "need_rebase")
        self.refused(self.mr(number, "PUT", "/merge", {}), 422, "Branch cannot be merged")
        self.act("bob", "close", number=number)
        self.assertEqual(self.status(number), "not_open")

    def test_a_conflict(self):
        number = self.pull("topic", {"README": "one\n2\nthree\n"})
        self.push("bob", "main", {"README": "one\nII\nthree\n"})
        found = self.ready(number)
        self.assertEqual((found["detailed_merge_status"], found["has_conflicts"]), ("conflict", True))
        self.refused(self.mr(number, "PUT", "/merge", {}), 422, "Branch cannot be merged")

    def test_merging(self):
        number = self.pull()
        sha = self.ready(number)["sha"]
        self.refused(self.mr(number, "PUT", "/merge", {"sha": "0" * 40}), 409,
                     f"SHA does not match HEAD of source branch: {sha}")
        self.refused(self.mr(number, "PUT", "/merge", {}, token=self.new_token("eve")), 401, "401 Unauthorized")
        made = self.mr(number, "PUT", "/merge", {"sha": sha, "should_remove_source_branch": True}).json
        self.assertEqual((made["state"], made["merged_by"]["username"]), ("merged", "ada"))
        self.assertEqual(made["merge_commit_sha"], self.bare("rev-parse", "main"))
        self.assertEqual(self.bare("rev-parse", "main^2"), sha)
        self.assertEqual(self.repo("GET", "/repository/branches/feature").status, 404)
        self.refused(self.mr(number, "PUT", "/merge", {}), 405, MERGED)
        self.assertEqual(self.mr(number).json["detailed_merge_status"], "not_open")

    def test_squashing_and_fast_forward(self):
        self.settings(merge_method="ff")
        number = self.pull()
        self.push("ada", "feature", {"more": "1\n"})
        made = self.mr(number, "PUT", "/merge", {"squash": True}).json
        self.assertEqual((made["state"], made["merge_commit_sha"]), ("merged", None))
        self.assertEqual(made["squash_commit_sha"], self.bare("rev-parse", "main"))
        self.assertEqual(self.bare("rev-list", "--count", "main"), "2")

    def test_who_may_merge_into_a_protected_branch(self):
        number = self.pull()
        self.forge.control("/protection", repository=self.full, branch="main")
        self.refused(self.mr(number, "PUT", "/merge", {}), 401, "401 Unauthorized")
        self.assertEqual(self.mr(number, "PUT", "/merge", {}, token=self.new_token("root")).status, 200)

    def test_a_rebase(self):
        self.settings(merge_method="ff")
        number = self.pull()
        main = self.push("bob", "main", {"other": "1\n"})
        answer = self.mr(number, "PUT", "/rebase")
        self.assertEqual((answer.status, answer.json), (202, {"rebase_in_progress": True}))
        said = [self.mr(number, path="?include_rebase_in_progress=true").json["rebase_in_progress"] for _ in "12"]
        self.assertEqual(said, [True, False])
        self.assertEqual((self.status(number), self.bare("rev-parse", "feature^")), ("mergeable", main))

    def test_a_rebase_with_a_conflict(self):
        number = self.pull("topic", {"README": "one\n2\nthree\n"})
        self.push("bob", "main", {"README": "one\nII\nthree\n"})
        self.mr(number, "PUT", "/rebase")
        self.assertIn("Rebase failed", self.mr(number).json["merge_error"])

    def test_a_push_that_brings_the_head_merges(self):
        number = self.pull()
        folder = self.clone()
        self.git("push", "-q", "origin", "origin/feature:main", cwd=folder)
        found = self.mr(number).json
        self.assertEqual((found["state"], found["merge_commit_sha"]), ("merged", None))

    def test_a_deleted_source_closes_and_a_stacked_one_goes_on(self):
        first = self.pull("one")
        self.push("ada", "two", {"two": "2\n"}, onto="one")
        second = self.act("ada", "open", head="two", title="Two", base="one")["number"]
        self.act("ada", "merge", number=first, remove=True)
        self.assertEqual(self.mr(second).json["target_branch"], "main")
        self.act("ada", "delete_branch", branch="two")
        self.assertEqual(self.mr(second).json["state"], "closed")


class Approving(GitLabTest):
    def test_approvals_come_and_go(self):
        self.settings(approvals_required=1)
        number = self.pull()
        self.refused(self.mr(number, "POST", "/approve"), 401, "401 Unauthorized")
        bob = self.new_token("bob")
        sha = self.mr(number).json["sha"]
        self.refused(self.mr(number, "POST", "/approve", {"sha": "0" * 40}, token=bob), 409,
                     f"SHA does not match HEAD of source branch: {sha}")
        made = self.mr(number, "POST", "/approve", {"sha": sha}, token=bob)
        self.assertEqual((made.status, made.json["approved"], made.json["approvals_left"]), (201, True, 0))
        self.refused(self.mr(number, "POST", "/approve", token=bob), 401, "401 Unauthorized")
        self.assertTrue(self.mr(number, path="/approval_state").json["rules"][0]["approved"])
        self.push("ada", "feature", {"more": "1\n"})
        self.assertEqual(self.mr(number, path="/approvals").json["approved_by"], [])
        self.assertEqual(self.mr(number, "POST", "/unapprove", token=bob).status, 404)


if __name__ == "__main__":
    unittest.main()
