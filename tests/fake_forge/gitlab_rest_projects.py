"""REST about who one is, projects, members, branches and commits."""

import gitlab_access
import gitlab_pushes
from gitlab_forms import REVISION, VERSION
from gitlab_rest import route
from gitlab_state import DEVELOPER, GUEST, MAINTAINER, Refused, level_of, not_found, unauthorized

SELF = ("read_user", "api", "read_api")


@route("GET", "/version", anonymous=False, scopes=SELF)
def version(call):
    return {"version": VERSION, "revision": REVISION, "enterprise": True,
            "kas": {"enabled": False, "externalUrl": None, "version": None}}


@route("GET", "/metadata", anonymous=False, scopes=SELF)
def metadata(call):
    return version(call)


@route("GET", "/user", anonymous=False, scopes=SELF)
def user(call):
    return call.forms.current_user(call.actor)


@route("GET", "/users/{id}", anonymous=False, scopes=SELF)
def user_by_id(call):
    return call.forms.user(call.by_id(list(call.state.users.values()), what="User"))


@route("GET", "/users")
def users(call):
    if not call.actor and "username" not in call.query:
        raise unauthorized()
    wanted = call.query.get("username", "").lower()
    return [call.forms.user(one) for one in call.page([one for one in list(call.state.users.values())
                                                       if wanted in ("", one.username.lower())])]


@route("GET", "/personal_access_tokens/self", anonymous=False, scopes=gitlab_access.SCOPES)
def token(call):
    return call.forms.token(call.viewer.token)


@route("GET", "/projects")
def projects(call):
    seen = [one for one in list(call.state.places.values()) if call.viewer.sees(one)]
    if call.flag("membership"):
        seen = [one for one in seen if call.viewer.level(one) >= GUEST]
    if "min_access_level" in call.query:
        seen = [one for one in seen if call.viewer.level(one) >= int(call.query["min_access_level"])]
    if "search" in call.query:
        seen = [one for one in seen if call.query["search"].lower() in one.name.lower()]
    return [call.forms.project(one, call.actor) for one in call.page(sorted(seen, key=lambda one: -one.id))]


@route("GET", "/projects/{project}")
def project(call):
    return call.forms.project(call.project, call.actor)


def member(call, user):
    level = level_of(user, call.project)
    if level < GUEST or (user.admin and user.username.lower() not in call.project.members):
        raise not_found()
    return call.forms.member(user, level)


@route("GET", "/projects/{project}/members/all/{id}")
@route("GET", "/projects/{project}/members/{id}")
def one_member(call):
    wanted = call.number("id")
    found = next((one for one in list(call.state.users.values()) if one.id == wanted), None)
    if not found:
        raise not_found("User")
    return member(call, found)


@route("GET", "/projects/{project}/members/all")
@route("GET", "/projects/{project}/members")
def members(call):
    found = [(call.state.user(name), level) for name, level in call.project.members.items() if level]
    return [call.forms.member(*one) for one in call.page(found)]


def branch_of(call):
    name = call.parameters["branch"]
    oid = call.project.bare.branches().get(name)
    if oid is None:
        raise not_found("Branch")
    return name, oid


@route("GET", "/projects/{project}/repository/branches")
def branches(call):
    found = sorted(call.project.bare.branches().items())
    if "search" in call.query:
        wanted = call.query["search"]
        exact = wanted.strip("^$")
        found = [one for one in found if (one[0].startswith(exact) if wanted.startswith("^") else exact in one[0])]
    return [call.forms.branch(call.project, *one, call.actor) for one in call.page(found)]


@route("GET", "/projects/{project}/repository/branches/{branch}")
def branch(call):
    return call.forms.branch(call.project, *branch_of(call), call.actor)


@route("POST", "/projects/{project}/repository/branches", level=DEVELOPER, fields={"branch": str, "ref": str},
       required=("branch", "ref"))
def create_branch(call):
    name, oid = call.body["branch"], call.project.bare.resolve(call.body["ref"])
    if name in call.project.bare.branches():
        raise Refused(400, "Branch already exists")
    if oid is None:
        raise Refused(400, f"Invalid reference name: {call.body['ref']}")
    call.project.bare.set_ref(f"refs/heads/{name}", oid)
    gitlab_pushes.after(call.state, call.project, call.actor)
    return 201, call.forms.branch(call.project, name, oid, call.actor)


@route("DELETE", "/projects/{project}/repository/branches/{branch}", level=DEVELOPER)
def delete_branch(call):
    name, _ = branch_of(call)
    if name == call.project.default_branch:
        raise Refused(405, "Cannot remove HEAD branch")
    if name in call.project.protections and call.viewer.level(call.project) < MAINTAINER:
        raise Refused(405, "Protected branch can't be removed")
    call.project.bare.set_ref(f"refs/heads/{name}", None)
    gitlab_pushes.after(call.state, call.project, call.actor)
    return 204, None


@route("GET", "/projects/{project}/protected_branches", level=MAINTAINER)
def protected_branches(call):
    return [call.forms.protected_branch(call.project, name) for name in call.page(sorted(call.project.protections))]


@route("GET", "/projects/{project}/protected_branches/{branch}", level=MAINTAINER)
def protected_branch(call):
    if call.parameters["branch"] not in call.project.protections:
        raise not_found()
    return call.forms.protected_branch(call.project, call.parameters["branch"])


def commit_of(call, name="sha"):
    oid = call.project.bare.resolve(call.parameters[name])
    if oid is None:
        raise not_found("Commit")
    return oid


@route("GET", "/projects/{project}/repository/commits/{sha}", level=0)
def commit(call):
    oid = commit_of(call)
    first = not call.project.bare.commit(oid)["parents"]
    added, deleted = (0, 0) if first else call.project.bare.counts(f"{oid}^", oid)[1:]
    return {**call.forms.commit(call.project, oid), "status": None, "project_id": call.project.id,
            "last_pipeline": None, "stats": {"additions": added, "deletions": deleted, "total": added + deleted}}


@route("GET", "/projects/{project}/hooks", level=MAINTAINER)
def hooks(call):
    return [{"id": hook.id, "url": hook.url, "project_id": call.project.id, "enable_ssl_verification":
             not hook.insecure_ssl, **{event: event in hook.events for event in
                                       ("push_events", "merge_requests_events", "note_events", "pipeline_events")}}
            for hook in call.page(call.project.hooks)]
