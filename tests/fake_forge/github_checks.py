"""Check runs, check suites and commit statuses, and what they come to for a commit. Callers hold the lock."""

from github_state import Run, Status, Suite, invalid

RUN_STATUSES = ("queued", "in_progress", "completed")
CONCLUSIONS = ("action_required", "cancelled", "failure", "neutral", "success", "skipped", "timed_out")
STATES = ("error", "failure", "pending", "success")
GOOD = ("success", "neutral", "skipped")
# GitHub refuses more statuses than this for one commit and context.
MOST_STATUSES = 1000


def suite_for(state, repository, app, sha):
    for suite in repository.suites:
        if suite.app is app and suite.sha == sha:
            return suite
    branch = next((name for name, oid in repository.bare.branches().items() if oid == sha), None)
    now = state.clock.now()
    suite = state.keep(Suite(state.ids.next(), repository, app, sha, branch, now, now))
    repository.suites.append(suite)
    state.told(repository, "check_suite", "requested", app.bot, suite=suite)
    return suite


def runs_of(repository, sha, latest=True):
    """Newest first; with `latest`, only the newest of each name in each suite."""
    found, seen = [], set()
    for run in reversed(repository.runs):
        if run.sha == sha and (not latest or (run.suite.number, run.name) not in seen):
            seen.add((run.suite.number, run.name))
            found.append(run)
    return found


def suite_outcome(suite):
    """(status, conclusion) of a suite from its runs."""
    runs = [run for run in runs_of(suite.repository, suite.sha) if run.suite is suite]
    if not runs:
        return "queued", None
    if any(run.status != "completed" for run in runs):
        return ("queued" if all(run.status == "queued" for run in runs) else "in_progress"), None
    for conclusion in ("failure", "timed_out", "action_required", "cancelled", "success", "neutral", "skipped"):
        if any(run.conclusion == conclusion for run in runs):
            return "completed", conclusion
    return "completed", "success"


def checked(status, conclusion, completed_at):
    """(status, conclusion) as they go together, or a refusal."""
    if status is not None and status not in RUN_STATUSES:
        raise invalid("CheckRun", "status", "invalid")
    if conclusion is not None and conclusion not in CONCLUSIONS:
        raise invalid("CheckRun", "conclusion", "invalid")
    if status == "completed" and conclusion is None:
        raise invalid("CheckRun", "conclusion", "missing_field")
    if conclusion is not None or completed_at is not None:
        status = "completed"
    return status, conclusion


def create_run(state, repository, app, name, sha, status=None, conclusion=None, details_url=None, external_id="",
               started_at=None, completed_at=None, output=None):
    status, conclusion = checked(status, conclusion, completed_at)
    now = state.clock.now()
    status = status or "queued"
    suite = suite_for(state, repository, app, sha)
    run = Run(state.ids.next(), repository, suite, app, name, sha, status, conclusion, details_url, external_id or "",
              started_at or now, (completed_at or now) if status == "completed" else None, dict(output or {}))
    repository.runs.append(state.keep(run))
    suite.updated_at = now
    state.told(repository, "check_run", "created", app.bot, run=run)
    settled(state, run)
    return run


def update_run(state, run, name=None, status=None, conclusion=None, details_url=None, external_id=None,
               started_at=None, completed_at=None, output=None):
    status, conclusion = checked(status, conclusion, completed_at)
    was = run.status
    now = state.clock.now()
    run.name = name or run.name
    run.details_url = details_url if details_url is not None else run.details_url
    run.external_id = external_id if external_id is not None else run.external_id
    run.started_at = started_at or run.started_at
    run.output = {**run.output, **(output or {})}
    if status:
        run.status, run.conclusion = status, conclusion
        run.completed_at = (completed_at or now) if status == "completed" else None
    run.suite.updated_at = now
    if was != "completed":
        settled(state, run)


def settled(state, run):
    if run.status != "completed":
        return
    state.told(run.repository, "check_run", "completed", run.app.bot, run=run)
    if suite_outcome(run.suite)[0] == "completed":
        state.told(run.repository, "check_suite", "completed", run.app.bot, suite=run.suite)


def set_status(state, repository, actor, sha, status, context="default", description=None, target_url=None):
    if status not in STATES:
        raise invalid("Status", "state", "invalid")
    if sum(old.sha == sha and old.context == context for old in repository.statuses) >= MOST_STATUSES:
        raise invalid("Status", None, "custom", "This SHA and context has reached the maximum number of statuses.")
    now = state.clock.now()
    made = Status(state.ids.next(), repository, sha, context, status, description, target_url, actor, now, now)
    repository.statuses.append(state.keep(made))
    state.told(repository, "status", None, actor, status=made)
    return made


def statuses_of(repository, sha, latest=True):
    found, seen = [], set()
    for status in reversed(repository.statuses):
        if status.sha == sha and (not latest or status.context not in seen):
            seen.add(status.context)
            found.append(status)
    return found


def combined(statuses):
    """REST's state of several statuses: nothing is pending."""
    states = {status.state for status in statuses}
    if states & {"error", "failure"}:
        return "failure"
    return "pending" if not states or "pending" in states else "success"


def contexts(repository, sha):
    """What counts for a commit: the newest run of each name, and the newest status of each context."""
    return list(reversed(runs_of(repository, sha))) + list(reversed(statuses_of(repository, sha)))


def name_of(context):
    return context.name if isinstance(context, Run) else context.context


def outcome(context):
    """good, bad or pending."""
    if isinstance(context, Status):
        return {"success": "good", "pending": "pending"}.get(context.state, "bad")
    if context.status != "completed":
        return "pending"
    return "good" if context.conclusion in GOOD else "bad"


def rollup(repository, sha):
    """GraphQL's state of a commit's contexts, or None without any."""
    found = contexts(repository, sha)
    if not found:
        return None
    if any(isinstance(context, Status) and context.state == "error" for context in found):
        return "ERROR"
    outcomes = {outcome(context) for context in found}
    return "FAILURE" if "bad" in outcomes else "PENDING" if "pending" in outcomes else "SUCCESS"


def lacking(contexts_of_name):
    """How a required check keeps a commit from being merged, in GitHub's word for it, or None."""
    if not contexts_of_name:
        return "expected"
    outcomes = [outcome(context) for context in contexts_of_name]
    if "bad" in outcomes:
        return "failing"
    waiting = [context for context, found in zip(contexts_of_name, outcomes) if found == "pending"]
    if not waiting:
        return None
    return "pending" if isinstance(waiting[0], Status) else waiting[0].status.replace("_", " ")


def required_missing(repository, sha, names):
    """Why required checks keep a commit from being merged, as GitHub says it, or None. Of several kinds it counts only
    some: what is under way is left out of the list, though it is in the number before it."""
    by_name = {}
    for context in contexts(repository, sha):
        by_name.setdefault(name_of(context), []).append(context)
    missing = {name: lacking(by_name.get(name)) for name in names}
    missing = {name: how for name, how in missing.items() if how}
    if not missing:
        return None
    if len(missing) == 1:
        name, how = next(iter(missing.items()))
        return f'Required status check "{name}" is {how}.'
    kinds = list(missing.values())
    count = f"{len(kinds)} of {len(names)} required status checks"
    if len(set(kinds)) == 1:
        return f"{count} are {kinds[0]}."
    listed = " and ".join(f"{kinds.count(kind)} {kind}" for kind in ("expected", "failing", "pending") if kind in kinds)
    return f"{count} have not succeeded: {listed}."


def all_expected(names):
    """What GitHub says of a commit that it does not look at: one to be pushed, one that is behind."""
    if len(names) == 1:
        return f'Required status check "{names[0]}" is expected.'
    return f"{len(names)} of {len(names)} required status checks are expected."
