"""What happened, as GitLab's webhooks tell it: which hook hears of it, the payload and the headers."""

import json
import uuid

import gitlab_ci
import gitlab_merge
from bare import ZERO
from clock import iso as whole
from gitlab_forms import VERSION, iso
from sending import Telling

# event → (what a hook's settings call it, X-Gitlab-Event)
NAMES = {"push": ("push_events", "Push Hook"), "merge_request": ("merge_requests_events", "Merge Request Hook"),
         "note": ("note_events", "Note Hook"), "pipeline": ("pipeline_events", "Pipeline Hook")}
ALL = tuple(setting for setting, _ in NAMES.values())


def utc(seconds):
    """As payloads of pipelines and notes have it."""
    return None if seconds is None else whole(seconds).replace("T", " ").replace("Z", " UTC")


class Events(Telling):
    def hear(self, project, event, action, actor, subject):
        setting, header = NAMES[event]
        hooks = [hook for hook in project.hooks if hook.active and setting in hook.events]
        if not hooks or (event == "note" and subject["note"].system):
            return
        payload = getattr(self, event)(project, action, actor, subject)
        about = str(uuid.uuid4())
        for hook in hooks:
            self.deliver(hook, header, action, payload, about)

    def deliver(self, hook, header, action, payload, about):
        """`about` is the event's own id, the same for all hooks; Idempotency-Key is the delivery's, the same for every
        try of it."""
        body, key = json.dumps(payload, separators=(",", ":")).encode(), str(uuid.uuid4())
        headers = {"Content-Type": "application/json", "User-Agent": f"GitLab/{VERSION}", "X-Gitlab-Event": header,
                   "X-Gitlab-Webhook-UUID": hook.uuid, "X-Gitlab-Instance": self.forms.origin,
                   "X-Gitlab-Event-UUID": about, "Idempotency-Key": key}
        secret = self.secret(hook)
        if secret:
            headers["X-Gitlab-Token"] = secret
        self.post(hook, key, header, action, headers, body)

    def user(self, user):
        return {"id": user.id, "name": user.name, "username": user.username, "avatar_url": None, "email": "[REDACTED]"}

    def project(self, project):
        url, visibility = self.forms.url(project), {"private": 0, "internal": 10, "public": 20}
        ssh = f"git@localhost:{project.full_path}.git"
        return {"id": project.id, "name": project.name, "description": project.description, "web_url": url,
                "avatar_url": None, "git_ssh_url": ssh, "git_http_url": f"{url}.git", "namespace": project.namespace,
                "visibility_level": visibility[project.visibility], "path_with_namespace": project.full_path,
                "default_branch": project.default_branch, "ci_config_path": None, "homepage": url, "url": ssh,
                "ssh_url": ssh, "http_url": f"{url}.git"}

    def repository(self, project):
        shown = self.project(project)
        return {name: shown[name] for name in ("name", "url", "description", "homepage")}

    def commit(self, project, oid):
        found = project.bare.commit(oid)
        return {"id": oid, "message": found["message"] + "\n", "title": found["message"].split("\n", 1)[0],
                "timestamp": whole(found["committed_at"]).replace("Z", "+00:00"),
                "url": f"{self.forms.url(project)}/-/commit/{oid}",
                "author": {"name": found["author"], "email": found["author_email"]}}

    def attributes(self, request):
        project, pipeline = request.project, gitlab_ci.head_pipeline(request)
        shown = self.project(project)
        return {"assignee_id": None, "assignee_ids": [], "author_id": request.author.id,
                "blocking_discussions_resolved": gitlab_merge.discussions_resolved(request),
                "created_at": iso(request.created_at), "description": request.description,
                "detailed_merge_status": gitlab_merge.detailed(request), "draft": request.draft,
                "first_contribution": False, "head_pipeline_id": pipeline.id if pipeline else None,
                "human_time_change": None, "human_time_estimate": None, "human_total_time_spent": None,
                "id": request.id, "iid": request.iid, "labels": [],
                "last_commit": self.commit(project, request.sha) if request.sha else None, "last_edited_at": None,
                "last_edited_by_id": None, "merge_commit_sha": request.merge_commit_sha,
                "merge_error": request.merge_error,
                "merge_params": {"force_remove_source_branch": "1" if request.force_remove_source_branch else "0"},
                "merge_status": request.status, "merge_user_id": request.merged_by.id if request.merged_by else None,
                "merge_when_pipeline_succeeds": False, "milestone_id": None, "prepared_at": iso(request.prepared_at),
                "reviewer_ids": [], "source": shown, "source_branch": request.source_branch,
                "source_project_id": project.id, "state": request.state,
                "state_id": {"opened": 1, "closed": 2, "merged": 3}[request.state], "target": shown,
                "target_branch": request.target_branch, "target_project_id": project.id, "time_change": 0,
                "time_estimate": 0, "title": request.title, "total_time_spent": 0,
                "updated_at": iso(request.updated_at), "updated_by_id": None,
                "url": self.forms.request_url(request), "work_in_progress": request.draft}

    def merge_request(self, project, action, actor, subject):
        request = subject["request"]
        attributes = {**self.attributes(request), "action": action}
        if subject.get("oldrev"):
            attributes["oldrev"] = subject["oldrev"]
        changes = {name: {"previous": old, "current": new} for name, (old, new) in subject["changes"].items()}
        return {"object_kind": "merge_request", "event_type": "merge_request", "user": self.user(actor),
                "project": self.project(project), "object_attributes": attributes, "labels": [], "changes": changes,
                "repository": self.repository(project)}

    def note(self, project, action, actor, subject):
        request, discussion, note = subject["request"], subject["discussion"], subject["note"]
        kind = "DiffNote" if note.position else None if discussion.individual else "DiscussionNote"
        attributes = {"attachment": None, "author_id": note.author.id, "change_position": None, "commit_id": None,
                      "created_at": utc(note.created_at), "discussion_id": discussion.id, "id": note.id,
                      "internal": False, "line_code": None, "note": note.body, "noteable_id": request.id,
                      "noteable_type": "MergeRequest", "original_position": note.position, "position": note.position,
                      "project_id": project.id, "resolved_at": utc(discussion.resolved_at),
                      "resolved_by_id": discussion.resolved_by.id if discussion.resolved_by else None,
                      "resolved_by_push": None, "st_diff": None, "system": note.system, "type": kind,
                      "updated_at": utc(note.updated_at), "updated_by_id": None, "description": note.body,
                      "url": f"{self.forms.request_url(request)}#note_{note.id}", "action": action}
        return {"object_kind": "note", "event_type": "note", "user": self.user(actor), "project_id": project.id,
                "project": self.project(project), "object_attributes": attributes,
                "repository": self.repository(project), "merge_request": self.attributes(request)}

    def pipeline(self, project, action, actor, subject):
        pipeline = subject["pipeline"]
        status = gitlab_ci.status_of(pipeline)
        request = next((one for one in reversed(list(project.requests.values()))
                        if one.state == "opened" and gitlab_ci.head_pipeline(one) is pipeline), None)
        about = {"id": request.id, "iid": request.iid, "title": request.title,
                 "source_branch": request.source_branch, "source_project_id": project.id,
                 "target_branch": request.target_branch, "target_project_id": project.id, "state": request.state,
                 "merge_status": request.status, "detailed_merge_status": gitlab_merge.detailed(request),
                 "url": self.forms.request_url(request)} if request else None
        builds = [{"id": job.id, "stage": job.stage, "name": job.name, "status": job.status,
                   "created_at": utc(job.created_at), "started_at": utc(job.started_at),
                   "finished_at": utc(job.finished_at), "duration": None, "queued_duration": None,
                   "failure_reason": "script_failure" if job.status == "failed" else None, "when": "on_success",
                   "manual": False, "allow_failure": job.allow_failure, "user": self.user(job.user), "runner": None,
                   "artifacts_file": {"filename": None, "size": None}, "environment": None}
                  for job in pipeline.jobs if not job.external]
        attributes = {"id": pipeline.id, "iid": pipeline.iid, "name": None, "ref": pipeline.ref, "tag": False,
                      "sha": pipeline.sha, "before_sha": ZERO, "source": pipeline.source, "status": status,
                      "detailed_status": "passed" if status == "success" else status,
                      "stages": gitlab_ci.stages(pipeline), "created_at": utc(pipeline.created_at),
                      "finished_at": None if status in gitlab_ci.ACTIVE else utc(pipeline.updated_at),
                      "duration": None, "queued_duration": None, "protected_ref": False, "variables": [],
                      "url": self.forms.pipeline_url(pipeline)}
        return {"object_kind": "pipeline", "object_attributes": attributes, "merge_request": about,
                "user": self.user(actor), "project": self.project(project),
                "commit": self.commit(project, pipeline.sha), "builds": builds}

    def push(self, project, action, actor, subject):
        before, after, bare = subject["before"], subject["after"], project.bare
        oids = [] if ZERO in (before, after) else bare.between(before, after)
        shown = self.project(project)
        return {"object_kind": "push", "event_name": "push", "before": before, "after": after, "ref": subject["ref"],
                "ref_protected": subject["ref"].removeprefix("refs/heads/") in project.protections,
                "checkout_sha": None if after == ZERO else after, "message": None, "user_id": actor.id,
                "user_name": actor.name, "user_username": actor.username, "user_email": "", "user_avatar": None,
                "project_id": project.id, "project": shown,
                # No more than the newest twenty are listed.
                "commits": [self.pushed(project, oid) for oid in oids[-20:]], "total_commits_count": len(oids),
                "push_options": {}, "repository": {
                    **self.repository(project), "git_http_url": shown["git_http_url"],
                    "git_ssh_url": shown["git_ssh_url"], "visibility_level": shown["visibility_level"]}}

    def pushed(self, project, oid):
        changed = [line.split("\t", 1) for line in project.bare.run(
            "diff-tree", "--root", "--no-commit-id", "--name-status", "--no-renames", "-r", oid).splitlines()]
        return {**self.commit(project, oid), **{name: [path for kind, path in changed if kind == letter] for
                                                name, letter in (("added", "A"), ("modified", "M"), ("removed", "D"))}}
