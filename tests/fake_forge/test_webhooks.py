"""Webhooks: which events are sent, how they are signed, and the ways in which they arrive wrong."""

import hashlib
import hmac
import json
import unittest

from fixture import PATIENCE_S, ForgeTest
from receiver import Hooked


class Webhooks(Hooked, ForgeTest):
    def hook(self, **more):
        super().hook(**more)
        self.wait(1)
        self.receiver.got.clear()

    def events(self, count):
        return [(headers["X-GitHub-Event"], json.loads(body).get("action")) for headers, body in self.wait(count)]

    def signed(self, headers, body):
        seal = "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
        return headers["X-Hub-Signature-256"] == seal

    def test_a_new_hook_is_pinged(self):
        self.forge.control("/webhooks", repository=self.full, secret="s3cret", events=["push"],
                           url=f"http://127.0.0.1:{self.receiver.server_port}/hook?x=1")
        headers, body = self.wait(1)[0]
        self.assertEqual(headers["X-GitHub-Event"], "ping")
        self.assertTrue(headers["User-Agent"].startswith("GitHub-Hookshot/"))
        self.assertRegex(headers["X-GitHub-Delivery"], r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertEqual(headers["X-GitHub-Hook-ID"], str(json.loads(body)["hook_id"]))
        self.assertTrue(self.signed(headers, body))

    def test_the_life_of_a_pull_request_is_told(self):
        self.hook(events=["pull_request"])
        number = self.pull()
        self.push("ada", "feature", {"f": "2\n"})
        self.act("ada", "edit", number=number, title="New")
        self.act("ada", "close", number=number)
        self.act("ada", "reopen", number=number)
        self.act("bob", "merge", number=number)
        seen = self.events(6)
        self.assertEqual([action for _, action in seen], ["opened", "synchronize", "edited", "closed", "reopened",
                                                          "closed"])
        bodies = [json.loads(body) for _, body in self.wait(6)]
        self.assertEqual(bodies[1]["after"], bodies[1]["pull_request"]["head"]["sha"])
        self.assertEqual(bodies[2]["changes"], {"title": {"from": "Add feature"}})
        self.assertEqual([body["pull_request"]["merged"] for body in bodies], [False] * 5 + [True])
        self.assertEqual(bodies[5]["sender"]["login"], "bob")

    def test_reviews_threads_comments_and_checks_are_told(self):
        number = self.pull(files={"README": "one\n2\nthree\n"})
        self.hook(events=["pull_request_review", "pull_request_review_comment", "pull_request_review_thread",
                          "issue_comment", "check_run", "check_suite", "status"])
        thread = self.act("bob", "open_thread", number=number, path="README", line=2, body="Why?")["node_id"]
        self.act("ada", "resolve", thread=thread)
        self.act("ada", "unresolve", thread=thread)
        self.act("bob", "comment", number=number, body="x")
        review = self.act("bob", "approve", number=number)["id"]
        self.act("ada", "dismiss", number=number, review=review)
        self.forge.control("/checks", repository=self.full, branch="feature", app="ci", name="build",
                           status="completed", conclusion="success")
        self.forge.control("/checks", repository=self.full, branch="feature", context="lint", state="success")
        self.assertEqual(self.events(12), [
            ("pull_request_review", "submitted"), ("pull_request_review_comment", "created"),
            ("pull_request_review_thread", "resolved"), ("pull_request_review_thread", "unresolved"),
            ("issue_comment", "created"), ("pull_request_review", "submitted"), ("pull_request_review", "dismissed"),
            ("check_suite", "requested"), ("check_run", "created"), ("check_run", "completed"),
            ("check_suite", "completed"), ("status", None)])

    def test_pushes_are_told(self):
        self.hook(events=["push"])
        self.push("ada", "topic", {"x": "1\n"})
        oid = self.push("ada", "topic", {"x": "2\n"})
        self.push("ada", "topic", {"x": "3\n"}, force=True)
        self.act("ada", "delete_branch", branch="topic")
        bodies = [json.loads(body) for _, body in self.wait(4)]
        self.assertEqual([(body["created"], body["forced"], body["deleted"]) for body in bodies],
                         [(True, False, False), (False, False, False), (False, True, False), (False, False, True)])
        self.assertEqual((bodies[1]["ref"], bodies[1]["commits"][0]["id"]), ("refs/heads/topic", oid))
        self.assertEqual(bodies[1]["commits"][0]["modified"], ["x"])

    def test_a_git_push_is_told(self):
        self.hook(events=["push"])
        folder = self.clone()
        oid = self.commit(folder, {"new": "text\n"})
        self.git("push", "-q", "origin", "HEAD:topic", cwd=folder)
        body = json.loads(self.wait(1)[0][1])
        self.assertEqual((body["after"], body["pusher"]["name"]), (oid, "ada"))

    def test_twice_with_a_bad_signature_and_again(self):
        self.hook(events=["issue_comment"])
        number = self.pull()
        self.forge.control("/webhooks", id=self.id, twice=1)
        self.act("bob", "comment", number=number, body="x")
        (one, first), (two, second) = self.wait(2)
        self.assertEqual((one["X-GitHub-Delivery"], first), (two["X-GitHub-Delivery"], second))
        self.forge.control("/webhooks", id=self.id, bad_signature=1)
        self.act("bob", "comment", number=number, body="y")
        self.act("bob", "comment", number=number, body="z")
        got = self.wait(4)
        self.assertEqual([self.signed(*one) for one in got], [True, True, False, True])
        kept = self.forge.control("/deliveries", idle_s=PATIENCE_S)["deliveries"]
        last = [delivery for delivery in kept if delivery["hook"] == self.id][-1]
        self.assertEqual((last["status"], last["event"]), (200, "issue_comment"))
        self.forge.control("/redeliver", id=last["id"])
        self.assertEqual(self.wait(5)[4][0]["X-GitHub-Delivery"], last["guid"])

    def test_out_of_order_and_late(self):
        self.hook(events=["issue_comment"])
        number = self.pull()
        self.forge.control("/hold")
        for text in "abc":
            self.act("bob", "comment", number=number, body=text)
        self.assertEqual(self.receiver.got, [])
        self.forge.control("/release", order="reverse")
        told = [json.loads(body)["comment"]["body"] for _, body in self.wait(3)]
        self.assertEqual(told, ["c", "b", "a"])
        self.forge.control("/webhooks", id=self.id, delay_ms=200)
        self.act("bob", "comment", number=number, body="late")
        self.forge.control("/webhooks", id=self.id, delay_ms=0)
        self.act("bob", "comment", number=number, body="soon")
        told = [json.loads(body)["comment"]["body"] for _, body in self.wait(5)]
        self.assertEqual(told[3:], ["soon", "late"])

    def test_a_receiver_that_fails_is_noted(self):
        self.hook(events=["issue_comment"])
        self.receiver.answer = 500
        self.act("bob", "comment", number=self.pull(), body="x")
        self.wait(1)
        kept = self.forge.control("/deliveries", idle_s=PATIENCE_S)["deliveries"]
        self.assertEqual([one["status"] for one in kept if one["hook"] == self.id], [200, 500])

    def test_hooks_are_made_by_rest(self):
        token = self.new_token("root")
        config = {"url": f"http://127.0.0.1:{self.receiver.server_port}/", "content_type": "json", "secret": "s3cret"}
        self.refused(self.repo("POST", "/hooks", {"config": config}), 404, "Not Found")
        made = self.repo("POST", "/hooks", {"config": config, "events": ["push"]}, token=token)
        self.assertEqual((made.status, made.json["config"]["secret"]), (201, "********"))
        self.assertEqual(self.wait(1)[0][0]["X-GitHub-Event"], "ping")
        self.assertEqual(self.repo("POST", "/hooks", {"config": config, "events": ["push"]}, token=token).status, 422)
        self.assertEqual(self.repo("GET", "/hooks", token=token).json[0]["id"], made.json["id"])
        self.assertEqual(self.repo("DELETE", f"/hooks/{made.json['id']}", token=token).status, 204)


if __name__ == "__main__":
    unittest.main()
