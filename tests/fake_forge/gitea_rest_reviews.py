"""REST about reviews and the conversations in them."""

import gitea_reviews
from gitea_rest import ONE, PULLS, route
from gitea_state import Refused, not_found

REVIEW = f"{ONE}/reviews/{{id}}"


def visible(call, review):
    """What is not submitted only its author sees."""
    return review.state != "PENDING" or review.user is call.actor or (call.actor and call.actor.admin)


def review_of(call):
    wanted, pull = call.number("id"), call.pull()
    found = next((one for one in pull.reviews if one.id == wanted and visible(call, one)), None)
    if not found:
        raise not_found("GetReviewByID")
    return found


@route("GET", f"{ONE}/reviews")
def reviews(call):
    """What one does not see is counted all the same."""
    return [call.forms.review(one) for one in call.page(call.pull().reviews) if visible(call, one)]


@route("POST", f"{ONE}/reviews", changes=False, values={"event": gitea_reviews.EVENTS},
       fields={"event": str, "body": str, "commit_id": str, "comments": list})
def create(call):
    body, pull = call.body, call.pull()
    for one in body.get("comments", ()):
        if not isinstance(one, dict) or set(one) - {"path", "body", "old_position", "new_position"}:
            raise Refused(422, "[comments]: a comment has path, body, old_position, new_position")
    commit = body.get("commit_id")
    if commit and call.repository.bare.resolve(commit) != commit:
        raise not_found()
    made = gitea_reviews.add_review(call.state, pull, call.actor, body.get("event", "PENDING"), body.get("body", ""),
                                    body.get("comments", ()), commit)
    return call.forms.review(made)


@route("GET", REVIEW)
def review(call):
    return call.forms.review(review_of(call))


@route("POST", REVIEW, changes=False, values={"event": gitea_reviews.EVENTS}, fields={"event": str, "body": str})
def submit(call):
    found, body = review_of(call), call.body
    if found.state != "PENDING":
        raise Refused(422, "only a pending review can be submitted")
    event = body.get("event", "PENDING")
    gitea_reviews.check(call.state, found.pull, call.actor, event, body.get("body", ""), found.comments)
    if event == "PENDING":
        raise Refused(422, "review stay pending")
    gitea_reviews.submit(call.state, found, event, body.get("body", ""))
    return call.forms.review(found)


@route("GET", f"{REVIEW}/comments")
def comments(call):
    """All of them: this list has no pages."""
    return [call.forms.review_comment(one) for one in review_of(call).comments]


@route("POST", f"{REVIEW}/dismissals", changes=False, fields={"message": str, "priors": bool})
def dismiss(call):
    found = review_of(call)
    gitea_reviews.dismiss(call.state, found, call.actor)
    return call.forms.review(found)


@route("POST", f"{REVIEW}/undismissals", changes=False)
def undismiss(call):
    found = review_of(call)
    gitea_reviews.dismiss(call.state, found, call.actor, False)
    return call.forms.review(found)


def since(call, *number):
    """An earlier version knows the path only as that of two branches, which one may read."""
    if not call.state.version.gitea(*number):
        raise Refused(405, None, headers=[("Allow", "GET")])


@route("POST", f"{PULLS}/comments/{{id}}/resolve", changes=False)
def resolve(call):
    since(call, 1, 26)
    gitea_reviews.resolve(gitea_reviews.comment_of(call.repository, call.number("id")), call.actor)
    return 204, None


@route("POST", f"{PULLS}/comments/{{id}}/unresolve", changes=False)
def unresolve(call):
    since(call, 1, 26)
    gitea_reviews.resolve(gitea_reviews.comment_of(call.repository, call.number("id")), call.actor, False)
    return 204, None


@route("POST", f"{ONE}/comments/{{id}}/replies", changes=False, fields={"body": str}, required=("body",))
def reply(call):
    since(call, 1, 27)
    comment = gitea_reviews.comment_of(call.repository, call.number("id"))
    if comment.review.pull is not call.pull():
        raise not_found()
    return 201, call.forms.review_comment(gitea_reviews.reply(call.state, comment, call.actor, call.body["body"]))
