#pragma once

#include <string_view>

#include "cli/session.hpp"

namespace townd::cli {

/// A call in the name of the agent whose run this is (TOWN_AGENT, TOWN_RUN), or that a person names with --agent.
expected<json::value> call_as_agent(Session& session, std::string_view operation, json::object fields);

/// Marks mail to people that was shown as read.
expected<void> mark_read(Session& session, const json::value& mail);

}  // namespace townd::cli
