"""Smart HTTP over a bare repository, by git's own `git http-backend`. Who may do what is the forge's affair; pushes to
references that it guards pass through the hook in hooks/, which answers with the forge's own words."""

import base64
import json
import os
import subprocess

import bare
import web

HOOKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hooks")
ENDPOINTS = {("GET", "/info/refs"), ("POST", "/git-upload-pack"), ("POST", "/git-receive-pack")}


def basic_auth(headers):
    """(user, password) of HTTP basic authentication, or None."""
    kind, _, value = headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, separator, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if separator else None


def is_push(request, endpoint):
    return endpoint == "/git-receive-pack" or (endpoint == "/info/refs"
                                               and request.query.get("service") == "git-receive-pack")


def text(status, message, headers=()):
    """git shows the text of a refusal as `remote: …` when it is plain text."""
    return web.Reply(status, message.encode(), [("Content-Type", "text/plain; charset=utf-8"), *headers])


def serve(request, repository, endpoint, login, guarded=None, hidden=()):
    """`guarded`: reference → lines of refusal for each way of changing it; see hooks/proc-receive. `hidden`: what may
    be fetched but not pushed."""
    if (request.method, endpoint) not in ENDPOINTS:
        return text(404, "Not Found")
    if endpoint == "/info/refs" and request.query.get("service") not in ("git-upload-pack", "git-receive-pack"):
        return text(403, "Please upgrade your git client.")
    settings = [("safe.directory", "*"), ("http.receivepack", "true"), ("core.hooksPath", HOOKS),
                ("receive.denyDeleteCurrent", "refuse"),
                ("receive.advertisePushOptions", "true"), ("uploadpack.allowAnySHA1InWant", "true"),
                ("uploadpack.allowFilter", "true"), ("receive.autogc", "false")]
    settings += [("receive.procReceiveRefs", ref) for ref in guarded or {}]
    settings += [("receive.hideRefs", prefix) for prefix in hidden]
    root, name = os.path.split(repository.path)
    env = bare.environment(
        GIT_PROJECT_ROOT=root, GIT_HTTP_EXPORT_ALL="1", PATH_INFO=f"/{name}{endpoint}", REMOTE_USER=login or "",
        REMOTE_ADDR="127.0.0.1", REQUEST_METHOD=request.method, QUERY_STRING=request.query_string,
        CONTENT_TYPE=request.headers.get("Content-Type", ""), CONTENT_LENGTH=str(len(request.body)),
        HTTP_CONTENT_ENCODING=request.headers.get("Content-Encoding", ""),
        GIT_PROTOCOL=request.headers.get("Git-Protocol", ""), FAKE_FORGE_GUARDED=json.dumps(guarded or {}),
        **bare.config_environment(settings))
    done = subprocess.run(["git", "http-backend"], input=request.body, env=env, capture_output=True)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    status, headers = 200, []
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(": ")
        if name == "Status":
            status = int(value.split(" ")[0])
        elif name and name.lower() != "content-length":
            headers.append((name, value))
    if not head:
        return text(500, done.stderr.decode("utf-8", "replace") or "git http-backend said nothing")
    return web.Reply(status, body, headers)
