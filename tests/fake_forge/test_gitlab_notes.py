"""GitLab's discussions and notes, by REST and by GraphQL; complexity of queries."""

import unittest

from gitlab_fixture import GitLabTest

NO_CODE = '400 Bad request - Note {:line_code=>["can\'t be blank", "must be a valid line code"]}'


class Discussions(GitLabTest):
    def setUp(self):
        super().setUp()
        self.number = self.pull("topic", {"README": "one\n2\nthree\n"})
        self.refs = self.mr(self.number).json["diff_refs"]

    def place(self, **more):
        return {"position_type": "text", **self.refs, "old_path": "README", "new_path": "README", "new_line": 2, **more}

    def start(self, body="Why?", **more):
        return self.mr(self.number, "POST", "/discussions", {"body": body, **more})

    def test_a_thread_on_a_line(self):
        answer = self.start(position=self.place())
        made = answer.json
        self.assertEqual((answer.status, made["individual_note"], made["notes"][0]["type"]), (201, False, "DiffNote"))
        self.assertEqual(made["notes"][0]["position"]["new_line"], 2)
        path = f"/discussions/{made['id']}"
        self.assertEqual(self.mr(self.number, "POST", f"{path}/notes", {"body": "So."}).status, 201)
        note = self.mr(self.number, "PUT", path, {"resolved": True}).json["notes"][1]
        self.assertEqual((note["resolved"], note["resolved_by"]["username"], note["body"]), (True, "ada", "So."))
        self.assertFalse(self.mr(self.number, "PUT", f"{path}?resolved=false").json["notes"][0]["resolved"])
        self.refused(self.mr(self.number, "PUT", "/discussions/none", {"resolved": True}), 404,
                     "404 Discussion Not Found")

    def test_a_line_that_did_not_change_has_both_numbers(self):
        self.assertEqual(self.start(position=self.place(new_line=1, old_line=1)).status, 201)
        self.refused(self.start(position=self.place(new_line=1)), 400, NO_CODE)
        self.refused(self.start(position=self.place(new_line=99)), 400, NO_CODE)
        self.refused(self.start(position=self.place(new_path="main.c", old_path="main.c")), 400, NO_CODE)
        self.refused(self.start(position={"position_type": "text", "new_line": 2}), 400,
                     "position[base_sha] is missing, position[start_sha] is missing, position[head_sha] is missing",
                     "error")

    def test_notes_follow_their_lines(self):
        self.start(position=self.place())
        head = self.push("ada", "topic", {"README": "zero\none\n2\nthree\n"})
        place = self.mr(self.number, path="/discussions").json[0]["notes"][0]["position"]
        self.assertEqual((place["new_line"], place["head_sha"]), (3, head))

    def test_single_notes_are_not_resolved_and_system_notes_are_told_apart(self):
        self.assertEqual(self.mr(self.number, "POST", "/notes", {"body": "Hello"}).json["resolvable"], False)
        self.push("ada", "topic", {"more": "1\n"})
        found = self.mr(self.number, path="/notes?sort=asc").json
        self.assertEqual([(note["body"], note["system"]) for note in found],
                         [("Hello", False), ("added 1 commit", True)])
        self.assertEqual(len(self.mr(self.number, path="/notes?activity_filter=only_comments").json), 1)
        self.refused(self.mr(self.number, "PUT", f"/notes/{found[0]['id']}", {"body": "x"},
                             token=self.new_token("bob")), 403, "403 Forbidden")

    def test_discussions_are_paged(self):
        for number in range(5):
            self.start(f"{number}")
        self.forge.control("/pages", cap=2)
        try:
            answer = self.mr(self.number, path="/discussions?page=3")
        finally:
            self.forge.control("/pages", cap=None)
        self.assertEqual([one["notes"][0]["body"] for one in answer.json], ["4"])
        self.assertEqual((answer.headers["X-Prev-Page"], answer.headers["X-Next-Page"]), ("2", ""))


class Queries(GitLabTest):
    FIELDS = """iid title state draft diffHeadSha sourceBranch targetBranch detailedMergeStatus conflicts approved
        approvalsRequired approvalsLeft updatedAt mergedAt webUrl
        discussions(first: 2, after: $after) { pageInfo { endCursor hasNextPage } nodes { id resolvable resolved
            notes(first: 10) { nodes { id body system author { username } position { filePath newLine } url } } } }
        headPipeline { status sha jobs(first: 10) { nodes { name status webPath allowFailure } } }"""

    def asked(self, number, after=None):
        query = ("query($path: ID!, $iid: String!, $after: String) { queryComplexity { score limit } "
                 "project(fullPath: $path) { mergeRequest(iid: $iid) { %s } } }" % self.FIELDS)
        said = self.graphql(query, path=self.full, iid=str(number), after=after)
        self.assertNotIn("errors", said)
        self.complexity = said["data"]["queryComplexity"]
        return said["data"]["project"]["mergeRequest"]

    def test_all_that_a_merge_request_has(self):
        number = self.pull("topic", {"README": "one\n2\nthree\n"})
        self.act("bob", "open_thread", number=number, body="Line", path="README", line=2)
        thread = self.act("bob", "open_thread", number=number, body="Whole")["thread"]
        self.act("ada", "resolve", thread=thread)
        self.act("bob", "comment", number=number, body="Single")
        job = self.checks(branch="topic", job="build", status="failed", allow_failure=True)["id"]
        self.checks(branch="topic", context="lint", status="success")
        self.ready(number)
        found = self.asked(number)
        self.assertEqual((found["iid"], found["state"], found["detailedMergeStatus"], found["approved"]),
                         ("1", "opened", "MERGEABLE", True))
        nodes = found["discussions"]["nodes"]
        self.assertEqual([(one["resolvable"], one["resolved"]) for one in nodes], [(True, False), (True, True)])
        self.assertEqual(nodes[1]["id"], f"gid://gitlab/Discussion/{thread}")
        note = nodes[0]["notes"]["nodes"][0]
        self.assertEqual((note["position"], note["author"]["username"]),
                         ({"filePath": "README", "newLine": 2}, "bob"))
        rest = self.asked(number, found["discussions"]["pageInfo"]["endCursor"])["discussions"]
        self.assertEqual([one["resolvable"] for one in rest["nodes"]], [False])
        self.assertFalse(rest["pageInfo"]["hasNextPage"])
        self.assertEqual(found["headPipeline"]["status"], "SUCCESS")
        self.assertEqual(found["headPipeline"]["jobs"]["nodes"], [
            {"name": "build", "status": "FAILED", "webPath": f"/{self.full}/-/jobs/{job}", "allowFailure": True},
            {"name": "lint", "status": "SUCCESS", "webPath": None, "allowFailure": False}])
        self.assertEqual(self.complexity["limit"], 250)
        self.assertGreater(self.complexity["score"], 30)

    def test_several_at_once_and_who_asks(self):
        numbers = [self.pull(name) for name in ("one", "two", "three")]
        said = self.graphql("query($path: ID!, $iids: [String!]) { currentUser { username } project(fullPath: $path) "
                            "{ mergeRequests(iids: $iids) { nodes { iid } } } }", path=self.full,
                            iids=[str(numbers[0]), str(numbers[2])])["data"]
        self.assertEqual(said["currentUser"], {"username": "ada"})
        self.assertEqual([one["iid"] for one in said["project"]["mergeRequests"]["nodes"]], ["3", "1"])

    def test_what_is_not_seen_is_null(self):
        query = "query($path: ID!) { project(fullPath: $path) { id } }"
        for token in (self.new_token("stranger"), None):
            self.assertEqual(self.graphql(query, token, path=self.full), {"data": {"project": None}})
        self.assertIsNone(self.graphql("query($path: ID!) { project(fullPath: $path) { mergeRequest(iid: \"9\") "
                                       "{ id } } }", path=self.full)["data"]["project"]["mergeRequest"])

    def test_wrong_queries(self):
        said = self.graphql("{ currentUser { nonsense } }")["errors"][0]
        self.assertEqual(said["message"], "Field 'nonsense' doesn't exist on type 'UserCore'")
        big = "query($path: ID!) { project(fullPath: $path) { mergeRequests { nodes { %s } } } }" % " ".join(
            f"a{one}: detailedMergeStatus" for one in range(80))
        self.assertIn("which exceeds max complexity of 250", self.graphql(big, path=self.full)["errors"][0]["message"])
        answer = self.request("POST", "/api/graphql", {"query": "{ currentUser { id } }"}, token="wrong")
        self.assertEqual((answer.status, answer.json), (401, {"errors": [{"message": "Invalid token"}]}))


if __name__ == "__main__":
    unittest.main()
