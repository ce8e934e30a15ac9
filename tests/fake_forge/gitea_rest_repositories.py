"""REST about who one is, repositories, who may do what there, branches, and statuses of commits."""

import gitea_pushes
import gitea_statuses
from gitea_rest import MOST_PER_PAGE, PER_PAGE, REPOSITORY, route
from gitea_state import Refused, at_least, level_of, not_found

OWN = ("Only admins can query all permissions, repo admins can query all repo permissions, collaborators can query "
       "only their own")
ADMIN = "user should be an owner or a collaborator with admin write of a repository"


@route("GET", "/version", category=None)
def version(call):
    return {"version": call.state.version.text}


@route("GET", "/settings/api", category=None)
def settings(call):
    return {"max_response_items": MOST_PER_PAGE, "default_paging_num": PER_PAGE, "default_git_trees_per_page": 1000,
            "default_max_blob_size": 10485760}


@route("GET", "/user", category="user", anonymous=False)
def user(call):
    return {**call.forms.user(call.actor), "is_admin": call.actor.admin, "language": "en-US", "active": True}


@route("GET", REPOSITORY)
def repository(call):
    return call.forms.repository(call.repository, call.actor)


def writers(call):
    """Everybody who may write."""
    return [one for one in list(call.state.users.values())
            if one.kind == "User" and not one.admin and at_least(one, call.repository, "write")]


@route("GET", f"{REPOSITORY}/assignees", anonymous=False)
def assignees(call):
    """Whoever may write: the one list of them that is not only for administrators."""
    return [call.forms.user(one) for one in writers(call)]


@route("GET", f"{REPOSITORY}/collaborators", anonymous=False)
def collaborators(call):
    found = [call.state.user(login) for login, level in call.repository.permissions.items() if level != "none"]
    return [call.forms.user(one) for one in call.page(found)]


@route("GET", f"{REPOSITORY}/collaborators/{{login}}", anonymous=False)
def collaborator(call):
    """Only whether, not how much."""
    if call.repository.permissions.get(call.state.user(call.parameters["login"]).login.lower(), "none") == "none":
        raise not_found()
    return 204, None


@route("GET", f"{REPOSITORY}/collaborators/{{login}}/permission", anonymous=False)
def permission(call):
    """Of others only for administrators."""
    login = call.parameters["login"]
    if login.lower() != call.actor.login.lower() and not at_least(call.actor, call.repository, "admin"):
        raise Refused(403, OWN)
    wanted = call.state.user(login)
    level = level_of(wanted, call.repository)
    return {"permission": level, "role_name": level, "user": call.forms.user(wanted)}


@route("GET", f"{REPOSITORY}/branches")
def branches(call):
    names = sorted(call.repository.bare.branches())
    return [call.forms.branch(call.repository, name, call.actor) for name in call.page(names)]


@route("POST", f"{REPOSITORY}/branches", level="write", required=("new_branch_name",),
       fields={"new_branch_name": str, "old_ref_name": str, "old_branch_name": str})
def create_branch(call):
    name, bare = call.body["new_branch_name"], call.repository.bare
    old = call.body.get("old_ref_name") or call.body.get("old_branch_name") or call.repository.default_branch
    oid = bare.resolve(old)
    if oid is None:
        raise not_found("The old branch does not exist")
    if name in bare.branches():
        raise Refused(409, "The branch already exists.")
    bare.set_ref(f"refs/heads/{name}", oid)
    gitea_pushes.after(call.state, call.repository, call.actor)
    return 201, call.forms.branch(call.repository, name, call.actor)


@route("GET", f"{REPOSITORY}/branches/{{branch+}}")
def branch(call):
    if call.parameters["branch"] not in call.repository.bare.branches():
        raise not_found(f"branch does not exist [repo_id: {call.repository.id} name: {call.parameters['branch']}]")
    return call.forms.branch(call.repository, call.parameters["branch"], call.actor)


@route("DELETE", f"{REPOSITORY}/branches/{{branch+}}", level="write")
def delete_branch(call):
    name = call.parameters["branch"]
    if name not in call.repository.bare.branches():
        raise not_found()
    if name == call.repository.default_branch:
        raise Refused(403, "can not delete default branch")
    if name in call.repository.protections:
        raise Refused(403, "branch protected")
    call.repository.bare.set_ref(f"refs/heads/{name}", None)
    gitea_pushes.after(call.state, call.repository, call.actor)
    return 204, None


@route("GET", f"{REPOSITORY}/branch_protections", anonymous=False, level="admin", lacking=ADMIN)
def protections(call):
    return [call.forms.protection(name, rule) for name, rule in call.repository.protections.items()]


@route("GET", f"{REPOSITORY}/branch_protections/{{name+}}", anonymous=False, level="admin", lacking=ADMIN)
def protection(call):
    rule = call.repository.protections.get(call.parameters["name"])
    if not rule:
        raise not_found()
    return call.forms.protection(call.parameters["name"], rule)


def commit_of(call):
    oid = call.repository.bare.resolve(call.parameters["ref"])
    if oid is None:
        raise not_found(f"object does not exist [id: {call.parameters['ref']}, rel_path: ]")
    return oid


@route("GET", f"{REPOSITORY}/commits/{{ref+}}/status")
def combined_status(call):
    sha = commit_of(call)
    found = gitea_statuses.latest(call.repository, sha)
    return call.forms.combined(call.repository, sha, call.page(found), len(found), call.actor)


@route("GET", f"{REPOSITORY}/commits/{{ref+}}/statuses")
@route("GET", f"{REPOSITORY}/statuses/{{ref}}")
def statuses(call):
    """All of them, those that newer ones replaced too; newest first."""
    found = gitea_statuses.of_commit(call.repository, commit_of(call))
    if call.query.get("state"):
        found = [one for one in found if one.state == call.query["state"]]
    if call.query.get("sort") in ("oldest", "leastindex"):
        found = found[::-1]
    return [call.forms.status(call.repository, one) for one in call.page(found)]


@route("POST", f"{REPOSITORY}/statuses/{{ref}}", level="write", changes=False, required=("state",),
       fields={"state": str, "context": str, "description": str, "target_url": str})
def create_status(call):
    sha, body = commit_of(call), call.body
    if body["state"] not in gitea_statuses.states_of(call.state.version):
        raise Refused(422, f"[state]: {body['state']} is no state of this version")
    made = gitea_statuses.set_status(call.state, call.repository, call.actor, sha, body["state"],
                                     body.get("context"), body.get("description"), body.get("target_url"))
    return 201, call.forms.status(call.repository, made)
