"""Reviews, comments on lines, checks, statuses, apps and hooks as GitHub's REST shows them."""

import github_checks
from clock import iso
from github_forms import Forms
from github_state import association, node_id


class AllForms(Forms):
    def review(self, review):
        url, _, html = self.pull_urls(review.pull)
        anchor = f"{html}#pullrequestreview-{review.number}"
        made = {"id": review.number, "node_id": node_id(review), "user": self.user(review.user), "body": review.body,
                "state": review.state, "html_url": anchor, "pull_request_url": url,
                "author_association": association(review.user, review.repository),
                "_links": {"html": {"href": anchor}, "pull_request": {"href": url}}, "commit_id": review.commit}
        if review.submitted_at is not None:
            made["submitted_at"] = iso(review.submitted_at)
        return made

    def review_comment(self, comment):
        pull_url, _, html = self.pull_urls(comment.pull)
        url = f"{self.repository_url(comment.repository)}/pulls/comments/{comment.number}"
        anchor, thread = f"{html}#discussion_r{comment.number}", comment.thread
        made = {"url": url, "pull_request_review_id": comment.review.number, "id": comment.number,
                "node_id": node_id(comment), "diff_hunk": comment.hunk, "path": thread.path,
                "commit_id": comment.commit, "original_commit_id": comment.original_commit,
                "user": self.user(comment.user), "body": comment.body, "created_at": iso(comment.created_at),
                "updated_at": iso(comment.updated_at), "html_url": anchor, "pull_request_url": pull_url,
                "author_association": association(comment.user, comment.repository),
                "_links": {"self": {"href": url}, "html": {"href": anchor}, "pull_request": {"href": pull_url}},
                "reactions": self.reactions(url), "start_line": thread.start_line,
                "original_start_line": thread.start_line, "start_side": thread.side if thread.start_line else None,
                "line": thread.line, "original_line": thread.original_line, "side": thread.side,
                "original_position": comment.original_position, "position": comment.position,
                "subject_type": thread.subject.lower()}
        if thread.subject == "FILE":
            made.update(line=None, original_line=None, position=1, original_position=1)
        if comment.reply_to:
            made["in_reply_to_id"] = comment.reply_to.number
        return made

    def app(self, app):
        return {"id": app.number, "slug": app.slug, "client_id": f"Iv1.{app.number:016x}", "node_id": node_id(app),
                "owner": self.user(app.owner), "name": app.slug, "description": "",
                "external_url": f"{self.origin}/{app.slug}", "html_url": f"{self.origin}/apps/{app.slug}",
                "created_at": iso(app.created_at), "updated_at": iso(app.created_at), "permissions": app.permissions,
                "events": app.events}

    def pulls_of(self, repository, sha):
        """Open pull requests with this head, in the short form that checks carry."""
        url = self.repository_url(repository)
        short = {"id": repository.id, "url": url, "name": repository.name}
        return [{"url": f"{url}/pulls/{pull.number}", "id": pull.id, "number": pull.number,
                 "head": {"ref": pull.head, "sha": pull.head_sha, "repo": short},
                 "base": {"ref": pull.base, "sha": pull.base_sha, "repo": short}}
                for pull in repository.pulls.values() if pull.state == "open" and pull.head_sha == sha]

    def run(self, run):
        url = f"{self.repository_url(run.repository)}/check-runs/{run.number}"
        html = f"{self.html_url(run.repository)}/runs/{run.number}"
        return {"id": run.number, "name": run.name, "node_id": node_id(run), "head_sha": run.sha,
                "external_id": run.external_id, "url": url, "html_url": html, "details_url": run.details_url or html,
                "status": run.status, "conclusion": run.conclusion, "started_at": iso(run.started_at),
                "completed_at": iso(run.completed_at),
                "output": {"title": run.output.get("title"), "summary": run.output.get("summary"),
                           "text": run.output.get("text"), "annotations_count": 0,
                           "annotations_url": f"{url}/annotations"},
                "check_suite": {"id": run.suite.number}, "app": self.app(run.app),
                "pull_requests": self.pulls_of(run.repository, run.sha)}

    def simple_commit(self, repository, oid):
        found = repository.bare.commit(oid)
        return {"id": oid, "tree_id": found["tree"], "message": found["message"],
                "timestamp": iso(found["committed_at"]),
                "author": {"name": found["author"], "email": found["author_email"]},
                "committer": {"name": found["committer"], "email": found["committer_email"]}}

    def suite(self, suite, repository=True):
        url = f"{self.repository_url(suite.repository)}/check-suites/{suite.number}"
        status, conclusion = github_checks.suite_outcome(suite)
        runs = [run for run in github_checks.runs_of(suite.repository, suite.sha) if run.suite is suite]
        made = {"id": suite.number, "node_id": node_id(suite), "head_branch": suite.branch, "head_sha": suite.sha,
                "status": status, "conclusion": conclusion, "url": url, "before": None, "after": suite.sha,
                "pull_requests": self.pulls_of(suite.repository, suite.sha), "app": self.app(suite.app),
                "created_at": iso(suite.created_at), "updated_at": iso(suite.updated_at),
                "rerequestable": True, "runs_rerequestable": True, "latest_check_runs_count": len(runs),
                "check_runs_url": f"{url}/check-runs", "head_commit": self.simple_commit(suite.repository, suite.sha)}
        if repository:
            made["repository"] = self.simple_repository(suite.repository)
        return made

    def status(self, status):
        url = f"{self.repository_url(status.repository)}/statuses/{status.sha}"
        return {"url": url, "avatar_url": f"{self.origin}/avatars/u/{status.creator.number}?", "id": status.number,
                "node_id": node_id(status), "state": status.state, "description": status.description,
                "target_url": status.target_url, "context": status.context, "created_at": iso(status.created_at),
                "updated_at": iso(status.updated_at), "creator": self.user(status.creator)}

    def combined_status(self, repository, sha, page):
        url = self.repository_url(repository)
        latest = github_checks.statuses_of(repository, sha)
        short = [{name: value for name, value in self.status(status).items() if name != "creator"} for status in page]
        return {"state": github_checks.combined(latest), "statuses": short, "sha": sha, "total_count": len(latest),
                "repository": self.simple_repository(repository), "commit_url": f"{url}/commits/{sha}",
                "url": f"{url}/commits/{sha}/status"}

    def hook(self, hook):
        url = f"{self.repository_url(hook.repository)}/hooks/{hook.number}"
        config = {"url": hook.url, "content_type": hook.content_type, "insecure_ssl": "1" if hook.insecure_ssl else "0"}
        if hook.secret:
            config["secret"] = "********"
        return {"type": "Repository", "id": hook.number, "name": "web", "active": hook.active, "events": hook.events,
                "config": config, "updated_at": iso(hook.created_at), "created_at": iso(hook.created_at), "url": url,
                "test_url": f"{url}/test", "ping_url": f"{url}/pings", "deliveries_url": f"{url}/deliveries",
                "last_response": {"code": None, "status": "unused", "message": None}}
