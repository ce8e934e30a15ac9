#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "codec/config.hpp"
#include "codec/config_meanings.hpp"

namespace townd {
namespace {

std::string error_of(const char* toml) {
  const auto settings = read_node_settings(toml, "townd.toml");
  return settings ? "" : settings.error().what;
}

TEST(Config, AnEmptyFileGivesTheDefaults) {
  const auto settings = read_node_settings("", "townd.toml");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->server.listen, "127.0.0.1:7777");
  EXPECT_EQ(settings->run_limits().memory_bytes, Limits{}.memory_bytes);
  EXPECT_EQ(settings->town.constants.lost_agent, minutes(5));
}

TEST(Config, EverySectionIsRead) {
  const auto settings = read_node_settings(R"(
    [server]
    listen = "127.0.0.1:0"
    hosts = ["town.lan"]
    [limits]
    max_agents = 3
    memory = "512MiB"
    wall = "30m"
    log = 4096
    [town]
    code_review = false
    usd_per_day = 12.5
    auto_merge_delay_minutes = 5
    [reconciler]
    lost_agent = "2m30s"
    poll = 1500
    backoff = ["1s", "2s"]
    breaker_rig = 7
  )",
                                           "townd.toml");
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->server.hosts, std::vector<std::string>{"town.lan"});
  EXPECT_EQ(settings->limits.max_agents, 3);
  EXPECT_EQ(settings->run_limits().memory_bytes, 512LL << 20);
  EXPECT_EQ(settings->run_limits().wall, minutes(30));
  EXPECT_EQ(settings->run_limits().log_bytes, 4096);
  EXPECT_FALSE(settings->town.code_review);
  EXPECT_EQ(settings->town.micro_usd_per_day, 12'500'000);
  EXPECT_EQ(settings->town.auto_merge_delay_minutes, 5);
  EXPECT_EQ(settings->town.constants.lost_agent, seconds(150));
  EXPECT_EQ(settings->town.constants.poll, Duration{1500});
  EXPECT_EQ(settings->town.constants.backoff, (std::vector<Duration>{seconds(1), seconds(2)}));
  EXPECT_EQ(settings->town.constants.breaker_rig, 7);
  EXPECT_TRUE(settings->said.contains("reconciler.poll"));
  EXPECT_FALSE(settings->said.contains("reconciler.drain"));
}

TEST(Config, AnErrorNamesFileLineKeyAndTheNearestKnownOne) {
  EXPECT_EQ(error_of("[reconciler]\nlost_agnet = \"5m\"\n"),
            "townd.toml:2: reconciler.lost_agnet: unknown key; the nearest known one is \"lost_agent\"");
  EXPECT_EQ(error_of("\n[sever]\nlisten = \"x\"\n"),
            "townd.toml:2: sever: unknown key; the nearest known one is \"server\"");
  EXPECT_EQ(error_of("[town]\nmax_polecat = 3\n"),
            "townd.toml:2: town.max_polecat: unknown key; the nearest known one is \"max_polecats\"");
  EXPECT_EQ(error_of("[limits]\nmax_agents = 1\nmemory = \"4 GB\"\n"),
            "townd.toml:3: limits.memory: expected a number of bytes such as 4GiB, got \"4 GB\"");
  EXPECT_EQ(error_of("[town]\n\nmerge_strategy = \"direkt\"\n"),
            "townd.toml:3: town.merge_strategy: \"direkt\" is none of direct, pr");
  EXPECT_EQ(error_of("[reconciler]\nbackoff = [\"1s\",\n \"x\"]\n").substr(0, 36),
            "townd.toml:3: reconciler.backoff.1: ");
  EXPECT_EQ(error_of("[log]\nlevel = \"loud\"\n"),
            "townd.toml:2: log.level: \"loud\" is none of debug, info, warn, error, off");
  EXPECT_EQ(error_of("[town]\nversion = 3\n").substr(0, 41), "townd.toml:2: town.version: unknown key; ");
  EXPECT_EQ(error_of("server = 3\n"), "townd.toml:1: server: expected an object, got the number 3");
  EXPECT_EQ(error_of("[reconciler\n").substr(0, 23), "townd.toml:1: not TOML:");
  EXPECT_EQ(error_of("[reconciler]\nbackoff = []\n"),
            "townd.toml:2: reconciler.backoff: at least one length of time is needed");
  EXPECT_EQ(error_of("[reconciler]\nlost_agent = \"-5m\"\n"),
            "townd.toml:2: reconciler.lost_agent: a length of time is not negative");
  EXPECT_EQ(error_of("[reconciler]\npoll = \"999ms\"\n"),
            "townd.toml:2: reconciler.poll: less than a second is too often");
  EXPECT_EQ(error_of("[reconciler]\nbreaker_rig = -1\n"), "townd.toml:2: reconciler.breaker_rig: it is at least 0");
}

TEST(Config, AChangeThatNoTownCanLiveWithIsRefused) {
  const auto refused = [](const char* key, json::value value) {
    TownConfig config;
    JsonReader reader;
    EXPECT_FALSE(read_settings(reader, {{"reconciler", {{key, std::move(value)}}}}, config)) << key;
    return reader.issue.path + ": " + reader.issue.message;
  };
  EXPECT_EQ(refused("lost_agent", "-5m"), "/reconciler/lost_agent: a length of time is not negative");
  EXPECT_EQ(refused("resync", "0s"), "/reconciler/resync: less than a second is too often");
  EXPECT_EQ(refused("backoff", json::array{"1s", "-1s"}), "/reconciler/backoff: a length of time is not negative");
}

TEST(Config, EveryKeyHasAMeaningAndADefault) {
  const auto settings = read_node_settings("[reconciler]\npoll = \"10s\"\n", "townd.toml");
  std::map<std::string, ConfigKey> keys;
  for (const ConfigKey& key : config_keys(*settings)) {
    EXPECT_NE(key.meaning, "") << key.key;
    keys.emplace(key.key, key);
  }
  EXPECT_EQ(keys.at("reconciler.poll").value, "\"10s\"");
  EXPECT_EQ(keys.at("reconciler.poll").default_value, "\"1m\"");
  EXPECT_TRUE(keys.at("reconciler.poll").from_file);
  EXPECT_FALSE(keys.at("reconciler.drain").from_file);
  EXPECT_EQ(keys.at("limits.memory").default_value, "\"4GiB\"");
  EXPECT_EQ(keys.at("town.usd_per_day").default_value, "");
  EXPECT_EQ(keys.at("reconciler.backoff").default_value, R"(["30s", "1m", "2m", "5m", "10m"])");
}

TEST(Config, SecretsAreShownByTheirLastCharactersOrTheirReference) {
  const auto shown = [](const char* toml) {
    const auto settings = read_node_settings(toml, "townd.toml");
    std::string text;
    for (const ConfigKey& key : config_keys(*settings))
      if (key.from_file) text += key.value + " ";
    return text;
  };
  EXPECT_EQ(shown("[sentry]\ndsn = \"https://0123456789abcdef@sentry.example/4501\"\n"), "\"****4501\" ");
  EXPECT_EQ(shown("[webhook]\nurl = \"https://hooks.example/T0/B0/word\"\nsecret = \"short\"\n"),
            "\"****word\" \"****\" ");
  EXPECT_EQ(shown("[webhook]\nurl = \"file:hook.url\"\nsecret = \"env:HOOK_SECRET\"\n"),
            "\"file:hook.url\" \"env:HOOK_SECRET\" ");
}

TEST(Config, ForgesAreNamedWithTheirHostsAndNoSecrets) {
  const auto settings = read_node_settings("[gitlab]\ntoken = \"glpat-0123456789\"\nwebhook_secret = \"short\"\n", "t");
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->gitlab.host, "gitlab.com");
  EXPECT_EQ(settings->gitea.host, "codeberg.org");
  EXPECT_TRUE(settings->names_forge());
  EXPECT_FALSE(NodeSettings{}.names_forge());
  std::map<std::string, std::string> values;
  for (const ConfigKey& key : config_keys(*settings)) values.emplace(key.key, key.value);
  EXPECT_EQ(values.at("gitlab.token"), "\"****6789\"");
  EXPECT_EQ(values.at("gitlab.webhook_secret"), "\"****\"");
  EXPECT_EQ(error_of("[gitlab]\napp_id = \"1\"\n").substr(0, 35), "townd.toml:2: gitlab.app_id: unknow");
}

TEST(Config, AlertsHaveAProgramQuietHoursAndATime) {
  const auto settings = read_node_settings(
      "[alerts]\ncommand = [\"notify\", \"a b\"]\nquiet = \"22:00-07:00\"\nrepeat = \"30m\"\n", "townd.toml");
  ASSERT_TRUE(settings) << settings.error().what;
  EXPECT_EQ(settings->alerts.command, (std::vector<std::string>{"notify", "a b"}));
  EXPECT_EQ(settings->alerts.repeat, minutes(30));
  EXPECT_EQ(settings->said.at("alerts.quiet"), 3);
  EXPECT_EQ(error_of("[alerts]\nrepeat = \"-1h\"\n"), "townd.toml:2: alerts.repeat: a length of time is not negative");
  EXPECT_EQ(error_of("[sentry]\ndns = \"x\"\n"),
            "townd.toml:2: sentry.dns: unknown key; the nearest known one is \"dsn\"");
}

TEST(Config, WhatIsPrintedCanBeReadBack) {
  auto settings = read_node_settings("[town]\nusd_per_day = 7.25\nauto_merge_delay_minutes = 3\n", "townd.toml");
  ASSERT_TRUE(settings);
  std::map<std::string, std::string> sections;
  for (const ConfigKey& key : config_keys(*settings)) {
    const std::size_t dot = key.key.find('.');
    if (!key.value.empty()) sections[key.key.substr(0, dot)] += key.key.substr(dot + 1) + " = " + key.value + "\n";
  }
  std::string file;
  for (const auto& [section, lines] : sections) file += "[" + section + "]\n" + lines;
  const auto again = read_node_settings(file, "printed.toml");
  ASSERT_TRUE(again) << again.error().what << file;
  const auto before = config_keys(*settings), after = config_keys(*again);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(before[i].value, after[i].value) << before[i].key;
}

TEST(RepositoryConfig, IsReadAndCanOnlyLowerLimits) {
  const auto repository = read_repository_settings(
      "gates = [\"make test\"]\nsetup = \"make deps\"\ncopy = [\".env\"]\ntarget = \"develop\"\nstrategy = \"direct\"\n"
      "max_polecats = 9\nmax_dispatch_attempts = 2\n",
      ".town/town.toml");
  ASSERT_TRUE(repository) << repository.error().what;
  RigConfig rig;
  rig.max_polecats = 3;
  const RigConfig merged = with_repository(rig, *repository, TownConfig{});
  EXPECT_EQ(merged.gates, std::vector<std::string>{"make test"});
  EXPECT_EQ(merged.setup, "make deps");
  EXPECT_EQ(merged.copy, std::vector<std::string>{".env"});
  EXPECT_EQ(merged.target, "develop");
  EXPECT_EQ(merged.merge_strategy, Strategy::direct);
  EXPECT_EQ(merged.max_polecats, 3);
  EXPECT_EQ(merged.max_dispatch_attempts, 2);
}

TEST(RepositoryConfig, NeverNamesWhatOnlyTheOwnerMay) {
  for (const char* toml : {"polecat_preset = \"x\"\n", "sandbox = \"none\"\n", "push_remote = \"x\"\n"}) {
    const auto repository = read_repository_settings(toml, ".town/town.toml");
    ASSERT_FALSE(repository) << toml;
    EXPECT_EQ(repository.error().what.substr(0, 18), ".town/town.toml:1:");
  }
}

}  // namespace
}  // namespace townd
