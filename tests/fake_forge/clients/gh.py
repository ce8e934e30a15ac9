"""Debian's gh, as a person uses it, against the fake. Not found by the quick tests: `../real-clients` runs it."""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from fixture import ForgeTest

VIEWED = ("number,title,body,state,url,author,mergeable,mergeStateStatus,reviewDecision,headRefName,headRefOid,"
          "baseRefName,statusCheckRollup,reviews,latestReviews,comments,commits,files,isDraft,mergeCommit,mergedAt,"
          "mergedBy,labels,assignees,milestone,closed,closedAt,createdAt,updatedAt,id,isCrossRepository,headRepository,"
          "headRepositoryOwner,maintainerCanModify,additions,deletions,changedFiles,potentialMergeCommit,"
          "reactionGroups,reviewRequests")


class Gh(ForgeTest):
    def gh(self, *arguments, token=None, fails=False):
        environment = {**os.environ, "GH_HOST": self.forge.address, "GH_ENTERPRISE_TOKEN": token or self.token,
                       "SSL_CERT_FILE": self.forge.ca, "GH_CONFIG_DIR": os.path.join(self.forge.folder, "gh"),
                       "GH_PROMPT_DISABLED": "1", "NO_COLOR": "1", "GH_NO_UPDATE_NOTIFIER": "1"}
        done = subprocess.run(["gh", *arguments], env=environment, capture_output=True, text=True,
                              cwd=self.forge.folder, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode != 0, fails, f"{arguments}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr if fails else done.stdout

    def pr(self, verb, *arguments, **more):
        return self.gh("pr", verb, *arguments, "-R", f"{self.forge.address}/{self.full}", **more)

    def view(self, fields=VIEWED):
        return json.loads(self.pr("view", "1", "--json", fields))

    def test_a_pull_request_from_creation_to_merge(self):
        bob = self.new_token("bob")
        self.push("ada", "topic", {"README": "one\n2\nthree\n"})
        said = self.pr("create", "--head", "topic", "--base", "main", "--title", "Topic", "--body", "Why")
        self.assertEqual(said.strip(), f"https://{self.forge.address}/{self.full}/pull/1")
        self.assertIn("already exists", self.pr("create", "--head", "topic", "--base", "main", "--title", "Again",
                                                "--body", "", fails=True))
        self.assertIn("Topic\ttopic\tOPEN", self.pr("list"))
        self.assertIn("title:\tTopic", self.pr("view", "1"))
        self.assertIn("no checks reported", self.pr("checks", "1", fails=True))
        for given in ({"app": "ci", "name": "build", "status": "in_progress"},
                      {"context": "lint", "state": "success", "target_url": "https://ci.example/2"}):
            self.forge.control("/checks", repository=self.full, branch="topic", **given)
        self.assertIn("build\tpending", self.pr("checks", "1", fails=True))
        self.forge.control("/checks", repository=self.full, branch="topic", app="ci", name="build",
                           status="completed", conclusion="success", details_url="https://ci.example/1")
        self.assertEqual([line.split("\t")[:2] for line in self.pr("checks", "1").splitlines()],
                         [["build", "pass"], ["lint", "pass"]])
        self.assertIn("#issuecomment-", self.pr("comment", "1", "--body", "Hello"))
        self.forge.control("/protection", repository=self.full, branch="main", required_reviews=1)
        self.assertIn("Can not approve your own pull request", self.pr("review", "1", "--approve", fails=True))
        self.pr("review", "1", "--request-changes", "--body", "No", token=bob)
        self.assertEqual(self.view()["reviewDecision"], "CHANGES_REQUESTED")
        self.pr("review", "1", "--approve", token=bob)
        seen = self.view()
        self.assertEqual((seen["reviewDecision"], seen["mergeable"], seen["mergeStateStatus"]),
                         ("APPROVED", "MERGEABLE", "CLEAN"))
        self.assertEqual((seen["author"]["login"], seen["comments"][0]["body"], len(seen["statusCheckRollup"])),
                         ("ada", "Hello", 2))
        self.pr("edit", "1", "--title", "Other")
        self.assertIn("+2", self.pr("diff", "1"))
        self.pr("merge", "1", "--squash", "--delete-branch")
        seen = self.view()
        self.assertEqual((seen["state"], seen["title"], seen["mergeCommit"]["oid"]),
                         ("MERGED", "Other", self.bare("rev-parse", "main")))
        self.assertEqual(self.repo("GET", "/branches/topic").status, 404)
        self.assertIn("MERGED", self.pr("list", "--state", "all", "--author", "ada"))

    def test_closing_reopening_and_drafts(self):
        self.pull()
        self.pr("close", "1", "--comment", "Later")
        self.assertEqual(self.view("state")["state"], "CLOSED")
        self.pr("reopen", "1")
        self.act("ada", "draft", number=1)
        self.assertTrue(self.view("isDraft")["isDraft"])
        self.assertIn("draft", self.pr("merge", "1", "--merge", fails=True))
        self.pr("ready", "1")
        self.pr("merge", "1", "--merge")
        self.assertEqual(self.view("state")["state"], "MERGED")

    def test_the_api_command_follows_pages(self):
        for number in range(5):
            self.push("ada", f"b{number}", {"x": str(number)})
        self.forge.control("/pages", cap=2)
        self.addCleanup(self.forge.control, "/pages", cap=None)
        said = self.gh("api", f"repos/{self.full}/branches", "--paginate", "--jq", ".[].name")
        self.assertEqual(said.split(), ["b0", "b1", "b2", "b3", "b4", "main"])

    def test_an_error_is_told(self):
        self.assertIn("Could not resolve to a PullRequest", self.pr("view", "99", fails=True))
        self.assertIn("HTTP 401: Bad credentials", self.pr("list", token="ghp_wrong", fails=True))


if __name__ == "__main__":
    unittest.main()
