"""What a push does beyond git: merge requests move with their branches, are closed, merged or retargeted, and approvals
go. And what a push may not do. Callers hold the project's lock."""

import bare
import gitlab_merge
import gitlab_notes
import gitlab_requests
from bare import HEADS, ZERO
from gitlab_state import level_of, may

# The words of GitLab's own checks.
WORDS = {"force": "You are not allowed to force push code to a protected branch on this project.",
         "update": "You are not allowed to push code to protected branches on this project.",
         "default": "The default branch of a project cannot be deleted.",
         "delete": "You are not allowed to delete protected branches from this project. Only a project maintainer or "
                   "owner can delete a protected branch.",
         "web": "You can only delete protected branches using the web interface."}


def after(state, project, actor):
    """Compares the references with those of the last look and does what follows. All ways of pushing end here."""
    changes = bare.moved(project)
    if changes:
        project.updated_at = state.clock.now()
    for ref, old, new in changes:
        branch = ref[len(HEADS):]
        opened = [one for one in project.requests.values() if one.state == "opened"]
        if new == ZERO:
            deleted(state, project, actor, branch, opened)
        else:
            for request in opened:
                if request.target_branch == branch:
                    target_moved(state, request, actor, new)
            for request in opened:
                if request.source_branch == branch and request.state == "opened":
                    moved(state, request, actor, new)
        state.told(project, "push", None, actor, ref=ref, before=old, after=new)


def deleted(state, project, actor, branch, opened):
    merged = next((one for one in reversed(list(project.requests.values()))
                   if one.state == "merged" and one.source_branch == branch), None)
    for request in opened:
        if request.source_branch == branch:
            gitlab_requests.close(state, request, actor)
        elif request.target_branch == branch and merged and request.source_branch != merged.target_branch:
            # What was stacked on a merged branch goes where that went.
            gitlab_requests.edit(state, request, actor, target=merged.target_branch)
        elif request.target_branch == branch:
            gitlab_merge.unchecked(request)
    project.protections.pop(branch, None)


def moved(state, request, actor, new):
    before, project = request.sha, request.project
    if before == new:
        return
    request.sha, request.base_sha, request.start_sha = gitlab_requests.refs_of(
        project, request.source_branch, request.target_branch)
    request.updated_at = state.clock.now()
    project.bare.set_ref(f"refs/merge-requests/{request.iid}/head", new)
    gitlab_merge.unchecked(request)
    gitlab_notes.follow(request, before)
    count = len(project.bare.between(before, new)) if before else 0
    gitlab_notes.system(state, request, actor, f"added {count} commit{'' if count == 1 else 's'}")
    if project.reset_approvals_on_push:
        request.approvals.clear()
    state.told(project, "merge_request", "update", actor, request=request, changes={}, oldrev=before)


def target_moved(state, request, actor, new):
    if request.sha and request.project.bare.ancestor(request.sha, new) and request.sha != request.base_sha:
        gitlab_merge.settle(state, request, actor)
    else:
        gitlab_merge.unchecked(request)


def guarded(project, actor):
    """For git_http.serve: what pushes to protected branches, and the deletion of the default branch, are told."""
    made = {}
    for branch in {*project.protections, project.default_branch}:
        rule, ways = project.protections.get(branch), {}
        if rule:
            if not may(actor, project, branch, "push"):
                ways["update"] = WORDS["update"]
            if not rule.allow_force_push:
                ways["force"] = WORDS["force"]
            elif "update" in ways:
                ways["force"] = ways["update"]
            ways["delete"] = WORDS["web" if level_of(actor, project) >= 40 else "delete"]
        if branch == project.default_branch:
            ways["delete"] = WORDS["default"]
        made[HEADS + branch] = {way: {"lines": [f"GitLab: {words}"], "reason": "pre-receive hook declined"}
                                for way, words in ways.items()}
    return {ref: ways for ref, ways in made.items() if ways}
