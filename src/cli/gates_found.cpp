#include "cli/gates_found.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string_view>

#include "cli/process.hpp"

namespace townd::cli {

namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& file) {
  constexpr std::streamsize kEnough = 1 << 20;
  std::ifstream in(file, std::ios::binary);
  std::string text(static_cast<std::size_t>(kEnough), '\0');
  in.read(text.data(), kEnough);
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

/// A file that, when it exists and matches `says`, means that `gate` tests the repository.
struct Sign {
  const char* file;
  const char* says;  ///< regular expression on the file's text; empty: being there is enough
  const char* gate;
  const char* setup;
};

/// A Makefile or justfile stands for the whole repository: nothing after it is asked.
constexpr Sign kWhole[] = {
    {"Makefile", R"((^|\n)(test|check)\s*:)", "make ", ""},
    {"GNUmakefile", R"((^|\n)(test|check)\s*:)", "make ", ""},
    {"justfile", R"((^|\n)(test|check)\b[^\n]*:)", "just ", ""},
};

constexpr Sign kParts[] = {
    {"Cargo.toml", "", "cargo test", ""},
    {"go.mod", "", "go test ./...", ""},
    {"pytest.ini", "", "python3 -m pytest -q", ""},
    {"pyproject.toml", "pytest", "python3 -m pytest -q", ""},
    {"setup.cfg", R"(\[tool:pytest\])", "python3 -m pytest -q", ""},
    {"CMakeLists.txt", "enable_testing|CTest",
     "cmake -S . -B build && cmake --build build && ctest --test-dir build --output-on-failure", ""},
    {"gradlew", "", "./gradlew test", ""},
    {"pom.xml", "", "mvn -q test", ""},
    {"build.zig", "", "zig build test", ""},
    {"mix.exs", "", "mix test", "mix deps.get"},
    {"Package.swift", "", "swift test", ""},
    {"deno.json", "", "deno test", ""},
    {"composer.json", R"("test"\s*:)", "composer test", "composer install"},
    {"test.sh", "", "sh test.sh", ""},
};

void add(FoundGates& found, std::string gate, const std::string& setup, const std::string& because) {
  if (std::find(found.gates.begin(), found.gates.end(), gate) != found.gates.end()) return;
  found.gates.push_back(std::move(gate));
  found.because.push_back(because);
  if (setup.empty()) return;
  found.setup += (found.setup.empty() ? "" : " && ") + setup;
}

bool matches(const std::string& text, const char* says, std::smatch& hit) {
  return *says == '\0' || std::regex_search(text, hit, std::regex(says));
}

/// `npm test` where package.json has a test script that is not npm's own "no test specified".
void add_node(FoundGates& found, const fs::path& folder) {
  boost::system::error_code error;
  const auto package = boost::json::parse(contents(folder / "package.json"), error);
  if (error || !package.is_object()) return;
  const auto* scripts = package.as_object().if_contains("scripts");
  const auto* test = scripts != nullptr && scripts->is_object() ? scripts->as_object().if_contains("test") : nullptr;
  if (test == nullptr || !test->is_string()) return;
  if (std::string_view(test->as_string()).find("no test specified") != std::string_view::npos) return;
  if (fs::exists(folder / "pnpm-lock.yaml"))
    add(found, "pnpm test", "pnpm install --frozen-lockfile", "package.json has a test script");
  else if (fs::exists(folder / "yarn.lock"))
    add(found, "yarn test", "yarn install --frozen-lockfile", "package.json has a test script");
  else
    add(found, "npm test", fs::exists(folder / "package-lock.json") ? "npm ci" : "npm install",
        "package.json has a test script");
}

expected<std::string> git(const std::string& folder, std::vector<std::string> words) {
  // Nothing that the repository or its owner's settings name is run for a look.
  std::vector<std::string> argv{"git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", folder};
  argv.insert(argv.end(), words.begin(), words.end());
  const auto finished =
      run_program({argv, {}, {{"LC_ALL", "C"}, {"GIT_OPTIONAL_LOCKS", "0"}}, {"GIT_DIR", "GIT_WORK_TREE"}});
  if (!finished) return fail(Error::Code::internal, "git cannot be run", "Install git.");
  std::string out = finished->out;
  while (out.ends_with('\n')) out.pop_back();
  if (!finished->ok()) return fail(Error::Code::invalid, out);
  return out;
}

}  // namespace

FoundGates find_gates(const std::string& folder) {
  FoundGates found;
  for (const Sign& sign : kWhole) {
    const fs::path file = fs::path(folder) / sign.file;
    const std::string text = fs::is_regular_file(file) ? contents(file) : std::string();
    std::smatch hit;
    if (text.empty() || !matches(text, sign.says, hit)) continue;
    add(found, sign.gate + hit[2].str(), sign.setup, std::string(sign.file) + " has a target " + hit[2].str());
    return found;
  }
  if (fs::is_regular_file(fs::path(folder) / "package.json")) add_node(found, folder);
  for (const Sign& sign : kParts) {
    const fs::path file = fs::path(folder) / sign.file;
    if (!fs::is_regular_file(file)) continue;
    const std::string text = contents(file);
    std::smatch hit;
    if (matches(text, sign.says, hit)) add(found, sign.gate, sign.setup, std::string("there is a ") + sign.file);
  }
  return found;
}

expected<Checkout> look_at_checkout(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(path, error);
  if (error || !fs::is_directory(whole))
    return fail(Error::Code::not_found, "there is no folder " + path, "Give the path of a repository, or its URL.");
  const auto bare = git(whole.string(), {"rev-parse", "--is-bare-repository"});
  if (!bare && bare.error().code == Error::Code::internal) return tl::unexpected(bare.error());
  if (!bare)
    return fail(Error::Code::invalid, whole.string() + " is not a git repository: " + bare.error().what,
                "Make it one with: git init, and commit something.");
  if (*bare == "true")
    return fail(Error::Code::invalid, whole.string() + " is a bare repository",
                "Clone it and give the clone's path: git clone " + whole.string());
  Checkout checkout;
  const auto top = git(whole.string(), {"rev-parse", "--show-toplevel"});
  if (!top) return tl::unexpected(top.error());
  checkout.folder = *top;
  checkout.name = repository_name(*top);
  if (!git(*top, {"rev-parse", "--verify", "-q", "HEAD^{commit}"}))
    return fail(Error::Code::invalid, *top + " has no commit yet",
                "Commit something first: git add -A && git commit -m \"first\"");
  const auto branch = git(*top, {"symbolic-ref", "-q", "--short", "HEAD"});
  if (!branch)
    return fail(Error::Code::invalid, *top + " has no branch checked out, so there is none for work to land on",
                "Check one out: git switch main");
  checkout.branch = *branch;
  const auto status = git(*top, {"status", "--porcelain"});
  checkout.dirty = status && !status->empty();
  return checkout;
}

std::string work_tree_around(const std::string& folder) {
  std::error_code error;
  for (fs::path at = fs::weakly_canonical(folder, error); !error && at.has_relative_path(); at = at.parent_path())
    if (fs::exists(at / ".git", error)) return at.string();
  return {};
}

bool is_url(const std::string& text) {
  static const std::regex shape(R"(^([a-z][a-z0-9+.-]*://|[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:))");
  return std::regex_search(text, shape);
}

std::string repository_name(const std::string& path_or_url) {
  std::string text = path_or_url;
  while (text.ends_with('/')) text.pop_back();
  if (text.ends_with(".git")) text.resize(text.size() - 4);
  while (text.ends_with('/')) text.pop_back();
  const auto cut_at = text.find_last_of("/:");
  return cut_at == std::string::npos ? text : text.substr(cut_at + 1);
}

}  // namespace townd::cli
