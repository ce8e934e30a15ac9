#pragma once

#include <string>

#include "core/time.hpp"

namespace townd {

/// What became of one try to bring an alert to a sink.
struct Sent {
  enum class Fate {
    taken,
    refused,  ///< and would be at each further try
    later,
  };
  Fate fate = Fate::taken;
  std::string why;
  Duration hold{};        ///< for so long nothing more may be sent
  bool answered = false;  ///< somebody is there, though not willing
};

}  // namespace townd
