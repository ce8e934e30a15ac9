"""For the tests of the fake GitLab: as fixture.py, with GitLab's words."""

import fixture
from fixture import ForgeTest


class GitLabTest(ForgeTest):
    """Each test has a project of its own, `acme/tools/rN`, with one commit on main; ada and bob are developers, eve
    reports, root maintains."""

    def setUp(self):
        self.forge = fixture.forge("gitlab")
        self.forge.names += 1
        self.name = f"r{self.forge.names}"
        self.full = f"acme/tools/{self.name}"
        self.ids = {login: self.forge.control("/users", login=login)["id"]
                    for login in ("ada", "bob", "eve", "root", "stranger")}
        self.made = self.forge.control(
            "/repositories", owner="acme/tools", name=self.name,
            permissions={"ada": "developer", "bob": "developer", "eve": "reporter", "root": "maintainer"})
        self.push("ada", "main", {"README": "one\ntwo\nthree\n", "main.c": "int main;\n"})
        self.token = self.new_token("ada")

    def settings(self, **more):
        self.forge.control("/repositories", owner="acme/tools", name=self.name, **more)

    def checks(self, **more):
        return self.forge.control("/checks", repository=self.full, **more)

    def api(self, method, path, body=None, **more):
        return self.request(method, f"/api/v4{path}", body, **{"headers": {"Accept": "*/*"}, **more})

    def repo(self, method, path="", body=None, **more):
        return self.api(method, f"/projects/{self.full.replace('/', '%2F')}{path}", body, **more)

    def mr(self, number, method="GET", path="", body=None, **more):
        return self.repo(method, f"/merge_requests/{number}{path}", body, **more)

    def ready(self, number):
        """The merge request once it is known whether it merges."""
        self.mr(number)
        return self.mr(number).json

    def status(self, number):
        return self.ready(number)["detailed_merge_status"]

    def refused(self, answer, status, message, key="message"):
        self.assertEqual((answer.status, answer.json[key]), (status, message), answer.body)

    def ask(self, fields, number, token=""):
        """Fields of a merge request by GraphQL."""
        query = ("query($path: ID!, $iid: String!) { project(fullPath: $path) { mergeRequest(iid: $iid) { %s } } }"
                 % fields)
        said = self.graphql(query, token, path=self.full, iid=str(number))
        self.assertNotIn("errors", said)
        return said["data"]["project"]["mergeRequest"]

    def url(self, token=""):
        token = self.token if token == "" else token
        user = f"oauth2:{token}@" if token else ""
        return f"https://{user}{self.forge.address}/{self.full}.git"
