#include "observe/alert_sinks.hpp"

#include <pthread.h>

#include <algorithm>
#include <map>

#include "observe/alert_command.hpp"
#include "observe/post.hpp"

namespace townd {
namespace {

constexpr int kCommandTries = 5;  ///< a program that fails for an alert so often is not going to take it

Sink::Try to_sentry(const SinkSettings& settings) {
  return [dsn = *settings.sentry, version = settings.version](const Alert& alert, Instant now,
                                                              const std::atomic<bool>& stop) {
    const auto answer = send(
        {dsn.at, dsn.envelope_url(), sentry_headers(dsn, version), sentry_envelope(dsn, alert, version, now)}, stop);
    Sent sent = judge(answer, now);
    if (answer && !answer->rate_limits.empty()) sent.hold = rate_limit(answer->rate_limits);
    return sent;
  };
}

Sink::Try to_webhook(const SinkSettings& settings) {
  return [webhook = *settings.webhook, version = settings.version](const Alert& alert, Instant now,
                                                                   const std::atomic<bool>& stop) {
    const std::string body = to_text(alert);
    return judge(send({webhook.to, webhook.to.url(), webhook_headers(webhook, alert, body, version, now), body}, stop),
                 now);
  };
}

Sink::Try to_command(const SinkSettings& settings, Log& log) {
  return [command = settings.command, &log](const Alert& alert, Instant, const std::atomic<bool>&) {
    return run_alert_command(command, alert, log);
  };
}

std::string trouble_of(const Alert& alert) {
  std::string trouble = alert.town;
  for (const std::string& mark : fingerprint(alert)) trouble += '\x1f' + mark;
  return trouble;
}

}  // namespace

AlertSinks::AlertSinks(SinkSettings settings, const std::string& data, const Clock& clock, Log& log)
    : settings_(std::move(settings)),
      bundles_(data + "/bundles"),
      clock_(clock),
      log_(log),
      repeats_(data + "/alerts/told.json", settings_.repeat),
      held_(data + "/alerts/held", Sink::kWaiting) {
  const auto add = [&](const char* name, Sink::Try attempt, int tries) {
    sinks_.push_back(std::make_unique<Sink>(
        Sink::Options{name, data + "/alerts/" + name, std::move(attempt), tries, Sink::kWaiting}, log_));
  };
  if (settings_.sentry) add("sentry", to_sentry(settings_), 0);
  if (settings_.webhook) add("webhook", to_webhook(settings_), 0);
  if (!settings_.command.empty()) add("command", to_command(settings_, log_), kCommandTries);
}

AlertSinks::~AlertSinks() { stop(); }

void AlertSinks::alarm(const Alarm& alarm) {
  const std::lock_guard lock(mutex_);
  if (told_.size() >= kQueue) {
    told_.pop_front();
    ++numbers_.dropped;
  }
  told_.emplace_back(alarm, clock_.now());
  woken_.notify_all();
}

void AlertSinks::differs(const TownId& town, const Difference& difference) {
  alarm({"decided_otherwise", town, difference.what, difference.recorded.number});
}

Instant AlertSinks::step(Instant now) {
  std::deque<std::pair<Alarm, Instant>> told;
  {
    const std::lock_guard lock(mutex_);
    told.swap(told_);
  }
  std::vector<Alert> due;
  for (const auto& [alarm, at] : told)
    if (Alert alert = make_alert(alarm, at, bundles_, settings_.node); take_in(alert, now))
      due.push_back(std::move(alert));
  hand_out(due);
  repeats_.save();  // after that: what is lost to a power cut in between may be told again
  const Duration quiet = settings_.quiet ? quiet_for(*settings_.quiet, now) : Duration{};
  if (quiet.ms == 0) end_quiet(now);
  const std::lock_guard lock(mutex_);
  numbers_.held = static_cast<std::int64_t>(held_.size());
  return held_.size() == 0 ? kNever : now + quiet;
}

bool AlertSinks::take_in(const Alert& alert, Instant now) {
  if (!repeats_.fresh(trouble_of(alert), now)) {
    const std::lock_guard lock(mutex_);
    ++numbers_.repeated;
    return false;
  }
  const bool held = alert.level != AlertLevel::error && settings_.quiet && quiet_for(*settings_.quiet, now).ms > 0;
  if (!held) return true;
  if (const auto written = held_.put(alert); !written)
    log_.write(LogLevel::warn, "an alert is held in memory only",
               {{"alert", alert.id}, {"because", written.error().what}});
  return false;
}

void AlertSinks::hand_out(const std::vector<Alert>& alerts) {
  if (alerts.empty()) return;
  for (const Alert& alert : alerts)
    for (const auto& sink : sinks_) sink->put(alert);
  for (const auto& sink : sinks_) sink->sync();
}

void AlertSinks::end_quiet(Instant now) {
  if (held_.size() == 0) return;
  std::map<std::string, std::vector<Alert>> by_kind;
  const std::vector<Spool::Waiting> held = held_.all();
  for (const Spool::Waiting& one : held) by_kind[one.alert.kind].push_back(one.alert);
  std::vector<Alert> digests;
  for (const auto& [kind, alerts] : by_kind) digests.push_back(digest_of(alerts, now));
  hand_out(digests);
  while (const auto one = held_.front()) held_.remove(one->name);
}

AlertNumbers AlertSinks::numbers() const {
  AlertNumbers numbers;
  {
    const std::lock_guard lock(mutex_);
    numbers = numbers_;
  }
  for (const auto& sink : sinks_) numbers.sinks.push_back(sink->numbers());
  return numbers;
}

void AlertSinks::start() {
  for (const auto& sink : sinks_) sink->start(clock_);
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "alerts");
}

void AlertSinks::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    woken_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  step(clock_.now());  // what came when there was no thread to write it down
  for (const auto& sink : sinks_) sink->stop();
}

void AlertSinks::run() {
  for (bool last = false; !last;) {
    const Instant next = step(clock_.now());
    std::unique_lock lock(mutex_);
    const auto woken = [this] { return !told_.empty() || stopping_; };
    if (next == kNever)
      woken_.wait(lock, woken);
    else
      woken_.wait_for(lock, std::chrono::milliseconds(std::max<std::int64_t>(0, (next - clock_.now()).ms)), woken);
    last = stopping_ && told_.empty();
  }
}

}  // namespace townd
