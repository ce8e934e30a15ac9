"""Discussions of a merge request and their notes. Callers hold the project's lock."""

import diffs
from gitlab_state import Discussion, Note, Refused, not_found

SHAS = ("base_sha", "start_sha", "head_sha")
PLACE = {"position_type": str, "old_path": str, "new_path": str, "old_line": int, "new_line": int,
         **{name: str for name in SHAS}}
NO_CODE = '400 Bad request - Note {:line_code=>["can\'t be blank", "must be a valid line code"]%s}'


def checked_position(request, position):
    """The place as it is kept; GitLab finds out by the line's code, which only a line of the diff has."""
    missing = [f"position[{name}]" for name in (*SHAS, "position_type") if not position.get(name)]
    if missing:
        raise Refused(400, ", ".join(f"{name} is missing" for name in missing), "error")
    if position["position_type"] not in ("text", "file"):
        raise Refused(400, "position[position_type] does not have a valid value", "error")
    old_path, new_path = position.get("old_path"), position.get("new_path")
    if not (old_path or new_path):
        raise Refused(400, NO_CODE % ', :position=>["is incomplete"]')
    kept = {**{name: position[name] for name in SHAS}, "old_path": old_path or new_path,
            "new_path": new_path or old_path, "position_type": position["position_type"]}
    bare = request.project.bare
    if not all(bare.resolve(position[name]) for name in SHAS):
        raise Refused(400, NO_CODE % "")
    diff = bare.diff(position["base_sha"], position["head_sha"], kept["new_path"])
    if kept["position_type"] == "file":
        if not diff:
            raise Refused(400, NO_CODE % "")
        return kept
    old_line, new_line = position.get("old_line"), position.get("new_line")
    if old_line is None and new_line is None:
        raise Refused(400, NO_CODE % ', :position=>["is incomplete"]')
    # A line that did not change has both numbers, an added one the new, a removed one the old.
    if not any((left, right) == (old_line, new_line) for _, left, right, text in diffs.lines_of(diff)
               if text[:1] in " +-"):
        raise Refused(400, NO_CODE % "")
    return {**kept, "old_line": old_line, "new_line": new_line, "line_range": None}


def add(state, discussion, actor, body, position=None, system=False):
    request, now = discussion.request, state.clock.now()
    note = Note(state.ids.next(), actor, body, now, now, system, position)
    discussion.notes.append(note)
    if not system:
        request.updated_at = now
        state.told(request.project, "note", "create", actor, request=request, discussion=discussion, note=note)
    return note


def start(state, request, actor, body, position=None, individual=False):
    """A discussion with its first note; an individual note is one that nobody can resolve."""
    if not body or not body.strip():
        raise Refused(400, "400 Bad request - Note {:note=>[\"can't be blank\"]}")
    if position is not None:
        position = checked_position(request, position)
    discussion = Discussion(state.discussion_id(), request, individual)
    request.discussions.append(discussion)
    add(state, discussion, actor, body, position)
    return discussion


def system(state, request, actor, body):
    discussion = Discussion(state.discussion_id(), request, True)
    request.discussions.append(discussion)
    add(state, discussion, actor, body, system=True)


def reply(state, discussion, actor, body):
    """An answer makes a discussion of an individual note."""
    if not body or not body.strip():
        raise Refused(400, "400 Bad request - Note {:note=>[\"can't be blank\"]}")
    discussion.individual = discussion.individual and discussion.notes[0].system
    # An answer to what is resolved opens nothing again.
    return add(state, discussion, actor, body, discussion.notes[0].position)


def edit(state, discussion, note, actor, body):
    if note.author is not actor:
        raise Refused(403, "403 Forbidden")
    if not body.strip():
        raise Refused(400, "400 Bad request - Note {:note=>[\"can't be blank\"]}")
    note.body, note.updated_at = body, state.clock.now()
    discussion.request.updated_at = note.updated_at
    state.told(discussion.request.project, "note", "update", actor, request=discussion.request, discussion=discussion,
               note=note)


def resolve(state, discussion, actor, resolved=True):
    if not discussion.resolvable:
        raise Refused(403, "403 Forbidden")
    if discussion.resolved == resolved:
        return
    request, now = discussion.request, state.clock.now()
    discussion.resolved_by, discussion.resolved_at = (actor, now) if resolved else (None, None)
    for note in discussion.notes:
        note.updated_at = now
    request.updated_at = now
    open_ones = [one for one in request.discussions if one.resolvable and not one.resolved]
    if resolved and not open_ones:
        system(state, request, actor, "resolved all threads")
        state.told(request.project, "merge_request", "update", actor, request=request,
                   changes={"blocking_discussions_resolved": [False, True]})


def find(request, wanted):
    found = next((one for one in request.discussions if one.id == wanted), None)
    if not found:
        raise not_found("Discussion")
    return found


def find_note(request, number):
    """(discussion, note)"""
    for discussion in request.discussions:
        for note in discussion.notes:
            if note.id == number:
                return discussion, note
    raise not_found("Note")


def follow(request, before):
    """Notes on lines go with their lines to the new head; one whose line is gone stays where it was."""
    bare, moved = request.project.bare, {}
    for discussion in request.discussions:
        for note in discussion.notes:
            place = note.position
            if not place or place["head_sha"] != before or not place.get("new_line") or id(place) in moved:
                continue
            diff = bare.diff(before, request.sha, place["new_path"], form=("-U0",))
            line = diffs.moved(diff, place["new_line"]) if diff else place["new_line"]
            moved[id(place)] = True
            if line is not None:
                place.update(head_sha=request.sha, base_sha=request.base_sha, start_sha=request.start_sha,
                             new_line=line)
