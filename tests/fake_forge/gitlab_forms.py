"""The forms in which GitLab's REST interface shows things."""

import urllib.parse

import gitlab_ci
import gitlab_merge
import gitlab_requests
from clock import iso as whole
from gitlab_state import OWNER, level_of

VERSION, REVISION = "17.11.1-ee", "8f4d9d3b7a5"


def iso(seconds):
    """GitLab writes milliseconds."""
    return whole(seconds).replace("Z", ".000Z") if seconds is not None else None


class Forms:
    def __init__(self, state, origin):
        self.state, self.origin, self.api = state, origin, f"{origin}/api/v4"

    def user(self, user):
        if user is None:
            return None
        return {"id": user.id, "username": user.username, "public_email": "", "name": user.name, "state": "active",
                "locked": False, "avatar_url": None, "web_url": f"{self.origin}/{user.username}"}

    def current_user(self, user):
        return {**self.user(user), "created_at": iso(user.created_at), "bio": "", "location": "", "email": user.email,
                "commit_email": user.email, "bot": user.bot, "two_factor_enabled": False, "external": False,
                "private_profile": False, "confirmed_at": iso(user.created_at), "can_create_group": True,
                "can_create_project": True, "projects_limit": 100000, "identities": [],
                **({"is_admin": True} if user.admin else {})}

    def token(self, token):
        now = self.state.clock.now()
        active = not token.revoked and (token.expires_at is None or token.expires_at > now)
        return {"id": token.id, "name": token.name, "revoked": token.revoked, "created_at": iso(token.created_at),
                "description": None, "scopes": token.scopes, "user_id": token.user.id,
                "last_used_at": iso(token.last_used_at), "active": active,
                "expires_at": whole(token.expires_at)[:10] if token.expires_at else None}

    def member(self, user, level):
        return {**self.user(user), "access_level": level, "created_at": iso(user.created_at), "expires_at": None,
                "membership_state": "active"}

    def url(self, project):
        return f"{self.origin}/{project.full_path}"

    def project(self, project, viewer):
        url, api = self.url(project), f"{self.api}/projects/{project.id}"
        level = level_of(viewer, project)
        access = {"access_level": level, "notification_level": 3} if level else None
        namespace = project.namespace.rsplit("/", 1)[-1]
        made = {
            "id": project.id, "description": project.description, "name": project.name, "path": project.name,
            "name_with_namespace": f"{project.namespace.replace('/', ' / ')} / {project.name}",
            "path_with_namespace": project.full_path, "created_at": iso(project.created_at),
            "default_branch": project.default_branch, "tag_list": [], "topics": [],
            "ssh_url_to_repo": f"git@localhost:{project.full_path}.git", "http_url_to_repo": f"{url}.git",
            "web_url": url, "readme_url": None, "forks_count": 0, "avatar_url": None, "star_count": 0,
            "last_activity_at": iso(project.updated_at), "visibility": project.visibility,
            "namespace": {"id": project.id + 1_000_000, "name": namespace, "path": namespace, "kind": "group",
                          "full_path": project.namespace, "parent_id": None, "avatar_url": None,
                          "web_url": f"{self.origin}/groups/{project.namespace}"},
            "_links": {"self": api, "merge_requests": f"{api}/merge_requests",
                       "repo_branches": f"{api}/repository/branches", "members": f"{api}/members"},
            "empty_repo": not project.bare.branches(), "archived": project.archived, "creator_id": project.creator.id,
            "merge_requests_enabled": True, "merge_requests_access_level": "enabled", "jobs_enabled": True,
            "import_status": "none", "ci_config_path": None, "open_issues_count": 0, "shared_with_groups": [],
            "restrict_user_defined_variables": False, "request_access_enabled": True,
            "autoclose_referenced_issues": True, "merge_method": project.merge_method,
            "squash_option": project.squash_option, "approvals_before_merge": project.approvals_required,
            "printing_merge_request_link_enabled": True, "suggestion_commit_message": None,
            "merge_commit_template": None, "squash_commit_template": None}
        for name in ("only_allow_merge_if_pipeline_succeeds", "allow_merge_on_skipped_pipeline",
                     "only_allow_merge_if_all_discussions_are_resolved", "remove_source_branch_after_merge"):
            made[name] = getattr(project, name)
        if viewer:
            made["permissions"] = {"project_access": access, "group_access": None}
        return made

    def branch(self, project, name, oid, viewer):
        rule, level = project.protections.get(name), level_of(viewer, project)
        return {"name": name, "commit": self.commit(project, oid), "merged": False, "protected": bool(rule),
                "developers_can_push": bool(rule) and 0 < rule.push_access_level <= 30,
                "developers_can_merge": bool(rule) and 0 < rule.merge_access_level <= 30,
                "can_push": level >= 30 if not rule else 0 < rule.push_access_level <= level,
                "default": name == project.default_branch,
                "web_url": f"{self.url(project)}/-/tree/{urllib.parse.quote(name)}"}

    def protected_branch(self, project, name):
        rule = project.protections[name]

        def levels(level):
            words = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers", OWNER: "Owners"}
            return [{"id": project.id + level, "access_level": level, "deploy_key_id": None, "user_id": None,
                     "group_id": None, "access_level_description": words.get(level, "Maintainers")}]
        return {"id": project.id, "name": name, "push_access_levels": levels(rule.push_access_level),
                "merge_access_levels": levels(rule.merge_access_level), "unprotect_access_levels": [],
                "allow_force_push": rule.allow_force_push, "code_owner_approval_required": False, "inherited": False}

    def commit(self, project, oid):
        found = project.bare.commit(oid)
        return {"id": oid, "short_id": oid[:8], "created_at": iso(found["committed_at"]),
                "parent_ids": found["parents"], "title": found["message"].split("\n", 1)[0],
                "message": found["message"] + "\n", "author_name": found["author"],
                "author_email": found["author_email"], "authored_date": iso(found["authored_at"]),
                "committer_name": found["committer"], "committer_email": found["committer_email"],
                "committed_date": iso(found["committed_at"]), "trailers": {}, "extended_trailers": {},
                "web_url": f"{self.url(project)}/-/commit/{oid}"}

    def request_url(self, request):
        return f"{self.url(request.project)}/-/merge_requests/{request.iid}"

    def basic_request(self, request):
        """As lists have it. Who asks for one by itself sets off the check before this; see gitlab_merge.ask."""
        draft, user = request.draft, self.user
        reference = f"{request.project.full_path}!{request.iid}"
        preparing = request.prepared_at is None and request.state == "opened"
        made = {
            "id": request.id, "iid": request.iid, "project_id": request.project.id, "title": request.title,
            "description": request.description, "state": request.state, "created_at": iso(request.created_at),
            "updated_at": iso(request.updated_at), "merged_by": user(request.merged_by),
            "merge_user": user(request.merged_by), "merged_at": iso(request.merged_at),
            "closed_by": user(request.closed_by), "closed_at": iso(request.closed_at),
            "target_branch": request.target_branch, "source_branch": request.source_branch,
            "user_notes_count": sum(not note.system for one in request.discussions for note in one.notes),
            "upvotes": 0, "downvotes": 0, "author": user(request.author), "assignees": [], "assignee": None,
            "reviewers": [], "source_project_id": request.project.id, "target_project_id": request.project.id,
            "labels": [], "draft": draft, "imported": False, "imported_from": "none", "work_in_progress": draft,
            "milestone": None, "merge_when_pipeline_succeeds": False,
            "merge_status": "preparing" if preparing else request.status,
            "detailed_merge_status": gitlab_merge.detailed(request), "merge_after": None, "sha": request.sha,
            "merge_commit_sha": request.merge_commit_sha, "squash_commit_sha": request.squash_commit_sha,
            "discussion_locked": None, "should_remove_source_branch": None,
            "force_remove_source_branch": request.force_remove_source_branch,
            "prepared_at": iso(request.prepared_at), "reference": f"!{request.iid}",
            "references": {"short": f"!{request.iid}", "relative": f"!{request.iid}", "full": reference},
            "web_url": self.request_url(request),
            "time_stats": {"time_estimate": 0, "total_time_spent": 0, "human_time_estimate": None,
                           "human_total_time_spent": None},
            "squash": request.squash, "squash_on_merge": gitlab_merge.squashes(request, None),
            "task_completion_status": {"count": 0, "completed_count": 0},
            "has_conflicts": request.status == "cannot_be_merged",
            "blocking_discussions_resolved": gitlab_merge.discussions_resolved(request)}
        return made

    def request(self, request, viewer, rebase=False, diverged=False):
        pipeline, project = gitlab_ci.head_pipeline(request), request.project
        shas = {"base_sha": request.base_sha, "head_sha": request.sha, "start_sha": request.start_sha}
        files = project.bare.counts(request.base_sha, request.sha)[0] if request.base_sha and request.sha else 0
        made = {**self.basic_request(request), "approvals_before_merge": None, "subscribed": False,
                "changes_count": str(files) if files else None, "latest_build_started_at": None,
                "latest_build_finished_at": None, "first_deployed_to_production_at": None,
                "pipeline": self.pipeline(pipeline), "head_pipeline": self.full_pipeline(pipeline),
                # While the first version of the diff is made there is none.
                "diff_refs": shas if request.prepared_at is not None else None, "merge_error": request.merge_error,
                "first_contribution": False,
                "user": {"can_merge": bool(viewer) and level_of(viewer, project) >= 30}}
        if rebase:
            made["rebase_in_progress"] = request.rebase_reads > 0
            request.rebase_reads = max(0, request.rebase_reads - 1)
        if diverged:
            target = gitlab_merge.tip(request)
            made["diverged_commits_count"] = len(project.bare.between(request.sha, target)) if target else 0
        return made

    def note(self, request, discussion, note):
        kind = "DiffNote" if note.position else None if discussion.individual else "DiscussionNote"
        made = {"id": note.id, "type": kind, "body": note.body, "author": self.user(note.author),
                "created_at": iso(note.created_at), "updated_at": iso(note.updated_at), "system": note.system,
                "noteable_id": request.id, "noteable_type": "MergeRequest", "project_id": request.project.id,
                "commit_id": None, "resolvable": discussion.resolvable}
        if note.position:
            made["position"] = note.position
        if discussion.resolvable:
            made.update(resolved=discussion.resolved, resolved_by=self.user(discussion.resolved_by),
                        resolved_at=iso(discussion.resolved_at))
        return {**made, "confidential": False, "internal": False, "imported": False, "imported_from": "none",
                "noteable_iid": request.iid, "commands_changes": {}}

    def discussion(self, discussion):
        return {"id": discussion.id, "individual_note": discussion.individual,
                "notes": [self.note(discussion.request, discussion, note) for note in discussion.notes]}

    def approvals(self, request, viewer):
        left = gitlab_merge.approvals_left(request)
        given = [{"user": self.user(user), "approved_at": iso(request.updated_at)} for user in request.approvals]
        return {"id": request.id, "iid": request.iid, "project_id": request.project.id, "title": request.title,
                "description": request.description, "state": request.state, "created_at": iso(request.created_at),
                "updated_at": iso(request.updated_at), "merge_status": request.status, "approved": left == 0,
                "approvals_required": request.project.approvals_required, "approvals_left": left,
                "require_password_to_approve": False, "approved_by": given, "suggested_approvers": [],
                "approvers": [], "approver_groups": [], "user_has_approved": viewer in request.approvals,
                "user_can_approve": gitlab_requests.may_approve(request, viewer) and viewer not in request.approvals,
                "approval_rules_left": [], "has_approval_rules": True,
                "merge_request_approvers_available": True, "multiple_approval_rules_available": True,
                "invalid_approvers_rules": []}

    def approval_state(self, request):
        rule = {"id": request.project.id, "name": "All Members", "rule_type": "any_approver",
                "eligible_approvers": [], "approvals_required": request.project.approvals_required, "users": [],
                "groups": [], "contains_hidden_groups": False, "section": None, "source_rule": None,
                "overridden": False, "code_owner": False,
                "approved_by": [self.user(user) for user in request.approvals],
                "approved": gitlab_merge.approvals_left(request) == 0}
        return {"approval_rules_overwritten": False, "rules": [rule]}

    def pipeline_url(self, pipeline):
        return f"{self.url(pipeline.project)}/-/pipelines/{pipeline.id}"

    def pipeline(self, pipeline):
        if pipeline is None:
            return None
        return {"id": pipeline.id, "iid": pipeline.iid, "project_id": pipeline.project.id, "sha": pipeline.sha,
                "ref": pipeline.ref, "status": gitlab_ci.status_of(pipeline), "source": pipeline.source,
                "created_at": iso(pipeline.created_at), "updated_at": iso(pipeline.updated_at),
                "web_url": self.pipeline_url(pipeline)}

    def full_pipeline(self, pipeline):
        if pipeline is None:
            return None
        status = gitlab_ci.status_of(pipeline)
        started = min((job.started_at for job in pipeline.jobs if job.started_at), default=None)
        finished = None if status in gitlab_ci.ACTIVE else iso(pipeline.updated_at)
        return {**self.pipeline(pipeline), "before_sha": "0" * 40, "tag": False, "yaml_errors": None,
                "user": self.user(pipeline.user), "started_at": iso(started), "finished_at": finished,
                "committed_at": None, "duration": None, "queued_duration": None, "coverage": None,
                "detailed_status": {"icon": f"status_{status}", "text": status.capitalize(), "label": status,
                                    "group": status, "tooltip": status, "has_details": True,
                                    "details_path": f"/{pipeline.project.full_path}/-/pipelines/{pipeline.id}",
                                    "illustration": None,
                                    "favicon": f"/assets/ci_favicons/favicon_status_{status}.png"}}

    def job(self, job):
        pipeline = self.pipeline(job.pipeline)
        return {"id": job.id, "status": job.status, "stage": job.stage, "name": job.name, "ref": job.pipeline.ref,
                "tag": False, "coverage": job.coverage, "allow_failure": job.allow_failure,
                "created_at": iso(job.created_at), "started_at": iso(job.started_at),
                "finished_at": iso(job.finished_at), "erased_at": None, "duration": None, "queued_duration": None,
                "user": self.user(job.user), "commit": self.commit(job.pipeline.project, job.pipeline.sha),
                "pipeline": {name: pipeline[name] for name in ("id", "project_id", "ref", "sha", "status")},
                "failure_reason": "script_failure" if job.status == "failed" else None,
                "web_url": f"{self.url(job.pipeline.project)}/-/jobs/{job.id}", "artifacts": [], "runner": None,
                "artifacts_expire_at": None, "archived": False, "tag_list": []}

    def status(self, job):
        url = job.target_url if job.external else f"{self.url(job.pipeline.project)}/-/jobs/{job.id}"
        return {"id": job.id, "sha": job.pipeline.sha, "ref": job.pipeline.ref, "status": job.status,
                "name": job.name, "target_url": url, "description": job.description,
                "created_at": iso(job.created_at), "started_at": iso(job.started_at),
                "finished_at": iso(job.finished_at), "allow_failure": job.allow_failure, "coverage": job.coverage,
                "pipeline_id": job.pipeline.id, "author": self.user(job.user)}
