"""What happened, as GitHub's webhooks tell it: which hook hears of it, the payload, the headers and the signature."""

import hmac
import json
import urllib.parse
import uuid

from bare import ZERO
from clock import iso
from github_rest import RELEASE
from github_state import node_id
from sending import Telling

# GitHub sends no payload larger than this.
MOST_PAYLOAD = 25 << 20


def as_sent(value):
    """Webhooks have the forms of REST, but for a few members."""
    if isinstance(value, list):
        return [as_sent(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: as_sent(one) for name, one in value.items() if name not in ("client_id", "verified_at")}
    return {**made, "custom_properties": {}} if "default_branch" in made else made


class Events(Telling):
    def hear(self, repository, event, action, actor, subject):
        hooks = [hook for hook in repository.hooks if hook.active and (event in hook.events or "*" in hook.events)]
        if not hooks:
            return
        payload = as_sent(self.payload(repository, event, action, actor, subject))
        for hook in hooks:
            self.deliver(hook, event, action, payload)

    def add_hook(self, hook, actor):
        """A new hook is told of itself."""
        hook.repository.hooks.append(hook)
        ping = {"zen": "Keep it logically awesome.", "hook_id": hook.number, "hook": self.forms.hook(hook),
                "repository": self.repository(hook.repository), "sender": self.forms.user(actor)}
        self.deliver(hook, "ping", None, as_sent(ping))

    def deliver(self, hook, event, action, payload):
        body = json.dumps(payload, separators=(",", ":")).encode()
        kind = "application/json"
        if hook.content_type == "form":
            body, kind = urllib.parse.urlencode({"payload": body.decode()}).encode(), \
                "application/x-www-form-urlencoded"
        guid = str(uuid.uuid4())
        headers = {"Content-Type": kind, "Accept": "*/*", "User-Agent": "GitHub-Hookshot/fa4eca7",
                   "X-GitHub-Delivery": guid, "X-GitHub-Event": event,
                   "X-GitHub-Hook-ID": str(hook.number), "X-GitHub-Hook-Installation-Target-Type": "repository",
                   "X-GitHub-Hook-Installation-Target-ID": str(hook.repository.id),
                   "X-GitHub-Enterprise-Host": self.forms.origin.split("//")[1],
                   "X-GitHub-Enterprise-Version": RELEASE}
        secret = self.secret(hook)
        if secret:
            for header, digest in (("X-Hub-Signature", "sha1"), ("X-Hub-Signature-256", "sha256")):
                headers[header] = f"{digest}={hmac.new(secret.encode(), body, digest).hexdigest()}"
        self.post(hook, guid, event, action, headers, body)

    def repository(self, repository):
        return self.forms.repository(repository)

    def payload(self, repository, event, action, actor, subject):
        forms = self.forms
        made = {**({"action": action} if action else {}), **getattr(self, event)(action, subject),
                "repository": self.repository(repository), "sender": forms.user(actor)}
        if repository.owner.kind == "Organization":
            url = f"{forms.api}/orgs/{repository.owner.login}"
            made["organization"] = {
                "login": repository.owner.login, "id": repository.owner.number, "node_id": node_id(repository.owner),
                "url": url, "repos_url": f"{url}/repos", "events_url": f"{url}/events", "hooks_url": f"{url}/hooks",
                "issues_url": f"{url}/issues", "members_url": f"{url}/members{{/member}}",
                "public_members_url": f"{url}/public_members{{/member}}",
                "avatar_url": f"{forms.origin}/avatars/u/{repository.owner.number}?", "description": None}
        return made

    def pull_request(self, action, subject):
        pull = subject["pull"]
        made = {"number": pull.number, "pull_request": self.forms.pull(pull, asked=False)}
        made.update({name: subject[name] for name in ("before", "after", "changes") if name in subject})
        return made

    def short_pull(self, pull):
        return self.forms.simple_pull(pull)

    def pull_request_review(self, action, subject):
        review = subject["review"]
        form = self.forms.review(review)
        return {"review": {**form, "state": form["state"].lower(), "submitted_at": form.get("submitted_at"),
                           "body": form["body"] or None},
                "pull_request": self.short_pull(review.pull)}

    def pull_request_review_comment(self, action, subject):
        comment = subject["comment"]
        return {"comment": self.forms.review_comment(comment), "pull_request": self.short_pull(comment.pull)}

    def pull_request_review_thread(self, action, subject):
        thread = subject["thread"]
        return {"thread": {"node_id": node_id(thread),
                           "comments": [self.forms.review_comment(comment) for comment in thread.comments]},
                "pull_request": self.short_pull(thread.pull)}

    def issue_comment(self, action, subject):
        comment = subject["comment"]
        return {"issue": self.issue(comment.pull), "comment": self.forms.comment(comment)}

    def issue(self, pull):
        """A pull request as the issue that it also is."""
        form, url = self.forms.simple_pull(pull), self.forms.pull_urls(pull)[1]
        same = ("id", "node_id", "number", "title", "user", "labels", "state", "locked", "assignee", "assignees",
                "milestone", "created_at", "updated_at", "closed_at", "author_association", "active_lock_reason",
                "body", "html_url", "draft")
        repository = self.forms.repository_url(pull.repository)
        return {**{name: form[name] for name in same}, "url": url, "repository_url": repository,
                "labels_url": f"{url}/labels{{/name}}", "comments_url": f"{url}/comments",
                "events_url": f"{url}/events", "timeline_url": f"{url}/timeline", "comments": len(pull.comments),
                "pull_request": {name: form[name] for name in ("url", "html_url", "diff_url", "patch_url",
                                                               "merged_at")},
                "reactions": self.forms.reactions(url), "performed_via_github_app": None, "state_reason": None}

    def check_run(self, action, subject):
        run = subject["run"]
        form = self.forms.run(run)
        suite = self.forms.suite(run.suite, repository=False)
        for name in ("head_commit", "check_runs_url", "latest_check_runs_count", "rerequestable",
                     "runs_rerequestable"):
            suite.pop(name)
        return {"check_run": {**form, "check_suite": suite}}

    def check_suite(self, action, subject):
        return {"check_suite": self.forms.suite(subject["suite"], repository=False)}

    def status(self, action, subject):
        status = subject["status"]
        repository = status.repository
        form = self.forms.commit(repository, status.sha)
        url = self.forms.repository_url(repository)
        branches = [{"name": name, "commit": {"sha": oid, "url": f"{url}/commits/{oid}"},
                     "protected": name in repository.protections}
                    for name, oid in repository.bare.branches().items() if oid == status.sha]
        return {"id": status.number, "sha": status.sha, "name": repository.full_name, "avatar_url": None,
                "target_url": status.target_url, "context": status.context, "description": status.description,
                "state": status.state, "commit": form, "branches": branches, "created_at": iso(status.created_at),
                "updated_at": iso(status.updated_at)}

    def push(self, action, subject):
        repository, before, after = subject["pushed_to"], subject["before"], subject["after"]
        bare, html = repository.bare, self.forms.html_url(repository)
        gone, new = after == ZERO, before == ZERO
        oids = [] if gone or new else bare.between(before, after)
        commits = [self.pushed(repository, oid) for oid in oids]
        return {"ref": subject["ref"], "before": before, "after": after, "created": new, "deleted": gone,
                "forced": not gone and not new and not bare.ancestor(before, after), "base_ref": None,
                "compare": f"{html}/compare/{before[:12]}...{after[:12]}", "commits": commits,
                "head_commit": None if gone else self.pushed(repository, after),
                "pusher": {"name": subject["pusher"].rest_login, "email": subject["pusher"].email}}

    def pushed(self, repository, oid):
        found = repository.bare.commit(oid)
        changed = [line.split("\t", 1) for line in repository.bare.run(
            "diff-tree", "--root", "--no-commit-id", "--name-status", "--no-renames", "-r", oid).splitlines()]
        of = lambda letter: [path for kind, path in changed if kind == letter]
        return {"id": oid, "tree_id": found["tree"], "distinct": True, "message": found["message"],
                "timestamp": iso(found["committed_at"]), "url": f"{self.forms.html_url(repository)}/commit/{oid}",
                "author": {"name": found["author"], "email": found["author_email"]},
                "committer": {"name": found["committer"], "email": found["committer_email"]},
                "added": of("A"), "removed": of("D"), "modified": of("M")}
