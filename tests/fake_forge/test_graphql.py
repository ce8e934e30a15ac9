"""GraphQL: what a poll of a pull request reads, mutations, errors in answers of 200, cost and limits."""

import unittest

from fixture import ForgeTest

POLL = """query($owner: String!, $name: String!, $number: Int!) {
  rateLimit { cost limit remaining resetAt }
  viewer { login }
  repository(owner: $owner, name: $name) {
    defaultBranchRef { name } mergeCommitAllowed squashMergeAllowed rebaseMergeAllowed viewerPermission
    pullRequest(number: $number) {
      id number title body url state isDraft merged mergedAt closed closedAt mergeCommit { oid }
      headRefOid headRefName headRepository { nameWithOwner } baseRefName baseRefOid
      mergeable mergeStateStatus reviewDecision updatedAt author { login __typename } authorAssociation
      reviewThreads(first: 50) { totalCount pageInfo { hasNextPage endCursor }
        nodes { id isResolved isOutdated path line
          comments(first: 20) { totalCount pageInfo { hasNextPage endCursor }
            nodes { id url body author { login __typename } authorAssociation createdAt } } } }
      reviews(last: 20) { totalCount nodes { state author { login } submittedAt } }
      latestReviews(first: 20) { nodes { state author { login } } }
      comments(last: 20) { totalCount nodes { body author { login } } }
      commits(last: 1) { nodes { commit { oid statusCheckRollup { state
        contexts(first: 50) { totalCount pageInfo { hasNextPage endCursor } nodes { __typename
          ... on CheckRun { name status conclusion detailsUrl isRequired(pullRequestNumber: $number) }
          ... on StatusContext { context state targetUrl isRequired(pullRequestNumber: $number) } } } } } } }
    } } }"""


class Queries(ForgeTest):
    def poll(self, number):
        said = self.graphql(POLL, owner="acme", name=self.name, number=number)
        self.assertNotIn("errors", said)
        return said["data"]

    def test_one_poll_reads_a_whole_pull_request(self):
        number = self.pull(files={"README": "one\n2\nthree\n"})
        self.forge.control("/protection", repository=self.full, branch="main", required_reviews=1,
                           required_checks=["build"])
        self.forge.control("/checks", repository=self.full, branch="feature", app="ci", name="build",
                           status="in_progress")
        self.forge.control("/checks", repository=self.full, branch="feature", context="lint", state="success")
        self.act("bob", "open_thread", number=number, path="README", line=2, body="Why?")
        self.act("eve", "comment", number=number, body="Hm")
        data = self.poll(number)
        pull = data["repository"]["pullRequest"]
        self.assertEqual((pull["mergeable"], pull["mergeStateStatus"]), ("UNKNOWN", "UNKNOWN"))
        self.assertEqual(pull["reviewDecision"], "REVIEW_REQUIRED")
        self.assertEqual(pull["author"], {"login": "ada", "__typename": "User"})
        self.assertEqual(pull["authorAssociation"], "COLLABORATOR")
        thread = pull["reviewThreads"]["nodes"][0]
        self.assertEqual((thread["path"], thread["line"], thread["isResolved"]), ("README", 2, False))
        self.assertEqual(thread["comments"]["nodes"][0]["body"], "Why?")
        rollup = pull["commits"]["nodes"][0]["commit"]["statusCheckRollup"]
        self.assertEqual(rollup["state"], "PENDING")
        run, status = rollup["contexts"]["nodes"]
        self.assertEqual((run["name"], run["status"], run["conclusion"], run["isRequired"]),
                         ("build", "IN_PROGRESS", None, True))
        self.assertEqual((status["context"], status["state"], status["isRequired"]), ("lint", "SUCCESS", False))
        self.assertEqual(data["repository"]["viewerPermission"], "WRITE")
        self.assertEqual(data["rateLimit"]["cost"], 1)
        pull = self.poll(number)["repository"]["pullRequest"]
        self.assertEqual((pull["mergeable"], pull["mergeStateStatus"]), ("MERGEABLE", "BLOCKED"))

    def test_connections_are_paged_by_cursors(self):
        number = self.pull()
        for text in "abcde":
            self.act("bob", "comment", number=number, body=text)
        fields = "comments(first: 2%s) { totalCount pageInfo { hasNextPage endCursor } nodes { body } }"
        seen, after = [], ""
        while after is not None:
            page = self.ask(fields % after, number)["comments"]
            self.assertEqual(page["totalCount"], 5)
            seen += [node["body"] for node in page["nodes"]]
            after = f', after: "{page["pageInfo"]["endCursor"]}"' if page["pageInfo"]["hasNextPage"] else None
        self.assertEqual(seen, list("abcde"))
        page = self.ask("comments(last: 2) { nodes { body } pageInfo { hasPreviousPage } }", number)["comments"]
        self.assertEqual([node["body"] for node in page["nodes"]], ["d", "e"])
        self.assertTrue(page["pageInfo"]["hasPreviousPage"])

    def test_a_cap_forces_paging(self):
        number = self.pull()
        for text in "abc":
            self.act("bob", "comment", number=number, body=text)
        self.forge.control("/pages", cap=2)
        self.addCleanup(self.forge.control, "/pages", cap=None)
        page = self.ask("comments(first: 50) { nodes { body } pageInfo { hasNextPage } }", number)["comments"]
        self.assertEqual((len(page["nodes"]), page["pageInfo"]["hasNextPage"]), (2, True))

    def test_what_is_not_there_is_an_error_of_an_answer_of_200(self):
        said = self.graphql('{ repository(owner: "acme", name: "none") { id } }')
        self.assertEqual(said["data"], {"repository": None})
        error = said["errors"][0]
        self.assertEqual((error["type"], error["path"]), ("NOT_FOUND", ["repository"]))
        self.assertEqual(error["message"], "Could not resolve to a Repository with the name 'acme/none'.")
        said = self.graphql('{ repository(owner: "acme", name: "%s") { pullRequest(number: 99) { id } } }' % self.name)
        self.assertEqual(said["data"], {"repository": {"pullRequest": None}})
        self.assertEqual(said["errors"][0]["message"], "Could not resolve to a PullRequest with the number of 99.")
        said = self.graphql('{ node(id: "PR_x") { id } }')
        self.assertEqual(said["errors"][0]["type"], "NOT_FOUND")

    def test_fields_and_arguments_are_checked(self):
        error = self.graphql("{ viewer { login colour } }")["errors"][0]
        self.assertEqual(error["message"], "Field 'colour' doesn't exist on type 'User'")
        self.assertEqual(error["extensions"]["code"], "undefinedField")
        self.assertIn("errors", self.graphql("{ viewer(x: 1) { login } }"))
        self.assertIn("errors", self.graphql("{ viewer { login }"))
        self.assertIn("errors", self.graphql("query($n: Int!) { node(id: $n) { id } }", n=1))
        self.assertNotIn("data", self.graphql("{ viewer }"))
        self.assertIn("errors", self.graphql(POLL, owner="acme"))

    def test_connections_need_a_bound_of_at_most_100(self):
        query = '{ repository(owner: "acme", name: "%s") { pullRequests%%s { nodes { number } } } }' % self.name
        self.assertEqual(self.graphql(query % "")["errors"][0]["type"], "MISSING_PAGINATION_BOUNDARIES")
        self.assertEqual(self.graphql(query % "(first: 101)")["errors"][0]["type"], "EXCESSIVE_PAGINATION")
        self.assertNotIn("errors", self.graphql(query % "(first: 100)"))
        deep = ("{ repository(owner: \"acme\", name: \"%s\") { pullRequests(first: 100) { nodes { reviewThreads(first: "
                "100) { nodes { comments(first: 100) { totalCount } } } } } } }" % self.name)
        self.assertEqual(self.graphql(deep)["errors"][0]["type"], "MAX_NODE_LIMIT_EXCEEDED")

    def test_cost_follows_the_connections_and_the_limit_refuses(self):
        token = self.new_token("ada")
        query = ("{ rateLimit { cost remaining } repository(owner: \"acme\", name: \"%s\") { pullRequests(first: 100) "
                 "{ nodes { comments(first: 10) { totalCount } reviews(first: 5) { totalCount } } } } }" % self.name)
        said = self.graphql(query, token)
        self.assertEqual(said["data"]["rateLimit"], {"cost": 2, "remaining": 4998})
        self.forge.control("/limits", token=token, resource="graphql", remaining=0)
        said = self.graphql("{ viewer { login } }", token)
        self.assertEqual(said["errors"][0]["type"], "RATE_LIMITED")
        self.assertEqual(self.api("GET", "/user", token=token).status, 200)

    def test_it_needs_a_token(self):
        answer = self.request("POST", "/api/graphql", {"query": "{ viewer { login } }"}, token=None)
        self.refused(answer, 401, "This endpoint requires you to be authenticated.")
        answer = self.request("POST", "/api/graphql", {"query": "{ viewer { login } }"}, token="ghp_wrong")
        self.refused(answer, 401, "Bad credentials")

    def test_bots_are_bots_with_and_without_brackets(self):
        number = self.pull()
        self.forge.control("/users", login="helper", kind="Bot")
        self.act("helper[bot]", "comment", number=number, body="beep")
        author = self.ask("comments(first: 1) { nodes { author { login __typename } authorAssociation } }", number)
        self.assertEqual(author["comments"]["nodes"][0]["author"], {"login": "helper", "__typename": "Bot"})
        comment = self.repo("GET", f"/issues/{number}/comments").json[0]
        self.assertEqual((comment["user"]["login"], comment["user"]["type"]), ("helper[bot]", "Bot"))
        self.assertEqual(comment["author_association"], "NONE")

    def test_a_schema_tells_of_itself(self):
        said = self.graphql('{ __type(name: "PullRequest") { fields(includeDeprecated: true) { name } } }')
        self.assertIn({"name": "mergeStateStatus"}, said["data"]["__type"]["fields"])


class Mutations(ForgeTest):
    def test_threads_are_opened_answered_and_resolved(self):
        number = self.pull(files={"README": "one\n2\nthree\n"})
        bob = self.new_token("bob")
        pull_id = self.ask("id", number)["id"]
        said = self.mutate("addPullRequestReviewThread", "thread { id }", bob, pullRequestId=pull_id, path="README",
                           line=2, body="Why?")
        thread = said["data"]["addPullRequestReviewThread"]["thread"]["id"]
        self.assertEqual(self.ask("reviewThreads(first: 9) { totalCount }", number)["reviewThreads"]["totalCount"], 0)
        self.mutate("submitPullRequestReview", "pullRequestReview { state }", bob, pullRequestId=pull_id,
                    event="COMMENT")
        self.mutate("addPullRequestReviewThreadReply", "comment { id }", pullRequestReviewThreadId=thread, body="So.")
        said = self.mutate("resolveReviewThread", "thread { isResolved resolvedBy { login } }", threadId=thread)
        self.assertEqual(said["data"]["resolveReviewThread"]["thread"],
                         {"isResolved": True, "resolvedBy": {"login": "ada"}})
        nodes = self.ask("reviewThreads(first: 9) { nodes { isResolved comments(first: 9) { nodes { body } } } }",
                         number)["reviewThreads"]["nodes"]
        self.assertEqual([node["body"] for node in nodes[0]["comments"]["nodes"]], ["Why?", "So."])
        self.mutate("unresolveReviewThread", "thread { id }", threadId=thread)
        self.assertFalse(self.ask("reviewThreads(first: 9) { nodes { isResolved } }", number)
                         ["reviewThreads"]["nodes"][0]["isResolved"])

    def test_a_reader_may_not_resolve_nor_merge(self):
        number = self.pull(files={"README": "one\n2\nthree\n"})
        thread = self.act("bob", "open_thread", number=number, path="README", line=2, body="Why?")["node_id"]
        eve = self.new_token("eve")
        for name, given in (("resolveReviewThread", {"threadId": thread}),
                            ("mergePullRequest", {"pullRequestId": self.ask("id", number)["id"]})):
            error = self.mutate(name, "clientMutationId", eve, **given)["errors"][0]
            self.assertEqual((error["type"], error["path"]), ("FORBIDDEN", [name]))

    def test_a_pull_request_from_creation_to_merge(self):
        self.push("ada", "topic", {"topic": "x\n"})
        repository = self.graphql('{ repository(owner: "acme", name: "%s") { id } }' % self.name)
        said = self.mutate("createPullRequest", "pullRequest { id number isDraft }", baseRefName="main",
                           headRefName="topic", title="Topic", draft=True,
                           repositoryId=repository["data"]["repository"]["id"])
        pull = said["data"]["createPullRequest"]["pullRequest"]
        self.assertTrue(pull["isDraft"])
        self.mutate("markPullRequestReadyForReview", "clientMutationId", pullRequestId=pull["id"])
        error = self.mutate("mergePullRequest", "clientMutationId", pullRequestId=pull["id"],
                            expectedHeadOid="0" * 40)["errors"][0]
        self.assertEqual(error["message"], "Head branch was modified. Review and try the merge again.")
        said = self.mutate("mergePullRequest", "pullRequest { state mergeCommit { oid } }", pullRequestId=pull["id"],
                           mergeMethod="SQUASH", clientMutationId="7")
        merged = said["data"]["mergePullRequest"]["pullRequest"]
        self.assertEqual((merged["state"], merged["mergeCommit"]["oid"]), ("MERGED", self.bare("rev-parse", "main")))
        again = self.mutate("mergePullRequest", "clientMutationId", pullRequestId=pull["id"])["errors"][0]
        self.assertEqual(again["type"], "UNPROCESSABLE")


if __name__ == "__main__":
    unittest.main()
