"""REST about pipelines, jobs and statuses of commits."""

import gitlab_ci
from gitlab_rest import route
from gitlab_rest_projects import commit_of
from gitlab_rest_requests import ONE
from gitlab_state import DEVELOPER, Refused, not_found


@route("GET", "/projects/{project}/repository/commits/{sha}/statuses")
def statuses(call):
    oid = commit_of(call)
    found = gitlab_ci.statuses(call.project, oid, call.flag("all"))
    for name, of in (("ref", lambda job: job.pipeline.ref), ("name", lambda job: job.name),
                     ("stage", lambda job: job.stage), ("pipeline_id", lambda job: str(job.pipeline.id))):
        if call.query.get(name):
            found = [job for job in found if of(job) == call.query[name]]
    return [call.forms.status(job) for job in call.page(found)]


@route("POST", "/projects/{project}/statuses/{sha}", level=DEVELOPER, required=("state",), fields={
    "state": str, "ref": str, "name": str, "context": str, "target_url": str, "description": str, "coverage": float,
    "pipeline_id": int}, values={"state": gitlab_ci.STATES})
def set_status(call):
    oid, body = commit_of(call), call.body
    url = body.get("target_url")
    if url and not url.startswith(("http://", "https://")):
        raise Refused(400, {"target_url": ["is blocked: Only allowed schemes are http, https"]})
    for name, most in (("description", 255), ("name", 255)):
        if len(body.get(name) or "") > most:
            raise Refused(400, {name: [f"is too long (maximum is {most} characters)"]})
    if "name" in body and "context" in body:
        raise Refused(400, "name, context are mutually exclusive", "error")
    name = body.get("name") or body.get("context") or "default"
    made = gitlab_ci.set_status(call.state, call.project, call.actor, oid, body["state"], name, body.get("ref"),
                                body.get("description"), url, body.get("coverage"), body.get("pipeline_id"))
    return 201, call.forms.status(made)


@route("GET", f"{ONE}/pipelines")
def of_request(call):
    return [call.forms.pipeline(one) for one in call.page(gitlab_ci.of_request(call.merge_request()))]


@route("GET", "/projects/{project}/pipelines")
def pipelines(call):
    found = list(reversed(call.project.pipelines))
    for name in ("sha", "ref", "source"):
        if name in call.query:
            found = [one for one in found if getattr(one, name) == call.query[name]]
    if "status" in call.query:
        found = [one for one in found if gitlab_ci.status_of(one) == call.query["status"]]
    return [call.forms.pipeline(one) for one in call.page(found)]


@route("GET", "/projects/{project}/pipelines/{id}")
def pipeline(call):
    return call.forms.full_pipeline(call.by_id(call.project.pipelines))


@route("GET", "/projects/{project}/pipelines/{id}/jobs")
def jobs(call):
    """Only what a runner ran: statuses that others set are no jobs."""
    found = [job for job in reversed(call.by_id(call.project.pipelines).jobs) if not job.external
             and (not job.retried or call.flag("include_retried"))]
    wanted = call.query.get("scope") or call.query.get("scope[]")
    return [call.forms.job(job) for job in call.page([job for job in found if wanted in (None, job.status)])]


@route("GET", "/projects/{project}/jobs/{id}")
def job(call):
    wanted = call.number("id")
    found = next((one for pipeline in call.project.pipelines for one in pipeline.jobs
                  if one.id == wanted and not one.external), None)
    if not found:
        raise not_found()
    return call.forms.job(found)
