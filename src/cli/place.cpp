#include "cli/place.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace townd::cli {

namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string home() {
  if (std::string named = environment("HOME"); !named.empty()) return named;
  const passwd* entry = getpwuid(getuid());
  return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : "";
}

expected<std::string> token_given(const std::string& text) {
  if (!text.starts_with('@')) return text;
  std::ifstream file(text.substr(1));
  std::string token;
  if (!(file >> token))
    return fail(Error::Code::invalid, "cannot read a token from " + text.substr(1),
                "Give --token @FILE with a file that holds the token.");
  return token;
}

}  // namespace

expected<std::string> data_folder(const Values& flags) {
  std::string folder = flags.text("--data", environment("TOWND_DATA"));
  if (folder.empty()) {
    const std::string own = home();
    if (own.empty())
      return fail(Error::Code::invalid, "cannot tell where the data folder is: there is no HOME",
                  "Name it with --data DIR or TOWND_DATA.");
    folder = own + "/.local/share/townd";
  }
  std::error_code error;
  const fs::path whole = fs::absolute(folder, error);
  return error ? folder : whole.lexically_normal().string();
}

expected<Place> find_place(const Values& flags) {
  Place place;
  if (const std::string run_token = environment("TOWN_TOKEN"); !run_token.empty()) {
    if (flags.has("--token") || flags.has("--url"))
      return fail(Error::Code::forbidden, "this is an agent's run; it has its own token and takes no other",
                  "Leave out --token and --url.");
    place.agent = true;
    place.address.token = run_token;
    place.address.socket = environment("TOWN_SOCKET");
    if (place.address.socket.empty()) {
      const auto data = data_folder(flags);
      if (!data) return tl::unexpected(data.error());
      place.address.socket = *data + "/door/agent.sock";
    }
    return place;
  }
  if (flags.has("--url")) {
    place.address.url = flags.text("--url");
    while (place.address.url.ends_with('/')) place.address.url.pop_back();
    if (!place.address.url.starts_with("http://") && !place.address.url.starts_with("https://"))
      return fail(Error::Code::invalid, "--url needs http:// or https:// in front",
                  "For example --url http://127.0.0.1:7777");
    const auto token = token_given(flags.text("--token"));
    if (!token) return tl::unexpected(token.error());
    place.address.token = *token;
    return place;
  }
  const auto data = data_folder(flags);
  if (!data) return tl::unexpected(data.error());
  place.data = *data;
  place.address.socket = *data + "/townd.sock";
  const auto token = token_given(flags.text("--token"));
  if (!token) return tl::unexpected(token.error());
  place.address.token = *token;
  return place;
}

}  // namespace townd::cli
