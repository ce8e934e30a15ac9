"""Reviews, threads on lines, and comments; and what the reviews decide. Callers hold the repository's lock."""

import diffs
from github_pulls import fork_point
from github_state import (Comment, Refused, Review, ReviewComment, Thread, association, at_least, invalid, level_of)

EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
OWN = {"APPROVE": "Can not approve your own pull request",
       "REQUEST_CHANGES": "Can not request changes on your own pull request"}


def refused(message):
    """GitHub's other form of 422, where the errors are plain text."""
    return Refused(422, "Unprocessable Entity", [message], told=message)


def pending(pull, actor):
    return next((review for review in pull.reviews if review.user is actor and review.state == "PENDING"), None)


def add_review(state, pull, actor, event=None, body="", commit=None, comments=()):
    """A review with its comments on lines; without an event it stays pending."""
    if event is not None and event not in EVENTS:
        raise refused("Variable $event of type PullRequestReviewEvent was provided invalid value")
    if event in OWN and actor is pull.user:
        raise refused(f"Review {OWN[event]}")
    if pending(pull, actor):
        raise refused("User can only have one pending review per pull request")
    if event == "REQUEST_CHANGES" and not body or event == "COMMENT" and not body and not comments:
        raise refused("Review Body can't be blank")
    for comment in comments:
        checked_place(pull, comment["path"], comment.get("line"), comment.get("side", "RIGHT"))
    now = state.clock.now()
    review = Review(state.ids.next(), pull.repository, pull, actor, body or "", "PENDING", commit or pull.head_sha,
                    None, association(actor, pull.repository), now)
    pull.reviews.append(state.keep(review))
    for comment in comments:
        open_thread(state, pull, actor, comment["body"], comment["path"], comment.get("line"),
                    comment.get("side", "RIGHT"), review=review)
    if event:
        submit(state, review, actor, event, body)
    return review


def submit(state, review, actor, event, body=None):
    pull = review.pull
    if review.state != "PENDING":
        raise refused("Can not submit a review that is not pending")
    if event in OWN and actor is pull.user:
        raise refused(f"Review {OWN[event]}")
    review.body = body or review.body
    if event == "REQUEST_CHANGES" and not review.body:
        raise refused("Review Body can't be blank")
    review.state, review.submitted_at = EVENTS[event], state.clock.now()
    pull.updated_at = review.submitted_at
    state.told(pull.repository, "pull_request_review", "submitted", actor, review=review)
    for thread in pull.threads:
        for comment in thread.comments:
            if comment.review is review:
                state.told(pull.repository, "pull_request_review_comment", "created", actor, comment=comment)


def dismiss(state, review, actor, message):
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise refused("Can not dismiss a " + {"COMMENTED": "commented", "PENDING": "pending"}.get(
            review.state, "dismissed") + " pull request review")
    if not message:
        raise invalid("PullRequestReview", "message", "missing_field")
    review.state = "DISMISSED"
    review.pull.updated_at = state.clock.now()
    state.told(review.repository, "pull_request_review", "dismissed", actor, review=review)


def checked_place(pull, path, line, side, subject="LINE"):
    """(position, hunk) of a place in the pull request's diff that can be commented on."""
    diff = pull.repository.bare.diff(fork_point(pull), pull.head_sha, path)
    if not diff:
        raise invalid("PullRequestReviewComment", "pull_request_review_thread.path", "invalid")
    if subject == "FILE":
        return None, ""
    found = diffs.place(diff, line, side)
    if not found:
        raise invalid("PullRequestReviewComment", "pull_request_review_thread.line", "custom",
                      "pull_request_review_thread.line must be part of the diff")
    return found


def open_thread(state, pull, actor, body, path, line, side="RIGHT", subject="LINE", start_line=None, review=None):
    """A thread with its first comment. Without a review it is one by itself, submitted at once."""
    position, hunk = checked_place(pull, path, line, side, subject)
    if not body:
        raise invalid("PullRequestReviewComment", "body", "missing_field")
    thread = Thread(state.ids.next(), pull.repository, pull, path, line, start_line, side, subject, line)
    pull.threads.append(state.keep(thread))
    add_comment_to(state, thread, actor, body, review, position, hunk)
    return thread


def reply(state, thread, actor, body, review=None):
    if not body:
        raise invalid("PullRequestReviewComment", "body", "missing_field")
    first = thread.comments[0]
    return add_comment_to(state, thread, actor, body, review, first.position, first.hunk, first)


def add_comment_to(state, thread, actor, body, review, position, hunk, first=None):
    pull, now = thread.pull, state.clock.now()
    alone = review is None
    if alone:
        review = Review(state.ids.next(), pull.repository, pull, actor, "", "COMMENTED", pull.head_sha, now,
                        association(actor, pull.repository), now)
        pull.reviews.append(state.keep(review))
    comment = ReviewComment(state.ids.next(), pull.repository, pull, thread, review, actor, body, pull.head_sha,
                            first.original_commit if first else pull.head_sha, hunk, now, now, position,
                            first.original_position if first else position or 1, first)
    thread.comments.append(state.keep(comment))
    pull.updated_at = now
    if alone:
        state.told(pull.repository, "pull_request_review", "submitted", actor, review=review)
        state.told(pull.repository, "pull_request_review_comment", "created", actor, comment=comment)
    return comment


def resolve(state, thread, actor, resolved=True):
    if bool(thread.resolved_by) == resolved:
        return
    thread.resolved_by = actor if resolved else None
    thread.pull.updated_at = state.clock.now()
    state.told(thread.repository, "pull_request_review_thread", "resolved" if resolved else "unresolved", actor,
               thread=thread)


def comment_on(state, pull, actor, body):
    if not body:
        raise invalid("IssueComment", "body", "missing_field")
    now = state.clock.now()
    comment = state.keep(Comment(state.ids.next(), pull.repository, pull, actor, body, now, now))
    pull.comments.append(comment)
    pull.updated_at = now
    state.told(pull.repository, "issue_comment", "created", actor, comment=comment)
    return comment


def follow(pull, before):
    """Threads move with their lines when the head goes from `before` to where it is now, or become outdated."""
    for thread in pull.threads:
        if thread.outdated or thread.subject != "LINE" or thread.side != "RIGHT":
            continue
        diff = pull.repository.bare.diff(before, pull.head_sha, thread.path, form=("-U0",))
        now_at = diffs.moved(diff, thread.line) if diff else thread.line
        thread.line, thread.outdated = now_at, now_at is None
        for comment in thread.comments:
            comment.commit = pull.head_sha if now_at else comment.commit
            comment.position = comment.position if now_at else None


def opinions(pull):
    """Each reviewer's newest review that says yes or no, or was dismissed since; in the order they were made."""
    latest = {}
    for review in pull.reviews:
        if review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
            latest.pop(review.user.rest_login, None)
            latest[review.user.rest_login] = review
    return [review for review in latest.values()]


def counted(pull):
    """Opinions of those who may write, which alone count for a protected branch."""
    return [review for review in opinions(pull)
            if review.state != "DISMISSED" and at_least(level_of(review.user, pull.repository), "write")]


def decision(pull):
    """GraphQL's reviewDecision: None where the base branch asks for no review."""
    rule = pull.repository.protections.get(pull.base)
    if not rule or not rule.required_reviews:
        return None
    states = [review.state for review in counted(pull)]
    if "CHANGES_REQUESTED" in states:
        return "CHANGES_REQUESTED"
    return "APPROVED" if states.count("APPROVED") >= rule.required_reviews else "REVIEW_REQUIRED"


def latest_by_author(pull):
    """GraphQL's latestReviews: the newest of each reviewer that is not pending, whatever it says."""
    latest = {}
    for review in pull.reviews:
        if review.state != "PENDING":
            latest.pop(review.user.rest_login, None)
            latest[review.user.rest_login] = review
    return list(latest.values())
