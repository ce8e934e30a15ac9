"""Merge requests: opened, changed, closed, opened again, approved. Callers hold the project's lock."""

import gitlab_merge
import gitlab_notes
from gitlab_state import DEVELOPER, DRAFT, REPORTER, MergeRequest, Refused, level_of, unauthorized


def already_open(project, source, target):
    return next((one for one in project.requests.values()
                 if one.state == "opened" and (one.source_branch, one.target_branch) == (source, target)), None)


def refs_of(project, source, target):
    """(head, where it left the target, the target's tip)"""
    branches = project.bare.branches()
    head, start = branches.get(source), branches.get(target)
    return head, project.bare.merge_base(start, head) if head and start else None, start


def checked_branches(project, source, target):
    if source == target:
        raise Refused(422, ["You can't use same project/branch for source and target"])
    branches = project.bare.branches()
    for role, name in (("Source", source), ("Target", target)):
        if name not in branches:
            raise Refused(422, [f'{role} branch "{name}" does not exist'])
    other = already_open(project, source, target)
    if other:
        raise Refused(409, [f"Another open merge request already exists for this source branch: !{other.iid}"])


def checked_title(title):
    if not title.strip():
        raise Refused(400, "title is empty", "error")
    if len(title) > 255:
        raise Refused(400, {"title": ["is too long (maximum is 255 characters)"]})


def open_request(state, project, actor, title, source, target, description=None, squash=None, remove=None):
    if level_of(actor, project) < DEVELOPER or project.archived:
        raise Refused(403, "403 Forbidden")
    checked_title(title)
    checked_branches(project, source, target)
    head, base, start = refs_of(project, source, target)
    project.last_iid += 1
    now = state.clock.now()
    squash = {"always": True, "never": False}.get(project.squash_option, squash)
    request = MergeRequest(
        state.ids.next(), project, project.last_iid, title, description, actor, source, target, head, base, start, now,
        now, squash=project.squash_option == "default_on" if squash is None else squash,
        force_remove_source_branch=project.remove_source_branch_after_merge if remove is None else remove)
    project.requests[request.iid] = request
    project.bare.set_ref(f"refs/merge-requests/{request.iid}/head", head)
    state.told(project, "merge_request", "open", actor, request=request, changes={})
    return request


def edit(state, request, actor, title=None, description=None, target=None, squash=None, remove=None):
    project, changes = request.project, {}

    def change(name, value):
        if value is not None and value != getattr(request, name):
            changes[name] = [getattr(request, name), value]
            setattr(request, name, value)
    if title is not None:
        checked_title(title)
        was = request.draft
        change("title", title)
        if was != request.draft:
            changes["draft"] = [was, request.draft]
    if target is not None and target != request.target_branch:
        if request.state == "opened":
            checked_branches(project, request.source_branch, target)
        change("target_branch", target)
        _, request.base_sha, request.start_sha = refs_of(project, request.source_branch, target)
        gitlab_merge.unchecked(request)
    change("description", description)
    change("squash", squash)
    change("force_remove_source_branch", remove)
    if changes:
        request.updated_at = state.clock.now()
        changes.pop("force_remove_source_branch", None)
        if "draft" in changes:
            gitlab_notes.system(state, request, actor, f"marked this merge request as **"
                                f"{'draft' if request.draft else 'ready'}**")
        state.told(project, "merge_request", "update", actor, request=request, changes=changes)


def set_draft(state, request, actor, draft):
    if request.draft == draft:
        return
    bare_title = request.title.split(":", 1)[1].strip() if request.draft and ":" in request.title else request.title
    edit(state, request, actor, title=DRAFT + bare_title if draft else bare_title)


def close(state, request, actor):
    if request.state != "opened":
        return
    request.state, request.closed_by = "closed", actor
    request.closed_at = request.updated_at = state.clock.now()
    gitlab_notes.system(state, request, actor, "closed")
    state.told(request.project, "merge_request", "close", actor, request=request, changes={})


def reopen(state, request, actor):
    if request.state != "closed":
        return
    project = request.project
    other = already_open(project, request.source_branch, request.target_branch)
    if other:
        raise Refused(409, [f"Another open merge request already exists for this source branch: !{other.iid}"])
    head, base, start = refs_of(project, request.source_branch, request.target_branch)
    if head is None:
        # GitLab's own: nothing is said, and it stays closed.
        return
    request.state, request.closed_at, request.closed_by = "opened", None, None
    request.sha, request.base_sha, request.start_sha = head, base, start
    request.updated_at = state.clock.now()
    project.bare.set_ref(f"refs/merge-requests/{request.iid}/head", head)
    gitlab_merge.unchecked(request)
    gitlab_notes.system(state, request, actor, "reopened")
    state.told(project, "merge_request", "reopen", actor, request=request, changes={})


def may_approve(request, actor):
    if actor is None or level_of(actor, request.project) < DEVELOPER or request.state != "opened":
        return False
    return actor is not request.author or request.project.merge_requests_author_approval


def approve(state, request, actor, sha=None):
    if not may_approve(request, actor):
        raise unauthorized()
    gitlab_merge.check_sha(request, sha)
    if actor in request.approvals:
        raise unauthorized()
    request.approvals.append(actor)
    request.updated_at = state.clock.now()
    gitlab_notes.system(state, request, actor, "approved this merge request")
    full = gitlab_merge.approvals_left(request) == 0
    state.told(request.project, "merge_request", "approved" if full else "approval", actor, request=request, changes={})


def unapprove(state, request, actor):
    if level_of(actor, request.project) < DEVELOPER or request.state == "merged":
        raise unauthorized()
    if actor not in request.approvals:
        raise Refused(404, "404 Not Found")
    full = gitlab_merge.approvals_left(request) == 0
    request.approvals.remove(actor)
    request.updated_at = state.clock.now()
    gitlab_notes.system(state, request, actor, "unapproved this merge request")
    state.told(request.project, "merge_request", "unapproved" if full else "unapproval", actor, request=request,
               changes={})


def may_change(request, actor):
    level = level_of(actor, request.project)
    return not request.project.archived and (level >= DEVELOPER or (level >= REPORTER and actor is request.author))
