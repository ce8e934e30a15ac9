"""What happened, as Gitea's webhooks tell it: which hook hears of it, the payload, the headers and the signature."""

import hashlib
import hmac
import json
import uuid

from bare import ZERO
from clock import iso
from sending import Telling

# X-Gitea-Event-Type, which hooks choose → X-Gitea-Event
NAMES = {"push": "push", "create": "create", "delete": "delete", "pull_request": "pull_request",
         "pull_request_sync": "pull_request", "pull_request_review_approved": "pull_request_approved",
         "pull_request_review_rejected": "pull_request_rejected",
         "pull_request_review_comment": "pull_request_comment", "pull_request_comment": "issue_comment",
         "status": "status"}
ALL = tuple(NAMES)


class Events(Telling):
    def hear(self, repository, event, action, actor, subject):
        hooks = [hook for hook in repository.hooks if hook.active and event in hook.events]
        if not hooks or (event == "status" and not self.state.version.gitea(1, 24)):
            return
        payload = {**({"action": action} if action else {}), **self.payload(repository, event, actor, subject),
                   "repository": self.forms.repository(repository, repository.owner),
                   "sender": self.forms.user(actor)}
        for hook in hooks:
            self.deliver(hook, event, action, payload)

    def deliver(self, hook, event, action, payload):
        """Signed in hexadecimal digits alone; as GitHub does it too, and empty where there is no secret."""
        body, guid, secret = json.dumps(payload, indent=2).encode(), str(uuid.uuid4()), self.secret(hook)

        def signed(digest):
            return hmac.new(secret.encode(), body, digest).hexdigest() if secret else ""
        headers = {"Content-Type": "application/json"}
        names = (["Forgejo"] if self.state.version.forgejo else []) + ["Gitea", "Gogs"]
        for name in names:
            headers |= {f"X-{name}-Delivery": guid, f"X-{name}-Event": NAMES[event],
                        f"X-{name}-Event-Type": event, f"X-{name}-Signature": signed(hashlib.sha256)}
        headers |= {"X-Hub-Signature": f"sha1={signed(hashlib.sha1)}",
                    "X-Hub-Signature-256": f"sha256={signed(hashlib.sha256)}", "X-GitHub-Delivery": guid,
                    "X-GitHub-Event": NAMES[event], "X-GitHub-Event-Type": event}
        self.post(hook, guid, NAMES[event], action, headers, body)

    def payload(self, repository, event, actor, subject):
        forms = self.forms
        if event in ("create", "delete"):
            made = {"ref": subject["ref"].removeprefix("refs/heads/"), "ref_type": "branch"}
            return {**made, **({"sha": subject["after"]} if event == "create" else {"pusher_type": "user"})}
        if event == "push":
            return self.push(repository, actor, subject)
        if event == "status":
            return self.status(repository, subject["status"])
        pull = subject["pull"]
        if event == "pull_request_comment":
            return {"issue": self.issue(pull), "pull_request": forms.pull(pull, repository.owner),
                    "comment": forms.comment(subject["comment"]), "is_pull": True}
        review = subject.get("review")
        return {"number": pull.number, **({"changes": subject["changes"]} if "changes" in subject else {}),
                "pull_request": forms.pull(pull, repository.owner), "requested_reviewer": None,
                "commit_id": review.commit if review else "",
                "review": {"type": event, "content": review.body} if review else None}

    def issue(self, pull):
        """A pull request is an issue too."""
        shown = self.forms.pull(pull, pull.repository.owner)
        same = ("id", "html_url", "number", "user", "title", "body", "labels", "milestone", "assignee", "assignees",
                "state", "is_locked", "comments", "created_at", "updated_at", "closed_at", "due_date", "pin_order")
        return {**{name: shown[name] for name in same}, "original_author": "", "original_author_id": 0, "ref": "",
                "url": f"{self.forms.api_url(pull.repository)}/issues/{pull.number}", "assets": [],
                "pull_request": {"merged": shown["merged"], "merged_at": shown["merged_at"], "draft": shown["draft"],
                                 "html_url": shown["html_url"]},
                "repository": {"id": pull.repository.id, "name": pull.repository.name,
                               "owner": pull.repository.owner.login, "full_name": pull.repository.full_name}}

    def status(self, repository, status):
        return {"commit": self.forms.commit(repository, status.sha), "context": status.context,
                "created_at": iso(status.created_at), "description": status.description, "id": status.id,
                "sha": status.sha, "state": status.state, "target_url": status.target_url,
                "updated_at": iso(status.created_at)}

    def push(self, repository, actor, subject):
        before, after = subject["before"], subject["after"]
        oids = [] if before == ZERO else repository.bare.between(before, after)
        url = self.forms.html_url(repository)
        return {"ref": subject["ref"], "before": before, "after": after,
                "compare_url": f"{url}/compare/{before}...{after}" if before != ZERO else f"{url}/commit/{after}",
                "commits": [self.pushed(repository, oid) for oid in oids[::-1]], "total_commits": len(oids),
                "head_commit": self.pushed(repository, after), "pusher": self.forms.user(actor)}

    def pushed(self, repository, oid):
        changed = [line.split("\t", 1) for line in repository.bare.run(
            "diff-tree", "--root", "--no-commit-id", "--name-status", "--no-renames", "-r", oid).splitlines()]
        return {**self.forms.commit(repository, oid), **{
            name: [path for kind, path in changed if kind == letter] for name, letter in
            (("added", "A"), ("modified", "M"), ("removed", "D"))}}
