"""Webhooks on their way: one worker sends what was queued, keeps what became of it, and is late, wrong or out of order
where a test asked for that. What is in a payload, and which headers, is the forge's affair."""

import http.client
import ssl
import threading
import urllib.parse

# A receiver that does not answer is given up after this, as GitHub does.
ANSWER_S = 10


class Delivery:
    """`guid` is what the receiver knows it by: the same when it is sent again."""

    def __init__(self, number, guid, hook, event, action, headers, body, at):
        self.number, self.guid, self.hook, self.event, self.action = number, guid, hook, event, action
        self.headers, self.body, self.at = headers, body, at
        self.delay_s = 0
        self.redelivery = False
        self.status, self.response, self.done = None, "", False

    def shown(self):
        return {"id": self.number, "hook": self.hook.number, "event": self.event, "action": self.action,
                "guid": self.guid, "redelivery": self.redelivery, "done": self.done,
                "status": self.status, "response": self.response, "headers": self.headers,
                "body": self.body.decode()}


class Telling:
    """What the webhooks of all forges have in common: a forge derives its events from it."""

    def __init__(self, state, sender):
        self.state, self.sender, self.forms = state, sender, None
        state.listeners.append(self.hear)

    @staticmethod
    def secret(hook):
        """The hook's secret, or a wrong one where a test asked for that."""
        if hook.secret and hook.bad_signature > 0:
            hook.bad_signature -= 1
            return hook.secret + "?"
        return hook.secret

    def post(self, hook, guid, event, action, headers, body):
        """On its way, twice or late where a test asked for that."""
        times = 1
        if hook.twice > 0:
            hook.twice -= 1
            times = 2
        for _ in range(times):
            delivery = Delivery(self.state.ids.next(), guid, hook, event, action, headers, body,
                                self.state.clock.now())
            delivery.delay_s = hook.delay_ms / 1000
            self.sender.put(delivery)

    def again(self, number):
        """The same delivery once more: same id for the receiver, same body."""
        old = next((delivery for delivery in self.sender.all if delivery.number == number), None)
        if old is None:
            raise KeyError(f"there is no delivery {number}")
        new = Delivery(self.state.ids.next(), old.guid, old.hook, old.event, old.action, old.headers, old.body,
                       self.state.clock.now())
        new.redelivery = True
        self.sender.put(new)
        return new


class Sender:
    def __init__(self, ca_file=None):
        self.changed = threading.Condition()
        self.queue, self.all = [], []
        self.watchers = []
        self.held = False
        self.ca_file = ca_file
        self.stopped = False
        self.worker = threading.Thread(target=self.work, daemon=True)
        self.worker.start()

    def put(self, delivery):
        for watcher in self.watchers:
            watcher(delivery)
        with self.changed:
            self.all.append(delivery)
            self.queue.append(delivery)
            self.changed.notify_all()

    def hold(self):
        """From now on nothing is sent until release()."""
        with self.changed:
            self.held = True

    def release(self, order=None):
        """Sends what is held; `order` is "reverse" or a list of deliveries' ids, and what it leaves out comes last."""
        with self.changed:
            if order == "reverse":
                self.queue.reverse()
            elif order:
                place = {number: index for index, number in enumerate(order)}
                self.queue.sort(key=lambda delivery: place.get(delivery.number, len(place)))
            self.held = False
            self.changed.notify_all()

    def idle(self, timeout_s):
        """Waits until everything queued was sent (or is held); false after the timeout."""
        with self.changed:
            return self.changed.wait_for(lambda: self.held or all(delivery.done for delivery in self.all), timeout_s)

    def shown(self):
        with self.changed:
            return [delivery.shown() for delivery in self.all]

    def work(self):
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.stopped or (self.queue and not self.held))
                if self.stopped:
                    return
                delivery = self.queue.pop(0)
                if delivery.delay_s:
                    # Late by its own time: others that come meanwhile overtake it.
                    timer = threading.Timer(delivery.delay_s, self.late, [delivery])
                    timer.daemon = True
                    timer.start()
                    continue
            self.send(delivery)

    def late(self, delivery):
        with self.changed:
            delivery.delay_s = 0
            self.queue.append(delivery)
            self.changed.notify_all()

    def send(self, delivery):
        status, response = None, ""
        url = urllib.parse.urlsplit(delivery.hook.url)
        try:
            if url.scheme == "https":
                context = ssl.create_default_context(cafile=self.ca_file)
                if delivery.hook.insecure_ssl:
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                connection = http.client.HTTPSConnection(url.hostname, url.port or 443, timeout=ANSWER_S,
                                                         context=context)
            else:
                connection = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=ANSWER_S)
            target = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.request("POST", target, delivery.body, delivery.headers)
            answer = connection.getresponse()
            status, response = answer.status, answer.read(4096).decode("utf-8", "replace")
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            response = str(error)
        with self.changed:
            delivery.status, delivery.response, delivery.done = status, response, True
            self.changed.notify_all()

    def stop(self):
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        self.worker.join(ANSWER_S + 1)
