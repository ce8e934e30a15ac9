"""Whether a merge request can be merged, and merging it for real. Callers hold the project's lock."""

import gitlab_ci
import gitlab_notes
import gitlab_pushes
from bare import Person
from gitlab_state import DEVELOPER, Refused, level_of, may, unauthorized


def person(state, user):
    return Person(user.name, user.email, state.clock.now())


def tip(request):
    return request.project.bare.branches().get(request.target_branch)


def conflicts(request):
    target = tip(request)
    return (target is None or request.sha is None
            or request.project.bare.merge_tree(target, request.sha) is None)


def behind(request):
    target = tip(request)
    return target is not None and request.sha is not None and not request.project.bare.ancestor(target, request.sha)


def has_commits(request):
    target = tip(request)
    return bool(request.sha and target and request.project.bare.between(target, request.sha))


def prepare(state, request):
    """What GitLab does after a merge request was created: the diff is made and its check begins."""
    if request.prepared_at is None:
        request.prepared_at = state.clock.now()
        request.status = "checking"


def ask(request, begins=True):
    """A client reads the merge request, which by REST begins the check where it is due, by GraphQL does not. A check
    that goes on is answered with `checking`; `checking_reads` says how many such answers there are (-1: for ever)."""
    if request.state != "opened" or request.status in ("can_be_merged", "cannot_be_merged"):
        return
    if request.status == "unchecked" and not begins:
        return
    wanted = request.project.checking_reads
    if wanted < 0 or request.asked < wanted:
        request.asked += 1
        request.status = "checking"
    else:
        settle_status(request)


def settle_status(request):
    request.status = "cannot_be_merged" if conflicts(request) or not has_commits(request) else "can_be_merged"


def unchecked(request):
    """It changed: whether it merges has to be worked out anew."""
    request.status, request.asked = "unchecked", 0


def approvals_left(request):
    return max(0, request.project.approvals_required - len(request.approvals))


def discussions_resolved(request):
    """Whether the discussions keep it from being merged; they do only where the project says so."""
    if not request.project.only_allow_merge_if_all_discussions_are_resolved:
        return True
    return all(one.resolved for one in request.discussions if one.resolvable)


def ci_failed(request):
    """The check of the pipeline that is not passed, or None."""
    project = request.project
    if not project.only_allow_merge_if_pipeline_succeeds:
        return None
    pipeline = gitlab_ci.head_pipeline(request)
    status = gitlab_ci.status_of(pipeline) if pipeline else None
    if status == "success" or (status == "skipped" and project.allow_merge_on_skipped_pipeline):
        return None
    return "ci_still_running" if status in gitlab_ci.ACTIVE else "ci_must_pass"


def failed_state(request):
    """The first check that the merge request's own state does not pass, in GitLab's order: the paid editions' first."""
    if approvals_left(request):
        return "not_approved"
    if request.state != "opened":
        return "not_open"
    if request.draft:
        return "draft_status"
    if not has_commits(request):
        return "commits_status"
    if not discussions_resolved(request):
        return "discussions_not_resolved"
    return None


def needs_rebase(request):
    return request.project.merge_method != "merge" and behind(request)


def detailed(request):
    """REST's detailed_merge_status, as far as it is known; GraphQL says the same in capitals."""
    if request.state == "opened":
        if request.prepared_at is None:
            return "preparing"
        if request.status in ("checking", "unchecked"):
            return request.status
    failed = failed_state(request)
    if failed:
        return failed
    if request.status == "cannot_be_merged":
        return "conflict"
    if needs_rebase(request):
        return "need_rebase"
    return ci_failed(request) or "mergeable"


def refuse_unless_ready(request, actor, sha):
    """In GitLab's order: who, the state, git's own view of it, and only then the sha."""
    if not may(actor, request.project, request.target_branch, "merge"):
        raise unauthorized()
    if failed_state(request) or ci_failed(request) or request.state != "opened":
        raise Refused(405, "405 Method Not Allowed")
    settle_status(request)
    if request.status != "can_be_merged" or needs_rebase(request):
        raise Refused(422, "Branch cannot be merged")
    check_sha(request, sha)


def check_sha(request, sha):
    if sha is not None and sha != request.sha:
        raise Refused(409, f"SHA does not match HEAD of source branch: {request.sha}")


def squashes(request, wanted):
    option = request.project.squash_option
    if option in ("always", "never"):
        return option == "always"
    return request.squash if wanted is None else wanted


def merge(state, request, actor, sha=None, squash=None, message=None, squash_message=None, remove=None):
    """Merges for real and tells what follows."""
    refuse_unless_ready(request, actor, sha)
    project, bare, target = request.project, request.project.bare, tip(request)
    author, head = person(state, actor), request.sha
    if squash:
        request.squash = True
    made_squash = None
    if squashes(request, squash) and len(bare.between(target, head)) > 1:
        tree = bare.merge_tree(target, head)
        onto = target if project.merge_method != "merge" else bare.merge_base(target, head)
        tree = tree if onto == target else bare.run("rev-parse", f"{head}^{{tree}}").strip()
        made_squash = head = bare.commit_tree(tree, [onto], (squash_message or request.title) + "\n",
                                              person(state, request.author), author)
    if project.merge_method == "ff":
        made = head
    else:
        text = message or (f"Merge branch '{request.source_branch}' into '{request.target_branch}'\n\n{request.title}"
                           f"\n\nSee merge request {project.full_path}!{request.iid}")
        made = bare.commit_tree(bare.merge_tree(target, head), [target, head], text + "\n", author)
        request.merge_commit_sha = made
    request.squash_commit_sha = made_squash
    bare.set_ref(f"refs/heads/{request.target_branch}", made, target)
    settle(state, request, actor)
    gitlab_pushes.after(state, project, actor)
    if request.force_remove_source_branch if remove is None else remove:
        if request.source_branch in bare.branches() and request.source_branch not in project.protections:
            bare.set_ref(f"refs/heads/{request.source_branch}", None)
            gitlab_pushes.after(state, project, actor)


def settle(state, request, actor):
    """It is merged, by the button or by a push that brought its head into the target."""
    now = state.clock.now()
    request.state, request.status = "merged", "can_be_merged"
    request.merged_at, request.merged_by, request.updated_at = now, actor, now
    request.prepared_at = request.prepared_at or now
    gitlab_notes.system(state, request, actor, "merged")
    state.told(request.project, "merge_request", "merge", actor, request=request, changes={})


def rebase(state, request, actor):
    """Puts the source on top of the target; a conflict is told as the merge request's merge_error."""
    project = request.project
    if not may(actor, project, request.source_branch, "push") or level_of(actor, project) < DEVELOPER:
        raise Refused(403, "403 Forbidden - Cannot push to source branch")
    if request.source_branch not in project.bare.branches():
        raise Refused(403, "403 Forbidden - Source branch does not exist")
    rule = project.protections.get(request.source_branch)
    if rule and not rule.allow_force_push:
        raise Refused(403, "403 Forbidden - Source branch is protected from force push")
    request.merge_error, request.rebase_reads = None, 1
    target = tip(request)
    if request.state != "opened" or target is None or not behind(request):
        return
    commits = project.bare.between(target, request.sha, merges=False)
    made = project.bare.replay(commits, target, person(state, actor))
    if made is None:
        request.merge_error = "Rebase failed: Rebase locally, resolve all conflicts, then push the branch."
        return
    project.bare.set_ref(f"refs/heads/{request.source_branch}", made, request.sha)
    gitlab_pushes.after(state, project, actor)
