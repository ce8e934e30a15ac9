"""GitLab's REST interface as a whole: routes, what a request must bring, paging, conditional requests, the limit and
the form of errors. The routes themselves are in gitlab_rest_*.py."""

import email
import email.policy
import hashlib
import json
import re
import urllib.parse
import uuid

import gitlab_access
import gitlab_merge
from gitlab_state import GUEST, Refused, forbidden, not_found, unauthorized
from routing import Routes
from web import Reply

MOST_PER_PAGE, PER_PAGE = 100, 20
# GitLab does not count lists longer than this.
MOST_COUNTED = 10_000
FORM, PARTS, JSON = "application/x-www-form-urlencoded", "multipart/form-data", "application/json"


class Route:
    def __init__(self, method, function, options):
        self.method, self.function = method, function
        self.fields = options.get("fields", {})
        self.required = options.get("required", ())
        self.values = options.get("values", {})
        # The least level in the project; one who has less and sees the project is forbidden.
        self.level = options.get("level", 0)
        self.scopes = options.get("scopes") or (gitlab_access.READ if method == "GET" else gitlab_access.WRITE)
        self.anonymous = options.get("anonymous", method == "GET")


ROUTES = Routes(Route)
route = ROUTES.route


class Call:
    """One request on its way through a route."""

    def __init__(self, site, request, route, parameters):
        self.site, self.state, self.forms, self.request = site, site.state, site.forms, request
        self.route, self.query, self.headers = route, request.query, []
        self.parameters = {name: urllib.parse.unquote(value) for name, value in parameters.items()}
        self.viewer, self.project, self.body = None, None, {}

    @property
    def actor(self):
        return self.viewer.user

    def number(self, name):
        text = self.parameters[name]
        if not text.isdigit():
            raise Refused(400, f"{WORDS.get(name, name)} is invalid", "error")
        return int(text)

    def merge_request(self, asked=False):
        found = self.project.requests.get(self.number("iid"))
        if not found:
            raise not_found()
        gitlab_merge.prepare(self.state, found)
        if asked:
            gitlab_merge.ask(found)
        return found

    def by_id(self, things, name="id", what=None):
        wanted = self.number(name)
        found = next((thing for thing in things if thing.id == wanted), None)
        if not found:
            raise not_found(what)
        return found

    def choice(self, name, values, default):
        value = self.query.get(name, default)
        if value not in values:
            raise Refused(400, f"{name} does not have a valid value", "error")
        return value

    def flag(self, name):
        return self.query.get(name, "").lower() in ("true", "1")

    def page(self, things):
        """The page that was asked for; headers lead to the others."""
        def natural(name, default):
            text = self.query.get(name, str(default))
            if not re.fullmatch(r"\d+", text):
                raise Refused(400, f"{name} is invalid", "error")
            if name == "per_page" and int(text) == 0:
                raise Refused(400, "per_page has a value not allowed", "error")
            return max(1, int(text))
        size = min(natural("per_page", PER_PAGE), MOST_PER_PAGE, self.site.page_cap or MOST_PER_PAGE)
        number, last, links = natural("page", 1), max(1, -(-len(things) // size)), []
        counted = len(things) <= MOST_COUNTED

        def link(relation, target):
            query = urllib.parse.urlencode({**self.query, "page": target, "per_page": size})
            links.append(f'<{self.request.origin}{self.request.raw_path}?{query}>; rel="{relation}"')
        if number > 1:
            link("prev", number - 1)
        if number < last:
            link("next", number + 1)
        link("first", 1)
        if counted:
            link("last", last)
        self.headers += [("Link", ", ".join(links)), ("X-Next-Page", str(number + 1) if number < last else ""),
                         ("X-Page", str(number)), ("X-Per-Page", str(size)),
                         ("X-Prev-Page", str(number - 1) if number > 1 else "")]
        if counted:
            self.headers += [("X-Total", str(len(things))), ("X-Total-Pages", str(last))]
        return things[(number - 1) * size:number * size]


WORDS = {"iid": "merge_request_iid"}


def error(refused, headers=()):
    body = refused.message if refused.key is None else {refused.key: refused.message}
    return Reply.of_json(refused.status, body, [*refused.headers, *headers])


def given(request):
    """The members of a request: of its body, JSON or a form, and of its address."""
    body = {}
    kind = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if request.body:
        if kind == JSON:
            try:
                body = json.loads(request.body)
            except ValueError:
                raise Refused(400, "400 Bad request - Invalid JSON", "error") from None
            if not isinstance(body, dict):
                raise Refused(400, "The request body must be a JSON object", "error")
        elif kind == FORM:
            body = nested(urllib.parse.parse_qsl(request.body.decode(), keep_blank_values=True))
        elif kind == PARTS:
            body = nested(parts(request))
        else:
            raise Refused(415, f"The provided content-type '{kind}' is not supported.", "error")
    return {**request.query, **body}


def nested(pairs):
    """`a[b]=c` is a member of an object."""
    made = {}
    for name, value in pairs:
        outer, bracket, inner = name.partition("[")
        if bracket:
            made.setdefault(outer, {})[inner.rstrip("]")] = value
        else:
            made[name] = value
    return made


def parts(request):
    """(name, text) of what browsers send, and clients that may send files."""
    head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
    whole = email.message_from_bytes(head + request.body, policy=email.policy.HTTP)
    return [(part.get_param("name", header="Content-Disposition"), part.get_payload(decode=True).decode())
            for part in whole.iter_parts()]


def converted(name, value, wanted):
    """GitLab takes numbers and truth as text too."""
    if value is None or (isinstance(value, wanted) and not (wanted in (int, float) and isinstance(value, bool))):
        return value
    if wanted is int and isinstance(value, str) and re.fullmatch(r"-?\d+", value):
        return int(value)
    if wanted is float and isinstance(value, (int, str)) and re.fullmatch(r"\d+(\.\d+)?", str(value)):
        return float(value)
    if wanted is bool and str(value).lower() in ("true", "false", "1", "0"):
        return str(value).lower() in ("true", "1")
    raise Refused(400, f"{name} is invalid", "error")


def checked_body(route, request):
    """The members of a request, every one known, of its type and with a value that it may have."""
    body, made = given(request), {}
    for name, value in body.items():
        if name not in route.fields:
            # Stricter than GitLab, which passes over most of them.
            raise Refused(400, f"{name} is unknown", "error")
        made[name] = converted(name, value, route.fields[name])
    missing = [f"{name} is missing" for name in route.required if name not in made]
    if missing:
        raise Refused(400, ", ".join(missing), "error")
    for name in route.required:
        if made[name] is None or made[name] == "":
            raise Refused(400, f"{name} is empty", "error")
    for name, values in route.values.items():
        if made.get(name) is not None and made[name] not in values:
            raise Refused(400, f"{name} does not have a valid value", "error")
    return made


class Rest:
    """The REST half of the site."""

    def answer_rest(self, request):
        path = request.raw_path[len("/api/v4"):]
        headers = [("X-Request-Id", request_id()), ("Vary", "Origin"), ("X-Content-Type-Options", "nosniff")]
        headers.append(("X-Gitlab-Meta", json.dumps({"correlation_id": headers[0][1], "version": "1"})))
        found, parameters = ROUTES.find("GET" if request.method == "HEAD" else request.method, path)
        call, key = Call(self, request, found, parameters), None
        try:
            call.viewer = gitlab_access.viewer_of(self.state, request.headers)
            request.login = call.viewer.user.username if call.viewer.user else None
            key = call.viewer.token.text if call.viewer.token else None
            if not self.limits.spend(key):
                return self.throttled(key, headers)
            if not found:
                raise Refused(404, "404 Not Found", "error")
            if not call.viewer.user and not found.anonymous:
                raise unauthorized()
            if not call.viewer.allowed(*found.scopes):
                raise gitlab_access.insufficient_scope(gitlab_access.READ if set(found.scopes) <= set(
                    gitlab_access.READ) else found.scopes)
            reply = self.conditional(request, self.done(call))
        except Refused as refused:
            reply = error(refused)
        reply.headers += headers + call.headers + self.limits.headers(key)
        return reply

    def throttled(self, key, headers=()):
        return Reply(429, b"Retry later\n", [("Content-Type", "text/plain"), *headers, *self.limits.headers(key),
                                             ("Retry-After", str(self.limits.retry_after(key)))])

    def done(self, call):
        """The answer of the route, with the project found, seen and locked."""
        route = call.route
        if "project" not in call.parameters:
            call.body = checked_body(route, call.request) if route.method != "GET" else {}
            return self.said(route.function(call))
        found, moved = self.state.project(call.parameters["project"])
        if found is None or not call.viewer.sees(found):
            raise not_found("Project")
        if moved:
            return self.elsewhere(call, found)
        call.project = found
        with found.lock:
            if call.viewer.level(found) < route.level:
                raise forbidden()
            if route.method != "GET" and found.archived and route.level >= GUEST:
                raise forbidden()
            call.body = checked_body(route, call.request) if route.method in ("POST", "PUT") else {}
            return self.said(route.function(call))

    def elsewhere(self, call, project):
        """Only what is read is redirected; GitLab answers the rest with 405."""
        if call.route.method != "GET":
            raise Refused(405, "Non GET methods are not allowed for moved projects")
        rest = call.request.raw_path.split("/projects/", 1)[1].partition("/")[2]
        query = f"?{call.request.query_string}" if call.request.query_string else ""
        url = f"{self.origin}/api/v4/projects/{project.id}{'/' + rest if rest else ''}{query}"
        return Reply.of_json(301, {"message": "This resource has been moved permanently to " + url},
                             [("Location", url)])

    @staticmethod
    def said(result):
        if isinstance(result, Reply):
            return result
        status, value = result if isinstance(result, tuple) else (200, result)
        return Reply(status) if value is None else Reply.of_json(status, value)

    @staticmethod
    def conditional(request, reply):
        """Every 200 of a GET has a mark; a client that still has it is told so, and is charged all the same."""
        if request.method != "GET" or reply.status != 200:
            return reply
        tag = f'W/"{hashlib.md5(reply.body).hexdigest()}"'
        headers = [("Cache-Control", "max-age=0, private, must-revalidate"), ("ETag", tag)]
        known = [part.strip() for part in request.headers.get("If-None-Match", "").split(",")]
        if tag in known or tag.removeprefix("W/") in known:
            return Reply(304, b"", headers)
        reply.headers = [(name, JSON if name == "Content-Type" else value) for name, value in reply.headers] + headers
        return reply


def request_id():
    return "01" + uuid.uuid4().hex.upper()[:24]
