#include "controller/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::expected<Options, EarlyExit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "noderemoval");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(Options, HaveTheDocumentedDefaults) {
  const auto options = parse({});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->kube_config.kubeconfig, "");
  EXPECT_EQ(options->kube_config.context, "");
  EXPECT_FALSE(options->kube_config.insecure_allowed);
  EXPECT_EQ(options->workers, 16U);
  EXPECT_EQ(options->client.max_connections, 32U);
  EXPECT_EQ(options->policy.settle, 2s);
  EXPECT_EQ(options->policy.overdue_margin, 30s);
  EXPECT_EQ(options->policy.leftovers_timeout, 300s);
  EXPECT_EQ(options->policy.min_healthy_percent, 45);
  EXPECT_EQ(options->policy.brake_min_nodes, 3);
  EXPECT_EQ(options->policy.max_concurrent_removals, 0);
  EXPECT_EQ(options->policy.own_namespace, "noderemoval-system");
  EXPECT_EQ(options->policy.own_pod, "");
  EXPECT_EQ(options->log_level, controller::LogLevel::Info);
  EXPECT_TRUE(options->leader_elect);
  EXPECT_EQ(options->leader_election.name, "noderemoval-controller");
  EXPECT_EQ(options->leader_election.ns, "noderemoval-system");
  EXPECT_EQ(options->leader_election.durations.lease, 15s);
  EXPECT_EQ(options->leader_election.durations.renew_deadline, 10s);
  EXPECT_EQ(options->leader_election.durations.retry, 2s);
  EXPECT_EQ(options->log_format, controller::LogFormat::Text);
  EXPECT_EQ(options->endpoints.health->str(), "127.0.0.1:8081");
  EXPECT_EQ(options->endpoints.metrics->str(), "127.0.0.1:8080");
  EXPECT_EQ(options->endpoints.metrics_certificate_file, "");
  EXPECT_EQ(options->endpoints.metrics_key_file, "");
  EXPECT_FALSE(options->endpoints.metrics_insecure);
  EXPECT_EQ(options->shutdown_timeout, 30s);
}

TEST(Options, TakeNumbersAsPeopleReadThem) {
  for (const char* argument : {"--workers=010", "--workers=0x10", "--workers=1e1", "--settle=010",
                               "--min-healthy=+5", "--max-connections= 5"}) {
    const auto options = parse({argument});
    ASSERT_FALSE(options) << argument;
    EXPECT_EQ(options.error().code, 2);
    const std::string text{argument};
    EXPECT_THAT(options.error().text, HasSubstr(text.substr(0, text.find('='))));
  }
  EXPECT_EQ(parse({"--min-healthy=0"})->policy.min_healthy_percent, 0);
}

TEST(Options, TakeForAFlagOnlyTrueAndFalse) {
  for (const char* argument : {"--leader-elect=", "--leader-elect=-1", "--leader-elect=2",
                               "--metrics-insecure=7", "--insecure-skip-tls-verify="}) {
    const auto options = parse({argument});
    ASSERT_FALSE(options) << argument;
    EXPECT_EQ(options.error().code, 2);
    const std::string text{argument};
    EXPECT_THAT(options.error().text, HasSubstr(text.substr(0, text.find('=')) + ": \""));
    EXPECT_THAT(options.error().text, HasSubstr("is not true or false"));
  }
  EXPECT_TRUE(parse({"--leader-elect"})->leader_elect);
  EXPECT_TRUE(parse({"--leader-elect=true"})->leader_elect);
  EXPECT_FALSE(parse({"--leader-elect=false"})->leader_elect);
}

TEST(Options, SayHowTheLeaderIsElected) {
  const auto options = parse({"--leader-elect=false", "--leader-elect-lease-duration=9",
                              "--leader-elect-renew-deadline=8", "--leader-elect-retry-period=1"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_FALSE(options->leader_elect);
  EXPECT_EQ(options->leader_election.durations.lease, 9s);
  EXPECT_EQ(options->leader_election.durations.renew_deadline, 8s);
  EXPECT_EQ(options->leader_election.durations.retry, 1s);
  EXPECT_THAT(options->leader_election.identity, testing::MatchesRegex(".+_[0-9a-f-]+"));
  EXPECT_NE(options->leader_election.identity, parse({})->leader_election.identity);
}

TEST(Options, RefuseLeaseTimesWithWhichTwoCouldLead) {
  for (const auto& [argument, option] :
       {std::pair{"--leader-elect-lease-duration=10", "must be longer than --leader-elect-renew"},
        std::pair{"--leader-elect-retry-period=9", "must be longer than 1.2 times"}}) {
    const auto options = parse({argument});
    ASSERT_FALSE(options) << argument;
    EXPECT_EQ(options.error().code, 2);
    EXPECT_THAT(options.error().text, HasSubstr(option));
  }
}

TEST(Options, AreReadInEveryFlag) {
  const auto options = parse({"--kubeconfig",
                              "/k",
                              "--context=c",
                              "--insecure-skip-tls-verify",
                              "--workers",
                              "3",
                              "--max-connections",
                              "4",
                              "--deletions-per-second",
                              "11",
                              "--settle",
                              "5",
                              "--overdue-margin",
                              "6",
                              "--leftovers-timeout",
                              "7",
                              "--min-healthy",
                              "8",
                              "--max-concurrent-removals",
                              "9",
                              "--namespace",
                              "ops",
                              "--own-pod",
                              "ops/me",
                              "--host-cleanup-namespace",
                              "hosts",
                              "--host-cleanup-image",
                              "noderemoval:1",
                              "--host-cleanup-allow-image",
                              "a:1",
                              "--host-cleanup-allow-image",
                              "b:1",
                              "--log-level",
                              "debug",
                              "--log-format",
                              "json",
                              "--health-address",
                              ":1",
                              "--metrics-address",
                              "[::1]:2",
                              "--metrics-tls-cert-file",
                              "/tls.crt",
                              "--metrics-tls-key-file",
                              "/tls.key",
                              "--shutdown-timeout",
                              "10"});
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->kube_config.kubeconfig, "/k");
  EXPECT_EQ(options->kube_config.context, "c");
  EXPECT_TRUE(options->kube_config.insecure_allowed);
  EXPECT_EQ(options->workers, 3U);
  EXPECT_EQ(options->client.max_connections, 4U);
  EXPECT_EQ(options->client.deletions_per_second, 11);
  EXPECT_EQ(options->policy.settle, 5s);
  EXPECT_EQ(options->policy.overdue_margin, 6s);
  EXPECT_EQ(options->policy.leftovers_timeout, 7s);
  EXPECT_EQ(options->policy.min_healthy_percent, 8);
  EXPECT_EQ(options->policy.max_concurrent_removals, 9);
  EXPECT_EQ(options->policy.own_namespace, "ops");
  EXPECT_EQ(options->policy.own_pod, "ops/me");
  EXPECT_EQ(options->policy.host_cleanup_namespace, "hosts");
  EXPECT_EQ(options->policy.host_cleanup_image, "noderemoval:1");
  EXPECT_THAT(options->policy.host_cleanup_allowed_images, testing::ElementsAre("a:1", "b:1"));
  EXPECT_EQ(options->log_level, controller::LogLevel::Debug);
  EXPECT_EQ(options->log_format, controller::LogFormat::Json);
  EXPECT_EQ(options->endpoints.health->str(), ":1");
  EXPECT_EQ(options->endpoints.metrics->str(), "[::1]:2");
  EXPECT_EQ(options->endpoints.metrics_certificate_file, "/tls.crt");
  EXPECT_EQ(options->endpoints.metrics_key_file, "/tls.key");
  EXPECT_EQ(options->shutdown_timeout, 10s);
}

TEST(Options, TakeFromTheEnvironmentWhatADeploymentKnows) {
  ::setenv("POD_NAMESPACE", "ops", 1);
  ::setenv("NODEREMOVAL_OWN_POD", "ops/me", 1);
  const auto options = parse({});
  ::unsetenv("POD_NAMESPACE");
  ::unsetenv("NODEREMOVAL_OWN_POD");
  ASSERT_TRUE(options) << options.error().text;
  EXPECT_EQ(options->policy.own_namespace, "ops");
  EXPECT_EQ(options->policy.own_pod, "ops/me");
}

TEST(Options, HaveBounds) {
  const struct {
    const char* flag;
    const char* lowest;
    const char* highest;
    const char* too_low;
    const char* too_high;
  } kCases[] = {
      {"--workers", "1", "256", "0", "257"},
      {"--max-connections", "1", "64", "0", "65"},
      {"--deletions-per-second", "1", "10000", "0", "10001"},
      {"--settle", "1", "3600", "0", "3601"},
      {"--overdue-margin", "1", "86400", "0", "86401"},
      {"--leftovers-timeout", "1", "86400", "0", "86401"},
      {"--min-healthy", "0", "100", "-1", "101"},
      {"--max-concurrent-removals", "0", "1000", "-1", "1001"},
      {"--shutdown-timeout", "1", "3600", "0", "3601"},
  };
  for (const auto& [flag, lowest, highest, too_low, too_high] : kCases) {
    EXPECT_TRUE(parse({flag, lowest})) << flag;
    EXPECT_TRUE(parse({flag, highest})) << flag;
    for (const auto value : {too_low, too_high, "x", "1.5", "", "99999999999999999999"}) {
      const auto options = parse({flag, value});
      ASSERT_FALSE(options) << flag << " " << value;
      EXPECT_EQ(options.error().code, 2) << flag << " " << value;
      EXPECT_THAT(options.error().text, HasSubstr(flag)) << value;
    }
  }
}

TEST(Options, KnowTheLogLevelsInAnyCase) {
  for (const auto& [text, level] : {std::pair{"debug", controller::LogLevel::Debug},
                                    std::pair{"Info", controller::LogLevel::Info},
                                    std::pair{"WARNING", controller::LogLevel::Warning},
                                    std::pair{"error", controller::LogLevel::Error}}) {
    const auto options = parse({"--log-level", text});
    ASSERT_TRUE(options) << text;
    EXPECT_EQ(options->log_level, level) << text;
  }
  EXPECT_EQ(parse({"--log-level", "loud"}).error().code, 2);
}

TEST(Options, RefuseNonsenseWithTheNameOfTheOptionAndWhatIsAllowed) {
  const struct {
    std::vector<const char*> arguments;
    const char* allowed;
  } kCases[] = {
      {{"--workers", "0"}, "1 to 256"},
      {{"--log-level", "loud"}, "debug"},
      {{"--log-format", "xml"}, "json"},
      {{"--namespace", "No"}, "1 to 63 characters of a-z, 0-9 and -"},
      {{"--namespace", ""}, "1 to 63 characters of a-z, 0-9 and -"},
      {{"--namespace", "a/b"}, "1 to 63 characters of a-z, 0-9 and -"},
      {{"--host-cleanup-namespace", "a/b"}, "1 to 63 characters of a-z, 0-9 and -"},
      {{"--own-pod", "pod"}, "namespace/name"},
      {{"--own-pod", "ns/"}, "namespace/name"},
      {{"--own-pod", "/pod"}, "namespace/name"},
      {{"--own-pod", "ns/a/b"}, "namespace/name"},
      {{"--health-address", "8081"}, "IP:PORT"},
      {{"--health-address", "localhost:8081"}, "IP:PORT"},
      {{"--metrics-address", "127.0.0.1:99999"}, "port from 0 to 65535"},
      {{"--metrics-address", ":8080"}, "--metrics-insecure"},
      {{"--metrics-address", "0.0.0.0:8080"}, "--metrics-tls-cert-file"},
      {{"--metrics-address", "[::]:8080"}, "not a loopback address"},
      {{"--metrics-tls-cert-file", "/c"}, "--metrics-tls-key-file"},
      {{"--metrics-tls-key-file", "/k"}, "--metrics-tls-cert-file"},
      {{"--metrics-tls-cert-file", "/c", "--metrics-tls-key-file", "/k", "--metrics-insecure"},
       "give one of them"},
  };
  for (const auto& [arguments, allowed] : kCases) {
    const auto options = parse(arguments);
    ASSERT_FALSE(options) << arguments[0] << " " << arguments[1];
    EXPECT_EQ(options.error().code, 2) << arguments[0] << " " << arguments[1];
    EXPECT_THAT(options.error().text, HasSubstr(arguments[0])) << arguments[1];
    EXPECT_THAT(options.error().text, HasSubstr(allowed)) << arguments[0] << " " << arguments[1];
  }
}

TEST(Options, LetOthersReadTheMetricsOnlyWhenItIsSaidHow) {
  EXPECT_TRUE(parse({"--metrics-address", ":8080", "--metrics-insecure"}));
  EXPECT_TRUE(parse({"--metrics-address", ":8080", "--metrics-tls-cert-file", "/c",
                     "--metrics-tls-key-file", "/k"}));
  EXPECT_TRUE(parse({"--metrics-address", "127.0.0.2:8080"}));
  EXPECT_TRUE(parse({"--metrics-address", "[::1]:8080"}));
  EXPECT_TRUE(parse({"--health-address", "0.0.0.0:8081"})) << "it says nothing secret";
}

TEST(Options, SwitchAnAddressOffWhenItIsEmpty) {
  for (const auto& arguments :
       {std::vector<const char*>{"--metrics-address=", "--health-address", ""},
        {"--metrics-address", "", "--health-address="}}) {
    const auto options = parse(arguments);
    ASSERT_TRUE(options) << options.error().text;
    EXPECT_FALSE(options->endpoints.metrics);
    EXPECT_FALSE(options->endpoints.health);
  }
}

TEST(Options, EndWithCodeTwoWhenTheyAreNotUnderstood) {
  for (const auto& arguments : {std::vector<const char*>{"--wrokers", "3"},
                                {"run"},
                                {"--workers"},
                                {"-x"},
                                {"--settle=2", "--", "extra"}}) {
    const auto options = parse(arguments);
    ASSERT_FALSE(options) << arguments.front();
    EXPECT_EQ(options.error().code, 2) << arguments.front();
    EXPECT_NE(options.error().text, "") << arguments.front();
  }
}

TEST(Options, TellTheVersionAndEnd) {
  const auto options = parse({"--version"});
  ASSERT_FALSE(options);
  EXPECT_EQ(options.error().code, 0);
  EXPECT_EQ(options.error().text, "noderemoval " NODEREMOVAL_VERSION "\n");
}

TEST(Options, HelpWithEveryFlagAndEnd) {
  for (const auto flag : {"--help", "-h"}) {
    const auto options = parse({flag});
    ASSERT_FALSE(options);
    EXPECT_EQ(options.error().code, 0);
    for (const auto name :
         {"--kubeconfig", "--context", "--workers", "--max-connections", "--deletions-per-second",
          "--settle", "--overdue-margin", "--leftovers-timeout", "--min-healthy", "--log-level",
          "--log-format", "--health-address", "--metrics-address", "--metrics-tls-cert-file",
          "--metrics-tls-key-file", "--metrics-insecure", "--shutdown-timeout", "--version",
          "--help"}) {
      EXPECT_THAT(options.error().text, HasSubstr(name));
    }
  }
}

}  // namespace
