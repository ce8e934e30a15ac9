#include "observe/event_post.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace townd {
namespace {

constexpr std::chrono::seconds kGoodbye{2};

/// The lines themselves are at fault and would be at each further try. Whatever else is refused (a token that has run
/// out, a table that is not there yet, an address that has moved) somebody can put right meanwhile.
bool lines_refused(int status) { return status == 400 || status == 413 || status == 415 || status == 422; }

std::chrono::milliseconds span_of(Duration time) { return std::chrono::milliseconds(time.ms); }

Instant wall_now() {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

}  // namespace

EventPost::EventPost(Options options, std::function<void(const std::string&)> trouble)
    : options_(std::move(options)), trouble_(std::move(trouble)), thread_([this] { run(); }) {}

EventPost::~EventPost() {
  {
    std::unique_lock lock(mutex_);
    closing_ = true;
    filled_.notify_all();
    filled_.wait_for(lock, kGoodbye, [this] { return done_; });
  }
  stop_ = true;
  thread_.join();
}

void EventPost::write(std::string line) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kEventsWaiting) {
    waiting_.pop_front();
    ++numbers_.lost;
  }
  waiting_.push_back(std::move(line));
  if (waiting_.size() == 1 || waiting_.size() == kEventsOfAPost) filled_.notify_one();
}

EventPost::Numbers EventPost::numbers() const {
  const std::lock_guard lock(mutex_);
  Numbers numbers = numbers_;
  numbers.waiting = waiting_.size();
  return numbers;
}

void EventPost::run() {
  send_all();
  const std::lock_guard lock(mutex_);
  done_ = true;
  filled_.notify_all();
}

void EventPost::send_all() {
  Duration wait{};
  std::unique_lock lock(mutex_);
  for (;;) {
    filled_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    // Others may join the batch; after a failure nothing is tried for a while.
    const Duration pause = wait.ms > 0 ? wait : options_.batch;
    filled_.wait_for(lock, span_of(pause),
                     [&] { return closing_ || (wait.ms == 0 && waiting_.size() >= kEventsOfAPost); });
    const bool last = closing_;
    // Taken out while they are sent: what comes meanwhile may push the oldest out, and these are counted already.
    std::deque<std::string> batch;
    while (!waiting_.empty() && batch.size() < kEventsOfAPost) {
      batch.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    std::string body;
    for (const std::string& line : batch) body.append(line).append("\n");
    lock.unlock();
    const bool over = deliver(batch.size(), body, wait);
    lock.lock();
    if (!over && !last) {
      for (auto line = batch.rbegin(); line != batch.rend(); ++line) waiting_.push_front(std::move(*line));
      while (waiting_.size() > kEventsWaiting) {
        waiting_.pop_front();
        ++numbers_.lost;
      }
    }
    if (last && (!over || waiting_.empty())) return;
  }
}

bool EventPost::deliver(std::size_t lines, const std::string& body, Duration& wait) {
  Post post{options_.to, options_.to.url(), {"Content-Type: application/x-ndjson"}, body};
  if (!options_.header.empty()) post.headers.push_back(options_.header);
  const auto answer = send(post, stop_);
  Sent sent = judge(answer, wall_now());
  if (sent.fate == Sent::Fate::refused && !lines_refused(answer->status)) sent.fate = Sent::Fate::later;
  const std::lock_guard lock(mutex_);
  if (sent.fate == Sent::Fate::later) {
    const Duration next = wait.ms == 0 ? options_.first_wait : std::min(wait * 2, options_.longest_wait);
    wait = std::max(next, sent.hold);
  } else {
    wait = {};
    (sent.fate == Sent::Fate::taken ? numbers_.sent : numbers_.lost) += lines;
  }
  if (sent.fate != Sent::Fate::taken)
    trouble_(options_.to.place() + ": " + sent.why +
             (numbers_.lost == 0 ? "" : "; lines lost so far: " + std::to_string(numbers_.lost)));
  return sent.fate != Sent::Fate::later;
}

}  // namespace townd
