"""Where lines are in a diff, and where they went."""

import re

HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def lines_of(diff):
    """Each line of one file's diff as (position, left line, right line, text); a side that it is not on is None."""
    found, position, left, right = [], -1, 0, 0
    for text in diff.splitlines():
        hunk = HUNK.match(text)
        if hunk:
            position += 1
            left, right = int(hunk[1]), int(hunk[3])
            found.append((position, None, None, text))
        elif position >= 0 and text[:1] in (" ", "+", "-"):
            position += 1
            on_left, on_right = text[0] in " -", text[0] in " +"
            found.append((position, left if on_left else None, right if on_right else None, text))
            left, right = left + on_left, right + on_right
    return found


def place(diff, line, side):
    """(position, the hunk's text down to the line) of a line that can be commented on, or None."""
    hunk = []
    for position, left, right, text in lines_of(diff):
        hunk = [text] if HUNK.match(text) else hunk + [text]
        if (left if side == "LEFT" else right) == line and len(hunk) > 1:
            return position, "\n".join(hunk)
    return None


def moved(diff, line):
    """Where a line is after a diff made without context (-U0), or None when the diff took it away."""
    shift = 0
    for text in diff.splitlines():
        hunk = HUNK.match(text)
        if not hunk:
            continue
        start, count = int(hunk[1]), int(hunk[2] or 1)
        added = int(hunk[4] or 1)
        if count and start <= line < start + count:
            return None
        if start < line:
            shift += added - count
    return line + shift
