"""GitHub's GraphQL mutations: each takes its input, does what REST does for the same, and answers what it changed."""

import github_access
import github_merge
import github_pulls
import github_pushes
import github_queries
import github_reviews
from bare import ZERO
from github_state import Pull, Refused, Repository, Review, Thread, at_least

MUTATIONS = {}
AREAS = {"mergePullRequest": "contents", "deleteRef": "contents"}


def mutation(name):
    def keep(function):
        def run(context, given):
            return {"clientMutationId": given.get("clientMutationId"), **function(context, given)}
        MUTATIONS[name] = run
        return function
    return keep


def of(context, kind, wanted, name, level="read"):
    """The thing that a mutation changes, if the viewer may."""
    found = github_queries.node(context, wanted)
    if not isinstance(found, kind):
        raise github_queries.not_found(f"Could not resolve to {kind.__name__} node with the global id of '{wanted}'.")
    repository = found if isinstance(found, Repository) else found.repository
    github_access.need(context.viewer, repository, AREAS.get(name, "pull_requests"), "write")
    if not at_least(context.viewer.level(repository), level) and getattr(found, "user", None) is not context.actor:
        raise Refused(403, f"{context.actor.rest_login} does not have the correct permissions to execute "
                           f"`{name[0].upper()}{name[1:]}`", kind="FORBIDDEN")
    return found


def edge(node):
    return {"node": node, "cursor": github_queries.cursor(0)}


@mutation("createPullRequest")
def create(context, given):
    repository = of(context, Repository, given["repositoryId"], "createPullRequest")
    pull = github_pulls.open_pull(context.state, repository, context.actor, given["title"], given["headRefName"],
                                  given["baseRefName"].removeprefix("refs/heads/"), given.get("body"),
                                  bool(given.get("draft")), given.get("maintainerCanModify") is not False)
    return {"pullRequest": pull}


@mutation("updatePullRequest")
def update(context, given):
    pull = of(context, Pull, given["pullRequestId"], "updatePullRequest", "triage")
    base = given.get("baseRefName")
    github_pulls.edit(context.state, pull, context.actor, given.get("title"), given.get("body"),
                      base.removeprefix("refs/heads/") if base else None, given.get("maintainerCanModify"))
    if given.get("state") == "CLOSED":
        github_pulls.close(context.state, pull, context.actor)
    elif given.get("state") == "OPEN":
        github_pulls.reopen(context.state, pull, context.actor)
    return {"pullRequest": pull, "actor": context.actor}


@mutation("closePullRequest")
def close(context, given):
    pull = of(context, Pull, given["pullRequestId"], "closePullRequest", "triage")
    github_pulls.close(context.state, pull, context.actor)
    return {"pullRequest": pull}


@mutation("reopenPullRequest")
def reopen(context, given):
    pull = of(context, Pull, given["pullRequestId"], "reopenPullRequest", "triage")
    github_pulls.reopen(context.state, pull, context.actor)
    return {"pullRequest": pull}


@mutation("markPullRequestReadyForReview")
def ready(context, given):
    pull = of(context, Pull, given["pullRequestId"], "markPullRequestReadyForReview", "write")
    github_pulls.set_draft(context.state, pull, context.actor, False)
    return {"pullRequest": pull}


@mutation("convertPullRequestToDraft")
def to_draft(context, given):
    pull = of(context, Pull, given["pullRequestId"], "convertPullRequestToDraft", "write")
    github_pulls.set_draft(context.state, pull, context.actor, True)
    return {"pullRequest": pull}


@mutation("mergePullRequest")
def merge(context, given):
    pull = of(context, Pull, given["pullRequestId"], "mergePullRequest")
    if not at_least(context.viewer.level(pull.repository), "write"):
        raise Refused(403, f"{context.actor.rest_login} does not have the correct permissions to execute "
                           "`MergePullRequest`", kind="FORBIDDEN")
    github_merge.merge(context.state, pull, context.actor, (given.get("mergeMethod") or "MERGE").lower(),
                       given.get("expectedHeadOid"), given.get("commitHeadline"), given.get("commitBody"))
    return {"pullRequest": pull, "actor": context.actor}


@mutation("updatePullRequestBranch")
def update_branch(context, given):
    pull = of(context, Pull, given["pullRequestId"], "updatePullRequestBranch", "write")
    github_merge.update_branch(context.state, pull, context.actor, given.get("expectedHeadOid"))
    return {"pullRequest": pull}


@mutation("deleteRef")
def delete_ref(context, given):
    kind, _, rest = given["refId"].partition("_kwDO")
    number, _, branch = rest.partition(":")
    repository = context.state.by_id(int(number)) if kind == "REF" and number.isdigit() else None
    if not repository or branch not in repository.bare.branches():
        raise github_queries.not_found(f"Could not resolve to a node with the global id of '{given['refId']}'")
    of(context, Repository, github_queries.node_id(repository), "deleteRef", "write")
    ref = f"refs/heads/{branch}"
    if branch == repository.default_branch or "delete" in github_pushes.guarded(repository, context.actor).get(ref, {}):
        raise Refused(422, "Cannot delete this branch")
    repository.bare.set_ref(ref, ZERO)
    github_pushes.after(context.state, repository, context.actor)
    return {}


@mutation("addComment")
def add_comment(context, given):
    pull = of(context, Pull, given["subjectId"], "addComment")
    comment = github_reviews.comment_on(context.state, pull, context.actor, given["body"])
    return {"commentEdge": edge(comment), "subject": pull}


@mutation("addPullRequestReview")
def add_review(context, given):
    pull = of(context, Pull, given["pullRequestId"], "addPullRequestReview")
    comments = [{"path": thread["path"], "line": thread.get("line"), "side": thread.get("side") or "RIGHT",
                 "body": thread["body"]} for thread in given.get("threads") or []]
    review = github_reviews.add_review(context.state, pull, context.actor, given.get("event"), given.get("body") or "",
                                       given.get("commitOID"), comments)
    return {"pullRequestReview": review, "reviewEdge": edge(review)}


@mutation("submitPullRequestReview")
def submit(context, given):
    if given.get("pullRequestReviewId"):
        review = of(context, Review, given["pullRequestReviewId"], "submitPullRequestReview")
    else:
        pull = of(context, Pull, given.get("pullRequestId") or "", "submitPullRequestReview")
        review = github_reviews.pending(pull, context.actor)
    if not review or review.user is not context.actor:
        raise Refused(422, "Could not find a pending review")
    github_reviews.submit(context.state, review, context.actor, given["event"], given.get("body"))
    return {"pullRequestReview": review}


@mutation("dismissPullRequestReview")
def dismiss(context, given):
    review = of(context, Review, given["pullRequestReviewId"], "dismissPullRequestReview")
    if not at_least(context.viewer.level(review.repository), "write"):
        raise Refused(403, f"{context.actor.rest_login} does not have the correct permissions to execute "
                           "`DismissPullRequestReview`", kind="FORBIDDEN")
    github_reviews.dismiss(context.state, review, context.actor, given["message"])
    return {"pullRequestReview": review}


@mutation("addPullRequestReviewThread")
def add_thread(context, given):
    """Into the pending review, which is made when there is none, as GitHub does."""
    if given.get("pullRequestReviewId"):
        review = of(context, Review, given["pullRequestReviewId"], "addPullRequestReviewThread")
        pull = review.pull
    else:
        pull = of(context, Pull, given.get("pullRequestId") or "", "addPullRequestReviewThread")
        review = github_reviews.pending(pull, context.actor) or github_reviews.add_review(
            context.state, pull, context.actor)
    if review.state != "PENDING":
        raise Refused(422, "The pull request review is not pending")
    thread = github_reviews.open_thread(
        context.state, pull, context.actor, given["body"], given.get("path"), given.get("line"),
        given.get("side") or "RIGHT", given.get("subjectType") or "LINE", given.get("startLine"), review)
    return {"thread": thread}


@mutation("addPullRequestReviewThreadReply")
def reply(context, given):
    """At once, unless a pending review is named."""
    thread = of(context, Thread, given["pullRequestReviewThreadId"], "addPullRequestReviewThreadReply")
    review = None
    if given.get("pullRequestReviewId"):
        review = of(context, Review, given["pullRequestReviewId"], "addPullRequestReviewThreadReply")
    return {"comment": github_reviews.reply(context.state, thread, context.actor, given["body"], review)}


def settled(context, given, name, resolved):
    thread = of(context, Thread, given["threadId"], name)
    if not at_least(context.viewer.level(thread.repository), "write") and thread.pull.user is not context.actor:
        raise Refused(403, f"{context.actor.rest_login} does not have the correct permissions to execute "
                           f"`{name[0].upper()}{name[1:]}`", kind="FORBIDDEN")
    github_reviews.resolve(context.state, thread, context.actor, resolved)
    return {"thread": thread}


@mutation("resolveReviewThread")
def resolve(context, given):
    return settled(context, given, "resolveReviewThread", True)


@mutation("unresolveReviewThread")
def unresolve(context, given):
    return settled(context, given, "unresolveReviewThread", False)
