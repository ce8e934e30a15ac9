#include "cli/watch.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "cli/screen.hpp"

namespace townd::cli {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kAtMostEvery{250};     // four pages a second can be read; more is flicker
constexpr milliseconds kTryAgain{1'000};      // while the daemon is away
constexpr milliseconds kNothingToDo{60'000};  // the stream and the keys end the wait earlier

class Watch {
 public:
  Watch(Session& session, const Look& look) : session_(session), look_(look) {}

  expected<int> run() {
    const auto town = session_.town();
    if (!town) return tl::unexpected(town.error());
    auto first = look_();  // what is wrong now is no matter of waiting
    if (!first) return tl::unexpected(first.error());
    if (session_.terminal().full_screen()) screen_.emplace(STDIN_FILENO, STDOUT_FILENO);
    take(*first);
    if (trouble_) return tl::unexpected(*trouble_);
    const Meanwhile meanwhile{screen_ ? screen_->descriptors() : std::vector<int>{}, [this] { return turn(); }};
    for (;;) {
      // From the beginning of what the stream remembers, so that nothing between looking and listening is missed.
      const auto ended = (*session_.client())
                             ->follow(
                                 "town.stream", {{"town", *town}}, {},
                                 [this](const StreamEvent&) { return changed_ = true; }, "0.0", meanwhile);
      if (over_) return kOk;
      if (trouble_) return tl::unexpected(*trouble_);
      if (ended) {
        lose({Error::Code::unavailable, "the daemon has ended the stream", "See whether it runs: town doctor"});
      } else if (ended.error().code == Error::Code::unavailable) {
        lose(ended.error());
      } else {
        return tl::unexpected(ended.error());
      }
      wait_for_the_daemon();
      if (over_) return kOk;
    }
  }

 private:
  /// Does what is due and answers how long nothing will be.
  std::optional<milliseconds> turn() {
    look_at_screen();
    if (over_) return std::nullopt;
    if (!changed_) return kNothingToDo;
    const auto now = Clock::now();
    if (const auto due = shown_at_ + kAtMostEvery; now < due) return std::chrono::ceil<milliseconds>(due - now);
    changed_ = false;
    shown_at_ = now;
    auto seen = look_();
    if (seen) {
      away_.reset();
      take(*seen);
      if (trouble_) return std::nullopt;
      return kNothingToDo;
    }
    if (seen.error().code == Error::Code::unavailable)
      lose(seen.error());
    else
      trouble_ = seen.error();
    return std::nullopt;
  }

  /// Shows it when it is not what is shown already.
  void take(Seen& now) {
    Terminal& terminal = session_.terminal();
    if (screen_) {
      page_ = std::move(now.page);
      return draw();
    }
    if (terminal.json()) {
      if (now.value != value_) static_cast<void>(terminal.value(now.value));
      value_ = std::move(now.value);
    } else if (now.page != page_) {
      if (!page_.empty()) terminal.line();
      for (const std::string& line : now.page) terminal.line(line);
      page_ = std::move(now.page);
    }
    if (!terminal.flush()) trouble_ = Error{Error::Code::internal, "the output cannot be written", {}};
  }

  void draw() {
    const Terminal& terminal = session_.terminal();
    const std::string foot =
        away_ ? terminal.styled(Style::bad, "the daemon is away, trying again (q leaves): " + shown(away_->what))
              : terminal.styled(Style::dim, "q leaves");
    screen_->show(framed(page_, foot, screen_->size()));
  }

  void look_at_screen() {
    if (!screen_) return;
    over_ = over_ || screen_->asked_to_leave();
    if (screen_->resized()) draw();
  }

  /// Says once that the daemon is not there.
  void lose(const Error& why) {
    const bool before = away_.has_value();
    away_ = why;
    if (screen_)
      draw();
    else if (!before)
      session_.terminal().error(why);
  }

  void wait_for_the_daemon() {
    std::vector<pollfd> others;
    if (screen_)
      for (const int descriptor : screen_->descriptors()) others.push_back({descriptor, POLLIN, 0});
    const auto until = Clock::now() + kTryAgain;
    for (auto now = Clock::now(); now < until && !over_; now = Clock::now()) {
      ::poll(others.data(), others.size(), static_cast<int>(std::chrono::ceil<milliseconds>(until - now).count()));
      look_at_screen();
    }
    changed_ = true;
  }

  Session& session_;
  const Look& look_;
  std::optional<Screen> screen_;
  std::vector<std::string> page_;  ///< as shown
  json::value value_;              ///< as printed with --json
  bool changed_ = false;
  bool over_ = false;
  Clock::time_point shown_at_ = Clock::now();
  std::optional<Error> away_;     ///< why the daemon is not there
  std::optional<Error> trouble_;  ///< what ends the watch
};

}  // namespace

expected<int> watch(Session& session, const Look& look) { return Watch(session, look).run(); }

expected<int> show_or_watch(Session& session, const Values& values, const Look& look) {
  if (values.has("--watch")) return watch(session, look);
  auto seen = look();
  if (!seen) return tl::unexpected(seen.error());
  return answer(session, expected<json::value>(std::move(seen->value)), [&](const json::value&) {
    for (const std::string& line : seen->page) session.terminal().line(line);
  });
}

}  // namespace townd::cli
