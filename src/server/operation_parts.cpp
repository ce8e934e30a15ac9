#include "server/operation_parts.hpp"

namespace townd::operation_parts {

Field required(Field field) {
  field.required = true;
  return field;
}
Field text(std::string name, std::int64_t limit, std::string about) {
  return {std::move(name), Kind::text, limit, false, std::move(about)};
}
Field line(std::string name, std::int64_t limit, std::string about) {
  return {std::move(name), Kind::line, limit, false, std::move(about)};
}
Field id(std::string name, std::string about) { return line(std::move(name), kIdLimit, std::move(about)); }
Field name(std::string field, std::string about) {
  return {std::move(field), Kind::name, kNameLimit, false, std::move(about)};
}
Field branch(std::string field, std::string about) {
  return {std::move(field), Kind::branch, 250, false, std::move(about)};
}
Field flag(std::string field, std::string about) {
  return {std::move(field), Kind::boolean, 0, false, std::move(about)};
}
Field time(std::string field, std::string about) { return {std::move(field), Kind::time, 0, false, std::move(about)}; }
Field number(std::string field, std::int64_t limit, std::string about) {
  return {std::move(field), Kind::integer, limit, false, std::move(about)};
}
Field list(std::string field, std::int64_t limit, std::string about) {
  return {std::move(field), Kind::texts, limit, false, std::move(about)};
}
Field choice(std::string field, std::vector<std::string> choices, std::string about) {
  return {std::move(field), Kind::choice, 0, false, std::move(about), std::move(choices)};
}

Fields operator+(Fields a, const Fields& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const std::vector<std::string> kBeadStatuses = {"open", "in_progress", "in_review", "closed", "failed"};
const std::vector<std::string> kBeadTypes = {"issue", "merge_request", "convoy", "escalation", "message", "molecule"};
const std::vector<std::string> kPriorities = {"low", "medium", "high", "critical"};
const std::vector<std::string> kMergeModes = {"review-then-land", "review-and-merge"};

Field priority() { return choice("priority", kPriorities, "what waits longest goes first; a step is worth two hours"); }
Field labels() { return list("labels", kLabelsLimit, "labels; `gt:held` holds the bead"); }
Field metadata() {
  return {"metadata", Kind::object, kMetadataLimit, false, "free data; townd keeps it and never reads it"};
}
Field run_id() { return id("run_id", "the run that says it; a run's token knows its own"); }
Field actor() { return line("actor", kIdLimit, "who asks, for the history; the token's owner when left out"); }

Fields page() {
  return {number("limit", kPageLimit, "rows of this page"), line("after", kIdLimit, "the last row of the page before")};
}

Fields work() {
  return {required(line("title", kTitleLimit, "what is to be done, in one line")),
          text("body", kBodyLimit, "everything that whoever does it must know"),
          priority(),
          labels(),
          metadata(),
          list("after", 100, "ids of the beads that must be finished first"),
          flag("held", "not to be started before somebody takes the label gt:held away"),
          id("convoy_id", "the convoy that it belongs to"),
          id("parent_bead_id", "the bead that it is a part of"),
          line("created_by", kIdLimit, "who asks; the token's owner when left out")};
}

Field tasks(std::string field_name, bool needed) {
  Field field{std::move(field_name), Kind::objects, kTasksLimit, needed, "the pieces of work, in order"};
  field.items = {
      required(line("title", kTitleLimit, "what is to be done, in one line")),
      text("body", kBodyLimit, "everything that whoever does it must know"),
      line("rig_id", kIdLimit, "the rig to work on; the request's when left out"),
      priority(),
      labels(),
      metadata(),
      Field{"depends_on", Kind::integers, kTasksLimit, false, "0-based places in this list that come first"}};
  return field;
}

Field merge_mode() { return choice("merge_mode", kMergeModes, "land all together at the end, or each as it is done"); }

Fields convoy_settings() {
  return {merge_mode(), flag("staged", "nothing starts before the convoy is started"),
          choice("on_failed_child", {"go_on", "hold", "fail"}, "what a failed piece means for the whole"),
          line("created_by", kIdLimit, "who asks; the token's owner when left out")};
}

Field rig_config() {
  Field field{"config", Kind::object, kMetadataLimit, false, "the rig's own settings: gates, setup, copy, target, …"};
  return field;
}

}  // namespace townd::operation_parts
