"""What a fake GitHub knows: people, apps, tokens, repositories, pull requests and what hangs on them. Only data and how
to find it; what may be done with it is in github_pulls, github_reviews, github_checks, github_merge, github_pushes."""

import base64
import dataclasses
import threading
from dataclasses import field
from typing import Any, Optional

from forge_state import ForgeState, Sending

# From least to most. A level includes those before it.
LEVELS = ("none", "read", "triage", "write", "maintain", "admin")


class Refused(Exception):
    """A request that GitHub does not do. `errors` as REST lists them; `kind` is GraphQL's type of the error."""

    def __init__(self, status, message, errors=None, kind="UNPROCESSABLE", told=None):
        super().__init__(message)
        self.status, self.message, self.errors, self.kind = status, message, errors, kind
        # What GraphQL says, which has no list to look into.
        self.told = told or message


def invalid(resource, field_name, code, message=None):
    """422 `Validation Failed` with one error. Code `custom` is the one with a message of its own."""
    error = {"resource": resource, **({"field": field_name} if field_name else {}), "code": code,
             **({"message": message} if message else {})}
    return Refused(422, "Validation Failed", [error], told=message or f"{field_name} is {code}")


@dataclasses.dataclass(eq=False)
class User:
    number: int
    login: str
    kind: str = "User"  # or Bot, Organization
    name: Optional[str] = None
    site_admin: bool = False
    members: set = field(default_factory=set)  # logins, of an organization
    created_at: int = 0

    @property
    def prefix(self):
        return {"User": "U", "Bot": "BOT", "Organization": "O"}[self.kind]

    @property
    def rest_login(self):
        return f"{self.login}[bot]" if self.kind == "Bot" else self.login

    @property
    def email(self):
        return f"{self.number}+{self.rest_login}@users.noreply.localhost"


@dataclasses.dataclass(eq=False)
class App:
    number: int
    slug: str
    owner: User
    public_key: str
    permissions: dict
    events: list
    bot: User
    created_at: int
    installations: dict = field(default_factory=dict)  # id → account's login
    prefix = "A"


@dataclasses.dataclass(eq=False)
class Token:
    text: str
    kind: str  # classic, fine_grained, installation
    user: User
    scopes: list = field(default_factory=list)
    permissions: dict = field(default_factory=dict)
    repositories: Optional[list] = None  # full names; None for all that the user sees
    app: Optional[App] = None
    expires_at: Optional[int] = None


@dataclasses.dataclass(eq=False)
class Protection:
    """Of one branch. None for a rule that is not set."""
    required_reviews: int = 0
    pull_request_required: bool = False
    dismiss_stale: bool = False
    required_checks: list = field(default_factory=list)
    strict: bool = False
    enforce_admins: bool = False
    allow_force_pushes: bool = False
    allow_deletions: bool = False
    conversation_resolution: bool = False


@dataclasses.dataclass(eq=False)
class Comment:
    """On a pull request as a whole."""
    number: int
    repository: Any
    pull: Any
    user: User
    body: str
    created_at: int
    updated_at: int
    prefix = "IC"


@dataclasses.dataclass(eq=False)
class Review:
    number: int
    repository: Any
    pull: Any
    user: User
    body: str
    state: str  # PENDING, COMMENTED, APPROVED, CHANGES_REQUESTED, DISMISSED
    commit: str
    submitted_at: Optional[int]
    association: str = "NONE"
    created_at: int = 0
    prefix = "PRR"


@dataclasses.dataclass(eq=False)
class Thread:
    number: int
    repository: Any
    pull: Any
    path: str
    line: Optional[int]
    start_line: Optional[int]
    side: str
    subject: str  # LINE, FILE
    original_line: Optional[int]
    comments: list = field(default_factory=list)
    resolved_by: Optional[User] = None
    outdated: bool = False
    prefix = "PRRT"


@dataclasses.dataclass(eq=False)
class ReviewComment:
    number: int
    repository: Any
    pull: Any
    thread: Thread
    review: Review
    user: User
    body: str
    commit: str
    original_commit: str
    hunk: str
    created_at: int
    updated_at: int
    position: Optional[int]
    original_position: int
    reply_to: Optional["ReviewComment"] = None
    prefix = "PRRC"


@dataclasses.dataclass(eq=False)
class Suite:
    number: int
    repository: Any
    app: App
    sha: str
    branch: Optional[str]
    created_at: int
    updated_at: int
    prefix = "CS"


@dataclasses.dataclass(eq=False)
class Run:
    number: int
    repository: Any
    suite: Suite
    app: App
    name: str
    sha: str
    status: str  # queued, in_progress, completed
    conclusion: Optional[str]
    details_url: Optional[str]
    external_id: str
    started_at: Optional[int]
    completed_at: Optional[int]
    output: dict
    prefix = "CR"


@dataclasses.dataclass(eq=False)
class Status:
    number: int
    repository: Any
    sha: str
    context: str
    state: str  # error, failure, pending, success
    description: Optional[str]
    target_url: Optional[str]
    creator: User
    created_at: int
    updated_at: int
    prefix = "SC"


@dataclasses.dataclass(eq=False)
class Pull:
    id: int
    repository: Any
    number: int
    title: str
    body: Optional[str]
    user: User
    head: str  # a branch's name
    base: str
    head_sha: str
    base_sha: str
    created_at: int
    updated_at: int
    draft: bool = False
    state: str = "open"
    closed_at: Optional[int] = None
    merged_at: Optional[int] = None
    merged_by: Optional[User] = None
    merge_sha: Optional[str] = None
    can_modify: bool = False
    # None until it was worked out; `asked` counts reads that were answered "unknown" since the last change.
    mergeable: Optional[bool] = None
    asked: int = 0
    comments: list = field(default_factory=list)
    reviews: list = field(default_factory=list)
    threads: list = field(default_factory=list)
    prefix = "PR"


@dataclasses.dataclass(eq=False)
class Hook(Sending):
    number: int
    repository: Any
    url: str
    secret: Optional[str]
    events: list
    created_at: int
    content_type: str = "json"


@dataclasses.dataclass(eq=False)
class Repository:
    id: int
    owner: User
    name: str
    bare: Any
    created_at: int
    default_branch: str = "main"
    private: bool = True
    description: Optional[str] = None
    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    delete_branch_on_merge: bool = False
    archived: bool = False
    pre_receive_hooks: bool = False
    unknown_reads: int = 1
    refuse_unknown: bool = False  # a merge before the mergeability is known is refused, as GitHub at times does
    last_number: int = 0
    pushed_at: int = 0
    updated_at: int = 0
    permissions: dict = field(default_factory=dict)  # login → level
    protections: dict = field(default_factory=dict)  # branch → Protection
    pulls: dict = field(default_factory=dict)
    suites: list = field(default_factory=list)
    runs: list = field(default_factory=list)
    statuses: list = field(default_factory=list)
    hooks: list = field(default_factory=list)
    known: dict = field(default_factory=dict)  # references at the last look
    renamed: dict = field(default_factory=dict)  # a branch's old name → new name
    lock: Any = field(default_factory=threading.RLock)
    prefix = "R"

    @property
    def full_name(self):
        return f"{self.owner.login}/{self.name}"


class State(ForgeState):
    def __init__(self, clock, root):
        super().__init__(clock, root)
        self.apps, self.nodes = {}, {}

    def keep(self, thing):
        self.nodes[node_id(thing)] = thing
        return thing

    def user(self, login):
        found = self.users.get(login.lower())
        if not found:
            raise Refused(404, "Not Found", kind="NOT_FOUND")
        return found

    def add_user(self, login, kind="User", name=None, site_admin=False):
        key = f"{login}[bot]".lower() if kind == "Bot" else login.lower()
        if key in self.users:
            return self.users[key]
        made = User(self.ids.next(), login, kind, name, site_admin, created_at=self.clock.now())
        self.users[key] = made
        return self.keep(made)

    def by_email(self, email):
        """Whose commit it is, or None."""
        return next((user for user in list(self.users.values()) if user.email == email), None)

    def find(self, owner, name):
        return self.place(f"{owner}/{name}")

    def by_id(self, number):
        return next((found for found in list(self.places.values()) if found.id == number), None)


def node_id(thing):
    number = getattr(thing, "id", None) or thing.number
    owner = getattr(thing, "repository", None)
    packed = (owner.id.to_bytes(4, "big") if owner else b"") + number.to_bytes(5, "big")
    return f"{thing.prefix}_kwDO{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def level_of(user, repository):
    """What a user may do in a repository: the highest of what is given, owning it, and its being public."""
    if user is None:
        return "none" if repository.private else "read"
    given = repository.permissions.get(user.rest_login.lower(), "none")
    if user is repository.owner or user.site_admin:
        given = "admin"
    if repository.owner.kind == "Organization" and user.login.lower() in repository.owner.members and given == "none":
        given = "read"
    if given == "none" and not repository.private:
        given = "read"
    return given


def at_least(level, wanted):
    return LEVELS.index(level) >= LEVELS.index(wanted)


def association(user, repository):
    if user is repository.owner:
        return "OWNER"
    if repository.owner.kind == "Organization" and user.login.lower() in repository.owner.members:
        return "MEMBER"
    if user.rest_login.lower() in repository.permissions and user.kind != "Bot":
        return "COLLABORATOR"
    if any(pull.merged_at and pull.user is user for pull in repository.pulls.values()):
        return "CONTRIBUTOR"
    return "NONE"
