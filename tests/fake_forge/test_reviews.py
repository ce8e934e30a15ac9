"""Reviews, threads and comments by REST, and what reviews decide."""

import unittest

from fixture import ForgeTest


class Reviews(ForgeTest):
    def setUp(self):
        super().setUp()
        self.number = self.pull(files={"README": "one\n2\nthree\n"})
        self.bob = self.new_token("bob")

    def review(self, token, **body):
        return self.repo("POST", f"/pulls/{self.number}/reviews", body, token=token)

    def comment(self, token="", **body):
        given = {"body": "Why?", "path": "README", "line": 2, "commit_id": self.bare("rev-parse", "feature"), **body}
        given = {name: value for name, value in given.items() if value is not None}
        return self.repo("POST", f"/pulls/{self.number}/comments", given, token=token)

    def decision(self):
        return self.ask("reviewDecision", self.number)["reviewDecision"]

    def test_a_review_is_submitted(self):
        answer = self.review(self.bob, event="APPROVE", body="Fine")
        self.assertEqual((answer.status, answer.json["state"], answer.json["user"]["login"]), (200, "APPROVED", "bob"))
        listed = self.repo("GET", f"/pulls/{self.number}/reviews").json
        self.assertEqual([review["id"] for review in listed], [answer.json["id"]])

    def test_nobody_judges_their_own(self):
        for event, words in (("APPROVE", "approve"), ("REQUEST_CHANGES", "request changes on")):
            answer = self.review(self.token, event=event, body="x")
            self.refused(answer, 422, "Unprocessable Entity")
            self.assertEqual(answer.json["errors"], [f"Review Can not {words} your own pull request"])
        self.assertEqual(self.review(self.token, event="COMMENT", body="x").json["state"], "COMMENTED")

    def test_a_pending_review_is_seen_by_its_author_alone(self):
        made = self.review(self.bob, body="Later").json
        self.assertEqual(made["state"], "PENDING")
        self.assertNotIn("submitted_at", made)
        self.assertEqual(self.repo("GET", f"/pulls/{self.number}/reviews").json, [])
        self.assertEqual(len(self.repo("GET", f"/pulls/{self.number}/reviews", token=self.bob).json), 1)
        self.assertEqual(self.review(self.bob, event="APPROVE").status, 422)
        path = f"/pulls/{self.number}/reviews/{made['id']}/events"
        self.assertEqual(self.repo("POST", path, {"event": "APPROVE"}, token=self.bob).json["state"], "APPROVED")

    def test_a_request_for_changes_needs_words(self):
        self.assertEqual(self.review(self.bob, event="REQUEST_CHANGES").status, 422)
        self.assertEqual(self.review(self.bob, event="NONSENSE").status, 422)

    def test_a_review_is_dismissed_by_those_who_write(self):
        review = self.review(self.bob, event="REQUEST_CHANGES", body="No").json["id"]
        path = f"/pulls/{self.number}/reviews/{review}/dismissals"
        self.assertEqual(self.repo("PUT", path, {"message": "x"}, token=self.new_token("eve")).status, 404)
        self.assertEqual(self.repo("PUT", path, {"message": "Done"}).json["state"], "DISMISSED")
        self.assertEqual(self.repo("PUT", path, {"message": "Done"}).status, 422)

    def test_the_decision_is_that_of_those_who_write(self):
        self.act("bob", "approve", number=self.number)
        self.assertIsNone(self.decision())
        self.act("bob", "request_changes", number=self.number)
        self.forge.control("/protection", repository=self.full, branch="main", required_reviews=1)
        self.assertEqual(self.decision(), "CHANGES_REQUESTED")
        self.act("eve", "approve", number=self.number)
        self.act("bob", "review_comment", number=self.number, body="Hm")
        self.assertEqual(self.decision(), "CHANGES_REQUESTED")
        self.act("bob", "approve", number=self.number)
        self.assertEqual(self.decision(), "APPROVED")
        self.push("ada", "feature", {"README": "one\n2\n3\n"})
        self.assertEqual(self.decision(), "APPROVED")
        self.forge.control("/protection", repository=self.full, branch="main", dismiss_stale=True)
        self.push("ada", "feature", {"README": "one\n2\n4\n"})
        self.assertEqual(self.decision(), "REVIEW_REQUIRED")
        states = [review["state"] for review in self.repo("GET", f"/pulls/{self.number}/reviews").json]
        self.assertEqual(states, ["APPROVED", "CHANGES_REQUESTED", "DISMISSED", "COMMENTED", "DISMISSED"])

    def test_bringing_the_base_in_does_not_make_approvals_stale(self):
        self.forge.control("/protection", repository=self.full, branch="main", required_reviews=1, dismiss_stale=True)
        self.act("bob", "approve", number=self.number)
        self.push("root", "main", {"m": "2\n"})
        self.assertEqual(self.repo("PUT", f"/pulls/{self.number}/update-branch", {}).status, 202)
        self.assertEqual(self.decision(), "APPROVED")

    def test_a_comment_on_a_line_opens_a_thread(self):
        answer = self.comment(self.bob)
        made = answer.json
        self.assertEqual((answer.status, made["line"], made["side"], made["subject_type"]), (201, 2, "RIGHT", "line"))
        self.assertTrue(made["diff_hunk"].startswith("@@ -1,3 +1,3 @@"))
        self.assertTrue(made["diff_hunk"].endswith("+2"))
        answer = self.repo("POST", f"/pulls/{self.number}/comments/{made['id']}/replies", {"body": "So."})
        self.assertEqual((answer.status, answer.json["in_reply_to_id"]), (201, made["id"]))
        answer = self.comment(body="And", in_reply_to=made["id"], line=None)
        self.assertEqual(answer.status, 201)
        threads = self.ask("reviewThreads(first: 9) { nodes { comments(first: 9) { totalCount } } }", self.number)
        self.assertEqual(threads["reviewThreads"]["nodes"], [{"comments": {"totalCount": 3}}])
        self.assertEqual(len(self.repo("GET", f"/pulls/{self.number}/comments").json), 3)

    def test_a_comment_on_a_file(self):
        made = self.comment(self.bob, line=None, subject_type="file").json
        self.assertEqual((made["subject_type"], made["line"]), ("file", None))

    def test_a_comment_must_be_on_the_diff(self):
        self.assertEqual(self.error_of(self.comment(line=77))["message"],
                         "pull_request_review_thread.line must be part of the diff")
        self.assertEqual(self.error_of(self.comment(path="main.c"))["field"], "pull_request_review_thread.path")
        self.assertEqual(self.error_of(self.comment(commit_id=self.bare("rev-parse", "main")))["field"], "commit_id")
        self.assertEqual(self.error_of(self.comment(line=None)),
                         {"resource": "PullRequestReviewComment", "field": "line", "code": "missing_field"})

    def test_threads_move_with_their_lines_or_become_outdated(self):
        self.comment(self.bob)
        fields = "reviewThreads(first: 9) { nodes { line isOutdated } }"
        self.push("ada", "feature", {"README": "zero\none\n2\nthree\n"})
        self.assertEqual(self.ask(fields, self.number)["reviewThreads"]["nodes"], [{"line": 3, "isOutdated": False}])
        self.push("ada", "feature", {"README": "zero\none\nzwei\nthree\n"})
        self.assertEqual(self.ask(fields, self.number)["reviewThreads"]["nodes"], [{"line": None, "isOutdated": True}])
        self.assertIsNone(self.repo("GET", f"/pulls/{self.number}/comments").json[0]["line"])

    def test_comments_on_the_whole(self):
        answer = self.repo("POST", f"/issues/{self.number}/comments", {"body": "Hello"})
        self.assertEqual((answer.status, answer.json["author_association"]), (201, "COLLABORATOR"))
        self.assertEqual(self.repo("GET", f"/issues/{self.number}/comments").json[0]["body"], "Hello")
        self.assertEqual(self.repo("POST", f"/issues/{self.number}/comments", {"body": ""}).status, 422)
        self.assertEqual(self.repo("POST", "/issues/77/comments", {"body": "x"}).status, 404)

    def test_authors_are_told_apart(self):
        self.forge.control("/repositories", owner="acme", name=self.name, private=False)
        for login in ("root", "bob", "stranger", "ada"):
            self.act(login, "comment", number=self.number, body="x")
        seen = [comment["author_association"] for comment in self.repo("GET", f"/issues/{self.number}/comments").json]
        self.assertEqual(seen, ["MEMBER", "COLLABORATOR", "NONE", "COLLABORATOR"])
        self.push("root", "theirs", {"t": "1\n"})
        number = self.act("stranger", "open", head="theirs", title="Theirs")["number"]
        self.act("root", "merge", number=number)
        self.assertEqual(self.repo("GET", f"/pulls/{number}").json["author_association"], "CONTRIBUTOR")


if __name__ == "__main__":
    unittest.main()
