"""What a fake GitLab knows: people, tokens, projects, merge requests and what hangs on them. Only data and how to find
it; what may be done with it is in gitlab_requests, gitlab_notes, gitlab_ci, gitlab_merge, gitlab_pushes."""

import dataclasses
import hashlib
import threading
from dataclasses import field
from typing import Any, Optional

from forge_state import ForgeState, Sending

LEVELS = {"none": 0, "guest": 10, "reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}
GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER = 10, 20, 30, 40, 50
DRAFT = "Draft: "


class Refused(Exception):
    """A request that GitLab does not do. `message` as REST has it (a text, a list, an object); `key` is "error" for
    what the parser of parameters finds."""

    def __init__(self, status, message, key="message", headers=()):
        super().__init__(f"{status}: {message}")
        self.status, self.message, self.key, self.headers = status, message, key, list(headers)


def not_found(what=None):
    """What was looked for in the database is `Not found`; what has a name is `Name Not Found`."""
    return Refused(404, f"404 {what} Not Found" if what else "404 Not found")


def forbidden():
    return Refused(403, "403 Forbidden")


def unauthorized():
    return Refused(401, "401 Unauthorized")


@dataclasses.dataclass(eq=False)
class User:
    id: int
    username: str
    name: str
    bot: bool = False
    admin: bool = False
    created_at: int = 0

    @property
    def email(self):
        return f"{self.id}-{self.username}@users.noreply.localhost"


@dataclasses.dataclass(eq=False)
class Token:
    id: int
    text: str
    user: User
    scopes: list
    name: str
    created_at: int
    expires_at: Optional[int] = None
    revoked: bool = False
    project: Any = None  # a project access token sees this one alone
    last_used_at: Optional[int] = None


@dataclasses.dataclass(eq=False)
class Protection:
    """Of one branch: the least levels that may push and merge; 0 is nobody, as at GitLab."""
    push_access_level: int = MAINTAINER
    merge_access_level: int = MAINTAINER
    allow_force_push: bool = False


@dataclasses.dataclass(eq=False)
class Note:
    id: int
    author: User
    body: str
    created_at: int
    updated_at: int
    system: bool = False
    position: Optional[dict] = None


@dataclasses.dataclass(eq=False)
class Discussion:
    id: str
    request: Any
    individual: bool
    notes: list = field(default_factory=list)
    resolved_by: Optional[User] = None
    resolved_at: Optional[int] = None

    @property
    def resolvable(self):
        return not self.individual and not self.notes[0].system

    @property
    def resolved(self):
        return self.resolvable and self.resolved_by is not None


@dataclasses.dataclass(eq=False)
class Job:
    """Of a pipeline: one that a runner ran, or (`external`) a status that somebody set on the commit."""
    id: int
    pipeline: Any
    name: str
    status: str
    user: User
    external: bool
    created_at: int
    stage: str = "test"
    allow_failure: bool = False
    description: Optional[str] = None
    target_url: Optional[str] = None
    coverage: Optional[float] = None
    started_at: Optional[int] = None
    finished_at: Optional[int] = None
    retried: bool = False


@dataclasses.dataclass(eq=False)
class Pipeline:
    id: int
    iid: int
    project: Any
    sha: str
    ref: str
    source: str
    user: User
    created_at: int
    updated_at: int
    jobs: list = field(default_factory=list)


@dataclasses.dataclass(eq=False)
class MergeRequest:
    id: int
    project: Any
    iid: int
    title: str
    description: Optional[str]
    author: User
    source_branch: str
    target_branch: str
    sha: Optional[str]
    base_sha: Optional[str]  # where the source left the target
    start_sha: Optional[str]  # the target's tip when the newest version of the diff was made
    created_at: int
    updated_at: int
    state: str = "opened"
    squash: bool = False
    force_remove_source_branch: bool = False
    prepared_at: Optional[int] = None
    closed_at: Optional[int] = None
    closed_by: Optional[User] = None
    merged_at: Optional[int] = None
    merged_by: Optional[User] = None
    merge_commit_sha: Optional[str] = None
    squash_commit_sha: Optional[str] = None
    merge_error: Optional[str] = None
    rebase_reads: int = 0  # so many more reads say that the rebase is in progress
    # unchecked, checking, can_be_merged, cannot_be_merged; `asked` counts answers of "checking" since the last change.
    status: str = "unchecked"
    asked: int = 0
    approvals: list = field(default_factory=list)  # of users, in the order they came
    discussions: list = field(default_factory=list)

    @property
    def draft(self):
        return self.title.lower().startswith(("draft:", "[draft]", "(draft)"))


@dataclasses.dataclass(eq=False)
class Hook(Sending):
    id: int
    uuid: str
    project: Any
    url: str
    secret: Optional[str]
    events: list

    @property
    def number(self):
        return self.id


@dataclasses.dataclass(eq=False)
class Project:
    id: int
    namespace: str  # its full path
    name: str
    bare: Any
    creator: User
    created_at: int
    default_branch: str = "main"
    visibility: str = "private"
    description: Optional[str] = None
    merge_method: str = "merge"  # merge, rebase_merge, ff
    squash_option: str = "default_off"  # never, always, default_on, default_off
    only_allow_merge_if_pipeline_succeeds: bool = False
    allow_merge_on_skipped_pipeline: bool = False
    only_allow_merge_if_all_discussions_are_resolved: bool = False
    remove_source_branch_after_merge: bool = False
    approvals_required: int = 0
    reset_approvals_on_push: bool = True
    merge_requests_author_approval: bool = False
    archived: bool = False
    checking_reads: int = 1
    last_iid: int = 0
    last_pipeline: int = 0
    updated_at: int = 0
    members: dict = field(default_factory=dict)  # username → level
    protections: dict = field(default_factory=dict)  # branch → Protection
    requests: dict = field(default_factory=dict)
    pipelines: list = field(default_factory=list)
    hooks: list = field(default_factory=list)
    known: dict = field(default_factory=dict)  # references at the last look
    lock: Any = field(default_factory=threading.RLock)

    @property
    def full_path(self):
        return f"{self.namespace}/{self.name}"

    full_name = full_path


class State(ForgeState):
    def user(self, username):
        found = self.users.get(username.lower())
        if not found:
            raise not_found("User")
        return found

    def add_user(self, username, name=None, bot=False, admin=False):
        found = self.users.get(username.lower())
        if not found:
            found = self.users[username.lower()] = User(self.ids.next(), username, name or username.capitalize(), bot,
                                                        admin, self.clock.now())
        return found

    def project(self, wanted):
        """By id or full path; (project, whether the path is an old one), or (None, False)."""
        if wanted.isdigit():
            return next((one for one in list(self.places.values()) if one.id == int(wanted)), None), False
        return self.place(wanted)

    def discussion_id(self):
        return hashlib.sha1(f"discussion {self.ids.next()}".encode()).hexdigest()


def level_of(user, project):
    """What a user may do in a project: membership, or being the administrator."""
    if user is None:
        return 0
    if user.admin or project.namespace.lower() == user.username.lower():
        return OWNER
    return project.members.get(user.username.lower(), 0)


def sees(user, project):
    if project.visibility == "public" or (project.visibility == "internal" and user):
        return True
    return level_of(user, project) >= GUEST


def may(user, project, branch, how):
    """Whether one may push to (or merge into) a branch: `how` is push or merge."""
    level, rule = level_of(user, project), project.protections.get(branch)
    if level < DEVELOPER or project.archived:
        return False
    if not rule:
        return True
    least = rule.push_access_level if how == "push" else rule.merge_access_level
    if how == "merge" and may(user, project, branch, "push"):
        return True
    return least > 0 and level >= least


def gid(thing):
    """GraphQL's id of a thing: with the name of its class at GitLab, of which discussions and notes have several."""
    kind = {Pipeline: "Ci::Pipeline", Job: "Ci::Build"}.get(type(thing), type(thing).__name__)
    if isinstance(thing, Discussion):
        kind = ("DiffDiscussion" if thing.notes[0].position else "IndividualNoteDiscussion" if thing.individual else
                "Discussion")
    elif isinstance(thing, Job) and thing.external:
        kind = "GenericCommitStatus"
    return f"gid://gitlab/{kind}/{thing.id}"


def note_gid(discussion, note):
    kind = "DiffNote" if note.position else "Note" if discussion.individual else "DiscussionNote"
    return f"gid://gitlab/{kind}/{note.id}"
