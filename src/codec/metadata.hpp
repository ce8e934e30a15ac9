#pragma once

#include <string_view>

#include "codec/fields.hpp"
#include "core/town.hpp"

/// The reference keeps what rules read among a bead's free metadata. Here those are typed fields of the rows; these
/// functions take the keys out on the way in and put them back for showing.
namespace townd {

/// What the metadata of a convoy says of its landings; it belongs to each of the convoy's rigs.
struct LoadedLanding {
  int attempts = 0;
  MaybeInstant last_attempt_at;
};

/// Takes the system keys out of `bead.metadata`: of a merge request into `review`, of a convoy into `convoy` and
/// `landing`, of others into `bead.detail` unless that is set. False: `reader.issue` says why.
bool take_system_keys(JsonReader& reader, Bead& bead, Review& review, Convoy& convoy, LoadedLanding& landing);

/// A bead's metadata as people and agents see it: its own with the system keys, flags as 1 and 0.
json::object shown_metadata(const Town& town, const Bead& bead);

/// A key that a request may not write for this bead.
bool is_system_key(const Bead& bead, std::string_view key);

}  // namespace townd
