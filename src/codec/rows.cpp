#include "codec/rows.hpp"

#include <algorithm>
#include <array>

#include "codec/describe_events.hpp"

namespace townd {
namespace {

template <class... Rows>
AnyRow blank_row(RowKey::Table table, std::variant<Rows...>*) {
  static_assert(sizeof...(Rows) == static_cast<std::size_t>(RowKey::Table::deferred) + 1);
  static constexpr std::array<AnyRow (*)(), sizeof...(Rows)> makers{+[]() -> AnyRow { return Rows{}; }...};
  return makers[static_cast<std::size_t>(table)]();
}

/// Members of TownConfig that the reference keeps under `refinery`.
constexpr std::array<std::string_view, 5> kRefineryKeys{"code_review", "auto_merge", "auto_resolve_pr_feedback",
                                                        "auto_resolve_merge_conflicts", "auto_merge_delay_minutes"};

bool is_refinery_key(std::string_view key) {
  return std::find(kRefineryKeys.begin(), kRefineryKeys.end(), key) != kRefineryKeys.end();
}

bool read_refinery(JsonReader& reader, const json::value& v, TownConfig& out) {
  const json::object* object = v.if_object();
  if (!object) return reader.wrong("expected an object");
  for (const auto& [key, value] : *object) {
    bool known = false;
    if (!is_refinery_key(key)) return reader.unknown_key(key, kRefineryKeys);
    if (!reader.read_member(key, value, out, known)) return false;
  }
  return true;
}

constexpr std::string_view kRework = "rework";
constexpr std::string_view kTriageRequest = "triage_request";
constexpr std::string_view kEscalation = "escalation";
constexpr std::array<std::string_view, 3> kDetails{kRework, kTriageRequest, kEscalation};

}  // namespace

// The members of a config are written even when blank: what is not said there could mean something else tomorrow.

json::value JsonForm<TownConfig>::write(const JsonWriter& writer, const TownConfig& config) {
  const JsonWriter whole(writer.blanks() == Blanks::omit ? Blanks::null : writer.blanks(), nullptr, writer.storage());
  json::object object = whole.write_members(config, {"constants"});
  json::object refinery(writer.storage());
  for (const std::string_view key : kRefineryKeys) {
    refinery.emplace(key, object.at(key));
    object.stable_erase(key);
  }
  object.emplace("refinery", std::move(refinery));
  object.emplace("reconciler", whole.write_members(config.constants));
  return object;
}

bool JsonForm<TownConfig>::read(JsonReader& reader, const json::value& v, TownConfig& out) {
  const json::object* object = v.if_object();
  if (!object) return reader.wrong("expected an object");
  for (const auto& [key, value] : *object) {
    if (key == "refinery") {
      if (!read_refinery(reader, value, out)) return reader.at("refinery");
    } else if (key == "reconciler") {
      if (!reader.read_members(value, out.constants)) return reader.at("reconciler");
    } else if (is_refinery_key(key)) {
      return reader.wrong("it belongs under \"refinery\"") || reader.at(key);
    } else {
      bool known = false;
      if (key == "constants" || !reader.read_member(key, value, out, known)) {
        if (known) return false;
        std::vector<std::string_view> keys{"refinery", "reconciler"};
        for (const std::string_view name : JsonReader::keys_of<TownConfig>())
          if (name != "constants" && !is_refinery_key(name)) keys.push_back(name);
        return reader.unknown_key(key, keys);
      }
    }
  }
  return true;
}

json::value JsonForm<RigConfig>::write(const JsonWriter& writer, const RigConfig& config) {
  json::object object = writer.write_members(config, {"has_auto_merge_delay", "auto_merge_delay_minutes"});
  if (config.has_auto_merge_delay)
    object.emplace("auto_merge_delay_minutes", writer.write(config.auto_merge_delay_minutes));
  return object;
}

bool JsonForm<RigConfig>::read(JsonReader& reader, const json::value& v, RigConfig& out) {
  const json::object* object = v.if_object();
  if (object && object->contains("has_auto_merge_delay"))
    return reader.unknown_key("has_auto_merge_delay", JsonReader::keys_of<RigConfig>());
  if (object && object->contains("auto_merge_delay_minutes")) out.has_auto_merge_delay = true;
  return reader.read_members(v, out);
}

json::value JsonForm<std::shared_ptr<const BeadDetail>>::write(const JsonWriter& writer,
                                                               const std::shared_ptr<const BeadDetail>& detail) {
  if (!detail) return json::value(nullptr, writer.storage());
  json::object object(writer.storage());
  std::visit([&](const auto& part) { object.emplace(kDetails[detail->index()], writer.write(part)); }, *detail);
  return object;
}

bool JsonForm<std::shared_ptr<const BeadDetail>>::read(JsonReader& reader, const json::value& v,
                                                       std::shared_ptr<const BeadDetail>& out) {
  out.reset();
  if (v.is_null()) return true;
  const json::object* object = v.if_object();
  if (!object || object->size() != 1) return reader.wrong("expected an object with one member");
  const auto& [key, value] = *object->begin();
  BeadDetail detail;
  const auto read_as = [&](auto part) {
    if (!reader.read(value, part)) return reader.at(key);
    detail = std::move(part);
    out = std::make_shared<const BeadDetail>(std::move(detail));
    return true;
  };
  if (key == kRework) return read_as(Rework{});
  if (key == kTriageRequest) return read_as(TriageRequest{});
  if (key == kEscalation) return read_as(Escalation{});
  return reader.unknown_key(key, kDetails);
}

std::string encode_row(const AnyRow& row) {
  std::array<unsigned char, 4096> buffer{};
  json::monotonic_resource memory(buffer.data(), buffer.size());
  const JsonWriter writer(Blanks::omit, nullptr, &memory);
  return std::visit([&](const auto& r) { return json::serialize(writer.write(r)); }, row);
}

expected<AnyRow> decode_row(RowKey::Table table, std::string_view text) {
  std::array<unsigned char, 8192> buffer;   // NOLINT: written by the parser before it is read
  std::array<unsigned char, 2048> working;  // NOLINT
  json::monotonic_resource memory(buffer.data(), buffer.size());
  json::parser parser({}, {}, working.data(), working.size());
  parser.reset(&memory);
  json::error_code error;
  parser.write(text.data(), text.size(), error);
  if (error) return fail(Error::Code::internal, "a stored row is not JSON: " + error.message(), "restore a backup");

  AnyRow row = blank_row(table, static_cast<AnyRow*>(nullptr));
  const json::value document = parser.release();
  JsonReader reader;
  if (!std::visit([&](auto& r) { return reader.read(document, r); }, row)) {
    Error wrong = as_error(reader.issue);
    return fail(Error::Code::internal, "a stored row cannot be read: " + wrong.what, "restore a backup");
  }
  return row;
}

}  // namespace townd
