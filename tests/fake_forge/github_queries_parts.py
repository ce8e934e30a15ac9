"""What hangs on repositories and pull requests, as GraphQL shows it: branches, commits, checks, reviews, comments."""

import github_checks
from clock import iso
from github_queries import Commit, Ref, Rollup, connection, pulls_of
from github_state import Run, association, at_least, level_of, node_id


def commit_id(commit):
    return f"C_kwDO{commit.repository.id}{commit.oid[:20]}"


def git_actor(context, found, role):
    at = "authored_at" if role == "author" else "committed_at"
    return {"name": found[role], "email": found[f"{role}_email"], "date": iso(found[at]),
            "user": written_by(context, found[f"{role}_email"])}


def written_by(context, email):
    found = context.state.by_email(email)
    return found if found and found.kind == "User" else None


def rollup(context, commit, _):
    return Rollup(commit.repository, commit.oid) if github_checks.contexts(commit.repository, commit.oid) else None


def contexts(context, root, arguments):
    found = github_checks.contexts(root.repository, root.oid)
    runs = [one for one in found if isinstance(one, Run)]
    statuses = [one for one in found if not isinstance(one, Run)]

    def counted(states):
        return [{"state": state, "count": states.count(state)} for state in sorted(set(states))]
    return connection(context, found, arguments, checkRunCount=len(runs), statusContextCount=len(statuses),
                      checkRunCountsByState=counted([(run.conclusion or run.status).upper() for run in runs]),
                      statusContextCountsByState=counted([status.state.upper() for status in statuses]))


def required(context, root, arguments):
    """Whether the rule of the pull request's base asks for this check."""
    repository = root.repository
    pull = repository.pulls.get(arguments.get("pullRequestNumber"))
    if arguments.get("pullRequestId"):
        pull = context.state.nodes.get(arguments["pullRequestId"])
    rule = repository.protections.get(pull.base if pull else repository.default_branch)
    return bool(rule) and github_checks.name_of(root) in rule.required_checks


def run_url(context, run):
    return f"{context.forms.html_url(run.repository)}/runs/{run.number}"


def comments_of(context, thread, arguments):
    return connection(context, [comment for comment in thread.comments
                                if comment.review.state != "PENDING" or comment.user is context.actor], arguments)


def review_comments(context, review, arguments):
    return connection(context, [comment for thread in review.pull.threads for comment in thread.comments
                                if comment.review is review], arguments)


def may_resolve(context, thread):
    return thread.pull.user is context.actor or at_least(context.viewer.level(thread.repository), "write")


def suite_part(which):
    return lambda c, r, a: (lambda value: value.upper() if value else None)(github_checks.suite_outcome(r)[which])


# What everything that somebody wrote has.
WRITTEN = {
    "id": lambda c, r, a: node_id(r), "databaseId": lambda c, r, a: r.number,
    "fullDatabaseId": lambda c, r, a: str(r.number), "author": lambda c, r, a: r.user,
    "authorAssociation": lambda c, r, a: association(r.user, r.repository), "bodyText": lambda c, r, a: r.body,
    "createdAt": lambda c, r, a: iso(r.created_at), "publishedAt": lambda c, r, a: iso(r.created_at),
    "updatedAt": lambda c, r, a: iso(getattr(r, "updated_at", r.created_at)), "pullRequest": lambda c, r, a: r.pull,
    "reactionGroups": lambda c, r, a: [], "includesCreatedEdit": lambda c, r, a: False,
    "isMinimized": lambda c, r, a: False, "minimizedReason": lambda c, r, a: None,
    "viewerDidAuthor": lambda c, r, a: r.user is c.actor}

PARTS = {
    "Ref": {
        "id": lambda c, r, a: f"REF_kwDO{r.repository.id}:{r.branch}", "name": lambda c, r, a: r.branch,
        "prefix": lambda c, r, a: "refs/heads/", "target": lambda c, r, a: Commit(r.repository, r.oid),
        "branchProtectionRule": lambda c, r, a: (r.repository, r.branch)
        if r.branch in r.repository.protections else None,
        "associatedPullRequests": lambda c, r, a: pulls_of(c, r.repository, {**a, "headRefName": r.branch})},
    "BranchProtectionRule": {
        "id": lambda c, r, a: f"BPR_kwDO{r[0].id}:{r[1]}", "pattern": lambda c, r, a: r[1],
        **{name: (lambda member: lambda c, r, a: getattr(r[0].protections[r[1]], member))(member)
           for name, member in (
               ("requiredApprovingReviewCount", "required_reviews"), ("requiredStatusCheckContexts", "required_checks"),
               ("requiresStrictStatusChecks", "strict"), ("dismissesStaleReviews", "dismiss_stale"),
               ("isAdminEnforced", "enforce_admins"), ("allowsForcePushes", "allow_force_pushes"),
               ("allowsDeletions", "allow_deletions"), ("requiresConversationResolution", "conversation_resolution"))},
        "requiresApprovingReviews": lambda c, r, a: r[0].protections[r[1]].required_reviews > 0,
        "requiresStatusChecks": lambda c, r, a: bool(r[0].protections[r[1]].required_checks)},
    "Commit": {
        "id": lambda c, r, a: commit_id(r), "abbreviatedOid": lambda c, r, a: r.oid[:7],
        "message": lambda c, r, a: r.data()["message"],
        "messageHeadline": lambda c, r, a: r.data()["message"].split("\n")[0],
        "messageBody": lambda c, r, a: r.data()["message"].partition("\n")[2].strip(),
        "committedDate": lambda c, r, a: iso(r.data()["committed_at"]),
        "authoredDate": lambda c, r, a: iso(r.data()["authored_at"]),
        "url": lambda c, r, a: f"{c.forms.html_url(r.repository)}/commit/{r.oid}",
        "author": lambda c, r, a: git_actor(c, r.data(), "author"),
        "committer": lambda c, r, a: git_actor(c, r.data(), "committer"),
        "authors": lambda c, r, a: connection(c, [git_actor(c, r.data(), "author")], a),
        "parents": lambda c, r, a: connection(c, [Commit(r.repository, oid) for oid in r.data()["parents"]], a),
        "statusCheckRollup": rollup, "tree": lambda c, r, a: None,
        "status": lambda c, r, a: r if github_checks.statuses_of(r.repository, r.oid) else None,
        "checkSuites": lambda c, r, a: connection(
            c, [suite for suite in r.repository.suites if suite.sha == r.oid], a),
        "history": lambda c, r, a: connection(
            c, [Commit(r.repository, oid) for oid in r.repository.bare.run("rev-list", r.oid).split()], a)},
    "Status": {
        "id": lambda c, r, a: f"S_{commit_id(r)}",
        "state": lambda c, r, a: github_checks.combined(github_checks.statuses_of(r.repository, r.oid)).upper(),
        "contexts": lambda c, r, a: github_checks.statuses_of(r.repository, r.oid),
        "context": lambda c, r, a: next((one for one in github_checks.statuses_of(r.repository, r.oid)
                                         if one.context == a["name"]), None)},
    "StatusCheckRollup": {
        "id": lambda c, r, a: f"SCR_kwDO{r.repository.id}{r.oid[:20]}",
        "state": lambda c, r, a: github_checks.rollup(r.repository, r.oid) or "EXPECTED", "contexts": contexts,
        "commit": lambda c, r, a: Commit(r.repository, r.oid)},
    "CheckRun": {
        "id": lambda c, r, a: node_id(r), "databaseId": lambda c, r, a: r.number,
        "status": lambda c, r, a: r.status.upper(),
        "conclusion": lambda c, r, a: r.conclusion.upper() if r.conclusion else None,
        "detailsUrl": lambda c, r, a: r.details_url or run_url(c, r), "externalId": lambda c, r, a: r.external_id,
        "isRequired": required, "permalink": lambda c, r, a: run_url(c, r), "url": lambda c, r, a: run_url(c, r),
        "resourcePath": lambda c, r, a: run_url(c, r)[len(c.forms.origin):],
        "startedAt": lambda c, r, a: iso(r.started_at), "completedAt": lambda c, r, a: iso(r.completed_at),
        "title": lambda c, r, a: r.output.get("title"), "summary": lambda c, r, a: r.output.get("summary"),
        "text": lambda c, r, a: r.output.get("text"), "checkSuite": lambda c, r, a: r.suite},
    "StatusContext": {
        "id": lambda c, r, a: node_id(r), "state": lambda c, r, a: r.state.upper(),
        "targetUrl": lambda c, r, a: r.target_url, "isRequired": required,
        "createdAt": lambda c, r, a: iso(r.created_at), "commit": lambda c, r, a: Commit(r.repository, r.sha),
        "avatarUrl": lambda c, r, a: f"{c.forms.origin}/avatars/u/{r.creator.number}?"},
    "CheckSuite": {
        "id": lambda c, r, a: node_id(r), "databaseId": lambda c, r, a: r.number, "status": suite_part(0),
        "conclusion": suite_part(1), "commit": lambda c, r, a: Commit(r.repository, r.sha),
        "branch": lambda c, r, a: Ref(r.repository, r.branch, r.sha) if r.branch else None,
        "createdAt": lambda c, r, a: iso(r.created_at), "updatedAt": lambda c, r, a: iso(r.updated_at),
        "workflowRun": lambda c, r, a: None,
        "url": lambda c, r, a: f"{c.forms.html_url(r.repository)}/commit/{r.sha}/checks?check_suite_id={r.number}",
        "resourcePath": lambda c, r, a: f"/{r.repository.full_name}/commit/{r.sha}/checks?check_suite_id={r.number}",
        "checkRuns": lambda c, r, a: connection(
            c, [run for run in github_checks.contexts(r.repository, r.sha) if getattr(run, "suite", None) is r], a)},
    "App": {"id": lambda c, r, a: node_id(r), "databaseId": lambda c, r, a: r.number, "name": lambda c, r, a: r.slug},
    "PullRequestReviewThread": {
        "id": lambda c, r, a: node_id(r), "isResolved": lambda c, r, a: r.resolved_by is not None,
        "isOutdated": lambda c, r, a: r.outdated,
        "isCollapsed": lambda c, r, a: r.resolved_by is not None or r.outdated,
        "startLine": lambda c, r, a: r.start_line, "originalLine": lambda c, r, a: r.original_line,
        "diffSide": lambda c, r, a: r.side, "subjectType": lambda c, r, a: r.subject, "comments": comments_of,
        "pullRequest": lambda c, r, a: r.pull, "resolvedBy": lambda c, r, a: r.resolved_by,
        "viewerCanReply": lambda c, r, a: True,
        "viewerCanResolve": lambda c, r, a: r.resolved_by is None and may_resolve(c, r),
        "viewerCanUnresolve": lambda c, r, a: r.resolved_by is not None and may_resolve(c, r)},
    "PullRequestReviewComment": {
        **WRITTEN, "url": lambda c, r, a: f"{c.forms.pull_urls(r.pull)[2]}#discussion_r{r.number}",
        "path": lambda c, r, a: r.thread.path, "line": lambda c, r, a: r.thread.line,
        "originalLine": lambda c, r, a: r.thread.original_line, "diffHunk": lambda c, r, a: r.hunk,
        "outdated": lambda c, r, a: r.thread.outdated,
        "state": lambda c, r, a: "PENDING" if r.review.state == "PENDING" else "SUBMITTED",
        "commit": lambda c, r, a: Commit(r.repository, r.commit),
        "originalCommit": lambda c, r, a: Commit(r.repository, r.original_commit),
        "originalPosition": lambda c, r, a: r.original_position, "pullRequestReview": lambda c, r, a: r.review,
        "replyTo": lambda c, r, a: r.reply_to, "subjectType": lambda c, r, a: r.thread.subject},
    "PullRequestReview": {
        **WRITTEN, "url": lambda c, r, a: f"{c.forms.pull_urls(r.pull)[2]}#pullrequestreview-{r.number}",
        "submittedAt": lambda c, r, a: iso(r.submitted_at), "commit": lambda c, r, a: Commit(r.repository, r.commit),
        "comments": review_comments,
        "authorCanPushToRepository": lambda c, r, a: at_least(level_of(r.user, r.repository), "write")},
    "IssueComment": {
        **WRITTEN, "url": lambda c, r, a: f"{c.forms.pull_urls(r.pull)[2]}#issuecomment-{r.number}"}}
