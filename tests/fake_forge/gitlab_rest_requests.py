"""REST about merge requests: opening, changing, merging, rebasing, approving."""

import urllib.parse

import gitlab_merge
import gitlab_requests
from gitlab_forms import iso
from gitlab_rest import route
from gitlab_state import GUEST, Refused, forbidden

ONE = "/projects/{project}/merge_requests/{iid}"
WRITTEN = {"title": str, "description": str, "squash": bool, "remove_source_branch": bool}
EVENTS = ("close", "reopen")


@route("GET", "/projects/{project}/merge_requests")
def requests(call):
    query = call.query
    state = call.choice("state", ("opened", "closed", "locked", "merged", "all"), "all")
    order, sort = call.choice("order_by", ("created_at", "updated_at", "title", "merged_at"), "created_at"), \
        call.choice("sort", ("asc", "desc"), "desc")
    found = [one for one in call.project.requests.values() if state in ("all", one.state)]
    for name in ("source_branch", "target_branch"):
        if name in query:
            found = [one for one in found if getattr(one, name) == query[name]]
    if "author_username" in query:
        found = [one for one in found if one.author.username == query["author_username"]]
    if "author_id" in query:
        found = [one for one in found if str(one.author.id) == query["author_id"]]
    if query.get("wip") in ("yes", "no"):
        found = [one for one in found if one.draft == (query["wip"] == "yes")]
    wanted = [value for name, value in urllib.parse.parse_qsl(call.request.query_string) if name == "iids[]"]
    if wanted:
        found = [one for one in found if str(one.iid) in wanted]
    if "updated_after" in query:
        found = [one for one in found if iso(one.updated_at) >= query["updated_after"]]
    found.sort(key=lambda one: (getattr(one, order) or 0, one.iid) if order != "title" else (one.title, one.iid),
               reverse=sort == "desc")
    shown = []
    for one in call.page(found):
        gitlab_merge.prepare(call.state, one)
        # Without the recheck a list only tells what is known.
        gitlab_merge.ask(one, begins=call.flag("with_merge_status_recheck"))
        shown.append(call.forms.basic_request(one))
    return shown


@route("POST", "/projects/{project}/merge_requests", level=GUEST, required=("title", "source_branch", "target_branch"),
       fields={**WRITTEN, "source_branch": str, "target_branch": str, "target_project_id": int})
def create(call):
    body = call.body
    if body.get("target_project_id", call.project.id) != call.project.id:
        raise Refused(422, ["Source project is not a fork of the target project"])
    made = gitlab_requests.open_request(
        call.state, call.project, call.actor, body["title"], body["source_branch"], body["target_branch"],
        body.get("description"), body.get("squash"), body.get("remove_source_branch"))
    return 201, call.forms.request(made, call.actor)


@route("GET", ONE)
def request(call):
    return call.forms.request(call.merge_request(asked=True), call.actor, call.flag("include_rebase_in_progress"),
                              call.flag("include_diverged_commits_count"))


@route("PUT", ONE, level=GUEST, fields={**WRITTEN, "target_branch": str, "state_event": str},
       values={"state_event": EVENTS})
def change(call):
    found, body = call.merge_request(), call.body
    if not body:
        raise Refused(400, "title, target_branch, state_event, description, squash, remove_source_branch are missing, "
                           "at least one parameter must be provided", "error")
    for name in ("title", "target_branch"):
        if name in body and not body[name]:
            raise Refused(400, f"{name} is empty", "error")
    if not gitlab_requests.may_change(found, call.actor):
        raise forbidden()
    gitlab_requests.edit(call.state, found, call.actor, body.get("title"), body.get("description"),
                         body.get("target_branch"), body.get("squash"), body.get("remove_source_branch"))
    if body.get("state_event") == "close":
        gitlab_requests.close(call.state, found, call.actor)
    if body.get("state_event") == "reopen":
        gitlab_requests.reopen(call.state, found, call.actor)
    return call.forms.request(found, call.actor)


@route("PUT", f"{ONE}/merge", fields={
    "sha": str, "squash": bool, "should_remove_source_branch": bool, "merge_commit_message": str,
    "squash_commit_message": str})
def merge(call):
    found, body = call.merge_request(), call.body
    gitlab_merge.merge(call.state, found, call.actor, body.get("sha"), body.get("squash"),
                       body.get("merge_commit_message"), body.get("squash_commit_message"),
                       body.get("should_remove_source_branch"))
    return call.forms.request(found, call.actor)


@route("PUT", f"{ONE}/rebase", fields={"skip_ci": bool})
def rebase(call):
    found = call.merge_request()
    gitlab_merge.rebase(call.state, found, call.actor)
    return 202, {"rebase_in_progress": True}


@route("GET", f"{ONE}/approvals")
def approvals(call):
    return call.forms.approvals(call.merge_request(), call.actor)


@route("GET", f"{ONE}/approval_state")
def approval_state(call):
    return call.forms.approval_state(call.merge_request())


@route("POST", f"{ONE}/approve", fields={"sha": str})
def approve(call):
    found = call.merge_request()
    gitlab_requests.approve(call.state, found, call.actor, call.body.get("sha"))
    return 201, call.forms.approvals(found, call.actor)


@route("POST", f"{ONE}/unapprove")
def unapprove(call):
    found = call.merge_request()
    gitlab_requests.unapprove(call.state, found, call.actor)
    return 201, call.forms.approvals(found, call.actor)


@route("GET", f"{ONE}/commits")
def commits(call):
    found = call.merge_request()
    oids = call.project.bare.between(found.base_sha, found.sha) if found.base_sha and found.sha else []
    return [call.forms.commit(call.project, oid) for oid in call.page(oids[::-1])]


@route("GET", f"{ONE}/versions")
def versions(call):
    found = call.merge_request()
    return [{"id": found.id, "head_commit_sha": found.sha, "base_commit_sha": found.base_sha,
             "start_commit_sha": found.start_sha, "created_at": iso(found.updated_at),
             "merge_request_id": found.id, "state": "collected", "real_size": "1",
             "patch_id_sha": None}] if call.page([found]) else []


@route("GET", f"{ONE}/diffs")
def diffs(call):
    found, bare, shown = call.merge_request(), call.project.bare, []
    if not (found.base_sha and found.sha):
        return []
    changed = bare.diff(found.base_sha, found.sha, form=("--name-status", "--no-renames")).splitlines()
    for line in call.page(changed):
        kind, path = line.split("\t", 1)
        text = bare.diff(found.base_sha, found.sha, path)
        shown.append({"old_path": path, "new_path": path, "a_mode": "0" if kind == "A" else "100644",
                      "b_mode": "0" if kind == "D" else "100644", "new_file": kind == "A", "renamed_file": False,
                      "deleted_file": kind == "D", "generated_file": False, "collapsed": False, "too_large": False,
                      "diff": text[text.index("@@"):] if "@@" in text else ""})
    return shown
