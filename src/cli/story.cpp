#include "cli/story.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "cli/commands.hpp"
#include "cli/past_words.hpp"

namespace townd::cli {
namespace {

constexpr int kRows = 500;          ///< of one bead's history, of ticks about it, and of a page of facts
constexpr int kFactPages = 40;      ///< what a person cannot read any more
constexpr std::size_t kOpen = 200;  ///< ticks that are opened; of a longer story the last ones

/// One thing that happened. Of what happened at the same moment facts come first and what people read last.
struct Happened {
  std::string at;
  std::int64_t tick = 0;
  int order = 0;
  json::object row;
};

class Story {
 public:
  Story(Session& session, std::string id) : session_(session), id_(std::move(id)) {}

  expected<int> tell() {
    if (const auto about = add_bead(id_); !about) return tl::unexpected(about.error());
    for (const std::string& request : requests_)
      if (const auto about = add_bead(request); !about) return tl::unexpected(about.error());
    if (const auto ticks = add_ticks(); !ticks) return tl::unexpected(ticks.error());
    std::stable_sort(happened_.begin(), happened_.end(), [](const Happened& a, const Happened& b) {
      return std::tie(a.at, a.order) < std::tie(b.at, b.order);
    });
    for (const std::string& what : cut_) print_cut(what);
    for (const Happened& one : happened_) print(one);
    return kOk;
  }

 private:
  expected<void> add_bead(const std::string& bead) {
    const auto found = session_.in_town("bead.get", {{"bead", bead}}, {}, bead);
    if (!found) return tl::unexpected(found.error());
    names_.insert(bead);
    for (const json::value& run : list_of(*found, "runs")) names_.insert(text_of(run, "run_id"));
    if (bead == id_)
      for (const json::value& request : list_of(*found, "requests")) requests_.emplace_back(request.as_string());
    const auto history = session_.in_town("bead.history", {{"bead", bead}}, {{"limit", kRows}}, bead);
    if (!history) return tl::unexpected(history.error());
    for (const json::value& line : list_of(*history)) add("history", 3, text_of(line, "created_at"), line.as_object());
    if (list_of(*history).size() >= kRows) cut_.emplace_back("of the history of " + bead + " the newest lines");
    if (const auto facts = add_facts(bead); !facts) return facts;
    const auto ticks = session_.in_town("tick.list", {}, {{"bead", bead}, {"limit", kRows}});
    if (!ticks) return tl::unexpected(ticks.error());
    for (const json::value& tick : list_of(*ticks)) ticks_.insert(number_of(tick, "tick"));
    if (list_of(*ticks).size() >= kRows) ticks_cut_ = true;
    return {};
  }

  /// They come oldest first, a page at a time, and the newest are what people ask for.
  expected<void> add_facts(const std::string& bead) {
    std::int64_t after = 0;
    for (int page = 0; page < kFactPages; ++page) {
      const auto facts = session_.in_town("event.list", {}, {{"bead", bead}, {"after", after}, {"limit", kRows}});
      if (!facts) return tl::unexpected(facts.error());
      for (const json::value& fact : list_of(*facts)) {
        add_fact(fact, text_of(fact, "created_at"));
        after = number_of(fact, "seq");
      }
      if (list_of(*facts).size() < kRows) return {};
    }
    cut_.emplace_back("of the facts about " + bead + " the oldest");
    return {};
  }

  expected<void> add_ticks() {
    ticks_cut_ = ticks_cut_ || ticks_.size() > kOpen;
    while (ticks_.size() > kOpen) ticks_.erase(ticks_.begin());
    if (ticks_cut_) cut_.emplace_back("of the ticks about it the newest " + std::to_string(kOpen));
    for (const std::int64_t number : ticks_) {
      const auto tick = session_.in_town("tick.get", {{"n", std::to_string(number)}});
      if (!tick) return tl::unexpected(tick.error());
      const std::string at = text_of(*tick, "at");
      for (const json::value& fact : list_of(*tick, "facts"))
        if (concerns(fact)) add_fact(fact, at);
      int place = 0;
      for (const json::value& decision : list_of(member_of(*tick, "record"), "decisions")) {
        ++place;
        if (!concerns(decision)) continue;
        json::object row = decision.as_object();
        row["action"] = std::to_string(number) + "." + std::to_string(place);
        add("decided", 1, at, std::move(row), number);
      }
      for (const json::value& effect : list_of(*tick, "effects"))
        if (names_.contains(subject_of(text_of(effect, "key")))) add("effect", 2, at, effect.as_object(), number);
    }
    return {};
  }

  /// It is found by the bead that it names and by the tick that it led to.
  void add_fact(const json::value& fact, const std::string& at) {
    if (facts_.insert(number_of(fact, "seq")).second) add("fact", 0, at, fact.as_object());
  }

  /// The middle of `start_agent:acme-4:2`.
  static std::string subject_of(const std::string& key) {
    const std::size_t begin = key.find(':'), end = key.rfind(':');
    return begin == end ? std::string() : key.substr(begin + 1, end - begin - 1);
  }

  [[nodiscard]] bool concerns(const json::value& row) const {
    const std::string text = json::serialize(row);
    return std::any_of(names_.begin(), names_.end(),
                       [&](const std::string& name) { return text.find('"' + name + '"') != std::string::npos; });
  }

  void add(std::string_view kind, int order, std::string at, json::object row, std::int64_t tick = 0) {
    row["kind"] = kind;
    if (tick != 0) row["tick"] = tick;
    happened_.push_back({std::move(at), tick, order, std::move(row)});
  }

  void print_cut(const std::string& what) {
    Terminal& terminal = session_.terminal();
    if (terminal.json())
      terminal.value(json::object{{"kind", "cut"}, {"what", what}});
    else
      terminal.line(
          terminal.styled(Style::dim, "only " + shown(what) + "; town ticks --bead " + shown(id_) + " has all"));
  }

  void print(const Happened& one) {
    Terminal& terminal = session_.terminal();
    const json::value row(one.row);
    if (terminal.json()) {
      terminal.value(row);
      return;
    }
    const std::string kind = text_of(row, "kind");
    std::string line = terminal.styled(Style::dim, clock_of(one.at)) + "  ";
    if (kind == "history") {
      const std::string bead = text_of(row, "bead_id");
      line += history_in_words(terminal, row) + (bead == id_ ? "" : "  " + shown(bead));
    } else if (kind == "fact") {
      line += terminal.styled(Style::dim, "fact " + std::to_string(number_of(row, "seq"))) + "  " +
              shown(text_of(row, "event_type"));
    } else if (kind == "decided") {
      line += terminal.styled(Style::dim, "decided " + text_of(row, "action")) + "  " + shown(text_of(row, "rule")) +
              "  " + shown(text_of(row, "subject"));
      if (const std::string fate = text_of(row, "fate"); !fate.empty() && fate != "applied")
        line += "  " + terminal.styled(Style::bad, fate) + ": " + shown(text_of(row, "why"));
    } else {
      const std::string state = text_of(row, "state");
      line += terminal.styled(Style::dim, "effect") + "  " + shown(text_of(row, "key")) + "  " +
              terminal.styled(state == "done" ? Style::plain : Style::warn, shown(state)) + "  " +
              shown(cut(text_of(row, "detail"), 100));
    }
    terminal.line(line);
  }

  Session& session_;
  const std::string id_;
  std::vector<std::string> requests_;
  std::set<std::string> names_;  ///< of the bead, its requests and their runs
  std::set<std::int64_t> ticks_;
  std::set<std::int64_t> facts_;
  bool ticks_cut_ = false;
  std::vector<std::string> cut_;  ///< what is told in part
  std::vector<Happened> happened_;
};

}  // namespace

expected<int> tell_story(Session& session, const std::string& id) { return Story(session, id).tell(); }

}  // namespace townd::cli
