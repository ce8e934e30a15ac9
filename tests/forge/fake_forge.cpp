#include "fake_forge.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>

#include "http/client.hpp"

namespace townd::test {

FakeForge::FakeForge(HostKind kind) : kind_(kind) {
  std::string made = (std::filesystem::path(testing::TempDir()) / "townd-forge-XXXXXX").string();
  if (::mkdtemp(made.data()) == nullptr) throw std::runtime_error("no folder for the fake forge");
  folder_ = made;
  std::array<int, 2> in{}, out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  process_ = ::fork();
  if (process_ == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    const std::string program = TOWND_SOURCE "/tests/fake_forge/serve.py";
    ::execlp("python3", "python3", program.c_str(), "--root", folder_.c_str(), "--with-parent", "--kind",
             std::string(name_of(kind)).c_str(), nullptr);
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  std::string line;
  for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
  ::close(out[0]);
  const auto said = parse_json(line);
  if (!said) throw std::runtime_error("the fake forge does not start: " + line);
  host_ = text_of(*said, "address");
  control_ = text_of(*said, "control");
  ::setenv("SSL_CERT_FILE", text_of(*said, "ca").c_str(), 1);
  for (const char* login : {"you", "towny", "stranger"}) control("users", {{"login", login}});
  json::array scopes;
  switch (kind) {
    case HostKind::github: scopes = {"repo"}; break;
    case HostKind::gitlab: scopes = {"api"}; break;
    case HostKind::gitea: scopes = {"write:repository", "write:issue", "read:user"}; break;
  }
  token_ = text_of(control("tokens", {{"login", "towny"}, {"scopes", scopes}}), "token");
  const json::object permissions{{"towny", kind == HostKind::gitlab ? "developer" : "write"}};
  control("repositories", {{"owner", "you"}, {"name", "shop"}, {"permissions", permissions}});
  push("main", "file", "one\n");
}

FakeForge::~FakeForge() {
  const json::value failures = control("failures", {});
  EXPECT_TRUE(list_of(failures, "failures").empty()) << json::serialize(failures);
  ::close(input_);
  int status = 0;
  ::waitpid(process_, &status, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

json::value FakeForge::control(std::string_view command, const json::object& body) const {
  const std::atomic<bool> never = false;
  http::Request request;
  request.method = "POST";
  request.url = control_ + "/" + std::string(command);
  request.to = *read_web_address(request.url);
  request.headers = {"Content-Type: application/json"};
  request.body = json::serialize(body);
  request.answer_limit = std::size_t{64} << 20;
  const auto answer = http::perform(request, never);
  EXPECT_TRUE(answer) << answer.error().what;
  EXPECT_EQ(answer->status, 200) << command << " " << request.body << ": " << answer->body;
  return parse_json(answer->body).value_or(json::value());
}

std::string FakeForge::push(const std::string& branch, const std::string& file, const std::string& text) const {
  return text_of(control("act", {{"login", "you"},
                                 {"repository", "you/shop"},
                                 {"do", "push"},
                                 {"branch", branch},
                                 {"files", json::object{{file, text}}}}),
                 "sha");
}

int FakeForge::open(const std::string& branch) const {
  return static_cast<int>(number_of(
      control("act",
              {{"login", "you"}, {"repository", "you/shop"}, {"do", "open"}, {"head", branch}, {"title", branch}}),
      "number"));
}

std::pair<int, std::int64_t> FakeForge::requests_since(std::int64_t mark) const {
  const json::value log = control("log", {{"since", mark}});
  return {static_cast<int>(number_of(log, "count")), number_of(log, "mark")};
}

HostSettings FakeForge::settings() const {
  HostSettings settings;
  settings.kind = kind_;
  settings.host = host_;
  settings.token = token_;
  return settings;
}

}  // namespace townd::test
