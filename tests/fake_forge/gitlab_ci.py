"""Pipelines, their jobs, and statuses that others set on commits. Callers hold the project's lock."""

from gitlab_state import Job, Pipeline, Refused

ACTIVE = ("created", "waiting_for_resource", "preparing", "pending", "running")
DONE = ("success", "failed", "canceled", "skipped")
STATES = ("pending", "running", "success", "failed", "canceled", "skipped")
VERBS = {"pending": "enqueue", "running": "run", "success": "success", "failed": "drop", "canceled": "cancel",
         "skipped": "skip"}


def status_of(pipeline):
    """What the jobs come to."""
    jobs = [job for job in pipeline.jobs if not job.retried]
    states = [job.status for job in jobs if not (job.allow_failure and job.status in ("failed", "canceled"))]
    found = set(states)
    if not jobs:
        return "created"
    if "running" in found or (found & {"pending", "created"} and found & {"success", "failed", "canceled"}):
        return "running"
    for one in ("pending", "created", "failed", "canceled"):
        if one in found:
            return one
    if found == {"skipped"}:
        return "skipped"
    return "manual" if found == {"manual"} else "success"


def stages(pipeline):
    names = []
    for job in pipeline.jobs:
        if job.stage not in names:
            names.append(job.stage)
    return names


def head_pipeline(request):
    """The newest one of the merge request's head."""
    refs = (request.source_branch, f"refs/merge-requests/{request.iid}/head")
    return next((one for one in reversed(request.project.pipelines)
                 if one.sha == request.sha and one.ref in refs), None)


def of_request(request):
    """All of the merge request's versions, newest first."""
    bare, refs = request.project.bare, (request.source_branch, f"refs/merge-requests/{request.iid}/head")
    return [one for one in reversed(request.project.pipelines) if one.ref in refs and request.sha
            and (one.sha == request.sha or bare.ancestor(one.sha, request.sha))]


def create(state, project, actor, sha, ref, source="push"):
    now = state.clock.now()
    project.last_pipeline += 1
    made = Pipeline(state.ids.next(), project.last_pipeline, project, sha, ref, source, actor, now, now)
    project.pipelines.append(made)
    return made


def find_or_create(state, project, actor, sha, ref, source):
    found = next((one for one in reversed(project.pipelines) if (one.sha, one.ref) == (sha, ref)), None)
    return found or create(state, project, actor, sha, ref, source)


def change(state, job, status, actor):
    """A job goes on; who looks at the pipeline is told when that changed."""
    pipeline, was, now = job.pipeline, status_of(job.pipeline), state.clock.now()
    job.status = status
    if status == "running" or (status in DONE and job.started_at is None and status != "skipped"):
        job.started_at = job.started_at or now
    job.finished_at = now if status in DONE else None
    pipeline.updated_at = now
    if status_of(pipeline) != was or len(pipeline.jobs) == 1:
        state.told(pipeline.project, "pipeline", None, actor, pipeline=pipeline)


def add_job(state, pipeline, actor, name, status, external=False, stage="test", allow_failure=False):
    for old in pipeline.jobs:
        if old.name == name:
            old.retried = True
    made = Job(state.ids.next(), pipeline, name, "created", actor, external, state.clock.now(), stage, allow_failure)
    pipeline.jobs.append(made)
    change(state, made, status, actor)
    return made


def set_status(state, project, actor, sha, status, name, ref=None, description=None, target_url=None, coverage=None,
               pipeline_id=None):
    """A status by somebody else's hand. One that still goes on is changed, and only to another state."""
    if ref is None:
        branches = [branch for branch, oid in project.bare.branches().items() if project.bare.ancestor(sha, oid)]
        if not branches:
            raise Refused(404, "404 References for commit Not Found")
        ref = project.default_branch if project.default_branch in branches and len(branches) == 1 else \
            next((branch for branch in branches if project.bare.branches()[branch] == sha), branches[0])
    if pipeline_id is not None:
        pipeline = next((one for one in project.pipelines if one.id == pipeline_id and one.sha == sha), None)
        if not pipeline:
            raise Refused(404, "404 Pipeline for pipeline_id, sha and ref Not Found")
    else:
        pipeline = find_or_create(state, project, actor, sha, ref, "external")
    found = next((job for job in pipeline.jobs if job.external and job.name == name and not job.retried), None)
    if found and found.status in ACTIVE:
        if status == found.status or (status == "pending" and found.status == "running"):
            verb = VERBS[status]
            raise Refused(400, f"Cannot transition status via :{verb} from :{found.status} (Reason(s): Status cannot "
                               f"transition via \"{verb}\")")
        job = found
        told(job, description, target_url, coverage)
        change(state, job, status, actor)
    else:
        job = add_job(state, pipeline, actor, name, status, external=True, stage="external")
        told(job, description, target_url, coverage)
    return job


def told(job, description, target_url, coverage):
    job.description = description if description is not None else job.description
    job.target_url = target_url if target_url is not None else job.target_url
    job.coverage = coverage if coverage is not None else job.coverage


def statuses(project, sha, everything=False):
    """All of a commit, oldest first; of each name the newest, unless everything is asked for."""
    return [job for pipeline in project.pipelines if pipeline.sha == sha for job in pipeline.jobs
            if everything or not job.retried]
