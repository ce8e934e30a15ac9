"""Reviews, comments on lines and their conversations, comments on a pull request as a whole. Callers hold the
repository's lock."""

import diffs
from gitea_state import Comment, Refused, Review, ReviewComment, at_least, level_of, listed, not_found

OPINIONS = ("APPROVED", "REQUEST_CHANGES")
EVENTS = (*OPINIONS, "COMMENT", "PENDING")
KINDS = {"APPROVED": "approved", "REQUEST_CHANGES": "rejected", "COMMENT": "comment"}


def official(pull, user):
    """Whether one's reviews count: by write access, or by being in the protection's list."""
    rule = pull.repository.protections.get(pull.base)
    if rule and rule.approvals_whitelist_username is not None:
        return listed(user, rule.approvals_whitelist_username)
    return at_least(user, pull.repository, "write")


def check(state, pull, user, event, body, comments):
    if event in OPINIONS and user is pull.user:
        verb = "approve" if event == "APPROVED" else "reject"
        raise Refused(422, f"{verb} your own pull is not allowed")
    if event == "COMMENT" and not body.strip() and not comments:
        raise Refused(422, "review event COMMENT requires a body or a comment")
    if event in ("REQUEST_CHANGES", "PENDING") and not body.strip():
        raise Refused(422, f"review event {event} requires a body")
    if pull.state != "open" and event != "PENDING" and state.version.gitea(1, 23):
        raise Refused(422, "can't submit review for a closed or merged PR")


def submit(state, review, event, body):
    """The review counts from now on; of one's opinions only the last is official."""
    pull, user = review.pull, review.user
    if event in OPINIONS:
        for one in pull.reviews:
            if one.user is user:
                one.official = False
        review.official = official(pull, user)
    review.state, review.body = event, body
    review.updated_at = pull.updated_at = state.clock.now()
    if event != "PENDING":
        state.told(pull.repository, f"pull_request_review_{KINDS[event]}", "reviewed", user, pull=pull, review=review)


def add_review(state, pull, user, event, body="", comments=(), commit=None):
    body = body or ""
    check(state, pull, user, event, body, comments)
    now = state.clock.now()
    review = Review(state.ids.next(), pull, user, "PENDING", body, commit or pull.head_sha, False, now, now)
    for one in comments:
        line = one.get("new_position") or -one.get("old_position", 0)
        add_comment(state, review, user, one["body"], one["path"], line)
    pull.reviews.append(review)
    submit(state, review, event, body)
    return review


def add_comment(state, review, user, body, path, line):
    pull, now = review.pull, state.clock.now()
    diff = pull.repository.bare.diff(pull.merge_base, review.commit, path)
    place = diffs.place(diff, abs(line), "RIGHT" if line > 0 else "LEFT")
    made = ReviewComment(state.ids.next(), review, user, body, path, line, review.commit, place[1] if place else "",
                         now, now)
    review.comments.append(made)
    return made


def comment_of(repository, wanted):
    for pull in repository.pulls.values():
        for review in pull.reviews:
            for one in review.comments:
                if one.id == wanted:
                    return one
    raise not_found()


def resolve(comment, user, resolved=True):
    """By whoever writes, whose pull request it is, or whose reviews count. It marks this comment: what is resolved is
    the conversation that it is the first of."""
    pull = comment.review.pull
    if not (user is pull.user or at_least(user, pull.repository, "write") or official(pull, user)):
        raise Refused(403, "no permission to resolve conversation")
    comment.resolver = user if resolved else None


def reply(state, comment, user, body):
    return add_comment(state, comment.review, user, body, comment.path, comment.line)


def dismiss(state, review, user, dismissed=True):
    if level_of(user, review.pull.repository) not in ("admin", "owner"):
        raise Refused(403, "Must be repo admin")
    if review.state not in OPINIONS:
        raise Refused(403, "not need to dismiss this review because it's type is not Approve or change request")
    review.dismissed, review.updated_at = dismissed, state.clock.now()


def comment(state, pull, user, body):
    now = state.clock.now()
    made = Comment(state.ids.next(), pull, user, body, now, now)
    pull.comments.append(made)
    pull.updated_at = now
    state.told(pull.repository, "pull_request_comment", "created", user, pull=pull, comment=made)
    return made


def approvals(pull, rule):
    """How many count."""
    return len([one for one in pull.reviews if one.state == "APPROVED" and one.official and not one.dismissed
                and not (rule.ignore_stale_approvals and one.stale)])


def rejected(pull):
    return any(one.state == "REQUEST_CHANGES" and one.official and not one.dismissed for one in pull.reviews)


def follow(pull, rule):
    """The head moved to other content: what was said is of an older one."""
    for review in pull.reviews:
        review.stale = review.commit != pull.head_sha
        if rule and rule.dismiss_stale_approvals and review.state == "APPROVED" and review.stale:
            review.dismissed = True
