"""What a fake Gitea knows: people, tokens, repositories, pull requests and what hangs on them. Only data and how to
find it; what may be done with it is in gitea_pulls, gitea_reviews, gitea_statuses, gitea_merge, gitea_pushes."""

import dataclasses
import re
import threading
from dataclasses import field
from typing import Any, Optional

from forge_state import ForgeState, Sending

LEVELS = ("none", "read", "write", "admin", "owner")
# As Gitea's own settings have them.
DRAFTS = ("wip:", "[wip]")


class Refused(Exception):
    """A request that Gitea does not do. Without a message the body is empty; `body` is one of another form."""

    def __init__(self, status, message="", body=None, headers=()):
        super().__init__(f"{status}: {message}")
        self.status, self.message, self.body, self.headers = status, message, body, list(headers)


def not_found(message=None):
    """None: the words of the version for what is not there, or may not be seen."""
    return Refused(404, message)


class Version:
    """What differs by it. A Forgejo tells of the Gitea that its interface is that of: `15.0.3+gitea-1.22.0`."""

    def __init__(self, text):
        found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(\+gitea-\d+\.\d+\.\d+)?", text)
        if not found:
            raise ValueError("a version is as 1.26.1 or 15.0.3+gitea-1.22.0")
        self.text, self.forgejo = text, bool(found[4])
        self.name = "Forgejo" if self.forgejo else "Gitea"
        self.number = (int(found[1]), int(found[2]))

    def gitea(self, *number):
        """Whether it is a Gitea of this version or a later one."""
        return not self.forgejo and self.number >= number


@dataclasses.dataclass(eq=False)
class User:
    id: int
    login: str
    name: str
    kind: str = "User"  # or Organization
    admin: bool = False
    created_at: int = 0
    members: set = field(default_factory=set)

    @property
    def email(self):
        return f"{self.login.lower()}@noreply.localhost"


@dataclasses.dataclass(eq=False)
class Token:
    text: str
    user: User
    scopes: list


@dataclasses.dataclass(eq=False)
class Protection:
    """Of one branch, the rules as Gitea names them; without a list whoever writes may push, merge, approve."""
    enable_push: bool = True
    push_whitelist_usernames: Optional[list] = None
    enable_force_push: bool = False
    merge_whitelist_usernames: Optional[list] = None
    approvals_whitelist_username: Optional[list] = None
    required_approvals: int = 0
    enable_status_check: bool = False
    status_check_contexts: list = field(default_factory=list)
    block_on_rejected_reviews: bool = False
    block_on_outdated_branch: bool = False
    dismiss_stale_approvals: bool = False
    ignore_stale_approvals: bool = False
    block_admin_merge_override: bool = False


@dataclasses.dataclass(eq=False)
class Status:
    id: int
    sha: str
    context: str
    state: str
    creator: User
    created_at: int
    description: str = ""
    target_url: str = ""


@dataclasses.dataclass(eq=False)
class Comment:
    """On a pull request as a whole."""
    id: int
    pull: Any
    user: User
    body: str
    created_at: int
    updated_at: int


@dataclasses.dataclass(eq=False)
class ReviewComment:
    """On a line: of the new file when positive, of the old one when negative. Those of one review on one line are a
    conversation; its first one bears who resolved it."""
    id: int
    review: Any
    user: User
    body: str
    path: str
    line: int
    commit: str
    hunk: str
    created_at: int
    updated_at: int
    resolver: Optional[User] = None


@dataclasses.dataclass(eq=False)
class Review:
    id: int
    pull: Any
    user: User
    state: str  # PENDING, COMMENT, APPROVED, REQUEST_CHANGES
    body: str
    commit: str
    official: bool
    created_at: int
    updated_at: int
    stale: bool = False
    dismissed: bool = False
    comments: list = field(default_factory=list)


@dataclasses.dataclass(eq=False)
class Pull:
    id: int
    repository: Any
    number: int
    title: str
    body: str
    user: User
    head: str
    base: str
    head_sha: str
    merge_base: str
    created_at: int
    updated_at: int
    state: str = "open"
    # checking, mergeable, conflict; `asked` counts the reads that were told of checking since the last change.
    status: str = "checking"
    asked: int = 0
    closed_at: Optional[int] = None
    merged_at: Optional[int] = None
    merged_by: Optional[User] = None
    merge_commit: Optional[str] = None
    comments: list = field(default_factory=list)
    reviews: list = field(default_factory=list)

    @property
    def draft(self):
        return self.title.lower().startswith(DRAFTS)


@dataclasses.dataclass(eq=False)
class Hook(Sending):
    number: int
    repository: Any
    url: str
    secret: Optional[str]
    events: list


@dataclasses.dataclass(eq=False)
class Repository:
    id: int
    owner: User
    name: str
    bare: Any
    created_at: int
    default_branch: str = "main"
    updated_at: int = 0
    private: bool = True
    description: str = ""
    archived: bool = False
    has_pull_requests: bool = True
    allow_merge_commits: bool = True
    allow_rebase: bool = True
    allow_rebase_explicit: bool = True
    allow_squash_merge: bool = True
    allow_fast_forward_only_merge: bool = True
    default_merge_style: str = "merge"
    default_delete_branch_after_merge: bool = False
    autodetect_manual_merge: bool = False
    checking_reads: int = 1
    last_number: int = 0
    permissions: dict = field(default_factory=dict)  # login → level
    protections: dict = field(default_factory=dict)  # branch → Protection
    pulls: dict = field(default_factory=dict)
    statuses: list = field(default_factory=list)
    hooks: list = field(default_factory=list)
    known: dict = field(default_factory=dict)  # references at the last look
    lock: Any = field(default_factory=threading.RLock)

    @property
    def full_name(self):
        return f"{self.owner.login}/{self.name}"


class State(ForgeState):
    def __init__(self, clock, root):
        super().__init__(clock, root)
        self.version = Version("1.26.1")

    def user(self, login):
        found = self.users.get(login.lower())
        if not found:
            raise not_found(f"user does not exist [uid: 0, name: {login}]")
        return found

    def add_user(self, login, name=None, kind="User", admin=False):
        found = self.users.get(login.lower())
        if not found:
            found = self.users[login.lower()] = User(self.ids.next(), login, name or login.capitalize(), kind, admin,
                                                     self.clock.now())
        return found

    def find(self, owner, name):
        return self.place(f"{owner}/{name}")


def level_of(user, repository):
    """What a user may do in a repository: what is given, owning it, and its being public."""
    public = "none" if repository.private else "read"
    if user is None:
        return public
    if user is repository.owner or user.login.lower() in repository.owner.members:
        return "owner"
    if user.admin:
        return "admin"
    return max(public, repository.permissions.get(user.login.lower(), "none"), key=LEVELS.index)


def at_least(user, repository, level):
    return LEVELS.index(level_of(user, repository)) >= LEVELS.index(level)


def listed(user, names):
    """Whether a list of a protection has somebody; no list has everybody."""
    return names is None or user.login.lower() in [name.lower() for name in names]


def may_push(user, repository, branch):
    rule = repository.protections.get(branch)
    if not at_least(user, repository, "write") or repository.archived:
        return False
    return not rule or (rule.enable_push and listed(user, rule.push_whitelist_usernames))


def may_force(user, repository, branch):
    rule = repository.protections.get(branch)
    return may_push(user, repository, branch) and (not rule or rule.enable_force_push)


def may_merge(user, repository, branch):
    """With a list it is the list that says; without one write access."""
    rule = repository.protections.get(branch)
    if rule and rule.merge_whitelist_usernames is not None:
        return listed(user, rule.merge_whitelist_usernames)
    return at_least(user, repository, "write")
