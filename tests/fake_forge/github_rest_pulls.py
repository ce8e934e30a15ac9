"""Routes about pull requests: the list, one, merging, reviews, comments."""

import github_merge
import github_pulls
import github_reviews
from github_rest import DIFFS, route
from github_state import Refused, invalid
from web import Reply

PULLS = "/repos/{owner}/{repo}/pulls"
PULL = PULLS + "/{number}"
BY_ID = "/repositories/{repository_id}/pulls"
ISSUES = "/repos/{owner}/{repo}/issues"
READ, WRITE = ("pull_requests", "read"), ("pull_requests", "write")


@route("GET", PULLS, needs=READ, resource="PullRequest", docs="/pulls/pulls#list-pull-requests")
@route("GET", BY_ID, needs=READ, resource="PullRequest")
def pulls(call):
    state = call.choice("state", ("open", "closed", "all"), "open")
    sort = call.choice("sort", ("created", "updated", "popularity", "long-running"), "created")
    newest_first = call.query.get("direction", "desc" if sort == "created" else "asc") == "desc"
    found = [pull for pull in call.repository.pulls.values() if state in ("all", pull.state)]
    if "head" in call.query:
        # Without the owner, GitHub passes over this filter.
        owner, separator, branch = call.query["head"].partition(":")
        if separator:
            found = [pull for pull in found if pull.head == branch
                     and owner.lower() == call.repository.owner.login.lower()]
    if "base" in call.query:
        found = [pull for pull in found if pull.base == call.query["base"]]
    found.sort(key=lambda pull: (pull.updated_at if sort == "updated" else pull.created_at, pull.number),
               reverse=newest_first)
    return [call.forms.simple_pull(pull, call.actor) for pull in call.page(found)]


@route("POST", PULLS, needs=WRITE, resource="PullRequest", required=("head", "base"),
       fields={"title": str, "head": str, "head_repo": str, "base": str, "body": str, "maintainer_can_modify": bool,
               "draft": bool, "issue": int}, docs="/pulls/pulls#create-a-pull-request")
def create(call):
    body = call.body
    if body.get("title") is None:
        raise invalid("PullRequest", "title", "missing_field")
    pull = github_pulls.open_pull(call.state, call.repository, call.actor, body["title"], body["head"], body["base"],
                                  body.get("body"), bool(body.get("draft")),
                                  body.get("maintainer_can_modify") is not False)
    return 201, call.forms.pull(pull, call.actor, asked=False)


@route("GET", PULL, needs=READ, docs="/pulls/pulls#get-a-pull-request")
@route("GET", BY_ID + "/{number}", needs=READ)
def get(call):
    pull = call.pull()
    kind = DIFFS.get(call.request.headers.get("Accept", "").split(",")[0].split(";")[0].strip())
    if kind:
        start, bare = github_pulls.fork_point(pull), call.repository.bare
        text = bare.diff(start, pull.head_sha) if kind == "diff" else bare.run(
            "format-patch", "--stdout", f"{start}..{pull.head_sha}")
        return Reply(200, text.encode(), [("Content-Type", f"application/vnd.github.v3.{kind}; charset=utf-8")])
    return call.forms.pull(pull, call.actor)


@route("PATCH", PULL, needs=WRITE, resource="PullRequest",
       fields={"title": str, "body": str, "state": str, "base": str, "maintainer_can_modify": bool},
       docs="/pulls/pulls#update-a-pull-request")
def update(call):
    pull, body = call.pull(), call.body
    if call.actor is not pull.user and not call.forms.rights(call.viewer.level(call.repository))["triage"]:
        raise Refused(403, "Must have admin rights to Repository.")
    wanted = body.get("state")
    if wanted not in (None, "open", "closed"):
        raise invalid("PullRequest", "state", "invalid")
    github_pulls.edit(call.state, pull, call.actor, body.get("title"), body.get("body"), body.get("base"),
                      body.get("maintainer_can_modify"))
    if wanted == "closed":
        github_pulls.close(call.state, pull, call.actor)
    elif wanted == "open":
        github_pulls.reopen(call.state, pull, call.actor)
    return call.forms.pull(pull, call.actor, asked=False)


@route("GET", PULL + "/merge", needs=READ, docs="/pulls/pulls#check-if-a-pull-request-has-been-merged")
def merged(call):
    if not call.pull().merged_at:
        raise Refused(404, "Not Found")
    return 204, None


@route("PUT", PULL + "/merge", needs=("contents", "write"), level="write", resource="PullRequest",
       lacking=(403, "Must have push access to merge this pull request."),
       fields={"commit_title": str, "commit_message": str, "sha": str, "merge_method": str},
       docs="/pulls/pulls#merge-a-pull-request")
def merge(call):
    method = call.body.get("merge_method") or "merge"
    if method not in github_merge.METHODS:
        raise invalid("PullRequest", "merge_method", "invalid")
    oid = github_merge.merge(call.state, call.pull(), call.actor, method, call.body.get("sha"),
                             call.body.get("commit_title"), call.body.get("commit_message"))
    return {"sha": oid, "merged": True, "message": "Pull Request successfully merged"}


@route("PUT", PULL + "/update-branch", needs=WRITE, level="write", fields={"expected_head_sha": str},
       docs="/pulls/pulls#update-a-pull-request-branch")
def update_branch(call):
    pull = call.pull()
    github_merge.update_branch(call.state, pull, call.actor, call.body.get("expected_head_sha"))
    return 202, {"message": "Updating pull request branch.", "url": call.forms.pull_urls(pull)[0]}


@route("GET", PULL + "/commits", needs=READ, docs="/pulls/pulls#list-commits-on-a-pull-request")
@route("GET", BY_ID + "/{number}/commits", needs=READ)
def commits(call):
    return [call.forms.commit(call.repository, oid) for oid in call.page(github_pulls.commits(call.pull()))]


@route("GET", PULL + "/reviews", needs=READ, docs="/pulls/reviews#list-reviews-for-a-pull-request")
@route("GET", BY_ID + "/{number}/reviews", needs=READ)
def reviews(call):
    seen = [review for review in call.pull().reviews if review.state != "PENDING" or review.user is call.actor]
    return [call.forms.review(review) for review in call.page(seen)]


@route("POST", PULL + "/reviews", needs=WRITE, resource="PullRequestReview",
       fields={"commit_id": str, "body": str, "event": str, "comments": list},
       docs="/pulls/reviews#create-a-review-for-a-pull-request")
def add_review(call):
    comments = call.body.get("comments") or []
    for comment in comments:
        if not isinstance(comment, dict) or not isinstance(comment.get("path"), str) or not comment.get("body"):
            raise Refused(422, "Unprocessable Entity", ["comments need a path and a body"])
    review = github_reviews.add_review(call.state, call.pull(), call.actor, call.body.get("event"),
                                       call.body.get("body") or "", call.body.get("commit_id"), comments)
    return 200, call.forms.review(review)


@route("GET", PULL + "/reviews/{id}", needs=READ, docs="/pulls/reviews#get-a-review-for-a-pull-request")
def review(call):
    return call.forms.review(call.by_number(call.pull().reviews))


@route("POST", PULL + "/reviews/{id}/events", needs=WRITE, fields={"body": str, "event": str}, required=("event",),
       resource="PullRequestReview", docs="/pulls/reviews#submit-a-review-for-a-pull-request")
def submit(call):
    found = call.by_number(call.pull().reviews)
    if call.body["event"] not in github_reviews.EVENTS:
        raise github_reviews.refused("Variable $event of type PullRequestReviewEvent was provided invalid value")
    github_reviews.submit(call.state, found, call.actor, call.body["event"], call.body.get("body"))
    return call.forms.review(found)


@route("PUT", PULL + "/reviews/{id}/dismissals", needs=WRITE, level="write", fields={"message": str, "event": str},
       required=("message",), resource="PullRequestReview", docs="/pulls/reviews#dismiss-a-review-for-a-pull-request")
def dismiss(call):
    found = call.by_number(call.pull().reviews)
    github_reviews.dismiss(call.state, found, call.actor, call.body["message"])
    return call.forms.review(found)


def comments_of(pull):
    found = [comment for thread in pull.threads for comment in thread.comments if comment.review.state != "PENDING"]
    return sorted(found, key=lambda comment: comment.number)


@route("GET", PULL + "/comments", needs=READ, docs="/pulls/comments#list-review-comments-on-a-pull-request")
@route("GET", BY_ID + "/{number}/comments", needs=READ)
def review_comments(call):
    return [call.forms.review_comment(comment) for comment in call.page(comments_of(call.pull()))]


@route("POST", PULL + "/comments", needs=WRITE, resource="PullRequestReviewComment",
       required=("body", "commit_id", "path"),
       fields={"body": str, "commit_id": str, "path": str, "position": int, "side": str, "line": int, "start_line": int,
               "start_side": str, "in_reply_to": int, "subject_type": str},
       docs="/pulls/comments#create-a-review-comment-for-a-pull-request")
def add_review_comment(call):
    pull, body = call.pull(), call.body
    if body.get("in_reply_to"):
        return 201, call.forms.review_comment(answered(call, pull, body["in_reply_to"]))
    subject = (body.get("subject_type") or "line").upper()
    if subject not in ("LINE", "FILE"):
        raise invalid("PullRequestReviewComment", "subject_type", "invalid")
    if subject == "LINE" and body.get("line") is None:
        raise invalid("PullRequestReviewComment", "line", "missing_field")
    if body["commit_id"] not in github_pulls.commits(pull):
        raise invalid("PullRequestReviewComment", "commit_id", "custom",
                      "commit_id is not part of the pull request")
    thread = github_reviews.open_thread(call.state, pull, call.actor, body["body"], body["path"], body.get("line"),
                                        body.get("side") or "RIGHT", subject, body.get("start_line"))
    return 201, call.forms.review_comment(thread.comments[0])


def answered(call, pull, number):
    thread = next((thread for thread in pull.threads if any(comment.number == number for comment in thread.comments)),
                  None)
    if not thread:
        raise Refused(404, "Not Found")
    return github_reviews.reply(call.state, thread, call.actor, call.body["body"])


@route("POST", PULL + "/comments/{id}/replies", needs=WRITE, fields={"body": str}, required=("body",),
       resource="PullRequestReviewComment", docs="/pulls/comments#create-a-reply-for-a-review-comment")
def add_reply(call):
    return 201, call.forms.review_comment(answered(call, call.pull(), call.number("id")))


@route("GET", ISSUES + "/{number}/comments", needs=READ, docs="/issues/comments#list-issue-comments")
@route("GET", "/repositories/{repository_id}/issues/{number}/comments", needs=READ)
def comments(call):
    return [call.forms.comment(comment) for comment in call.page(call.pull().comments)]


@route("POST", ISSUES + "/{number}/comments", needs=WRITE, fields={"body": str}, required=("body",),
       resource="IssueComment", docs="/issues/comments#create-an-issue-comment")
def add_comment(call):
    return 201, call.forms.comment(github_reviews.comment_on(call.state, call.pull(), call.actor, call.body["body"]))
