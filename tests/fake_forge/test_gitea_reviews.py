"""Gitea's reviews: what counts, what goes stale, conversations and who resolves them, comments."""

import unittest

from gitea_fixture import FORGEJO, GiteaTest


class Reviews(GiteaTest):
    def review(self, number, token="", **body):
        return self.pr(number, "POST", "/reviews", body, token=token)

    def listed(self, number):
        return self.pr(number, path="/reviews").json

    def test_what_may_be_said(self):
        number, bob = self.pull(), self.new_token("bob")
        self.refused(self.review(number, event="APPROVED"), 422, "approve your own pull is not allowed")
        self.refused(self.review(number, event="REQUEST_CHANGES", body="x"), 422,
                     "reject your own pull is not allowed")
        self.refused(self.review(number, bob, event="REQUEST_CHANGES"), 422,
                     "review event REQUEST_CHANGES requires a body")
        self.refused(self.review(number, bob, event="COMMENT"), 422,
                     "review event COMMENT requires a body or a comment")
        self.assertEqual(self.review(number, bob, event="APPROVE").status, 422)
        made = self.review(number, bob, event="APPROVED", body="Fine")
        head = self.pr(number).json["head"]["sha"]
        self.assertEqual((made.status, made.json["state"], made.json["official"], made.json["stale"],
                          made.json["dismissed"], made.json["commit_id"], made.json["user"]["login"]),
                         (200, "APPROVED", True, False, False, head, "bob"))
        self.act("ada", "close", number=number)
        self.refused(self.review(number, bob, event="APPROVED"), 422,
                     "can't submit review for a closed or merged PR")

    def test_only_who_writes_and_only_the_last_opinion_counts(self):
        self.protect(required_approvals=1, block_on_rejected_reviews=True)
        number = self.pull()
        self.act("eve", "approve", number=number)
        self.act("bob", "request_changes", number=number)
        self.act("bob", "review_comment", number=number, body="Hm")
        self.act("bob", "approve", number=number)
        self.assertEqual([(one["user"]["login"], one["state"], one["official"]) for one in self.listed(number)],
                         [("eve", "APPROVED", False), ("bob", "REQUEST_CHANGES", False), ("bob", "COMMENT", False),
                          ("bob", "APPROVED", True)])
        self.ready(number)
        self.assertEqual(self.merge(number).status, 200)

    def test_a_list_says_whose_approvals_count(self):
        self.protect(required_approvals=1, approvals_whitelist_username=["eve"])
        number = self.pull()
        self.act("bob", "approve", number=number)
        self.act("eve", "approve", number=number)
        self.assertEqual([one["official"] for one in self.listed(number)], [False, True])

    def test_a_push_makes_them_stale(self):
        number = self.pull()
        self.act("bob", "approve", number=number)
        self.push("ada", "feature", {"more": "1\n"})
        found = self.listed(number)[0]
        self.assertEqual((found["stale"], found["official"], found["dismissed"]), (True, True, False))
        self.protect(required_approvals=1)
        self.ready(number)
        self.protect(ignore_stale_approvals=True)
        self.refused(self.merge(number), 405, "Does not have enough approvals")
        self.protect(ignore_stale_approvals=False)
        self.assertEqual(self.merge(number).status, 200)

    def test_a_protection_dismisses_stale_ones_and_a_merge_of_the_target_does_not(self):
        self.protect(required_approvals=1, dismiss_stale_approvals=True)
        number = self.pull()
        self.act("bob", "approve", number=number)
        self.push("bob", "main", {"m": "1\n"})
        self.ready(number)
        self.act("ada", "update", number=number)
        self.assertFalse(self.listed(number)[0]["stale"])
        self.push("ada", "feature", {"more": "1\n"})
        self.assertTrue(self.listed(number)[0]["dismissed"])

    def test_dismissing(self):
        number = self.pull()
        review = self.act("bob", "approve", number=number)["id"]
        self.refused(self.pr(number, "POST", f"/reviews/{review}/dismissals", {"message": "no"}), 403,
                     "Must be repo admin")
        root = self.new_token("root")
        said = self.pr(number, "POST", f"/reviews/{review}/dismissals", {"message": "no"}, token=root)
        self.assertTrue(said.json["dismissed"])
        said = self.pr(number, "POST", f"/reviews/{review}/undismissals", token=root)
        self.assertFalse(said.json["dismissed"])

    def test_what_is_pending_only_its_author_sees(self):
        number, bob = self.pull(), self.new_token("bob")
        made = self.review(number, bob, event="PENDING", body="Draft").json
        self.assertEqual(self.listed(number), [])
        self.assertEqual(self.pr(number, path="/reviews").headers["X-Total-Count"], "1")
        self.assertEqual(self.pr(number, path=f"/reviews/{made['id']}").status, 404)
        self.refused(self.pr(number, "POST", f"/reviews/{made['id']}", {"event": "PENDING", "body": "x"}, token=bob),
                     422, "review stay pending")
        said = self.pr(number, "POST", f"/reviews/{made['id']}", {"event": "APPROVED"}, token=bob)
        self.assertEqual((said.status, said.json["state"], said.json["official"]), (200, "APPROVED", True))
        self.refused(self.pr(number, "POST", f"/reviews/{made['id']}", {"event": "APPROVED"}, token=bob), 422,
                     "only a pending review can be submitted")

    def test_pages_of_reviews(self):
        number = self.pull()
        for _ in range(3):
            self.act("bob", "review_comment", number=number, body="x")
        self.assertEqual(len(self.pr(number, path="/reviews?limit=2&page=2").json), 1)


class Conversations(GiteaTest):
    def setUp(self):
        super().setUp()
        self.number = self.pull("topic", {"README": "one\n2\nthree\n"})
        self.made = self.act("bob", "open_thread", number=self.number, path="README", line=2, body="Why?")

    def comments(self, review=None):
        return self.pr(self.number, path=f"/reviews/{review or self.made['review']}/comments").json

    def test_a_comment_on_a_line(self):
        found = self.comments()[0]
        self.assertEqual((found["path"], found["position"], found["original_position"], found["body"],
                          found["resolver"], found["pull_request_review_id"]),
                         ("README", 2, 0, "Why?", None, self.made["review"]))
        self.assertEqual(found["diff_hunk"], "@@ -1,3 +1,3 @@\n one\n-two\n+2")
        answer = self.pr(self.number, "POST", "/reviews", {"event": "COMMENT", "comments": [
            {"path": "README", "body": "Old", "old_position": 2}]}, token=self.new_token("bob"))
        self.assertEqual(answer.json["comments_count"], 1)
        found = self.comments(answer.json["id"])[0]
        self.assertEqual((found["position"], found["original_position"]), (0, 2))
        bad = self.pr(self.number, "POST", "/reviews", {"event": "COMMENT", "comments": [{"line": 2}]})
        self.assertEqual(bad.status, 422)

    def test_resolving_marks_the_first_comment(self):
        self.act("ada", "reply", thread=self.made["thread"], body="So.")
        path = f"/pulls/comments/{self.made['thread']}"
        stranger = self.new_token("eve")
        self.refused(self.repo("POST", f"{path}/resolve", token=stranger), 403,
                     "no permission to resolve conversation")
        self.assertEqual(self.repo("POST", f"{path}/resolve").status, 204)
        self.assertEqual([one["resolver"] and one["resolver"]["login"] for one in self.comments()], ["ada", None])
        self.assertEqual(self.repo("POST", f"{path}/unresolve").status, 204)
        self.assertEqual(self.comments()[0]["resolver"], None)
        self.act("bob", "resolve", thread=self.made["thread"])
        self.assertEqual(self.comments()[0]["resolver"]["login"], "bob")
        reply = self.comments()[1]["id"]
        self.act("bob", "resolve", thread=reply)
        self.assertEqual([one["resolver"] and one["resolver"]["login"] for one in self.comments()], ["bob", "bob"])
        self.refused(self.repo("POST", "/pulls/comments/1/resolve"), 404, "not found")

    def test_versions_that_cannot_resolve_or_reply(self):
        resolve, reply = f"/pulls/comments/{self.made['thread']}/resolve", f"/comments/{self.made['thread']}/replies"
        for version, resolved, replied in (("1.25.4", 405, 405), (FORGEJO, 405, 405), ("1.26.0", 204, 405),
                                           ("1.27.0", 204, 201)):
            self.forge.control("/server", version=version)
            answer = self.repo("POST", resolve)
            self.assertEqual(answer.status, resolved, version)
            self.assertEqual(answer.headers["Allow"], "GET" if resolved == 405 else None)
            self.assertEqual(self.pr(self.number, "POST", reply, {"body": "So."}).status, replied, version)
        self.assertEqual([one["body"] for one in self.comments()], ["Why?", "So."])

    def test_comments_on_the_whole(self):
        path = f"/issues/{self.number}/comments"
        made = self.repo("POST", path, {"body": "Hello"})
        self.assertEqual((made.status, made.json["body"], made.json["user"]["login"]), (201, "Hello", "ada"))
        self.assertTrue(made.json["pull_request_url"].endswith(f"/pulls/{self.number}"))
        # More than a page of other lists.
        for number in range(51):
            self.act("bob", "comment", number=self.number, body=str(number))
        listed = self.repo("GET", path)
        self.assertEqual([one["body"] for one in listed.json], ["Hello", *map(str, range(51))])
        self.assertEqual(self.pr(self.number).json["comments"], 52)
        self.refused(self.repo("POST", path, {"body": ""}), 422, "[Body]: Required")


if __name__ == "__main__":
    unittest.main()
