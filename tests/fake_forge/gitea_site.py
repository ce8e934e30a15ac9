"""A fake Gitea (or Forgejo, by its version) on one address: REST under /api/v1, git at /OWNER/REPO.git."""

import re

import git_http
import gitea_access
import gitea_pushes
import gitea_rest_reviews  # noqa: F401  Routes; the first that fits is taken, so reviews come before two branches.
import gitea_rest_pulls  # noqa: F401
import gitea_rest_repositories  # noqa: F401
from gitea_events import Events
from gitea_forms import Forms
from gitea_rest import Rest
from gitea_state import LEVELS, Refused, State
from web import Reply, Site

GIT = re.compile(r"/([^/]+)/([^/]+?)(?:\.git)?(/info/refs|/git-upload-pack|/git-receive-pack)$")
ARCHIVED = "This repo is archived. You can view files and clone it, but cannot push or open issues/pull-requests."


class Gitea(Rest, Site):
    server_name = "nginx"

    def __init__(self, clock, log, faults, sender, root):
        Site.__init__(self, clock, log, faults)
        self.state, self.sender = State(clock, root), sender
        self.events = Events(self.state, sender)
        self.forms = self.page_cap = None

    def opened(self):
        """The address is known."""
        self.forms = self.events.forms = Forms(self.state, self.origin)

    def answer(self, request):
        if request.path.startswith("/api/v1/"):
            return self.answer_rest(request)
        if GIT.match(request.path):
            return self.answer_git(request)
        return Reply(404, b"Not Found", [("Content-Type", "text/html; charset=utf-8")])

    def answer_git(self, request):
        owner, name, endpoint = GIT.match(request.path).groups()
        denied = git_http.text(401, "Unauthorized\n", [("WWW-Authenticate", 'Basic realm="Gitea"')])
        push = git_http.is_push(request, endpoint)
        viewer = gitea_access.Viewer()
        if "Authorization" in request.headers:
            viewer = gitea_access.git_viewer(self.state, request.headers)
            if viewer is None:
                return denied
        request.login = viewer.user.login if viewer.user else None
        repository, moved = self.state.find(owner, name)
        if moved:
            query = f"?{request.query_string}" if request.query_string else ""
            return git_http.text(307, "", [("Location", f"/{repository.full_name}.git{endpoint}{query}")])
        rank = LEVELS.index(viewer.level(repository)) if repository else 0
        if not viewer.user and (push or rank < 1):
            return denied
        if rank < LEVELS.index("write" if push else "read"):
            return git_http.text(404, "Repository not found")
        if not viewer.scoped("write" if push else "read", "repository"):
            return git_http.text(403, "Forbidden\n")
        if not push:
            return git_http.serve(request, repository.bare, endpoint, request.login)
        if repository.archived:
            return git_http.text(403, ARCHIVED)
        with repository.lock:
            guarded = gitea_pushes.guarded(self.state, repository, viewer.user)
            reply = git_http.serve(request, repository.bare, endpoint, request.login, guarded, ("refs/pull",))
            if endpoint == "/git-receive-pack":
                gitea_pushes.after(self.state, repository, viewer.user)
            return reply

    def secondary_limit(self, status):
        """Gitea has no limits; one that a proxy before it has answers like this."""
        return self.error(Refused(status, "Too Many Requests", headers=[("Retry-After", "60")]))
