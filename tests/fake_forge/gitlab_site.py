"""A fake GitLab on one address: REST under /api/v4, GraphQL at /api/graphql, git at /NAMESPACE/PROJECT.git."""

import re

import git_http
import gitlab_access
import gitlab_pushes
import gitlab_rest_ci  # noqa: F401  Routes; the first that fits is taken.
import gitlab_rest_notes  # noqa: F401
import gitlab_rest_projects  # noqa: F401
import gitlab_rest_requests  # noqa: F401
from gitlab_events import Events
from gitlab_forms import Forms
from gitlab_graphql import GraphQL
from gitlab_rest import Rest
from gitlab_state import DEVELOPER, REPORTER, State
from web import Reply, Site

GIT = re.compile(r"/(.+?)(?:\.git)?(/info/refs|/git-upload-pack|/git-receive-pack)$")
DENIED = ("HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect or "
          "you're required to use a token instead of a password. If a token was provided, it was either incorrect, "
          "expired, or improperly scoped. See %s/help/topics/git/troubleshooting_git.md"
          "#error-on-git-fetch-http-basic-access-denied\n")
MISSING = "The project you were looking for could not be found or you don't have permission to view it."


class GitLab(Rest, GraphQL, Site):
    server_name = "nginx"

    def __init__(self, clock, log, faults, sender, root):
        Site.__init__(self, clock, log, faults)
        self.state = State(clock, root)
        self.limits = gitlab_access.Limits(clock)
        self.sender = sender
        self.events = Events(self.state, sender)
        self.forms = None
        self.page_cap = None

    def opened(self):
        """The address is known."""
        self.forms = self.events.forms = Forms(self.state, self.origin)

    def answer(self, request):
        if request.path == "/api/graphql":
            return self.answer_graphql(request)
        if request.path.startswith("/api/v4/"):
            return self.answer_rest(request)
        if GIT.match(request.path):
            return self.answer_git(request)
        return Reply(404, b"Not Found", [("Content-Type", "text/html; charset=utf-8")])

    def answer_git(self, request):
        path, endpoint = GIT.match(request.path).groups()
        denied = git_http.text(401, DENIED % self.origin, [("WWW-Authenticate", 'Basic realm="GitLab"')])
        push = git_http.is_push(request, endpoint)
        viewer = gitlab_access.Viewer()
        if "Authorization" in request.headers:
            viewer = gitlab_access.git_viewer(self.state, request.headers)
            if viewer is None:
                return denied
        request.login = viewer.user.username if viewer.user else None
        project, moved = (None, False) if path.isdigit() else self.state.project(path)
        if not viewer.user and (push or not project or not viewer.sees(project)):
            return denied
        level = viewer.level(project) if project else 0
        if not project or not viewer.sees(project):
            return git_http.text(404, MISSING)
        if moved:
            query = f"?{request.query_string}" if request.query_string else ""
            return git_http.text(301, "", [("Location", f"{self.origin}/{project.full_path}.git{endpoint}{query}")])
        if not push:
            if project.visibility == "private" and level < REPORTER:
                return git_http.text(403, "You are not allowed to download code from this project.")
            return git_http.serve(request, project.bare, endpoint, request.login)
        if not viewer.allowed("api", "write_repository"):
            return git_http.text(403, "You are not allowed to upload code.")
        if level < DEVELOPER:
            return git_http.text(403, "You are not allowed to push code to this project.")
        if project.archived:
            return git_http.text(403, "You can't push code to an archived project.")
        with project.lock:
            guarded = gitlab_pushes.guarded(project, viewer.user)
            reply = git_http.serve(request, project.bare, endpoint, request.login, guarded, ("refs/merge-requests",))
            if endpoint == "/git-receive-pack":
                gitlab_pushes.after(self.state, project, viewer.user)
            return reply

    def secondary_limit(self, status):
        """GitLab has one kind of limit; what a test calls the secondary one is it."""
        reply = self.throttled(None)
        reply.status = status
        return reply
