#include "observe/sink.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>

namespace townd {

Sink::Sink(Options options, Log& log)
    : options_(std::move(options)), log_(log), spool_(options_.folder, options_.waiting) {}

Sink::~Sink() { stop(); }

void Sink::put(const Alert& alert) {
  const std::lock_guard lock(mutex_);
  const std::int64_t dropped = spool_.dropped();
  if (const auto written = spool_.put(alert); !written)
    log_.write(LogLevel::warn, "an alert waits in memory only",
               {{"sink", options_.name}, {"alert", alert.id}, {"because", written.error().what}});
  if (spool_.dropped() != dropped)
    log_.write(LogLevel::warn, "too many alerts wait; the oldest is dropped",
               {{"sink", options_.name}, {"dropped", std::to_string(spool_.dropped() + given_up_)}});
  news_ = true;
  woken_.notify_all();
}

void Sink::sync() const {
  const std::lock_guard lock(mutex_);
  spool_.sync();
}

Instant Sink::step(Instant now) {
  std::unique_lock lock(mutex_);
  news_ = false;
  // A wait longer than any that can have been asked for was set by a clock that has been put back since.
  if (not_before_ - now > days(1)) not_before_ = now;
  if (spool_.size() == 0) return kNever;
  if (now < not_before_) return not_before_;
  const auto due = spool_.front();
  if (!due) return kNever;
  lock.unlock();
  Sent sent;
  try {
    sent = options_.attempt(due->alert, now, stopping_);
  } catch (const std::exception& thrown) {
    sent = {Sent::Fate::later, thrown.what(), {}, false};
  }
  lock.lock();
  if (stopping_ && sent.fate == Sent::Fate::later) return kNever;  // broken off by us
  settle(*due, sent, now);
  return spool_.size() == 0 ? kNever : std::max(not_before_, now);
}

void Sink::settle(const Spool::Waiting& tried, const Sent& sent, Instant now) {
  switch (sent.fate) {
    case Sent::Fate::taken:
      spool_.remove(tried.name);
      ++sent_;
      log_.write(LogLevel::debug, "alert sent",
                 {{"sink", options_.name}, {"alert", tried.alert.id}, {"kind", tried.alert.kind}});
      break;
    case Sent::Fate::refused: give_up(tried, sent.why); break;
    case Sent::Fate::later: fail(tried, sent, now); break;
  }
  if (sent.fate != Sent::Fate::later) {
    if (failures_ > 0 && sent.fate == Sent::Fate::taken)
      log_.write(LogLevel::info, "a sink takes alerts again",
                 {{"sink", options_.name}, {"waiting", std::to_string(spool_.size())}});
    failures_ = 0;
  }
  if (sent.fate == Sent::Fate::taken) trouble_.clear();
  not_before_ = std::max(not_before_, now + sent.hold);
}

void Sink::fail(const Spool::Waiting& tried, const Sent& sent, Instant now) {
  trouble_ = sent.why;
  if (failures_++ == 0)
    log_.write(LogLevel::warn, "a sink does not take an alert; it is tried again",
               {{"sink", options_.name}, {"alert", tried.alert.id}, {"because", sent.why}});
  const Duration wait = std::min(kFirstWait * (std::int64_t{1} << std::min(failures_ - 1, 20)), kLongestWait);
  not_before_ = std::max(not_before_, now + wait);
  tries_ = failing_ == tried.name ? tries_ + 1 : 1;
  failing_ = tried.name;
  if (options_.tries != 0 && tries_ >= options_.tries) {
    give_up(tried, sent.why);
    failures_ = 0;
  } else if (options_.tries == 0 && sent.answered && sent.hold.ms == 0) {
    // It may be this one alert that it cannot cope with; the others shall not wait for it.
    spool_.postpone(tried.name);
  }
}

void Sink::give_up(const Spool::Waiting& tried, const std::string& why) {
  spool_.remove(tried.name);
  ++given_up_;
  trouble_ = why;
  log_.write(LogLevel::warn, "a sink refuses an alert; it is dropped",
             {{"sink", options_.name}, {"alert", tried.alert.id}, {"kind", tried.alert.kind}, {"because", why}});
}

SinkNumbers Sink::numbers() const {
  const std::lock_guard lock(mutex_);
  return {options_.name, sent_, static_cast<std::int64_t>(spool_.size()), spool_.dropped() + given_up_, trouble_};
}

void Sink::start(const Clock& clock) {
  thread_ = std::thread([this, &clock] { run(clock); });
  ::pthread_setname_np(thread_.native_handle(), ("alert-" + options_.name).substr(0, 15).c_str());
}

void Sink::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    woken_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Sink::run(const Clock& clock) {
  while (!stopping_) {
    const Instant next = step(clock.now());
    std::unique_lock lock(mutex_);
    const auto woken = [this] { return news_ || stopping_; };
    if (next == kNever)
      woken_.wait(lock, woken);
    else
      woken_.wait_for(lock, std::chrono::milliseconds(std::max<std::int64_t>(0, (next - clock.now()).ms)), woken);
  }
}

}  // namespace townd
