#include "codec/fields.hpp"

namespace townd {

json::value JsonWriter::write_text_ref(const TextRef& ref) const {
  if (ref.empty()) return blanks_ == Blanks::keep ? text("") : json::value(nullptr, storage_);
  if (!texts_) return text(ref.hash.hex());
  if (const auto found = texts_->find(ref.hash); found != texts_->end()) return text(found->second);
  return json::value({{"hash", ref.hash.hex()}}, storage_);
}

/// As an object; as the text itself when that is not the canonical text of one, so that it comes back unchanged.
json::value JsonWriter::write_json(const std::string& v) const {
  if (v == "{}") return json::object(storage_);
  json::error_code error;
  json::value parsed = json::parse(v, error, storage_);
  if (error || !parsed.is_object() || canonical_text(parsed) != v) return text(v);
  return parsed;
}

bool JsonReader::at(std::string_view key) {
  std::string segment = "/";
  for (const char c : key) {
    if (c == '~')
      segment += "~0";
    else if (c == '/')
      segment += "~1";
    else
      segment += c;
  }
  issue.path.insert(0, segment);
  return false;
}

bool JsonReader::unknown_key(std::string_view key, std::span<const std::string_view> known) {
  const std::string_view similar = nearest(key, known);
  wrong(similar.empty() ? "unknown key; none is known here"
                        : "unknown key; the nearest known one is \"" + std::string(similar) + "\"");
  return at(key);
}

std::string JsonReader::kind_name(const json::value& v) {
  switch (v.kind()) {
    case json::kind::null: return "null";
    case json::kind::bool_: return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return "the number " + json::serialize(v);
    case json::kind::string: return "a text";
    case json::kind::array: return "a list";
    case json::kind::object: return "an object";
  }
  return "something else";
}

bool JsonReader::read_bool(const json::value& v, bool& out) {
  const bool* found = v.if_bool();
  if (!found) return wrong("expected true or false, got " + kind_name(v));
  out = *found;
  return true;
}

bool JsonReader::read_string(const json::value& v, std::string& out) {
  if (v.is_null()) {
    out.clear();
    return true;
  }
  const json::string* found = v.if_string();
  if (!found) return wrong("expected a text, got " + kind_name(v));
  out.assign(found->data(), found->size());
  return true;
}

bool JsonReader::read_instant(const json::value& v, Instant& out) {
  const json::string* found = v.if_string();
  const auto instant = found ? instant_from_text(*found) : std::nullopt;
  if (!instant) return wrong("expected a time such as 2026-07-01T12:00:00.000Z, got " + json::serialize(v));
  out = *instant;
  return true;
}

bool JsonReader::read_duration(const json::value& v, Duration& out) {
  std::optional<Duration> duration;
  if (const json::string* found = v.if_string()) duration = duration_from_text(*found);
  if (const std::int64_t* ms = v.if_int64()) duration = duration_from_text(std::to_string(*ms) + "ms");
  if (!duration)
    return wrong("expected a length of time such as 90s, 5m or 2h30m, or milliseconds, got " + json::serialize(v));
  out = *duration;
  return true;
}

bool JsonReader::read_hash(const json::value& v, Hash128& out) {
  const json::string* found = v.if_string();
  if (!found || found->size() != 32 || found->find_first_not_of("0123456789abcdef") != json::string::npos)
    return wrong("expected 32 hexadecimal digits, got " + json::serialize(v));
  out = Hash128::from_hex(*found);
  return true;
}

bool JsonReader::read_text_ref(const json::value& v, TextRef& out) {
  out = TextRef{};
  if (v.is_null()) return true;
  if (const json::object* named = v.if_object(); named && named->size() == 1 && named->contains("hash"))
    return read_hash(named->at("hash"), out.hash) || at("hash");
  if (!texts_) return read_hash(v, out.hash);
  std::string text;
  if (!read_string(v, text)) return false;
  out = TextRef::of(text);
  if (!out.empty()) texts_->emplace(out.hash, std::move(text));
  return true;
}

bool JsonReader::read_json(const json::value& v, std::string& out) {
  if (const json::object* object = v.if_object()) {
    out = object->empty() ? "{}" : canonical_text(v);
    return true;
  }
  if (v.is_null()) {
    out = "{}";
    return true;
  }
  const json::string* text = v.if_string();
  json::error_code error;
  if (!text || !json::parse(*text, error).is_object() || error) return wrong("expected an object, got " + kind_name(v));
  out.assign(text->data(), text->size());
  return true;
}

Error as_error(const JsonIssue& issue) {
  const std::string place = issue.path.empty() ? "" : "at " + issue.path + ": ";
  return Error{Error::Code::invalid, place + issue.message, "correct it and try again"};
}

}  // namespace townd
