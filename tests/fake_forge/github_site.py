"""A fake GitHub Enterprise Server on one address: REST under /api/v3, GraphQL at /api/graphql, git at
/OWNER/REPO.git."""

import re

import git_http
import github_access
import github_pushes
import github_rest_checks  # noqa: F401  Routes; the first that fits is taken, so checks come before commits.
import github_rest_pulls  # noqa: F401
import github_rest_repositories  # noqa: F401
from github_events import Events
from github_forms_checks import AllForms
from github_graphql import GraphQL
from github_rest import DOCS, Rest, error
from github_state import Refused, State, at_least
from web import Reply, Site

GIT = re.compile(r"/([^/]+)/([^/]+?)(?:\.git)?(/info/refs|/git-upload-pack|/git-receive-pack)$")
PASSWORDS = ("Invalid username or token. Password authentication is not supported for Git operations.")


class GitHub(Rest, GraphQL, Site):
    server_name = "GitHub.com"

    def __init__(self, clock, log, faults, sender, root):
        Site.__init__(self, clock, log, faults)
        self.state = State(clock, root)
        self.limits = github_access.Limits(clock)
        self.sender = sender
        self.events = Events(self.state, sender)
        self.forms = None
        self.page_cap = None

    def opened(self):
        """The address is known."""
        self.forms = self.events.forms = AllForms(self.state, self.origin)

    def answer(self, request):
        if request.path == "/api/graphql":
            return self.answer_graphql(request)
        if request.path == "/api/v3" or request.path.startswith("/api/v3/"):
            return self.answer_rest(request)
        if GIT.match(request.path):
            return self.answer_git(request)
        return Reply(404, b"Not Found", [("Content-Type", "text/html; charset=utf-8")])

    def answer_git(self, request):
        owner, name, endpoint = GIT.match(request.path).groups()
        challenge = [("WWW-Authenticate", 'Basic realm="GitHub"')]
        push = git_http.is_push(request, endpoint)
        basic = git_http.basic_auth(request.headers)
        try:
            viewer = github_access.viewer_of(self.state, request.headers) if basic else github_access.Viewer()
        except Refused:
            return git_http.text(401, PASSWORDS, challenge)
        if "Authorization" in request.headers and not basic:
            return git_http.text(401, PASSWORDS, challenge)
        request.login = viewer.user.rest_login if viewer.user else None
        repository, moved = self.state.find(owner, name)
        level = viewer.level(repository) if repository else "none"
        if not viewer.user and (push or not at_least(level, "read")):
            return git_http.text(401, "No anonymous write access." if push and at_least(level, "read") else
                                 "Repository not found.", challenge)
        if not at_least(level, "read") or not viewer.permitted("contents", "read"):
            return git_http.text(404, "Repository not found.")
        if moved:
            query = f"?{request.query_string}" if request.query_string else ""
            there = f"{self.origin}/{repository.full_name}.git{endpoint}{query}"
            return git_http.text(301, "", [("Location", there)])
        if push and not (at_least(level, "write") and viewer.permitted("contents", "write")):
            return git_http.text(403, f"Permission to {repository.full_name}.git denied to {request.login}.")
        if not push:
            return git_http.serve(request, repository.bare, endpoint, request.login)
        with repository.lock:
            guarded = github_pushes.guarded(repository, viewer.user)
            reply = git_http.serve(request, repository.bare, endpoint, request.login, guarded, ("refs/pull",))
            if endpoint == "/git-receive-pack":
                github_pushes.after(self.state, repository, viewer.user)
            return reply

    def secondary_limit(self, status):
        refused = Refused(status, "You have exceeded a secondary rate limit. Please wait a few minutes before you try "
                                  "again.")
        return error(refused, f"{DOCS}/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits",
                     [("Retry-After", "60")])
