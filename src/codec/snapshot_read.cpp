#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "codec/compression.hpp"
#include "codec/describe_events.hpp"
#include "codec/metadata.hpp"
#include "codec/snapshot.hpp"

namespace townd {
namespace {

constexpr std::string_view kFormat = "town-snapshot/1";
constexpr std::array<std::string_view, 12> kKeys{"format", "town",    "rigs",    "beads",  "dependencies", "agents",
                                                 "runs",   "reviews", "convoys", "nudges", "mail",         "events"};

// The scenarios' `defaults` where they are not those of the rows themselves.
const Instant kCreatedAt = *instant_from_text("2026-07-01T11:00:00.000Z");
const Instant kUpdatedAt = *instant_from_text("2026-07-01T11:59:50.000Z");
const Instant kActivityAt = *instant_from_text("2026-07-01T11:59:55.000Z");
const Instant kArrivedAt = *instant_from_text("2026-07-01T11:59:59.000Z");
constexpr std::string_view kDefaultRig = "rig-1";

Rig default_rig() {
  Rig rig;
  rig.rig_id = RigId(kDefaultRig);
  rig.git_url = "https://github.com/test/repo.git";
  rig.created_at = kCreatedAt;
  return rig;
}
Bead default_bead() {
  Bead bead;
  bead.rig_id = RigId(kDefaultRig);
  bead.created_at = kCreatedAt;
  bead.updated_at = kUpdatedAt;
  return bead;
}
Agent default_agent() {
  Agent agent;
  agent.rig_id = RigId(kDefaultRig);
  agent.last_activity_at = kActivityAt;
  agent.created_at = kCreatedAt;
  return agent;
}
Review default_review() {
  Review review;
  review.branch = "x";
  review.target_branch = "main";
  return review;
}
Run default_run() {
  Run run;
  run.rig_id = RigId(kDefaultRig);
  run.requested_at = kCreatedAt;
  return run;
}
Nudge default_nudge() {
  Nudge nudge;
  nudge.created_at = kCreatedAt;
  return nudge;
}
Mail default_mail() {
  Mail mail;
  mail.created_at = kCreatedAt;
  return mail;
}

/// Two to six lower-case letters from the town's name.
std::string prefix_from(std::string_view name) {
  std::string prefix;
  for (const char c : name) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower >= 'a' && lower <= 'z' && prefix.size() < 4) prefix += lower;
  }
  return prefix.size() < 2 ? "town" : prefix;
}

class SnapshotReader {
 public:
  bool read(const json::value& document) {
    const json::object* object = document.if_object();
    if (!object) return reader_.wrong("expected an object");
    for (const auto& [key, value] : *object)
      if (std::find(kKeys.begin(), kKeys.end(), std::string_view(key)) == kKeys.end())
        return reader_.unknown_key(key, kKeys);
    document_ = object;
    if (!read_format() || !read_town() || !read_beads()) return false;
    TownImage& image = out_.image;
    const bool rows_read =
        read_rows("rigs", image.rigs, &Rig::rig_id, default_rig, [](const json::object&, Rig& rig) { name(rig); }) &&
        read_rows("agents", image.agents, &Agent::agent_id, default_agent, complete_agent) &&
        read_rows("runs", image.runs, &Run::run_id, default_run, [](const json::object&, Run&) {}) &&
        read_rows("nudges", image.nudges, &Nudge::nudge_id, default_nudge, [](const json::object&, Nudge&) {}) &&
        read_rows("mail", image.mail, &Mail::mail_id, default_mail, [](const json::object&, Mail&) {}) &&
        read_dependencies() && read_beside("reviews", reviews_, BeadType::merge_request) &&
        read_beside("convoys", convoys_, BeadType::convoy) && read_events();
    if (!rows_read) return false;
    if (!object->contains("rigs")) {
      image.rigs.push_back(default_rig());
      name(image.rigs.back());
    }
    complete_reviews();
    complete_convoys();
    if (image.town.next_id == 0) image.town.next_id = first_free_id();
    return true;
  }

  [[nodiscard]] const JsonIssue& issue() const { return reader_.issue; }
  Snapshot take() { return std::move(out_); }

 private:
  bool read_format() {
    const json::value* format = document_->if_contains("format");
    if (format && format->is_string() && format->get_string() == kFormat) return true;
    return reader_.wrong("expected \"" + std::string(kFormat) + "\"") || reader_.at("format");
  }

  // ---- the town ----

  bool read_town() {
    TownRow& row = out_.image.town;
    row.town_id = TownId("town-1");
    row.next_id = 0;
    const json::value* value = document_->if_contains("town");
    if (!value) return reader_.wrong("the town is missing") || reader_.at("town");
    const json::object* town = value->if_object();
    if (!town) return reader_.wrong("expected an object") || reader_.at("town");
    bool draining = false;
    bool has_now = false;
    for (const auto& [key, v] : *town) {
      bool good = true;
      if (key == "id") {
        good = reader_.read(v, row.town_id) || reader_.at(key);
      } else if (key == "now") {
        good = reader_.read(v, out_.now) || reader_.at(key);
        has_now = true;
      } else if (key == "draining") {
        good = reader_.read(v, draining) || reader_.at(key);
      } else {
        good = read_town_member(key, v);
      }
      if (!good) return reader_.at("town");
    }
    if (!has_now)
      return reader_.wrong("the time of the snapshot is missing") || reader_.at("now") || reader_.at("town");
    if (draining && !row.draining_since) row.draining_since = out_.now;
    if (row.name.empty()) row.name = row.town_id.text;
    if (row.prefix.empty()) row.prefix = prefix_from(row.name);
    return true;
  }

  bool read_town_member(std::string_view key, const json::value& v) {
    bool known = false;
    if (key != "town_id" && reader_.read_member(key, v, out_.image.town, known)) return true;
    if (known) return false;
    std::vector<std::string_view> keys{"id", "now", "draining"};
    for (const std::string_view name : JsonReader::keys_of<TownRow>())
      if (name != "town_id") keys.push_back(name);
    return reader_.unknown_key(key, keys);
  }

  [[nodiscard]] std::int64_t first_free_id() const {
    const TownImage& image = out_.image;
    const std::string start = image.town.prefix + "-";
    std::int64_t highest = 0;
    const auto look = [&](std::string_view id) {
      if (id.size() <= start.size() || id.size() > start.size() + 15 || id.substr(0, start.size()) != start) return;
      std::int64_t number = 0;
      for (const char c : id.substr(start.size())) {
        if (c < '0' || c > '9') return;
        number = number * 10 + (c - '0');
      }
      highest = std::max(highest, number);
    };
    for (const Rig& row : image.rigs) look(row.rig_id.text);
    for (const Bead& row : image.beads) look(row.bead_id.text);
    for (const Agent& row : image.agents) look(row.agent_id.text);
    for (const Run& row : image.runs) look(row.run_id.text);
    for (const Nudge& row : image.nudges) look(row.nudge_id.text);
    for (const Mail& row : image.mail) look(row.mail_id.text);
    return highest + 1;
  }

  // ---- rows ----

  template <class Row, class Id, class Default, class Complete>
  bool read_rows(std::string_view key, std::vector<Row>& rows, Id Row::*id, Default make_default, Complete complete) {
    const json::value* value = document_->if_contains(key);
    if (!value) return true;
    const json::array* array = value->if_array();
    if (!array) return reader_.wrong("expected a list") || reader_.at(key);
    rows.reserve(array->size());
    for (std::size_t i = 0; i < array->size(); ++i) {
      Row row = make_default();
      const auto wrong_here = [&] { return reader_.at(i) || reader_.at(key); };
      if (!reader_.read((*array)[i], row)) return wrong_here();
      if ((row.*id).empty()) return reader_.wrong("it has no id") || wrong_here();
      complete((*array)[i].get_object(), row);
      rows.push_back(std::move(row));
    }
    std::sort(rows.begin(), rows.end(), [id](const Row& a, const Row& b) { return a.*id < b.*id; });
    for (std::size_t i = 1; i < rows.size(); ++i)
      if (rows[i].*id == rows[i - 1].*id)
        return reader_.wrong("\"" + (rows[i].*id).text + "\" is there twice") || reader_.at(key);
    return true;
  }

  static void name(Rig& rig) {
    if (rig.name.empty()) rig.name = rig.rig_id.text;
  }

  static void complete_agent(const json::object& said, Agent& agent) {
    if (agent.name.empty()) agent.name = agent.agent_id.text;
    if (agent.identity.empty()) agent.identity = agent.name;
    if (said.contains("status_since")) return;
    if (agent.status == AgentStatus::stalled && agent.stalled_at)
      agent.status_since = *agent.stalled_at;
    else
      agent.status_since = agent.last_activity_at.value_or(agent.created_at);
  }

  bool read_beads() {
    std::size_t place = 0;
    bool good = true;
    const auto complete = [&](const json::object& said, Bead& bead) {
      if (!said.contains("status_since")) bead.status_since = bead.updated_at;
      if (!said.contains("ready_since")) bead.ready_since = bead.created_at;
      if (good && !take_keys(bead)) good = reader_.at(place) || reader_.at("beads");
      ++place;
    };
    const bool read = read_rows("beads", out_.image.beads, &Bead::bead_id, default_bead, complete);
    if (!read || !good) return false;
    for (const Bead& bead : out_.image.beads) beads_[bead.bead_id] = &bead;
    return true;
  }

  bool take_keys(Bead& bead) {
    Review review = default_review();
    Convoy convoy;
    LoadedLanding landing;
    if (!take_system_keys(reader_, bead, review, convoy, landing)) return false;
    if (bead.type == BeadType::merge_request) {
      review.bead_id = bead.bead_id;
      reviews_.emplace(bead.bead_id, std::move(review));
    } else if (bead.type == BeadType::convoy) {
      convoy.bead_id = bead.bead_id;
      convoys_.emplace(bead.bead_id, std::move(convoy));
      if (landing.attempts != 0 || landing.last_attempt_at) landings_.emplace(bead.bead_id, landing);
    }
    return true;
  }

  /// Rows that stand beside a bead: read over what the bead's metadata said.
  template <class Row>
  bool read_beside(std::string_view key, std::map<BeadId, Row>& rows, BeadType type) {
    const json::value* value = document_->if_contains(key);
    if (!value) return true;
    const json::array* array = value->if_array();
    if (!array) return reader_.wrong("expected a list") || reader_.at(key);
    std::set<BeadId> seen;
    for (std::size_t i = 0; i < array->size(); ++i) {
      const auto wrong_here = [&] { return reader_.at(i) || reader_.at(key); };
      const json::object* said = (*array)[i].if_object();
      const json::value* named = said ? said->if_contains("bead_id") : nullptr;
      if (!named || !named->is_string()) return reader_.wrong("it has no bead_id") || wrong_here();
      const BeadId id{std::string_view(named->get_string())};
      const auto bead = beads_.find(id);
      if (bead == beads_.end() || bead->second->type != type)
        return reader_.wrong("there is no such " + enum_name(type)) || reader_.at("bead_id") || wrong_here();
      if (!seen.insert(id).second) return reader_.wrong("\"" + id.text + "\" is there twice") || wrong_here();
      if (!reader_.read((*array)[i], rows.at(id))) return wrong_here();
    }
    return true;
  }

  bool read_dependencies() {
    const json::value* value = document_->if_contains("dependencies");
    if (!value) return true;
    std::vector<Dependency>& rows = out_.image.dependencies;
    if (!reader_.read(*value, rows)) return reader_.at("dependencies");
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (!rows[i].bead_id || !rows[i].depends_on_bead_id)
        return reader_.wrong("it does not name two beads") || reader_.at(i) || reader_.at("dependencies");
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return true;
  }

  // ---- what follows ----

  /// A closed request without a result is merged, on the word of whoever wrote the file (invariant 12).
  void complete_reviews() {
    for (const Dependency& edge : out_.image.dependencies) {
      const auto review = edge.kind == DependencyKind::tracks ? reviews_.find(edge.bead_id) : reviews_.end();
      if (review != reviews_.end() && !review->second.source_bead_id)
        review->second.source_bead_id = edge.depends_on_bead_id;
    }
    for (auto& [id, review] : reviews_) {
      const BeadStatus status = beads_.at(id)->status;
      if (review.result == ReviewResult::none && status == BeadStatus::closed) {
        review.result = ReviewResult::merged;
        if (review.evidence.empty()) review.evidence = "loaded";
      } else if (review.result == ReviewResult::none && status == BeadStatus::failed) {
        review.result = ReviewResult::failed;
      }
      out_.image.reviews.push_back(std::move(review));
    }
  }

  /// Landing attempts are counted for each rig of the convoy's beads.
  void complete_convoys() {
    std::map<BeadId, std::set<RigId>> rigs;
    for (const Dependency& edge : out_.image.dependencies) {
      if (edge.kind != DependencyKind::tracks || !landings_.contains(edge.depends_on_bead_id)) continue;
      const auto bead = beads_.find(edge.bead_id);
      if (bead != beads_.end() && bead->second->type == BeadType::issue && bead->second->rig_id)
        rigs[edge.depends_on_bead_id].insert(bead->second->rig_id);
    }
    for (auto& [id, convoy] : convoys_) {
      if (convoy.landings.empty() && landings_.contains(id))
        for (const RigId& rig : rigs[id])
          convoy.landings.push_back({rig, landings_.at(id).attempts, landings_.at(id).last_attempt_at, 0});
      out_.image.convoys.push_back(std::move(convoy));
    }
  }

  // ---- pending events ----

  /// An event that could not be applied has three keys more.
  bool read_events() {
    const json::value* value = document_->if_contains("events");
    if (!value) return true;
    const json::array* array = value->if_array();
    if (!array) return reader_.wrong("expected a list") || reader_.at("events");
    std::int64_t last_seq = 0;
    for (std::size_t i = 0; i < array->size(); ++i)
      if (!read_event((*array)[i], last_seq)) return reader_.at(i) || reader_.at("events");
    const auto by_seq = [](const Event& a, const Event& b) { return a.seq < b.seq; };
    std::stable_sort(out_.events.begin(), out_.events.end(), by_seq);
    return true;
  }

  bool read_event(const json::value& v, std::int64_t& last_seq) {
    const json::object* object = v.if_object();
    if (!object) return reader_.wrong("expected an object");
    json::object rest = *object;
    if (!rest.contains("created_at")) rest["created_at"] = to_text(kArrivedAt);
    if (!rest.contains("seq")) rest["seq"] = last_seq + 1;
    DeferredEvent deferred;
    for (const std::string_view key : {"attempts", "reason", "retry_at"}) {
      bool known = false;
      if (!rest.contains(key)) continue;
      if (!reader_.read_member(key, rest.at(key), deferred, known)) return false;
      rest.erase(key);
    }
    Event event;
    if (!reader_.read(json::value(std::move(rest)), event)) return false;
    last_seq = event.seq;
    if (deferred.attempts == 0) {
      out_.events.push_back(std::move(event));
    } else {
      deferred.event = std::make_shared<const Event>(std::move(event));
      out_.image.deferred.push_back(std::move(deferred));
    }
    return true;
  }

  Snapshot out_;
  JsonReader reader_{&out_.texts};
  const json::object* document_ = nullptr;
  std::map<BeadId, const Bead*> beads_;
  std::map<BeadId, Review> reviews_;
  std::map<BeadId, Convoy> convoys_;
  std::map<BeadId, LoadedLanding> landings_;
};

}  // namespace

expected<Snapshot> snapshot_from_json(const json::value& document) {
  SnapshotReader reader;
  if (!reader.read(document)) return tl::unexpected(as_error(reader.issue()));
  return reader.take();
}

expected<Snapshot> read_snapshot(std::string_view bytes) {
  std::string unpacked;
  if (is_compressed(bytes)) {
    auto text = decompress(bytes);
    if (!text) return tl::unexpected(text.error());
    unpacked = std::move(*text);
    bytes = unpacked;
  }
  const auto document = parse_json(bytes);
  if (!document) return tl::unexpected(document.error());
  return snapshot_from_json(*document);
}

}  // namespace townd
