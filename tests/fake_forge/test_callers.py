"""What the fake asks of its callers: who they are, what they may, the form of what they send; and the rate limit."""

import unittest

from fixture import ForgeTest, basic


class Callers(ForgeTest):
    def test_a_request_without_user_agent_is_forbidden(self):
        # http.client sends no User-Agent of its own.
        answer = self.api("GET", "/user", headers={"User-Agent": None})
        self.assertEqual(answer.status, 403)
        self.assertIn(b"administrative rules", answer.body)

    def test_a_wrong_token_is_bad_credentials(self):
        self.refused(self.api("GET", "/user", token="ghp_wrong"), 401, "Bad credentials")
        self.refused(self.api("GET", "/user", headers={"Authorization": "Digest x"}), 401, "Bad credentials")

    def test_no_token_sees_only_what_is_public(self):
        self.refused(self.api("GET", "/user", token=None), 401, "Requires authentication")
        self.refused(self.repo("GET", token=None), 404, "Not Found")
        self.forge.control("/repositories", owner="acme", name=self.name, private=False)
        self.assertEqual(self.repo("GET", token=None).status, 200)
        self.refused(self.repo("POST", "/pulls", {}, token=None), 401, "Requires authentication")

    def test_every_way_of_naming_a_token_is_taken(self):
        for value in (f"Bearer {self.token}", f"token {self.token}", basic("x-access-token", self.token),
                      basic(self.token, "x-oauth-basic"), basic("ada", self.token)):
            answer = self.api("GET", "/user", headers={"Authorization": value})
            self.assertEqual((answer.status, answer.json.get("login")), (200, "ada"), value)

    def test_a_revoked_or_expired_token_is_bad_credentials(self):
        token = self.new_token("ada")
        self.assertEqual(self.api("GET", "/user", token=token).status, 200)
        self.forge.control("/tokens", revoke=token)
        self.refused(self.api("GET", "/user", token=token), 401, "Bad credentials")
        self.refused(self.api("GET", "/user", token=self.new_token("ada", expires_at=1)), 401, "Bad credentials")

    def test_a_classic_token_without_the_scope_does_not_see_a_private_repository(self):
        token = self.new_token("ada", scopes=["read:org"])
        answer = self.repo("GET", token=token)
        self.refused(answer, 404, "Not Found")
        self.assertEqual(answer.headers["X-OAuth-Scopes"], "read:org")
        self.assertEqual(answer.headers["X-Accepted-OAuth-Scopes"], "repo")
        said = self.graphql('{ repository(owner: "acme", name: "%s") { id } }' % self.name, token)
        self.assertEqual(said["errors"][0]["type"], "NOT_FOUND")

    def test_a_fine_grained_token_needs_the_permission(self):
        number = self.pull()
        token = self.new_token("ada", kind="fine_grained", permissions={"pull_requests": "read"})
        self.assertEqual(self.repo("GET", f"/pulls/{number}", token=token).status, 200)
        answer = self.repo("PATCH", f"/pulls/{number}", {"title": "x"}, token=token)
        self.refused(answer, 403, "Resource not accessible by personal access token")
        self.assertEqual(answer.headers["X-Accepted-GitHub-Permissions"], "pull_requests=write")
        self.assertNotIn("X-OAuth-Scopes", answer.headers)
        said = self.mutate("closePullRequest", "clientMutationId", token,
                           pullRequestId=self.ask("id", number)["id"])
        self.assertEqual(said["errors"][0]["type"], "FORBIDDEN")

    def test_a_fine_grained_token_reaches_only_its_repositories(self):
        token = self.new_token("ada", kind="fine_grained", repositories=["acme/other"])
        self.refused(self.repo("GET", token=token), 404, "Not Found")

    def test_an_unknown_route_is_not_found(self):
        self.refused(self.repo("GET", "/nothing"), 404, "Not Found")
        self.refused(self.repo("POST", "/branches", {}), 404, "Not Found")

    def test_version_accept_and_content_type_are_looked_at(self):
        self.assertEqual(self.repo("GET", headers={"X-GitHub-Api-Version": "2022-11-28"}).status, 200)
        self.assertEqual(self.repo("GET", headers={"X-GitHub-Api-Version": "2001-01-01"}).status, 400)
        self.assertEqual(self.repo("GET", headers={"Accept": "text/html"}).status, 415)
        answer = self.repo("POST", "/pulls", raw="title=x", headers={"Content-Type": "text/plain"})
        self.assertEqual(answer.status, 415)

    def test_a_body_must_be_json_of_the_right_types(self):
        kind = {"Content-Type": "application/json"}
        self.refused(self.repo("POST", "/pulls", raw="{", headers=kind), 400, "Problems parsing JSON")
        self.refused(self.repo("POST", "/pulls", raw="[]", headers=kind), 400, "Body should be a JSON object")
        answer = self.repo("POST", "/pulls", {"title": 3, "head": "x", "base": "main"})
        self.refused(answer, 422, "Invalid request.\n\nFor 'properties/title', 3 is not a string.")
        answer = self.repo("POST", "/pulls", {"title": "x", "head": None, "base": "main"})
        self.refused(answer, 422, "Invalid request.\n\nFor 'properties/head', nil is not a string.")
        answer = self.repo("POST", "/pulls", {"title": "x", "head": "x", "base": "main", "colour": "red"})
        self.refused(answer, 422, 'Invalid request.\n\n"colour" is not a permitted key.')
        error = self.error_of(self.repo("POST", "/pulls", {"title": "x", "head": "x"}))
        self.assertEqual(error, {"resource": "PullRequest", "field": "base", "code": "missing_field"})

    def test_the_rate_limit_counts_down_and_then_refuses(self):
        token = self.new_token("ada")
        first = self.repo("GET", token=token)
        self.assertEqual(first.headers["X-RateLimit-Limit"], "5000")
        self.assertEqual(first.headers["X-RateLimit-Remaining"], "4999")
        self.assertEqual(first.headers["X-RateLimit-Used"], "1")
        self.assertEqual(first.headers["X-RateLimit-Resource"], "core")
        now = self.forge.control("/clock")["now"]
        self.forge.control("/limits", token=token, remaining=1, reset=now + 100)
        self.assertEqual(self.repo("GET", token=token).headers["X-RateLimit-Remaining"], "0")
        answer = self.repo("GET", token=token)
        self.assertEqual(answer.status, 403)
        self.assertTrue(answer.json["message"].startswith("API rate limit exceeded for user ID "))
        self.assertEqual(answer.headers["X-RateLimit-Reset"], str(now + 100))
        limits = self.api("GET", "/rate_limit", token=token)
        self.assertEqual(limits.json["resources"]["core"]["remaining"], 0)
        self.assertEqual(limits.json["resources"]["graphql"]["remaining"], 5000)
        self.forge.control("/clock", advance_s=101)
        self.assertEqual(self.repo("GET", token=token).headers["X-RateLimit-Remaining"], "4999")

    def test_an_unchanged_answer_is_304_and_free(self):
        token = self.new_token("ada")
        first = self.repo("GET", "/branches/main", token=token)
        again = self.repo("GET", "/branches/main", token=token, headers={"If-None-Match": first.headers["ETag"]})
        self.assertEqual((again.status, again.body), (304, b""))
        self.assertEqual(again.headers["ETag"], first.headers["ETag"])
        self.assertEqual(again.headers["X-RateLimit-Remaining"], "4999")
        self.assertIsNone(again.headers["Content-Type"])
        self.push("ada", "main", {"README": "new\n"})
        changed = self.repo("GET", "/branches/main", token=token, headers={"If-None-Match": first.headers["ETag"]})
        self.assertEqual(changed.status, 200)
        self.assertNotEqual(changed.headers["ETag"], first.headers["ETag"])

    def test_every_answer_has_a_date_and_an_id(self):
        answer = self.repo("GET")
        self.assertRegex(answer.headers["Date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
        self.assertTrue(answer.headers["X-GitHub-Request-Id"])
        self.assertEqual(answer.headers["Content-Type"], "application/json; charset=utf-8")


if __name__ == "__main__":
    unittest.main()
