"""What the fields of GitHub's GraphQL types answer. A type has a table of fields; what is not in it is read from the
member of the same name. People, repositories and pull requests are here, what hangs on them in github_queries_parts."""

import base64
import dataclasses

import github_access
import github_merge
import github_pulls
import github_reviews
import github_state
from clock import iso
from github_state import Refused, association, at_least, node_id


@dataclasses.dataclass(frozen=True)
class Commit:
    repository: object
    oid: str

    def data(self):
        return self.repository.bare.commit(self.oid)


@dataclasses.dataclass(frozen=True)
class Ref:
    repository: object
    branch: str
    oid: str


@dataclasses.dataclass(frozen=True)
class Rollup:
    repository: object
    oid: str


CLASSES = {"PullRequest": github_state.Pull, "Repository": github_state.Repository, "Commit": Commit, "Ref": Ref,
           "PullRequestReview": github_state.Review, "PullRequestReviewThread": github_state.Thread,
           "PullRequestReviewComment": github_state.ReviewComment, "IssueComment": github_state.Comment,
           "CheckRun": github_state.Run, "StatusContext": github_state.Status, "CheckSuite": github_state.Suite,
           "App": github_state.App}
NAMES = {kind: name for name, kind in CLASSES.items()}


def type_name(value):
    return value.kind if isinstance(value, github_state.User) else NAMES[type(value)]


def not_found(what):
    return Refused(404, what, kind="NOT_FOUND")


def cursor(index):
    return base64.b64encode(f"cursor:v2:{index}".encode()).decode()


def position(text):
    try:
        kind, _, index = base64.b64decode(text, validate=True).decode().rpartition(":")
        if kind == "cursor:v2":
            return int(index)
    except ValueError:
        pass
    raise Refused(422, f"`{text}` does not appear to be a valid cursor.", kind="INVALID_CURSOR_ARGUMENTS")


def connection(context, things, arguments, **more):
    """A page of things, from the front (first, after) or from the back (last, before)."""
    start, end = 0, len(things)
    if arguments.get("after"):
        start = position(arguments["after"]) + 1
    if arguments.get("before"):
        end = min(end, position(arguments["before"]))
    cap = context.site.page_cap or len(things) + 1
    if arguments.get("first") is not None:
        end = min(end, start + min(arguments["first"], cap))
    elif arguments.get("last") is not None:
        start = max(start, end - min(arguments["last"], cap))
    else:
        end = min(end, start + cap)
    page = things[start:end]
    return {"nodes": page, "totalCount": len(things),
            "edges": [{"node": thing, "cursor": cursor(start + index)} for index, thing in enumerate(page)],
            "pageInfo": {"hasNextPage": end < len(things), "hasPreviousPage": start > 0,
                         "startCursor": cursor(start) if page else None,
                         "endCursor": cursor(end - 1) if page else None}, **more}


def nothing(context, root, arguments):
    return connection(context, [], arguments)


def repository_of(context, owner, name):
    found, _ = context.state.find(owner, name)
    try:
        github_access.seen(context.viewer, found)
    except Refused:
        raise not_found(f"Could not resolve to a Repository with the name '{owner}/{name}'.") from None
    return found


def pull_of(context, repository, number):
    if number not in repository.pulls:
        raise not_found(f"Could not resolve to a PullRequest with the number of {number}.")
    github_access.need(context.viewer, repository, "pull_requests", "read")
    return repository.pulls[number]


def node(context, wanted):
    """The thing with a global id, if the viewer may see it."""
    found = context.state.nodes.get(wanted)
    repository = found if isinstance(found, github_state.Repository) else getattr(found, "repository", None)
    if found is None or (repository and not at_least(context.viewer.level(repository), "read")):
        raise not_found(f"Could not resolve to a node with the global id of '{wanted}'")
    return found


def actor_of(context, login):
    found = context.state.users.get(login.lower())
    if not found or found.kind == "Bot":
        raise not_found(f"Could not resolve to a User with the login of '{login}'.")
    return found


def user_url(context, user):
    return f"{context.forms.origin}/apps/{user.login}" if user.kind == "Bot" else f"{context.forms.origin}/{user.login}"


def looked(context, pull):
    """One query is one look at the mergeability, however many fields tell of it."""
    if pull not in context.asked:
        context.asked[pull] = github_merge.ask(pull)
    return context.asked[pull]


def mergeable(context, pull, _):
    return {None: "UNKNOWN", True: "MERGEABLE", False: "CONFLICTING"}[looked(context, pull)]


def branch_ref(repository, name):
    oid = repository.bare.branches().get(name)
    return Ref(repository, name, oid) if oid else None


def pulls_of(context, repository, arguments):
    states = arguments.get("states")
    found = [pull for pull in repository.pulls.values()
             if (not states or pull_state(pull) in states)
             and arguments.get("headRefName") in (None, pull.head)
             and arguments.get("baseRefName") in (None, pull.base)]
    order = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    key = (lambda pull: (pull.updated_at, pull.number)) if order["field"] == "UPDATED_AT" else \
        (lambda pull: (pull.created_at, pull.number))
    found.sort(key=key, reverse=order["direction"] == "DESC")
    return connection(context, found, arguments)


def pull_state(pull):
    return "MERGED" if pull.merged_at else pull.state.upper()


def visible_reviews(context, pull, arguments):
    states, author = arguments.get("states"), arguments.get("author")
    found = [review for review in pull.reviews if (review.state != "PENDING" or review.user is context.actor)
             and (not states or review.state in states) and author in (None, review.user.login)]
    return connection(context, found, arguments)


def threads(context, pull, arguments):
    seen = [thread for thread in pull.threads
            if any(comment.review.state != "PENDING" or comment.user is context.actor for comment in thread.comments)]
    return connection(context, seen, arguments)


def pull_commits(context, pull, arguments):
    found = [{"id": f"{node_id(pull)}:{oid}", "commit": Commit(pull.repository, oid), "pullRequest": pull,
              "url": f"{context.forms.pull_urls(pull)[2]}/commits/{oid}",
              "resourcePath": f"/{pull.repository.full_name}/pull/{pull.number}/commits/{oid}"}
             for oid in github_pulls.commits(pull)]
    return connection(context, found, arguments)


def counts(pull):
    return pull.repository.bare.counts(github_pulls.fork_point(pull), pull.head_sha)


def files(context, pull, arguments):
    letters = {"A": "ADDED", "D": "DELETED", "R": "RENAMED", "C": "COPIED", "M": "MODIFIED", "T": "CHANGED"}
    start, bare = github_pulls.fork_point(pull), pull.repository.bare

    def told(form):
        lines = bare.diff(start, pull.head_sha, form=(form, "--no-renames")).splitlines()
        return [line.split("\t") for line in lines]
    kinds, sizes = told("--name-status"), {words[2]: words for words in told("--numstat")}
    found = [{"path": path, "changeType": letters[kind[0]], "additions": int(sizes[path][0].replace("-", "0")),
              "deletions": int(sizes[path][1].replace("-", "0"))} for kind, path in kinds]
    return connection(context, found, arguments)


def search(context, root, arguments):
    """Only what gh asks: pull requests by repo:, is:, state:, author:, head:, base:, review-requested:."""
    words = dict(word.split(":", 1) for word in arguments["query"].split() if ":" in word)
    found = []
    for repository in context.state.places.values():
        if words.get("repo", repository.full_name).lower() != repository.full_name.lower() \
                or not at_least(context.viewer.level(repository), "read") or "review-requested" in words:
            continue
        author = words.get("author", "").replace("@me", context.actor.login)
        found += [pull for pull in repository.pulls.values() if words.get("state", pull.state) == pull.state
                  and ("author" not in words or pull.user.login == author)
                  and words.get("head", pull.head) == pull.head and words.get("base", pull.base) == pull.base]
    return {**connection(context, list(reversed(found)), arguments), "issueCount": len(found)}


def rate_limit(context, root, arguments):
    shown = context.site.limits.shown(context.viewer.token.text, "graphql")
    return {**shown, **context.cost, "resetAt": iso(shown["reset"])}


QUERY = {
    "viewer": lambda c, r, a: c.actor, "rateLimit": rate_limit, "search": search,
    "repository": lambda c, r, a: repository_of(c, a["owner"], a["name"]),
    "user": lambda c, r, a: actor_of(c, a["login"]), "organization": lambda c, r, a: actor_of(c, a["login"]),
    "repositoryOwner": lambda c, r, a: actor_of(c, a["login"]),
    "node": lambda c, r, a: node(c, a["id"]), "nodes": lambda c, r, a: [node(c, one) for one in a["ids"]]}

ACTOR = {
    "id": lambda c, r, a: node_id(r), "databaseId": lambda c, r, a: r.number, "url": lambda c, r, a: user_url(c, r),
    "resourcePath": lambda c, r, a: user_url(c, r)[len(c.forms.origin):],
    "createdAt": lambda c, r, a: iso(r.created_at),
    "avatarUrl": lambda c, r, a: f"{c.forms.origin}/avatars/u/{r.number}?", "email": lambda c, r, a: ""}

REPOSITORY = {
    "id": lambda c, r, a: node_id(r), "databaseId": lambda c, r, a: r.id,
    "nameWithOwner": lambda c, r, a: r.full_name, "url": lambda c, r, a: c.forms.html_url(r),
    "sshUrl": lambda c, r, a: c.forms.repository(r)["ssh_url"], "isPrivate": lambda c, r, a: r.private,
    "isArchived": lambda c, r, a: r.archived, "isFork": lambda c, r, a: False,
    "isEmpty": lambda c, r, a: not r.bare.branches(),
    "isInOrganization": lambda c, r, a: r.owner.kind == "Organization",
    "createdAt": lambda c, r, a: iso(r.created_at), "updatedAt": lambda c, r, a: iso(r.updated_at),
    "pushedAt": lambda c, r, a: iso(r.pushed_at), "hasIssuesEnabled": lambda c, r, a: True,
    "hasWikiEnabled": lambda c, r, a: False, "hasProjectsEnabled": lambda c, r, a: False,
    "visibility": lambda c, r, a: "PRIVATE" if r.private else "PUBLIC",
    "defaultBranchRef": lambda c, r, a: branch_ref(r, r.default_branch),
    "deleteBranchOnMerge": lambda c, r, a: r.delete_branch_on_merge,
    "mergeCommitAllowed": lambda c, r, a: r.allow_merge_commit,
    "squashMergeAllowed": lambda c, r, a: r.allow_squash_merge,
    "rebaseMergeAllowed": lambda c, r, a: r.allow_rebase_merge, "autoMergeAllowed": lambda c, r, a: False,
    "viewerPermission": lambda c, r, a: c.viewer.level(r).upper(),
    "viewerDefaultMergeMethod": lambda c, r, a: "MERGE" if r.allow_merge_commit else
    "SQUASH" if r.allow_squash_merge else "REBASE",
    "viewerCanAdminister": lambda c, r, a: c.viewer.level(r) == "admin",
    "pullRequest": lambda c, r, a: pull_of(c, r, a["number"]),
    "issueOrPullRequest": lambda c, r, a: pull_of(c, r, a["number"]),
    "issue": lambda c, r, a: None, "parent": lambda c, r, a: None, "mergeQueue": lambda c, r, a: None,
    "pullRequests": lambda c, r, a: pulls_of(c, r, a), "pullRequestTemplates": lambda c, r, a: [],
    "issueTemplates": lambda c, r, a: [],
    "ref": lambda c, r, a: branch_ref(r, a["qualifiedName"].removeprefix("refs/heads/")),
    "refs": lambda c, r, a: connection(c, [Ref(r, name, oid) for name, oid in sorted(r.bare.branches().items())], a),
    "branchProtectionRules": lambda c, r, a: connection(c, [(r, name) for name in sorted(r.protections)], a),
    "object": lambda c, r, a: None, **{name: nothing for name in (
        "forks", "assignableUsers", "milestones", "labels", "projects", "projectsV2")}}

PULL = {
    "id": lambda c, r, a: node_id(r), "databaseId": lambda c, r, a: r.id, "fullDatabaseId": lambda c, r, a: str(r.id),
    "body": lambda c, r, a: r.body or "", "bodyText": lambda c, r, a: r.body or "",
    "url": lambda c, r, a: c.forms.pull_urls(r)[2], "permalink": lambda c, r, a: c.forms.pull_urls(r)[2],
    "state": lambda c, r, a: pull_state(r), "isDraft": lambda c, r, a: r.draft, "locked": lambda c, r, a: False,
    "merged": lambda c, r, a: r.merged_at is not None, "mergedAt": lambda c, r, a: iso(r.merged_at),
    "mergedBy": lambda c, r, a: r.merged_by, "closed": lambda c, r, a: r.state == "closed",
    "closedAt": lambda c, r, a: iso(r.closed_at), "createdAt": lambda c, r, a: iso(r.created_at),
    "updatedAt": lambda c, r, a: iso(r.updated_at), "publishedAt": lambda c, r, a: iso(r.created_at),
    "mergeCommit": lambda c, r, a: Commit(r.repository, r.merge_sha) if r.merged_at else None,
    "potentialMergeCommit": lambda c, r, a: None, "headRef": lambda c, r, a: branch_ref(r.repository, r.head),
    "headRefOid": lambda c, r, a: r.head_sha, "headRefName": lambda c, r, a: r.head,
    "headRepository": lambda c, r, a: r.repository, "headRepositoryOwner": lambda c, r, a: r.repository.owner,
    "baseRef": lambda c, r, a: branch_ref(r.repository, r.base), "baseRefOid": lambda c, r, a: r.base_sha,
    "baseRefName": lambda c, r, a: r.base, "baseRepository": lambda c, r, a: r.repository,
    "isCrossRepository": lambda c, r, a: False, "maintainerCanModify": lambda c, r, a: False,
    "mergeable": mergeable,
    "mergeStateStatus": lambda c, r, a: github_merge.merge_state(r, looked(c, r)).upper(),
    "reviewDecision": lambda c, r, a: github_reviews.decision(r), "author": lambda c, r, a: r.user,
    "authorAssociation": lambda c, r, a: association(r.user, r.repository),
    "additions": lambda c, r, a: counts(r)[1], "deletions": lambda c, r, a: counts(r)[2],
    "changedFiles": lambda c, r, a: counts(r)[0], "files": files, "commits": pull_commits, "reviewThreads": threads,
    "reviews": visible_reviews,
    "latestReviews": lambda c, r, a: connection(c, github_reviews.latest_by_author(r), a),
    "latestOpinionatedReviews": lambda c, r, a: connection(
        c, github_reviews.counted(r) if a.get("writersOnly") else github_reviews.opinions(r), a),
    "comments": lambda c, r, a: connection(c, r.comments, a), "reactionGroups": lambda c, r, a: [],
    "labels": nothing, "assignees": nothing, "projectCards": nothing, "projectItems": nothing,
    "reviewRequests": nothing, "closingIssuesReferences": nothing,
    "milestone": lambda c, r, a: None, "autoMergeRequest": lambda c, r, a: None,
    "mergeQueueEntry": lambda c, r, a: None, "isInMergeQueue": lambda c, r, a: False,
    "isMergeQueueEnabled": lambda c, r, a: False,
    "statusCheckRollup": lambda c, r, a: Rollup(r.repository, r.head_sha),
    "viewerCanUpdate": lambda c, r, a: r.user is c.actor or at_least(c.viewer.level(r.repository), "triage"),
    "viewerDidAuthor": lambda c, r, a: r.user is c.actor,
    "viewerCanMergeAsAdmin": lambda c, r, a: c.viewer.level(r.repository) == "admin",
    "totalCommentsCount": lambda c, r, a: len(r.comments) + sum(len(thread.comments) for thread in r.threads)}


def resolve(kind, field, root, context, arguments):
    from github_queries_parts import PARTS
    tables = {"Query": QUERY, "User": ACTOR, "Bot": ACTOR, "Organization": ACTOR, "Repository": REPOSITORY,
              "PullRequest": PULL, **PARTS}
    found = tables.get(kind, {}).get(field)
    if found:
        return found(context, root, arguments)
    return root.get(field) if isinstance(root, dict) else getattr(root, field)
