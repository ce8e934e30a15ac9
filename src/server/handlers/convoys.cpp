#include <algorithm>
#include <array>
#include <limits>

#include "server/choices.hpp"
#include "server/find.hpp"
#include "server/handlers.hpp"
#include "server/pages.hpp"

namespace townd {
namespace {

Error no_convoy(const BeadId& id) {
  return Error{Error::Code::not_found, "there is no convoy " + id.text + " in this town",
               "town convoy status shows them"};
}

BeadId convoy_id(const Call& call) { return BeadId(call.parameter("convoy")); }

void with_convoy(const CallPtr& call, const BeadId& id,
                 std::function<void(const Engine::View&, const Bead&, const Convoy&)> use) {
  call->look([call, id, use = std::move(use)](const Engine::View& view) {
    const Bead* bead = view.town.bead(id);
    const Convoy* convoy = view.town.convoy(id);
    if (!bead || !convoy) return call->fail(no_convoy(id));
    use(view, *bead, *convoy);
  });
}

void answer_convoy(const CallPtr& call, const BeadId& id) {
  with_convoy(call, id, [call](const Engine::View& view, const Bead& bead, const Convoy& convoy) {
    call->succeed(convoy_detail(view.town, bead, convoy));
  });
}

// ---- new convoys ---------------------------------------------------------------------------------------------------

using Tasks = std::vector<events::ConvoyBead>;

/// The tasks as beads to be made; answers and gives none when a rig is missing.
std::optional<Tasks> tasks_of(const CallPtr& call, const Town& town) {
  Tasks tasks;
  const std::string shared_rig = call->arguments().text("rig_id");
  for (const Arguments& given : call->arguments().objects("tasks")) {
    const std::string named = given.text("rig_id", shared_rig);
    const Rig* rig = find_rig(town, named);
    if (!rig) {
      const std::string place = "/tasks/" + std::to_string(tasks.size()) + "/rig_id";
      call->respond(failure(
          named.empty() ? 400 : 404,
          named.empty() ? "a task says in no way which rig it is for" : "there is no rig " + named + " in this town",
          "name a rig for the task, or rig_id for all of them", {{place, "which rig?"}}));
      return std::nullopt;
    }
    events::ConvoyBead task;
    task.title = given.text("title");
    task.body = given.text("body");
    task.rig_id = rig->rig_id;
    task.priority = chosen_or(given, "priority", Priority::medium);
    task.labels = given.texts("labels");
    // A place that no list has is one that this list has not.
    for (const std::int64_t place_of : given.integers("depends_on"))
      task.after.push_back(static_cast<int>(std::min<std::int64_t>(place_of, std::numeric_limits<int>::max())));
    task.metadata = given.canonical("metadata", "{}");
    tasks.push_back(std::move(task));
  }
  return tasks;
}

void make_convoy(const CallPtr& call, std::string title) {
  call->look([call, title = std::move(title)](const Engine::View& view) {
    auto tasks = tasks_of(call, view.town);
    if (!tasks) return;
    const Arguments& given = call->arguments();
    events::ConvoyCreated made;
    made.title = title;
    made.beads = std::move(*tasks);
    for (const Arguments& bead : given.objects("beads")) made.existing_beads.emplace_back(bead.text("bead_id"));
    if (made.beads.empty() && made.existing_beads.empty())
      return call->fail(Error::Code::invalid, "a convoy needs at least one bead", "give tasks, or beads that exist");
    made.merge_mode = chosen<MergeMode>(given, "merge_mode");
    if (given.has("staged")) made.staged = given.truth("staged");
    made.on_failed_child = chosen_or(given, "on_failed_child", OnFailedChild::hold);
    made.created_by = call->actor("created_by");
    call->submit(std::move(made), [call](const Receipt& receipt) {
      if (receipt.created.empty())
        return call->fail(Error::Code::conflict, "no convoy was made: " + receipt.note, "look at the town's events");
      const BeadId id(receipt.created.front());
      with_convoy(call, id, [call](const Engine::View& town, const Bead& bead, const Convoy& convoy) {
        json::array beads;
        for (const BeadId& tracked : town.town.links(bead.bead_id).tracked_by)
          if (const Bead* one = town.town.bead(tracked))
            beads.push_back({{"bead", bead_shape(town.town, *one)}, {"agent", nullptr}});
        json::object shape;
        shape.emplace("convoy", convoy_detail(town.town, bead, convoy));
        shape.emplace("beads", std::move(beads));
        call->succeed(std::move(shape));
      });
    });
  });
}

void create_convoy(const CallPtr& call) { make_convoy(call, call->arguments().text("title")); }

/// The reference takes several tasks without any order for a mistake, unless it is told that they are parallel.
void sling_batch(const CallPtr& call) {
  const std::vector<Arguments> tasks = call->arguments().objects("tasks");
  const bool ordered = std::any_of(tasks.begin(), tasks.end(),
                                   [](const Arguments& task) { return !task.integers("depends_on").empty(); });
  if (tasks.size() > 1 && !ordered && !call->arguments().truth("parallel"))
    return call->fail(Error::Code::invalid, "several tasks and no depends_on among them",
                      "give the order with depends_on, or parallel: true when they touch nothing in common");
  make_convoy(call, call->arguments().text("convoy_title"));
}

// ---- looking and changing ------------------------------------------------------------------------------------------

void list_convoys(const CallPtr& call) {
  call->look([call](const Engine::View& view) {
    Page page(call->arguments());
    for (const BeadId& id : view.town.bead_ids()) {
      const Convoy* convoy = view.town.convoy(id);
      const Bead* bead = view.town.bead(id);
      if (!convoy || (terminal(bead->status) && !call->arguments().truth("all"))) continue;
      if (page.take(id)) page.add(convoy_shape(view.town, *bead, *convoy));
    }
    call->succeed(page.rows());
  });
}

void get_convoy(const CallPtr& call) { answer_convoy(call, convoy_id(*call)); }

/// Submits `fact` about the convoy that the path names, then answers with what `show` makes of it.
void change_convoy(const CallPtr& call, EventBody fact, void (*show)(const CallPtr&, const BeadId&)) {
  const BeadId id = convoy_id(*call);
  with_convoy(call, id, [call, id, fact = std::move(fact), show](const Engine::View&, const Bead&, const Convoy&) {
    call->submit(fact, [call, id, show](const Receipt&) { show(call, id); });
  });
}

void answer_count(const CallPtr& call, const BeadId& id) {
  with_convoy(call, id, [call](const Engine::View& view, const Bead& bead, const Convoy&) {
    call->succeed(json::object{{"total_beads", view.town.links(bead.bead_id).tracked_issues}});
  });
}

void update_convoy(const CallPtr& call) {
  const Arguments& given = call->arguments();
  if (!given.has("merge_mode") && !given.has("feature_branch"))
    return call->fail(Error::Code::invalid, "nothing is to be changed", "name its merge mode, its branch, or both");
  change_convoy(call,
                events::ConvoyUpdated{convoy_id(*call), chosen<MergeMode>(given, "merge_mode"),
                                      given.maybe_text("feature_branch"), call->actor()},
                answer_convoy);
}

void start_convoy(const CallPtr& call) { change_convoy(call, events::ConvoyStarted{convoy_id(*call)}, answer_convoy); }

void close_convoy(const CallPtr& call) {
  change_convoy(call, events::ConvoyClosed{convoy_id(*call), call->actor()}, answer_convoy);
}

void add_bead(const CallPtr& call) {
  const Arguments& given = call->arguments();
  change_convoy(call,
                events::ConvoyBeadAdded{convoy_id(*call), BeadId(given.text("bead_id")),
                                        id_list<BeadId>(given.texts("depends_on"))},
                answer_count);
}

void remove_bead(const CallPtr& call) {
  change_convoy(call, events::ConvoyBeadRemoved{convoy_id(*call), BeadId(call->arguments().text("bead_id"))},
                answer_count);
}

constexpr std::array<NamedHandler, 9> kHandlers{{
    {"convoy.create", create_convoy},
    {"mayor.sling_batch", sling_batch},
    {"convoy.list", list_convoys},
    {"convoy.get", get_convoy},
    {"convoy.update", update_convoy},
    {"convoy.start", start_convoy},
    {"convoy.close", close_convoy},
    {"convoy.add_bead", add_bead},
    {"convoy.remove_bead", remove_bead},
}};

}  // namespace

std::span<const NamedHandler> convoy_handlers() { return kHandlers; }

}  // namespace townd
