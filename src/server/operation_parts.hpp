#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/operation.hpp"

/// What the pages of the table of operations are written with.
namespace townd::operation_parts {

using Kind = Field::Kind;
using Fields = std::vector<Field>;
using Paths = std::vector<std::string>;

Field required(Field field);
Field text(std::string name, std::int64_t limit, std::string about);
Field line(std::string name, std::int64_t limit, std::string about);
Field id(std::string name, std::string about);
Field name(std::string field, std::string about);
Field branch(std::string field, std::string about);
Field flag(std::string field, std::string about);
Field time(std::string field, std::string about);
Field number(std::string field, std::int64_t limit, std::string about);
Field list(std::string field, std::int64_t limit, std::string about);
Field choice(std::string field, std::vector<std::string> choices, std::string about);
Fields operator+(Fields a, const Fields& b);

// ---- fields that several operations have ---------------------------------------------------------------------------

extern const std::vector<std::string> kBeadStatuses;
extern const std::vector<std::string> kBeadTypes;
extern const std::vector<std::string> kPriorities;
Field priority();
Field labels();
Field metadata();
Field run_id();
Field actor();
Fields page();
Fields work();  ///< of a new piece of work
Field tasks(std::string field_name, bool needed);
Field merge_mode();
Fields convoy_settings();
Field rig_config();

// ---- the pages -----------------------------------------------------------------------------------------------------

void add_node(std::vector<Operation>& all);
void add_towns(std::vector<Operation>& all);
void add_rigs(std::vector<Operation>& all);
void add_queue(std::vector<Operation>& all);
void add_beads(std::vector<Operation>& all);
void add_convoys(std::vector<Operation>& all);
void add_agents(std::vector<Operation>& all);
void add_reports(std::vector<Operation>& all);
void add_callbacks(std::vector<Operation>& all);
void add_messages(std::vector<Operation>& all);
void add_mayor(std::vector<Operation>& all);
void add_explain(std::vector<Operation>& all);

}  // namespace townd::operation_parts
