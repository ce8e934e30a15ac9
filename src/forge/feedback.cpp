#include "forge/feedback.hpp"

#include "core/text.hpp"

namespace townd {
namespace {

constexpr std::size_t kFeedbackBytes = 20'000;
constexpr std::size_t kCommentBytes = 4'000;

}  // namespace

void add_line(std::string& feedback, const std::string& line) {
  if (feedback.size() < kFeedbackBytes) feedback += shortened(line, kFeedbackBytes - feedback.size()) + "\n";
}

std::string said_by(const std::string& login, const std::string& text) {
  return login + ": " + shortened(text, kCommentBytes);
}

void add_failing_check(events::PollAnswer& answer, const std::string& name, const std::string& word,
                       const std::string& page) {
  if (!answer.failing_checks) add_line(answer.feedback, "Failing checks:");
  answer.failing_checks = true;
  add_line(answer.feedback, "- " + name + ": " + word + (page.empty() ? "" : ", " + page));
}

void add_thread(events::PollAnswer& answer, const std::string& thread, const std::string& description) {
  if (answer.threads.empty()) add_line(answer.feedback, "Unresolved review comments:");
  answer.unresolved_comments = true;
  answer.threads.push_back(thread);
  add_line(answer.feedback, description);
}

}  // namespace townd
