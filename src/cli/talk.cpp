#include <unistd.h>

#include <iostream>

#include "cli/commands.hpp"
#include "cli/input.hpp"
#include "cli/run_calls.hpp"
#include "cli/session.hpp"

/// The conversation with the mayor. What people say is mail that wakes it; what it answers is mail to people.
namespace townd::cli {

namespace {

/// One person's side of the conversation.
class Conversation {
 public:
  explicit Conversation(Session& session) : session_(session) {}

  /// Finds the mayor, and shows what it said while nobody listened.
  expected<void> begin() {
    const auto mayor = session_.in_town("mayor.ensure");
    if (!mayor) return tl::unexpected(mayor.error());
    mayor_ = text_of(*mayor, "agentId");
    const auto said = show_answers();
    return said ? expected<void>() : tl::unexpected(said.error());
  }

  /// Says something and shows the answers until the mayor has nothing more to do.
  expected<int> say(const std::string& words) {
    if (const auto sent = session_.in_town("mayor.message", {}, {{"message", words}}); !sent)
      return tl::unexpected(sent.error());
    const auto town = session_.town();
    if (!town) return tl::unexpected(town.error());
    session_.terminal().progress("the mayor thinks");
    int answers = 0;
    expected<bool> over = false;
    const auto look = [&](const StreamEvent&) {
      over = heard(answers);
      return over && !*over;
    };
    // The stream begins with what has just happened, so nothing between saying and listening is missed.
    const auto followed = (*session_.client())->follow("town.stream", {{"town", *town}}, {}, look, "0.0");
    if (!followed) return tl::unexpected(followed.error());
    if (!over) return tl::unexpected(over.error());
    if (*over && answers > 0) return kOk;
    return fail(Error::Code::conflict,
                *over ? "the mayor ended without an answer" : "townd ended before the mayor answered",
                "town logs " + mayor_ + " shows what it did; town why " + mayor_ + " why it waits");
  }

 private:
  /// Shows what is new; true when the mayor is at rest and has said something, or cannot.
  expected<bool> heard(int& answers) {
    const auto status = session_.in_town("mayor.status");
    if (!status) return tl::unexpected(status.error());
    const auto shown_now = show_answers();
    if (!shown_now) return tl::unexpected(shown_now.error());
    answers += *shown_now;
    const std::string state = text_of(member_of(*status, "session"), "status");
    if (state == "starting")
      if (const std::string reason = hindrance(); !reason.empty())
        return fail(Error::Code::conflict, "the mayor cannot begin: " + reason,
                    "It hears you as soon as that is over.");
    return state == "idle";
  }

  /// Why it is not started, when nothing but somebody's doing can change that; empty otherwise.
  std::string hindrance() {
    const auto why = session_.in_town("explain.why", {{"id", mayor_}});
    if (!why) return {};
    for (const json::value& decision : list_of(*why, "decisions"))
      if (text_of(decision, "rule") == "mayor.wake" && text_of(decision, "decision") == "hold")
        return text_of(decision, "because");
    return {};
  }

  /// How many there were; each is read then.
  expected<int> show_answers() {
    const auto mail = session_.in_town("mail.inbox", {}, {{"from", mayor_}});
    if (!mail) return tl::unexpected(mail.error());
    for (const json::value& answer : list_of(*mail)) {
      if (session_.terminal().json())
        static_cast<void>(session_.terminal().value(answer));
      else
        session_.terminal().line(shown(text_of(answer, "body"), Keep::lines));
    }
    if (const auto read = mark_read(session_, *mail); !read) return tl::unexpected(read.error());
    return static_cast<int>(list_of(*mail).size());
  }

  Session& session_;
  std::string mayor_;
};

expected<int> talk(Session& session, const Values& values) {
  Conversation conversation(session);
  if (const auto begun = conversation.begin(); !begun) return tl::unexpected(begun.error());
  if (values.has("MESSAGE") || ::isatty(STDIN_FILENO) == 0) {
    const auto words = text_given(values.text("MESSAGE", "-"));
    if (!words) return tl::unexpected(words.error());
    return conversation.say(*words);
  }
  session.terminal().line("You speak to the mayor. An empty line or Ctrl-D ends it.");
  for (std::string words; std::cout << "> " << std::flush, std::getline(std::cin, words) && !words.empty();) {
    if (const auto answered = conversation.say(words); !answered) session.terminal().line(shown(answered.error().what));
  }
  return kOk;
}

/// The mayor's answer; other agents may write to people as well.
expected<int> reply(Session& session, const Values& values) {
  const auto words = text_given(values.text("TEXT"));
  if (!words) return tl::unexpected(words.error());
  const std::string subject = "An answer";
  return answer_with(
      session, session.in_town("mail.send", {}, {{"to_agent_id", "people"}, {"subject", subject}, {"body", *words}}),
      "Said.");
}

}  // namespace

std::vector<Command> talk_commands() {
  return {
      {"talk",
       "Step in",
       "Speak to the mayor, the agent that makes beads of wishes, and wait for its answer",
       "town talk \"Add totals to the report, and test them\"",
       {maybe("MESSAGE", "What you want; - reads standard input; without it a conversation begins")},
       talk},
      {"reply",
       "For agents",
       "Answer people; whoever spoke with town talk waits for it",
       "town reply \"Slung acme-12 and acme-13; acme-13 waits for the first.\"",
       {word("TEXT", "The answer; - reads standard input")},
       reply},
  };
}

}  // namespace townd::cli
