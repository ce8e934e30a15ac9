"""Routes about check runs, check suites, commit statuses and apps."""

import calendar
import secrets
import time

import github_access
import github_checks
from clock import iso
from github_rest import route
from github_state import Refused, Token, invalid

COMMIT = "/repos/{owner}/{repo}/commits/{ref+}"
BY_ID = "/repositories/{repository_id}/commits/{ref+}"
READ, WRITE = ("checks", "read"), ("checks", "write")
RUN_FIELDS = {"name": str, "head_sha": str, "details_url": str, "external_id": str, "status": str, "started_at": str,
              "conclusion": str, "completed_at": str, "output": dict, "actions": list}


def commit(call):
    oid = call.repository.bare.resolve(call.parameters["ref"])
    if oid is None:
        raise Refused(422, f"No commit found for SHA: {call.parameters['ref']}")
    return oid


def moment(body, name):
    """Seconds of an ISO 8601 time, or None."""
    text = body.get(name)
    if text is None:
        return None
    try:
        return calendar.timegm(time.strptime(text.split(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        raise invalid("CheckRun", name, "invalid") from None


@route("GET", COMMIT + "/check-runs", needs=READ, resource="CheckRun",
       docs="/checks/runs#list-check-runs-for-a-git-reference")
@route("GET", BY_ID + "/check-runs", needs=READ, resource="CheckRun")
def runs(call):
    latest = call.choice("filter", ("latest", "all"), "latest") == "latest"
    found = github_checks.runs_of(call.repository, commit(call), latest)
    for name, value in (("check_name", lambda run: run.name), ("status", lambda run: run.status),
                        ("app_id", lambda run: str(run.app.number))):
        if name in call.query:
            found = [run for run in found if value(run) == call.query[name]]
    return {"total_count": len(found), "check_runs": [call.forms.run(run) for run in call.page(found)]}


@route("GET", COMMIT + "/check-suites", needs=READ, resource="CheckSuite",
       docs="/checks/suites#list-check-suites-for-a-git-reference")
@route("GET", BY_ID + "/check-suites", needs=READ, resource="CheckSuite")
def suites(call):
    oid = commit(call)
    found = [suite for suite in call.repository.suites if suite.sha == oid]
    return {"total_count": len(found), "check_suites": [call.forms.suite(suite) for suite in call.page(found)]}


@route("GET", COMMIT + "/status", needs=("statuses", "read"),
       docs="/commits/statuses#get-the-combined-status-for-a-specific-reference")
@route("GET", BY_ID + "/status", needs=("statuses", "read"))
def combined(call):
    oid = commit(call)
    page = call.page(github_checks.statuses_of(call.repository, oid))
    return call.forms.combined_status(call.repository, oid, page)


@route("GET", COMMIT + "/statuses", needs=("statuses", "read"),
       docs="/commits/statuses#list-commit-statuses-for-a-reference")
@route("GET", BY_ID + "/statuses", needs=("statuses", "read"))
def statuses(call):
    found = github_checks.statuses_of(call.repository, commit(call), latest=False)
    return [call.forms.status(status) for status in call.page(found)]


@route("POST", "/repos/{owner}/{repo}/statuses/{sha}", needs=("statuses", "write"), level="write", resource="Status",
       required=("state",), fields={"state": str, "target_url": str, "description": str, "context": str},
       docs="/commits/statuses#create-a-commit-status")
def set_status(call):
    sha = call.parameters["sha"]
    if len(sha) != 40 or call.repository.bare.resolve(sha) is None:
        raise Refused(422, f"No commit found for SHA: {sha}")
    made = github_checks.set_status(call.state, call.repository, call.actor, sha, call.body["state"],
                                    call.body.get("context") or "default", call.body.get("description"),
                                    call.body.get("target_url"))
    return 201, call.forms.status(made)


def writing_app(call):
    """Only apps write check runs."""
    if not call.viewer.token or call.viewer.token.kind != "installation":
        raise Refused(403, "You must authenticate via a GitHub App.")
    return call.viewer.token.app


def output_of(body):
    output = body.get("output")
    if output is not None:
        for name in ("title", "summary"):
            if not isinstance(output.get(name), str) and (name == "summary" or "title" in output):
                raise invalid("CheckRun", f"output.{name}", "missing_field")
    return output


@route("POST", "/repos/{owner}/{repo}/check-runs", needs=WRITE, resource="CheckRun", required=("name", "head_sha"),
       fields=RUN_FIELDS, docs="/checks/runs#create-a-check-run")
def create_run(call):
    app, body = writing_app(call), call.body
    if len(body["head_sha"]) != 40 or call.repository.bare.resolve(body["head_sha"]) is None:
        raise Refused(422, f"No commit found for SHA: {body['head_sha']}")
    run = github_checks.create_run(call.state, call.repository, app, body["name"], body["head_sha"],
                                   body.get("status"), body.get("conclusion"), body.get("details_url"),
                                   body.get("external_id"), moment(body, "started_at"), moment(body, "completed_at"),
                                   output_of(body))
    return 201, call.forms.run(run)


@route("GET", "/repos/{owner}/{repo}/check-runs/{id}", needs=READ, docs="/checks/runs#get-a-check-run")
def run(call):
    return call.forms.run(call.by_number(call.repository.runs))


@route("PATCH", "/repos/{owner}/{repo}/check-runs/{id}", needs=WRITE, resource="CheckRun",
       fields={name: kind for name, kind in RUN_FIELDS.items() if name != "head_sha"},
       docs="/checks/runs#update-a-check-run")
def update_run(call):
    app, body, found = writing_app(call), call.body, call.by_number(call.repository.runs)
    if found.app is not app:
        raise Refused(403, "Invalid app_id `%d` - check run can only be modified by the GitHub App that created it."
                      % app.number)
    github_checks.update_run(call.state, found, body.get("name"), body.get("status"), body.get("conclusion"),
                             body.get("details_url"), body.get("external_id"), moment(body, "started_at"),
                             moment(body, "completed_at"), output_of(body))
    return call.forms.run(found)


@route("GET", "/app", by_app=True, docs="/apps/apps#get-the-authenticated-app")
def app(call):
    return {**call.forms.app(call.app), "installations_count": len(call.app.installations)}


@route("POST", "/app/installations/{id}/access_tokens", by_app=True, resource="Integration",
       fields={"repositories": list, "repository_ids": list, "permissions": dict},
       docs="/apps/apps#create-an-installation-access-token-for-an-app")
def access_token(call):
    """A token of an hour for the app's bot, for all of the installation or less."""
    account = call.app.installations.get(call.number("id"))
    if account is None:
        raise Refused(404, "Not Found")
    wanted = call.body.get("permissions") or {}
    given = dict(call.app.permissions)
    for area, how in wanted.items():
        if area not in given or (how == "write" and given[area] == "read"):
            raise Refused(422, "The permissions requested are not granted to this installation.")
    ours = {repository.name.lower(): repository for repository in list(call.state.places.values())
            if repository.owner.login.lower() == account.lower()}
    chosen = None
    if call.body.get("repositories") or call.body.get("repository_ids"):
        names = [str(name).lower() for name in call.body.get("repositories") or []]
        numbers = call.body.get("repository_ids") or []
        chosen = [repository for name, repository in ours.items() if name in names or repository.id in numbers]
        if len(chosen) < len(names) + len(numbers):
            raise Refused(422, "There is at least one repository that does not exist or is not accessible to the "
                               "parent installation.")
    token = Token("ghs_" + secrets.token_hex(18), "installation", call.app.bot, [], wanted or given,
                  [repository.full_name.lower() for repository in (chosen if chosen is not None else ours.values())],
                  call.app, call.state.clock.now() + github_access.INSTALLATION_TOKEN_S)
    call.state.tokens[token.text] = token
    made = {"token": token.text, "expires_at": iso(token.expires_at), "permissions": token.permissions,
            "repository_selection": "all" if chosen is None else "selected"}
    if chosen is not None:
        made["repositories"] = [call.forms.repository(repository) for repository in chosen]
    return 201, made
