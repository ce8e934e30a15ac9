#include "scratch_folder.hpp"

#include <cstdlib>
#include <string>

namespace townd {

ScratchFolder::ScratchFolder() {
  std::string name = TOWND_SCRATCH "/store-XXXXXX";
  std::filesystem::create_directories(TOWND_SCRATCH);
  path_ = ::mkdtemp(name.data());
}

ScratchFolder::~ScratchFolder() { std::filesystem::remove_all(path_); }

}  // namespace townd
