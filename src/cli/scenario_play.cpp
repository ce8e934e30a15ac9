#include "cli/scenario_play.hpp"

#include "codec/actions.hpp"
#include "codec/describe_events.hpp"

namespace townd::cli {
namespace {

constexpr std::string_view kActor = "scenario";

struct Tick {
  std::string op;
};
struct Heartbeat {
  std::string op;
  AgentId agent;
};
struct CompleteReview {
  std::string op;
  BeadId entry;
  std::string status;
  std::string message;
};
struct SetStatus {
  std::string op;
  BeadId bead;
  BeadStatus status = BeadStatus::open;
};
/// Why a provider gave no answer, in the reference's spelling.
struct PollError {
  std::string kind;
  std::string provider;
  int status = 0;
  std::string statusText;  // NOLINT: the reference's key
  bool transient = false;
  std::string reason;
  std::string url;
  std::string message;
  std::vector<std::string> resolutionChain;  // NOLINT
  std::vector<std::string> sampleKeys;       // NOLINT
};
struct PollOutcome {
  bool ok = false;
  PollError error;
  events::PollAnswer result;
};
struct PollPr {
  std::string op;
  BeadId bead;
  PollOutcome outcome;
};

BOOST_DESCRIBE_STRUCT(Tick, (), (op))
BOOST_DESCRIBE_STRUCT(Heartbeat, (), (op, agent))
BOOST_DESCRIBE_STRUCT(CompleteReview, (), (op, entry, status, message))
BOOST_DESCRIBE_STRUCT(SetStatus, (), (op, bead, status))
BOOST_DESCRIBE_STRUCT(PollError, (),
                      (kind, provider, status, statusText, transient, reason, url, message, resolutionChain,
                       sampleKeys))
BOOST_DESCRIBE_STRUCT(PollOutcome, (), (ok, error, result))
BOOST_DESCRIBE_STRUCT(PollPr, (), (op, bead, outcome))

/// The sentence that a forge's adapter would give with the error.
std::string sentence(const PollError& error) {
  if (!error.message.empty()) return error.message;
  if (error.kind == "no_token") {
    std::string text = "No GitHub token resolved";
    for (const std::string& place : error.resolutionChain)
      text += (&place == &error.resolutionChain.front() ? ": tried " : ", ") + place;
    return text;
  }
  if (error.kind == "http_error") return "HTTP " + std::to_string(error.status) + " " + error.statusText;
  if (error.kind == "unrecognized_url") return "Unrecognized pull request URL: " + error.url;
  return error.reason.empty() ? error.kind : error.reason;
}

events::PollAnswer answer_of(const PollOutcome& outcome) {
  events::PollAnswer answer = outcome.result;
  answer.ok = outcome.ok;
  if (outcome.ok) return answer;
  answer.error_kind = outcome.error.kind;
  if (!outcome.error.provider.empty()) answer.provider = outcome.error.provider;
  answer.http_status = outcome.error.status;
  answer.transient = outcome.error.transient;
  answer.error_message = sentence(outcome.error);
  return answer;
}

}  // namespace

Played::Played(Snapshot given)
    : before_(std::move(given.image)), town_(town_of(before_)), now_(given.now), pending_(std::move(given.events)) {
  for (const Event& event : pending_) last_seq_ = std::max(last_seq_, event.seq);
}

std::optional<std::string> Played::play(const json::value& op) {
  const json::object* object = op.if_object();
  const json::value* name = object ? object->if_contains("op") : nullptr;
  if (!name || !name->is_string()) return "expected an object with an \"op\"";
  if (*name == "heartbeat") return heartbeat(op);
  if (*name == "complete_review") return complete_review(op);
  if (*name == "set_status") return set_status(op);
  if (*name == "poll_pr") return poll_pr(op);
  if (*name != "tick") return "unknown op \"" + std::string(name->get_string()) + "\"";
  if (const auto read = from_json<Tick>(op); !read) return read.error().what;
  tick();
  return std::nullopt;
}

void Played::tick() {
  TickInput input;
  input.now = now_;
  input.events = std::move(pending_);
  pending_.clear();
  const TickResult result = townd::tick(town_, input);
  actions_.clear();
  for (const Decided& decided : result.decisions) {
    if (decided.fate != ActionFate::applied) continue;
    for (const ActionBody& body : decided.actions) {
      json::object action = action_json(body);
      action["rule"] = decided.rule;
      actions_.push_back(std::move(action));
    }
  }
  town_.settle();
}

/// At once, as if it had been drained; a refused one leaves everything as it is.
std::optional<std::string> Played::apply(EventBody body) {
  if (!validate(town_, body, now_)) return std::nullopt;
  const Town::Mark mark = town_.mark();
  Outbox out;
  if (!apply_event(town_, Event{++last_seq_, now_, std::move(body)}, now_, out)) town_.rollback(mark);
  town_.settle();
  return std::nullopt;
}

std::optional<std::string> Played::heartbeat(const json::value& op) {
  const auto read = from_json<Heartbeat>(op);
  if (!read) return read.error().what;
  const Agent* agent = town_.agent(read->agent);
  if (!agent) return "there is no agent " + read->agent.text;
  SignOfLife sign;
  sign.agent_id = agent->agent_id;
  sign.run_id = agent->run_id;
  sign.at = now_;
  Outbox out;
  apply_sign_of_life(town_, sign, out);
  town_.settle();
  return std::nullopt;
}

std::optional<std::string> Played::complete_review(const json::value& op) {
  const auto read = from_json<CompleteReview>(op);
  if (!read) return read.error().what;
  return apply(events::ReviewCompleted{read->entry, read->status, read->message, "", std::string(kActor)});
}

std::optional<std::string> Played::set_status(const json::value& op) {
  const auto read = from_json<SetStatus>(op);
  if (!read) return read.error().what;
  return apply(events::BeadStatusSet{read->bead, read->status, std::string(kActor)});
}

std::optional<std::string> Played::poll_pr(const json::value& op) {
  const auto read = from_json<PollPr>(op);
  if (!read) return read.error().what;
  return apply(events::PrPolled{read->bead, answer_of(read->outcome)});
}

std::map<std::string, std::string> Played::new_beads() const {
  std::map<std::string, std::string> made;
  for (const BeadId& id : town_.bead_ids()) made.emplace(id.text, enum_name(town_.bead(id)->type));
  for (const Bead& bead : before_.beads) made.erase(bead.bead_id.text);
  return made;
}

}  // namespace townd::cli
