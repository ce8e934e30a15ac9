"""What the fields of GitLab's GraphQL types answer. A type has a table of fields; what is not in it is read from the
member of the same name."""

import base64
import json
import re

import gitlab_ci
import gitlab_merge
from clock import iso
from gitlab_forms import REVISION, VERSION
from gitlab_state import Refused, gid, note_gid

SNAKE = re.compile(r"(?<!^)(?=[A-Z])")
MOST_PAGE = 100


def cursor(index):
    return base64.urlsafe_b64encode(json.dumps({"index": str(index)}).encode()).decode().rstrip("=")


def position(text):
    try:
        return int(json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))["index"])
    except (ValueError, KeyError, TypeError):
        raise Refused(422, "Please provide a valid cursor") from None


def connection(context, things, arguments):
    """A page of things, from the front (first, after) or from the back (last, before); of a hundred at most."""
    start, end = 0, len(things)
    for name in ("first", "last"):
        if (arguments.get(name) or 0) < 0:
            raise Refused(422, f"`{name}` can't be negative")
    if arguments.get("after"):
        start = position(arguments["after"]) + 1
    if arguments.get("before"):
        end = min(end, position(arguments["before"]))
    cap = min(context.site.page_cap or MOST_PAGE, MOST_PAGE)
    first, last = arguments.get("first"), arguments.get("last")
    if last is not None and first is None:
        start = max(start, end - min(last, cap))
    else:
        end = max(start, min(end, start + min(cap if first is None else first, cap)))
    page = things[start:end]
    return {"nodes": page, "count": len(things),
            "edges": [{"node": thing, "cursor": cursor(start + index)} for index, thing in enumerate(page)],
            "pageInfo": {"hasNextPage": end < len(things), "hasPreviousPage": start > 0,
                         "startCursor": cursor(start) if page else None,
                         "endCursor": cursor(end - 1) if page else None}}


def project_of(context, wanted):
    """What one may not see is not there: null, without an error."""
    found, _ = (None, None) if wanted.isdigit() else context.state.project(wanted)
    return found if found and context.viewer.sees(found) else None


def read(context, request):
    """A look at a merge request. Unlike REST it does not begin a check that is due."""
    gitlab_merge.prepare(context.state, request)
    if request not in context.asked:
        context.asked.add(request)
        gitlab_merge.ask(request, begins=False)
    return request


def requests_of(context, project, arguments):
    found = list(project.requests.values())
    if arguments.get("iids") is not None:
        found = [one for one in found if str(one.iid) in arguments["iids"]]
    for argument, name in (("sourceBranches", "source_branch"), ("targetBranches", "target_branch")):
        if arguments.get(argument) is not None:
            found = [one for one in found if getattr(one, name) in arguments[argument]]
    if arguments.get("state") not in (None, "all"):
        found = [one for one in found if one.state == arguments["state"]]
    if arguments.get("draft") is not None:
        found = [one for one in found if one.draft == arguments["draft"]]
    order, _, way = (arguments.get("sort") or "created_desc").lower().partition("_")
    found.sort(key=lambda one: (getattr(one, f"{order}_at"), one.iid), reverse=way == "desc")
    made = connection(context, found, arguments)
    for one in made["nodes"]:
        read(context, one)
    return made


def request_of(context, project, arguments):
    wanted = arguments["iid"]
    found = project.requests.get(int(wanted)) if wanted.isdigit() else None
    return read(context, found) if found else None


def diff_refs(request):
    return {"base_sha": request.base_sha, "head_sha": request.sha, "start_sha": request.start_sha}


def mergeable(context, request, _):
    gitlab_merge.prepare(context.state, request)
    if request.state == "opened":
        gitlab_merge.settle_status(request)
    return gitlab_merge.detailed(request) == "mergeable"


def notes_of(request):
    return [(one, note) for one in request.discussions for note in one.notes]


def place(discussion, note):
    at = note.position
    return at and {"diff_refs": {name: at[name] for name in ("base_sha", "head_sha", "start_sha")},
                   "file_path": at["new_path"], "new_path": at["new_path"], "old_path": at["old_path"],
                   "new_line": at.get("new_line"), "old_line": at.get("old_line"), "position_type": at["position_type"]}


def time_of(name):
    return lambda context, root, arguments: iso(getattr(root, name))


def stage_status(pipeline, name):
    states = {job.status for job in pipeline.jobs if job.stage == name and not job.retried}
    return next((one for one in ("running", "pending", "failed", "canceled", "created") if one in states), "success")


def path_of(context, url):
    return url.removeprefix(context.forms.origin)


FIELDS = {
    "Query": {
        "currentUser": lambda c, r, a: c.viewer.user,
        "metadata": lambda c, r, a: {"version": VERSION, "revision": REVISION, "enterprise": True},
        "project": lambda c, r, a: project_of(c, a["fullPath"]),
        "queryComplexity": lambda c, r, a: {"limit": c.limit, "score": c.score}},
    "UserCore": {
        "id": lambda c, r, a: gid(r),
        "webUrl": lambda c, r, a: f"{c.forms.origin}/{r.username}"},
    "Project": {
        "id": lambda c, r, a: gid(r),
        "name": lambda c, r, a: r.name,
        "webUrl": lambda c, r, a: c.forms.url(r),
        "mergeRequest": request_of,
        "mergeRequests": requests_of},
    "MergeRequest": {
        "id": lambda c, r, a: gid(r),
        "iid": lambda c, r, a: str(r.iid),
        "projectId": lambda c, r, a: r.project.id,
        "sourceProjectId": lambda c, r, a: r.project.id,
        "targetProjectId": lambda c, r, a: r.project.id,
        "diffHeadSha": lambda c, r, a: r.sha,
        "diffRefs": lambda c, r, a: diff_refs(r) if r.sha and r.start_sha else None,
        "sourceBranchExists": lambda c, r, a: r.source_branch in r.project.bare.branches(),
        "detailedMergeStatus": lambda c, r, a: gitlab_merge.detailed(r).upper(),
        "mergeStatusEnum": lambda c, r, a: r.status.upper(),
        "mergeable": mergeable,
        "mergeableDiscussionsState": lambda c, r, a: gitlab_merge.discussions_resolved(r),
        "conflicts": lambda c, r, a: r.status == "cannot_be_merged",
        "shouldBeRebased": lambda c, r, a: r.state == "opened" and gitlab_merge.needs_rebase(r),
        "divergedFromTargetBranch": lambda c, r, a: gitlab_merge.behind(r),
        "rebaseInProgress": lambda c, r, a: False,
        "approved": lambda c, r, a: gitlab_merge.approvals_left(r) == 0,
        "approvalsRequired": lambda c, r, a: r.project.approvals_required,
        "approvalsLeft": lambda c, r, a: gitlab_merge.approvals_left(r),
        "approvedBy": lambda c, r, a: connection(c, r.approvals, a),
        "mergeUser": lambda c, r, a: r.merged_by,
        "commitCount": lambda c, r, a: len(r.project.bare.between(r.base_sha, r.sha)) if r.base_sha and r.sha else 0,
        "userNotesCount": lambda c, r, a: sum(not note.system for _, note in notes_of(r)),
        "createdAt": time_of("created_at"), "updatedAt": time_of("updated_at"), "mergedAt": time_of("merged_at"),
        "closedAt": time_of("closed_at"),
        "webUrl": lambda c, r, a: c.forms.request_url(r),
        "reference": lambda c, r, a: f"{r.project.full_path if a.get('full') else ''}!{r.iid}",
        "discussions": lambda c, r, a: connection(c, r.discussions, a),
        "notes": lambda c, r, a: connection(c, notes_of(r), a),
        "headPipeline": lambda c, r, a: gitlab_ci.head_pipeline(r)},
    "Discussion": {
        "id": lambda c, r, a: gid(r), "replyId": lambda c, r, a: gid(r),
        "createdAt": lambda c, r, a: iso(r.notes[0].created_at), "resolvedAt": time_of("resolved_at"),
        "resolvedBy": lambda c, r, a: r.resolved_by,
        "notes": lambda c, r, a: connection(c, [(r, note) for note in r.notes], a)},
    "Note": {
        "id": lambda c, r, a: note_gid(*r), "body": lambda c, r, a: r[1].body, "system": lambda c, r, a: r[1].system,
        "author": lambda c, r, a: r[1].author, "createdAt": lambda c, r, a: iso(r[1].created_at),
        "updatedAt": lambda c, r, a: iso(r[1].updated_at), "resolvable": lambda c, r, a: r[0].resolvable,
        "resolved": lambda c, r, a: r[0].resolved, "discussion": lambda c, r, a: r[0],
        "position": lambda c, r, a: place(*r),
        "url": lambda c, r, a: f"{c.forms.request_url(r[0].request)}#note_{r[1].id}"},
    "Pipeline": {
        "id": lambda c, r, a: gid(r), "iid": lambda c, r, a: str(r.iid),
        "status": lambda c, r, a: gitlab_ci.status_of(r).upper(),
        "path": lambda c, r, a: path_of(c, c.forms.pipeline_url(r)),
        "active": lambda c, r, a: gitlab_ci.status_of(r) in gitlab_ci.ACTIVE,
        "complete": lambda c, r, a: gitlab_ci.status_of(r) in gitlab_ci.DONE,
        "createdAt": time_of("created_at"), "updatedAt": time_of("updated_at"),
        "finishedAt": lambda c, r, a: iso(r.updated_at) if gitlab_ci.status_of(r) in gitlab_ci.DONE else None,
        "jobs": lambda c, r, a: connection(c, [
            job for job in r.jobs if (a.get("retried") is None and not job.retried) or job.retried == a.get("retried")
            if a.get("statuses") is None or job.status.upper() in a["statuses"]], a),
        "stages": lambda c, r, a: connection(c, [(r, name) for name in gitlab_ci.stages(r)], a)},
    "CiJob": {
        "id": lambda c, r, a: gid(r), "status": lambda c, r, a: r.status.upper(),
        "active": lambda c, r, a: r.status in gitlab_ci.ACTIVE,
        "webPath": lambda c, r, a: None if r.external else
        f"/{r.pipeline.project.full_path}/-/jobs/{r.id}",
        "createdAt": time_of("created_at"), "startedAt": time_of("started_at"), "finishedAt": time_of("finished_at"),
        "stage": lambda c, r, a: (r.pipeline, r.stage)},
    "CiStage": {
        "id": lambda c, r, a: f"gid://gitlab/Ci::Stage/{r[0].id}{gitlab_ci.stages(r[0]).index(r[1])}",
        "name": lambda c, r, a: r[1], "status": lambda c, r, a: stage_status(*r)},
}


def resolve(type_name, field, root, context, arguments):
    found = FIELDS.get(type_name, {}).get(field)
    if found:
        return found(context, root, arguments)
    name = SNAKE.sub("_", field).lower()
    if isinstance(root, dict):
        return root[field] if field in root else root[name]
    return getattr(root, name)
