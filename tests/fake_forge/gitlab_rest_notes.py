"""REST about discussions and notes."""

import gitlab_notes
from gitlab_rest import converted, route
from gitlab_rest_requests import ONE
from gitlab_state import DEVELOPER, GUEST, Refused, forbidden

POSITION = {"body": str, "position": dict, "commit_id": str}


def shown(call, found):
    discussion, note = found
    return call.forms.note(discussion.request, discussion, note)


@route("GET", f"{ONE}/discussions")
def discussions(call):
    return [call.forms.discussion(one) for one in call.page(call.merge_request().discussions)]


@route("GET", f"{ONE}/discussions/{{discussion}}")
def discussion(call):
    return call.forms.discussion(gitlab_notes.find(call.merge_request(), call.parameters["discussion"]))


@route("POST", f"{ONE}/discussions", level=GUEST, fields=POSITION, required=("body",))
def start(call):
    found, position = call.merge_request(), call.body.get("position")
    if position is not None:
        position = known_place(position)
    made = gitlab_notes.start(call.state, found, call.actor, call.body["body"], position)
    return 201, call.forms.discussion(made)


def known_place(position):
    """The members of a position, each known and of its type."""
    made = {}
    for name, value in position.items():
        if name not in gitlab_notes.PLACE:
            raise Refused(400, f"position[{name}] is unknown", "error")
        made[name] = converted(f"position[{name}]", value, gitlab_notes.PLACE[name])
    return made


@route("PUT", f"{ONE}/discussions/{{discussion}}", level=GUEST, fields={"resolved": bool}, required=("resolved",))
def resolve(call):
    request = call.merge_request()
    found = gitlab_notes.find(request, call.parameters["discussion"])
    if call.viewer.level(call.project) < DEVELOPER and call.actor is not request.author:
        raise forbidden()
    gitlab_notes.resolve(call.state, found, call.actor, call.body["resolved"])
    return call.forms.discussion(found)


@route("POST", f"{ONE}/discussions/{{discussion}}/notes", level=GUEST, fields={"body": str}, required=("body",))
def reply(call):
    found = gitlab_notes.find(call.merge_request(), call.parameters["discussion"])
    return 201, shown(call, (found, gitlab_notes.reply(call.state, found, call.actor, call.body["body"])))


@route("PUT", f"{ONE}/discussions/{{discussion}}/notes/{{id}}", level=GUEST, fields={"body": str, "resolved": bool})
def change_in_discussion(call):
    found, note = gitlab_notes.find_note(call.merge_request(), call.number("id"))
    if len(call.body) != 1:
        raise Refused(400, "body, resolved are mutually exclusive" if call.body else
                      "body, resolved are missing, exactly one parameter must be provided", "error")
    if "body" in call.body:
        gitlab_notes.edit(call.state, found, note, call.actor, call.body["body"])
    else:
        gitlab_notes.resolve(call.state, found, call.actor, call.body["resolved"])
    return shown(call, (found, note))


@route("GET", f"{ONE}/notes")
def notes(call):
    found = [(one, note) for one in call.merge_request().discussions for note in one.notes]
    order, sort = call.choice("order_by", ("created_at", "updated_at"), "created_at"), \
        call.choice("sort", ("asc", "desc"), "desc")
    found.sort(key=lambda pair: (getattr(pair[1], order), pair[1].id), reverse=sort == "desc")
    wanted = call.choice("activity_filter", ("all_notes", "only_comments", "only_activity"), "all_notes")
    if wanted != "all_notes":
        found = [pair for pair in found if pair[1].system == (wanted == "only_activity")]
    return [shown(call, pair) for pair in call.page(found)]


@route("GET", f"{ONE}/notes/{{id}}")
def note(call):
    return shown(call, gitlab_notes.find_note(call.merge_request(), call.number("id")))


@route("POST", f"{ONE}/notes", level=GUEST, fields={"body": str}, required=("body",))
def create(call):
    made = gitlab_notes.start(call.state, call.merge_request(), call.actor, call.body["body"], individual=True)
    return 201, shown(call, (made, made.notes[0]))


@route("PUT", f"{ONE}/notes/{{id}}", level=GUEST, fields={"body": str}, required=("body",))
def change(call):
    found, one = gitlab_notes.find_note(call.merge_request(), call.number("id"))
    gitlab_notes.edit(call.state, found, one, call.actor, call.body["body"])
    return shown(call, (found, one))
