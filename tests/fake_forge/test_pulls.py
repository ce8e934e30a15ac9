"""REST about pull requests: opening, changing, mergeability, merging for real."""

import unittest

from fixture import ForgeTest


class Opening(ForgeTest):
    def create(self, **body):
        return self.repo("POST", "/pulls", {"title": "Topic", "head": "topic", "base": "main", **body})

    def test_a_pull_request_is_created_once(self):
        oid = self.push("ada", "topic", {"x": "1\n"})
        answer = self.create(body="Why", draft=True)
        pull = answer.json
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.headers["Location"], pull["url"])
        self.assertEqual((pull["head"]["sha"], pull["head"]["label"], pull["draft"], pull["mergeable"]),
                         (oid, "acme:topic", True, None))
        self.assertEqual(self.error_of(self.create()),
                         {"resource": "PullRequest", "code": "custom",
                          "message": "A pull request already exists for acme:topic."})
        self.assertEqual(self.create(head="acme:topic").status, 422)

    def test_what_cannot_be_opened(self):
        self.push("ada", "topic", {"x": "1\n"})
        self.bare("branch", "same", "main")
        self.assertEqual(self.error_of(self.create(head="same"))["message"], "No commits between main and same")
        self.assertEqual(self.error_of(self.create(head="none")),
                         {"resource": "PullRequest", "field": "head", "code": "invalid"})
        self.assertEqual(self.error_of(self.create(base="none"))["field"], "base")
        self.assertEqual(self.error_of(self.create(head="other:topic"))["field"], "head")
        self.assertEqual(self.error_of(self.repo("POST", "/pulls", {"head": "topic", "base": "main"})),
                         {"resource": "PullRequest", "field": "title", "code": "missing_field"})

    def test_the_list_is_filtered_and_sorted(self):
        first, second = self.pull("one"), self.pull("two")
        self.act("ada", "close", number=first)

        def numbers(query):
            return [pull["number"] for pull in self.repo("GET", f"/pulls{query}").json]
        self.assertEqual(numbers(""), [second])
        self.assertEqual(numbers("?state=all"), [second, first])
        self.assertEqual(numbers("?state=all&direction=asc"), [first, second])
        self.assertEqual(numbers("?state=closed"), [first])
        self.assertEqual(numbers("?state=all&head=acme:one"), [first])
        self.assertEqual(numbers("?head=other:two"), [])
        self.assertEqual(numbers("?base=other"), [])
        self.assertEqual(self.repo("GET", "/pulls?state=nonsense").status, 422)

    def test_title_body_base_and_state_are_changed(self):
        number = self.pull()
        self.push("ada", "release", {"r": "1\n"})
        pull = self.repo("PATCH", f"/pulls/{number}", {"title": "New", "body": "Text", "base": "release"}).json
        self.assertEqual((pull["title"], pull["body"], pull["base"]["ref"]), ("New", "Text", "release"))
        self.assertEqual(self.error_of(self.repo("PATCH", f"/pulls/{number}", {"base": "none"}))["field"], "base")
        self.assertEqual(self.repo("PATCH", f"/pulls/{number}", {"state": "closed"}).json["state"], "closed")
        self.assertEqual(self.repo("PATCH", f"/pulls/{number}", {"state": "open"}).json["state"], "open")
        self.assertEqual(self.error_of(self.repo("PATCH", f"/pulls/{number}", {"state": "gone"}))["code"], "invalid")
        self.refused(self.repo("PATCH", f"/pulls/{number}", {"title": "x"}, token=self.new_token("eve")), 403,
                     "Must have admin rights to Repository.")
        self.refused(self.repo("PATCH", "/pulls/99", {"title": "x"}), 404, "Not Found")

    def test_one_of_which_nothing_is_left_is_closed(self):
        number = self.pull()
        self.git("push", "-q", "--force", "origin", "origin/main:feature", cwd=self.clone())
        pull = self.repo("GET", f"/pulls/{number}").json
        self.assertEqual((pull["state"], pull["merged"]), ("closed", False))

    def test_one_whose_branch_is_gone_or_other_is_not_reopened(self):
        gone, other = self.pull("gone"), self.pull("other")
        self.act("ada", "delete_branch", branch="gone")
        self.act("ada", "close", number=other)
        self.push("ada", "other", {"other": "anew\n"}, force=True)
        for number, why in ((gone, "The gone branch has been deleted."),
                            (other, "The other branch was force-pushed or recreated.")):
            error = self.error_of(self.repo("PATCH", f"/pulls/{number}", {"state": "open"}))
            self.assertEqual(error["message"], f"state cannot be changed. {why}")


class Merging(ForgeTest):
    def merge(self, number, token="", **body):
        return self.repo("PUT", f"/pulls/{number}/merge", body, token=token)

    def state(self, number):
        pull = self.ready(number)
        return pull["mergeable"], pull["mergeable_state"]

    def test_mergeability_is_unknown_at_first_and_after_each_change(self):
        number = self.pull()
        for change in (lambda: None, lambda: self.push("ada", "feature", {"f": "2\n"}),
                       lambda: self.push("bob", "main", {"m": "2\n"})):
            change()
            first = self.repo("GET", f"/pulls/{number}").json
            self.assertEqual((first["mergeable"], first["mergeable_state"]), (None, "unknown"))
            second = self.repo("GET", f"/pulls/{number}").json
            self.assertEqual((second["mergeable"], second["mergeable_state"]), (True, "clean"))
        self.forge.control("/repositories", owner="acme", name=self.name, unknown_reads=3)
        self.push("ada", "feature", {"f": "3\n"})
        self.assertEqual([self.repo("GET", f"/pulls/{number}").json["mergeable"] for _ in range(4)],
                         [None, None, None, True])

    def test_states_of_a_pull_request(self):
        number = self.pull()
        self.forge.control("/checks", repository=self.full, branch="feature", context="lint", state="pending")
        self.assertEqual(self.state(number), (True, "unstable"))
        self.forge.control("/protection", repository=self.full, branch="main", required_checks=["lint"], strict=True)
        self.assertEqual(self.state(number), (True, "blocked"))
        self.forge.control("/checks", repository=self.full, branch="feature", context="lint", state="success")
        self.assertEqual(self.state(number), (True, "clean"))
        self.push("bob", "main", {"m": "2\n"})
        self.assertEqual(self.state(number), (True, "behind"))
        self.act("ada", "draft", number=number)
        self.assertEqual(self.state(number), (True, "draft"))
        self.push("bob", "main", {"feature": "another\n"})
        self.assertEqual(self.state(number), (False, "dirty"))
        other = self.pull("other")
        self.forge.control("/protection", repository=self.full, branch="main", off=True)
        self.forge.control("/repositories", owner="acme", name=self.name, pre_receive_hooks=True)
        self.assertEqual(self.state(other), (True, "has_hooks"))

    def test_a_merge_commit(self):
        number, before = self.pull(), self.bare("rev-parse", "main")
        head = self.bare("rev-parse", "feature")
        answer = self.merge(number, sha=head)
        self.assertEqual(answer.json, {"sha": self.bare("rev-parse", "main"), "merged": True,
                                       "message": "Pull Request successfully merged"})
        self.assertEqual(self.bare("log", "-1", "--format=%P", "main"), f"{before} {head}")
        self.assertEqual(self.bare("log", "-1", "--format=%B", "main"),
                         f"Merge pull request #{number} from acme/feature\n\nAdd feature")
        pull = self.repo("GET", f"/pulls/{number}").json
        self.assertEqual((pull["merged"], pull["state"], pull["merge_commit_sha"], pull["mergeable_state"]),
                         (True, "closed", answer.json["sha"], "unknown"))
        self.assertEqual(self.repo("GET", f"/pulls/{number}/merge").status, 204)
        self.refused(self.merge(number), 405, "Pull Request is not mergeable")

    def test_a_squash_is_one_commit(self):
        number = self.pull()
        self.push("ada", "feature", {"f": "2\n"}, message="Second")
        before = self.bare("rev-parse", "main")
        self.assertEqual(self.merge(number, merge_method="squash").status, 200)
        self.assertEqual(self.bare("log", "-1", "--format=%P%n%s", "main"), f"{before}\nAdd feature (#{number})")
        self.assertIn("* Second", self.bare("log", "-1", "--format=%b", "main"))
        self.assertEqual(self.bare("show", "main:f"), "2")

    def test_a_rebase_replays_each_commit(self):
        number = self.pull()
        self.push("ada", "feature", {"f": "2\n"}, message="Second")
        before = self.push("bob", "main", {"m": "1\n"})
        self.assertEqual(self.merge(number, merge_method="rebase").status, 200)
        self.assertEqual(self.bare("log", "--format=%s", f"{before}..main"), "Second\nA change")
        self.assertEqual(self.bare("log", "-1", "--format=%an", "main"), "ada")

    def test_titles_and_texts_are_taken(self):
        number = self.pull()
        self.merge(number, commit_title="Mine", commit_message="So", merge_method="squash")
        self.assertEqual(self.bare("log", "-1", "--format=%B", "main"), "Mine\n\nSo")

    def test_what_is_not_merged(self):
        number = self.pull()
        self.refused(self.merge(number, sha="0" * 40), 409, "Head branch was modified. Review and try the merge again.")
        self.forge.control("/repositories", owner="acme", name=self.name, allow_squash_merge=False)
        self.refused(self.merge(number, merge_method="squash"), 405,
                     "Squash merges are not allowed on this repository.")
        self.assertEqual(self.error_of(self.merge(number, merge_method="octopus"))["field"], "merge_method")
        self.assertEqual(self.merge(number, self.new_token("eve")).status, 403)
        self.act("ada", "draft", number=number)
        self.refused(self.merge(number), 405, "Pull Request is still a draft")
        self.act("ada", "draft", number=number, draft=False)
        self.push("bob", "main", {"feature": "another\n"})
        self.refused(self.merge(number), 405, "Pull Request is not mergeable")

    def test_protection_blocks_until_reviewed_and_green(self):
        number = self.pull()
        self.forge.control("/protection", repository=self.full, branch="main", required_reviews=2,
                           required_checks=["build", "lint"])
        self.refused(self.merge(number), 405,
                     "At least 2 approving reviews are required by reviewers with write access. 2 of 2 required "
                     "status checks are expected.")
        self.act("bob", "approve", number=number)
        self.act("root", "approve", number=number)
        self.refused(self.merge(number), 405, "2 of 2 required status checks are expected.")
        self.forge.control("/checks", repository=self.full, branch="feature", name="build", status="completed",
                           conclusion="failure")
        self.refused(self.merge(number), 405,
                     "2 of 2 required status checks have not succeeded: 1 expected and 1 failing.")
        self.forge.control("/checks", repository=self.full, branch="feature", name="build", status="in_progress")
        self.forge.control("/checks", repository=self.full, branch="feature", name="lint", status="in_progress")
        self.refused(self.merge(number), 405, "2 of 2 required status checks are in progress.")
        self.forge.control("/checks", repository=self.full, branch="feature", name="build", status="completed",
                           conclusion="success")
        self.refused(self.merge(number), 405, 'Required status check "lint" is in progress.')
        self.act("bob", "request_changes", number=number)
        self.refused(self.merge(number), 405,
                     'Changes have been requested. Required status check "lint" is in progress.')
        self.act("bob", "approve", number=number)
        self.forge.control("/checks", repository=self.full, branch="feature", name="lint", status="completed",
                           conclusion="success")
        self.push("root", "main", {"m": "2\n"})
        self.forge.control("/protection", repository=self.full, branch="main", strict=True)
        self.refused(self.merge(number), 405, "2 of 2 required status checks are expected.")
        self.forge.control("/protection", repository=self.full, branch="main", strict=False)
        self.assertEqual(self.merge(number).status, 200)

    def test_comments_must_be_resolved_where_that_is_asked(self):
        number = self.pull(files={"README": "one\n2\nthree\n"})
        self.forge.control("/protection", repository=self.full, branch="main", conversation_resolution=True)
        thread = self.act("bob", "open_thread", number=number, path="README", line=2, body="Why?")["node_id"]
        self.assertEqual(self.state(number), (True, "blocked"))
        self.refused(self.merge(number), 405, "All comments must be resolved.")
        self.act("ada", "resolve", thread=thread)
        self.assertEqual(self.merge(number).status, 200)

    def test_a_merge_while_the_mergeability_is_unknown_can_be_refused(self):
        self.forge.control("/repositories", owner="acme", name=self.name, refuse_unknown=True)
        number = self.pull()
        self.refused(self.merge(number), 405, "Pull Request is not mergeable")
        self.assertEqual(self.merge(number).status, 200)

    def test_the_branch_is_brought_up_to_date(self):
        number = self.pull()
        answer = self.repo("PUT", f"/pulls/{number}/update-branch", {})
        self.refused(answer, 422, "There are no new commits on the base branch.")
        head, base = self.bare("rev-parse", "feature"), self.push("bob", "main", {"m": "2\n"})
        answer = self.repo("PUT", f"/pulls/{number}/update-branch", {"expected_head_sha": base})
        self.refused(answer, 422, "expected head sha didn’t match current head ref.")
        answer = self.repo("PUT", f"/pulls/{number}/update-branch", {"expected_head_sha": head})
        self.assertEqual((answer.status, answer.json["message"]), (202, "Updating pull request branch."))
        self.assertEqual(self.bare("log", "-1", "--format=%P", "feature"), f"{head} {base}")
        self.push("bob", "main", {"feature": "another\n"})
        answer = self.repo("PUT", f"/pulls/{number}/update-branch", {})
        self.refused(answer, 422, "merge conflict between base and head")

    def test_the_branch_goes_with_the_merge_where_that_is_set(self):
        self.forge.control("/repositories", owner="acme", name=self.name, delete_branch_on_merge=True)
        number = self.pull()
        self.assertEqual(self.merge(number).status, 200)
        self.assertEqual(self.repo("GET", "/branches/feature").status, 404)
        self.assertTrue(self.repo("GET", f"/pulls/{number}").json["merged"])

    def test_the_diff_is_an_answer_of_its_own(self):
        number = self.pull()
        answer = self.repo("GET", f"/pulls/{number}", headers={"Accept": "application/vnd.github.v3.diff"})
        self.assertTrue(answer.headers["Content-Type"].startswith("application/vnd.github.v3.diff"))
        self.assertIn(b"+feature", answer.body)


if __name__ == "__main__":
    unittest.main()
