"""REST about pull requests: opening, changing, merging, updating."""

import gitea_merge
import gitea_pulls
import gitea_reviews
from clock import iso
from gitea_rest import ONE, PULLS, REPOSITORY, route
from gitea_state import Refused, not_found

COMMENTS = f"{REPOSITORY}/issues/{{index}}/comments"
# sort → (what it goes by, whether the largest comes first)
SORTS = {"oldest": (lambda pull: pull.number, False), "recentupdate": (lambda pull: pull.updated_at, True),
         "leastupdate": (lambda pull: pull.updated_at, False), "mostcomment": (lambda pull: len(pull.comments), True),
         "leastcomment": (lambda pull: len(pull.comments), False), "priority": (lambda pull: 0, False)}
NEWEST = (lambda pull: pull.number, True)
STYLES = (*gitea_merge.STYLES, "manually-merged")


@route("GET", PULLS)
def pulls(call):
    query, state = call.query, call.query.get("state") or "open"
    if state not in ("open", "closed", "all"):
        state = "open"
    found = [pull for pull in call.repository.pulls.values() if state in ("all", pull.state)]
    if query.get("poster"):
        found = [pull for pull in found if pull.user.login.lower() == query["poster"].lower()]
    if query.get("base_branch"):
        found = [pull for pull in found if pull.base == query["base_branch"]]
    found.sort(key=NEWEST[0], reverse=True)
    key, largest = SORTS.get(query.get("sort"), NEWEST)
    found.sort(key=key, reverse=largest)
    return [call.forms.pull(pull, call.actor) for pull in call.page(found)]


@route("POST", PULLS, required=("head", "base", "title"),
       fields={"head": str, "base": str, "title": str, "body": str})
def create(call):
    body = call.body
    made = gitea_pulls.open_pull(call.state, call.repository, call.actor, body["title"], body["head"], body["base"],
                                 body.get("body"))
    return 201, call.forms.pull(made, call.actor)


@route("GET", ONE)
def pull(call):
    return call.forms.pull(call.pull(asked=True), call.actor)


@route("PATCH", ONE, changes=False, fields={"title": str, "body": str, "base": str, "state": str})
def change(call):
    found, body = call.pull(), call.body
    if not gitea_pulls.may_edit(found, call.actor):
        raise Refused(403, None)
    gitea_pulls.edit(call.state, found, call.actor, body.get("title"), body.get("body"))
    if "state" in body:
        gitea_pulls.set_state(call.state, found, call.actor, body["state"])
    gitea_pulls.edit(call.state, found, call.actor, base=body.get("base"))
    # 201, as if something was made.
    return 201, call.forms.pull(found, call.actor)


@route("GET", f"{ONE}/merge")
def is_merged(call):
    if not call.pull().merged_at:
        raise not_found()
    return 204, None


@route("POST", f"{ONE}/merge", required=("Do",), values={"Do": STYLES}, fields={
    "Do": str, "MergeTitleField": str, "MergeMessageField": str, "head_commit_id": str,
    "delete_branch_after_merge": bool, "force_merge": bool})
def merge(call):
    body = call.body
    gitea_merge.merge(call.state, call.pull(), call.actor, body["Do"], body.get("head_commit_id"),
                      body.get("MergeTitleField", "").strip(), body.get("MergeMessageField", "").strip(),
                      body.get("delete_branch_after_merge"), body.get("force_merge", False))
    return 200, None


@route("POST", f"{ONE}/update", changes=False)
def update(call):
    gitea_merge.update(call.state, call.pull(), call.actor, call.query.get("style") == "rebase")
    return 200, None


@route("GET", f"{ONE}/commits")
def commits(call):
    found, bare = call.pull(), call.repository.bare
    oids = bare.between(found.merge_base, found.head_sha) if found.merge_base else []
    return [commit(call, oid) for oid in call.page(oids[::-1])]


def commit(call, oid):
    shown = call.forms.commit(call.repository, oid)
    found, url = call.repository.bare.commit(oid), call.forms.api_url(call.repository)
    people = {role: {"name": found[role], "email": found[f"{role}_email"], "date": shown["timestamp"]}
              for role in ("author", "committer")}
    return {"url": f"{url}/git/commits/{oid}", "sha": oid, "created": shown["timestamp"], "html_url": shown["url"],
            "commit": {"url": f"{url}/git/commits/{oid}", **people, "message": shown["message"], "verification": None,
                       "tree": {"url": f"{url}/git/trees/{found['tree']}", "sha": found["tree"],
                                "created": shown["timestamp"]}},
            "author": None, "committer": None, "files": None, "stats": None,
            "parents": [{"url": f"{url}/git/commits/{one}", "sha": one, "created": shown["timestamp"]}
                        for one in found["parents"]]}


@route("GET", f"{ONE}/files")
def files(call):
    found, shown = call.pull(), []
    if not found.merge_base:
        return []
    lines = call.repository.bare.diff(found.merge_base, found.head_sha, form=("--numstat",)).splitlines()
    for line in call.page(lines):
        added, deleted, path = line.split("\t")
        added, deleted = (int(text) if text.isdigit() else 0 for text in (added, deleted))
        url = f"{call.forms.html_url(call.repository)}/src/commit/{found.head_sha}/{path}"
        shown.append({"filename": path, "status": "changed", "additions": added, "deletions": deleted,
                      "changes": added + deleted, "html_url": url, "contents_url": url, "raw_url": url})
    return shown


@route("GET", f"{PULLS}/{{base}}/{{head+}}")
def between(call):
    base, head = call.parameters["base"], call.parameters["head"].split(":", 1)[-1]
    found = [one for one in call.repository.pulls.values() if (one.base, one.head) == (base, head)]
    if not found:
        raise not_found()
    gitea_merge.ask(found[-1])
    return call.forms.pull(found[-1], call.actor)


@route("GET", COMMENTS, category="issue")
def comments(call):
    """All of them: this list has no pages."""
    since = call.query.get("since", "")
    found = [one for one in call.pull().comments if iso(one.updated_at) >= since]
    call.headers.append(("X-Total-Count", str(len(found))))
    return [call.forms.comment(one) for one in found]


@route("POST", COMMENTS, category="issue", fields={"body": str}, required=("body",))
def comment(call):
    return 201, call.forms.comment(gitea_reviews.comment(call.state, call.pull(), call.actor, call.body["body"]))
