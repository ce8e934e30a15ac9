"""For the tests of the fake Gitea: as fixture.py, with Gitea's words."""

from fixture import ForgeTest

VERSION, FORGEJO = "1.26.1", "15.0.3+gitea-1.22.0"


class GiteaTest(ForgeTest):
    """Each test has a repository of its own, `acme/rN`, with one commit on main; ada and bob write, eve reads, root
    administers."""

    kind, accept = "gitea", "application/json"

    def tearDown(self):
        self.forge.control("/server", version=VERSION)
        super().tearDown()

    def settings(self, **more):
        self.forge.control("/repositories", owner="acme", name=self.name, **more)

    def protect(self, branch="main", **rules):
        self.forge.control("/protection", repository=self.full, branch=branch, **rules)

    def checks(self, **more):
        return self.forge.control("/checks", repository=self.full, **more)

    def api(self, method, path, body=None, **more):
        return self.request(method, f"/api/v1{path}", body, **more)

    def pr(self, number, method="GET", path="", body=None, **more):
        return self.repo(method, f"/pulls/{number}{path}", body, **more)

    def merge(self, number, style="merge", **more):
        token = more.pop("token", "")
        return self.pr(number, "POST", "/merge", {"Do": style, **more}, token=token)

    def ready(self, number):
        """The pull request once it is known whether it merges."""
        self.pr(number)
        return self.pr(number).json

    def refused(self, answer, status, message):
        self.assertEqual((answer.status, answer.json["message"]), (status, message), answer.body)
        self.assertEqual(answer.json["url"], f"https://{self.forge.address}/api/swagger")

    def url(self, token=""):
        token = self.token if token == "" else token
        user = f"anybody:{token}@" if token else ""
        return f"https://{user}{self.forge.address}/{self.full}.git"
