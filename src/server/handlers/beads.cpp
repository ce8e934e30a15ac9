#include <array>

#include "core/hash.hpp"
#include "core/text.hpp"
#include "server/choices.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"
#include "server/pages.hpp"

namespace townd {
namespace {

Error no_bead(const BeadId& id) {
  return Error{Error::Code::not_found, "there is no bead " + id.text + " here", "town beads shows them"};
}

/// Calls `use` with the bead that the path names, which must be of the path's rig; answers 404 without one.
void with_bead(const CallPtr& call, std::function<void(const Engine::View&, const Bead&)> use) {
  call->look([call, use = std::move(use)](const Engine::View& view) {
    const Bead* bead = view.town.bead(call->bead());
    const std::string named = call->parameter("rig");
    const Rig* rig = find_rig(view.town, named);
    if (!bead || (!named.empty() && (!rig || bead->rig_id != rig->rig_id))) return call->fail(no_bead(call->bead()));
    use(view, *bead);
  });
}

void answer_bead(const CallPtr& call, const BeadId& id) {
  call->look([call, id](const Engine::View& view) {
    const Bead* bead = view.town.bead(id);
    if (!bead) return call->fail(no_bead(id));
    LateTexts texts;
    // One block of memory for the whole answer: it is made and thrown away at once.
    json::object shape = bead_shape(view.town, *bead, json::make_shared_resource<json::monotonic_resource>());
    texts.want(shape, "body", bead->body);
    call->succeed(std::move(shape), std::move(texts));
  });
}

/// Submits what `fact` makes of the bead that the path names, then answers with the bead.
void change_bead(const CallPtr& call, std::function<EventBody(const Bead&)> fact) {
  with_bead(call, [call, fact = std::move(fact)](const Engine::View&, const Bead& bead) {
    const BeadId id = bead.bead_id;
    call->submit(fact(bead), [call, id](const Receipt&) { answer_bead(call, id); });
  });
}

// ---- new work ------------------------------------------------------------------------------------------------------

/// Goes on with the bead that was made, or says that none was.
std::function<void(const Receipt&)> when_made(const CallPtr& call, std::function<void(const BeadId&)> then) {
  return [call, then = std::move(then)](const Receipt& receipt) {
    if (receipt.created.empty())
      return call->fail(Error::Code::conflict, "no bead was made: " + receipt.note, "look at the town's events");
    then(BeadId(receipt.created.front()));
  };
}

void make_bead(const CallPtr& call, const std::string& rig_name, std::function<void(const BeadId&)> then) {
  const auto fact = [call, rig_name](const Town& town) -> expected<EventBody> {
    const Rig* rig = find_rig(town, rig_name);
    if (!rig) return tl::unexpected(no_rig(rig_name));
    const Arguments& given = call->arguments();
    events::BeadCreated made;
    made.type = chosen_or(given, "type", BeadType::issue);
    made.title = given.text("title");
    made.body = given.text("body");
    made.rig_id = rig->rig_id;
    made.priority = chosen_or(given, "priority", Priority::medium);
    made.labels = given.texts("labels");
    made.metadata = given.canonical("metadata", "{}");
    made.parent_bead_id = BeadId(given.text("parent_bead_id"));
    made.convoy_id = BeadId(given.text("convoy_id"));
    made.after = id_list<BeadId>(given.texts("after"));
    made.held = given.truth("held");
    made.created_by = call->actor("created_by");
    return made;
  };
  call->submit(fact, when_made(call, std::move(then)));
}

void create_bead(const CallPtr& call) {
  make_bead(call, call->parameter("rig"), [call](const BeadId& id) { answer_bead(call, id); });
}

void sling_into(const CallPtr& call, const std::string& rig) {
  make_bead(call, rig, [call](const BeadId& id) {
    call->look([call, id](const Engine::View& view) {
      const Bead* bead = view.town.bead(id);
      if (!bead) return call->fail(no_bead(id));
      LateTexts texts;
      json::object shape = bead_shape(view.town, *bead);
      texts.want(shape, "body", bead->body);
      json::object slung;
      slung.emplace("bead", std::move(shape));
      slung.emplace("agent", nullptr);  // the reconciler chooses it, later
      call->succeed(std::move(slung), std::move(texts));
    });
  });
}

void sling(const CallPtr& call) { sling_into(call, call->parameter("rig")); }
void mayor_sling(const CallPtr& call) { sling_into(call, call->arguments().text("rig_id")); }

/// The branch or pull request as it is where it is.
expected<events::BranchAdopted> looked_up(Forge& forge, const TownId& town, const Rig& rig,
                                          events::BranchAdopted fact) {
  if (fact.pr_url.empty()) {
    auto commit = forge.adopt(town, rig, fact.branch);
    if (!commit) return tl::unexpected(commit.error());
    fact.commit = std::move(*commit);
    if (fact.title.empty()) fact.title = fact.branch;
    return fact;
  }
  auto found = forge.adopt_pr(town, rig, fact.pr_url);
  if (!found) return tl::unexpected(found.error());
  fact.pr_url = std::move(found->url);
  fact.branch = std::move(found->branch);
  fact.commit = std::move(found->commit);
  if (fact.title.empty()) fact.title = at_most(found->title, kTitleLimit / 2);
  if (fact.body.empty()) fact.body = at_most(found->body, kBodyLimit / 2);
  return fact;
}

/// It is looked up before the town hears of it: what is adopted is what is there now.
void adopt_branch(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const std::string name = call->parameter("rig");
    const Rig* rig = find_rig(view.town, name);
    if (!rig) return call->fail(no_rig(name));
    const Arguments& given = call->arguments();
    events::BranchAdopted fact;
    fact.rig_id = rig->rig_id;
    fact.branch = given.text("branch");
    fact.pr_url = given.text("pr_url");
    if (fact.branch.empty() == fact.pr_url.empty())
      return call->fail(Error::Code::invalid, "either a branch or a pull request is adopted", "name one of them");
    fact.title = given.text("title");
    fact.body = given.text("body");
    fact.priority = chosen_or(given, "priority", Priority::medium);
    fact.created_by = call->actor("created_by");
    call->background([call, fact = std::move(fact), rig = *rig, town = view.town.row().town_id]() mutable {
      auto found = looked_up(call->services().forge, town, rig, std::move(fact));
      if (!found) return call->fail(found.error());
      call->submit(std::move(*found), when_made(call, [call](const BeadId& id) { answer_bead(call, id); }));
    });
  });
}

// ---- looking -------------------------------------------------------------------------------------------------------

bool passes(const Bead& bead, const Arguments& given, const std::optional<RigId>& rig) {
  if (rig && bead.rig_id != *rig) return false;
  if (given.has("status") && chosen<BeadStatus>(given, "status") != bead.status) return false;
  if (given.has("type") && chosen<BeadType>(given, "type") != bead.type) return false;
  return !given.has("assignee") || bead.assignee_agent_bead_id.text == given.text("assignee");
}

void list_beads(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    std::optional<RigId> rig_id;
    if (const std::string named = call->rig(); !named.empty()) {
      const Rig* rig = find_rig(view.town, named);
      if (!rig) return call->fail(no_rig(named));
      rig_id = rig->rig_id;
    }
    Page page(call->arguments());
    for (const BeadId& id : view.town.bead_ids()) {
      const Bead& bead = *view.town.bead(id);
      if (passes(bead, call->arguments(), rig_id) && page.take(id)) page.add(bead_shape(view.town, bead));
    }
    call->succeed(page.rows());
  });
}

void get_bead(const CallPtr& call) {
  with_bead(call, [call](const Engine::View& view, const Bead& bead) {
    LateTexts texts;
    json::object shape = bead_detail(view.town, bead, texts);
    call->succeed(std::move(shape), std::move(texts));
  });
}

void bead_history(const CallPtr& call) {
  with_bead(call, [call](const Engine::View&, const Bead& bead) {
    call->background([call, id = bead.bead_id] {
      const auto limit = static_cast<int>(call->arguments().integer("limit", kPageDefault));
      const auto rows = call->services().store.history(call->town(), id, limit);
      if (!rows) return call->fail(rows.error());
      json::array list;
      for (const HistoryRow& row : *rows)
        list.push_back({{"bead_id", row.bead_id.text},
                        {"agent_id", row.agent_id.text},
                        {"event_type", row.event_type},
                        {"old_value", row.old_value},
                        {"new_value", row.new_value},
                        {"rule", row.rule},
                        {"created_at", to_text(row.at)}});
      call->succeed(std::move(list));
    });
  });
}

/// Of an issue the newest request's branch; of a request its own.
void bead_diff(const CallPtr& call) {
  with_bead(call, [call](const Engine::View& view, const Bead& bead) {
    const Review* review = view.town.review(bead.bead_id);
    for (const BeadId& request : view.town.links(bead.bead_id).requests)
      if (const Review* newer = view.town.review(request)) review = newer;
    const Rig* rig = view.town.rig(bead.rig_id);
    if (!rig) return call->fail(Error::Code::conflict, "the bead is in no rig, so it has no branch");
    DiffSpec spec;
    spec.town = call->town();
    spec.rig = *rig;
    if (review) {
      spec.target_branch = review->target_branch;
      spec.branch = review->branch;
      spec.commit = review->commit;
      if (review->result == ReviewResult::merged) spec.base_commit = review->base_commit;
      spec.run = review->source_run_id;
    } else {
      for (const RunId& id : view.town.links(bead.bead_id).runs)
        if (const Run* run = view.town.run(id); run && run->state == RunState::ended) spec.run = id;
      if (spec.run.empty())
        return call->fail(Error::Code::conflict, "nothing has been handed in for this bead yet",
                          "town logs shows its agent at work");
      spec.target_branch = target_branch_of(view.town, bead);
      spec.branch = view.town.run(spec.run)->branch;
      spec.commit = view.town.run(spec.run)->commit;
    }
    call->background([call, spec, id = bead.bead_id] {
      const auto diff = call->services().diff(spec);
      if (!diff) return call->fail(diff.error());
      json::object shape;
      shape.emplace("bead_id", id.text);
      shape.emplace("branch", spec.branch);
      shape.emplace("target_branch", spec.target_branch);
      shape.emplace("commit", spec.commit);
      shape.emplace("diff", *diff);
      call->succeed(std::move(shape));
    });
  });
}

void list_reviews(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const Rig* rig = find_rig(view.town, call->parameter("rig"));
    if (!rig && !call->parameter("rig").empty()) return call->fail(no_rig(call->parameter("rig")));
    Page page(call->arguments());
    for (const BeadId& id : view.town.bead_ids()) {
      const Bead& bead = *view.town.bead(id);
      const Review* review = view.town.review(id);
      if (!review || (rig && bead.rig_id != rig->rig_id)) continue;
      if (terminal(bead.status) && !call->arguments().truth("all")) continue;
      if (page.take(id)) page.add(review_shape(view.town, *review));
    }
    call->succeed(page.rows());
  });
}

// ---- changing ------------------------------------------------------------------------------------------------------

EventBody status_set(const Call& call, const Bead& bead) {
  return events::BeadStatusSet{bead.bead_id, chosen_or(call.arguments(), "status", bead.status), call.actor()};
}

void update_bead(const CallPtr& call) {
  const Arguments& given = call->arguments();
  const bool status = given.has("status");
  const auto others = given.all().size() - (status ? 1 : 0) - (given.has("actor") ? 1 : 0);
  if (!status && others == 0)
    return call->fail(Error::Code::invalid, "the request changes nothing", "name at least one field");
  if (status && others > 0)
    return call->fail(Error::Code::invalid, "a status is changed by itself", "send the status in a request of its own");
  change_bead(call, [call](const Bead& bead) -> EventBody {
    const Arguments& fields = call->arguments();
    if (fields.has("status")) return status_set(*call, bead);
    events::BeadUpdated update;
    update.bead_id = bead.bead_id;
    update.title = fields.maybe_text("title");
    update.body = fields.maybe_text("body");
    update.priority = chosen<Priority>(fields, "priority");
    if (fields.has("labels")) update.labels = fields.texts("labels");
    if (fields.has("metadata")) update.metadata = fields.canonical("metadata");
    update.actor = call->actor();
    return update;
  });
}

void set_status(const CallPtr& call) {
  change_bead(call, [call](const Bead& bead) { return status_set(*call, bead); });
}

/// An agent closes the rework and triage beads on its own hook and nothing else.
void close_bead(const CallPtr& call) {
  with_bead(call, [call](const Engine::View& view, const Bead& bead) {
    const Caller& caller = call->caller();
    const Agent* agent = view.town.agent(caller.agent);
    const bool own =
        agent && agent->current_hook_bead_id == bead.bead_id && (rework_class(bead) || has_label(bead, "gt:triage"));
    if (caller.role == kAgent && !own)
      return call->fail(Error::Code::conflict,
                        "bead " + bead.bead_id.text + " is " + std::string(to_string(bead.status)) +
                            " and not a rework or triage bead on your hook",
                        "hand work in with town done");
    const BeadId id = bead.bead_id;
    call->submit(events::BeadStatusSet{id, BeadStatus::closed, call->actor()},
                 [call, id](const Receipt&) { answer_bead(call, id); });
  });
}

void cancel_bead(const CallPtr& call) {
  with_bead(call, [call](const Engine::View&, const Bead& bead) {
    const BeadId id = bead.bead_id;
    if (terminal(bead.status))
      return call->fail(Error::Code::conflict,
                        "bead " + id.text + " is " + std::string(to_string(bead.status)) + " already");
    call->submit(events::BeadCancelled{id, call->arguments().text("status", "failed"), call->actor()},
                 [call, id](const Receipt&) { answer_bead(call, id); });
  });
}

void reopen_bead(const CallPtr& call) {
  change_bead(call, [call](const Bead& bead) -> EventBody {
    return events::BeadReopened{bead.bead_id, call->actor()};
  });
}

void retry_bead(const CallPtr& call) {
  change_bead(call, [call](const Bead& bead) -> EventBody { return events::BeadRetried{bead.bead_id, call->actor()}; });
}

void delete_bead(const CallPtr& call) {
  with_bead(call, [call](const Engine::View&, const Bead& bead) {
    call->submit(events::BeadDeleted{bead.bead_id, call->actor()}, [call](const Receipt&) {
      call->succeed(json::object{{"deleted", true}});
    });
  });
}

/// Deletes each of these; answers with how many went, and why the others did not.
void delete_all(const CallPtr& call, const std::vector<BeadId>& beads) {
  struct Progress {
    std::size_t open;
    std::int64_t deleted = 0;
    json::array refused;
  };
  if (beads.empty()) return call->succeed(json::object{{"deleted", 0}, {"refused", json::array()}});
  const auto progress = std::make_shared<Progress>(Progress{beads.size(), 0, {}});
  for (const BeadId& id : beads)
    call->services().engine.submit(
        call->town(), events::BeadDeleted{id, call->actor()}, [call, id, progress](const expected<Receipt>& receipt) {
          call->guarded([&] {
            if (receipt)
              ++progress->deleted;
            else
              progress->refused.push_back(json::object{{"bead_id", id.text}, {"error", receipt.error().what}});
            if (--progress->open == 0)
              call->succeed(json::object{{"deleted", progress->deleted}, {"refused", std::move(progress->refused)}});
          });
        });
}

void bulk_delete(const CallPtr& call) {
  std::vector<BeadId> beads;
  for (const std::string& id : call->arguments().texts("bead_ids")) beads.emplace_back(id);
  call->look([call, beads = std::move(beads)](const Engine::View&) { delete_all(call, beads); });
}

void delete_by_status(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    const auto status = chosen<BeadStatus>(call->arguments(), "status");
    const auto type = chosen<BeadType>(call->arguments(), "type");
    std::vector<BeadId> beads;
    for (const BeadId& id : view.town.bead_ids()) {
      const Bead& bead = *view.town.bead(id);
      if (bead.status == status && (!type || bead.type == type)) beads.push_back(id);
    }
    delete_all(call, beads);
  });
}

void reassign_bead(const CallPtr& call) {
  change_bead(call, [call](const Bead& bead) -> EventBody {
    return events::AgentHooked{AgentId(call->arguments().text("agent_id")), bead.bead_id};
  });
}

Dependency dependency_of(const Call& call, const Bead& bead) {
  return {bead.bead_id, BeadId(call.arguments().text("depends_on")),
          chosen_or(call.arguments(), "kind", DependencyKind::blocks)};
}

void add_dependency(const CallPtr& call) {
  change_bead(call,
              [call](const Bead& bead) -> EventBody { return events::DependencyAdded{dependency_of(*call, bead)}; });
}

void remove_dependency(const CallPtr& call) {
  change_bead(call,
              [call](const Bead& bead) -> EventBody { return events::DependencyRemoved{dependency_of(*call, bead)}; });
}

void complete_review(const CallPtr& call) {
  change_bead(call, [call](const Bead& bead) -> EventBody {
    const Arguments& given = call->arguments();
    return events::ReviewCompleted{bead.bead_id, given.text("status"), given.text("message"), given.text("commit_sha"),
                                   call->actor()};
  });
}

constexpr std::array<NamedHandler, 22> kHandlers{{
    {"bead.create", create_bead},       {"bead.sling", sling},
    {"mayor.sling", mayor_sling},       {"branch.adopt", adopt_branch},
    {"bead.list", list_beads},          {"bead.get", get_bead},
    {"bead.update", update_bead},       {"bead.delete", delete_bead},
    {"bead.bulk_delete", bulk_delete},  {"bead.delete_by_status", delete_by_status},
    {"bead.reassign", reassign_bead},   {"bead.status", set_status},
    {"bead.close", close_bead},         {"bead.cancel", cancel_bead},
    {"bead.reopen", reopen_bead},       {"bead.retry", retry_bead},
    {"dependency.add", add_dependency}, {"dependency.remove", remove_dependency},
    {"bead.history", bead_history},     {"bead.diff", bead_diff},
    {"review.list", list_reviews},      {"review.complete", complete_review},
}};

}  // namespace

std::span<const NamedHandler> bead_handlers() { return kHandlers; }

}  // namespace townd
