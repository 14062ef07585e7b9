#include "controller/plugin/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <vector>

#include "controller/plugin/manifest.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/validate.hpp"

namespace plugin {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::expected<Command, EarlyExit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "/usr/local/bin/kubectl-noderemoval");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

std::string error_of(const std::vector<const char*>& arguments) {
  const auto command = parse(arguments);
  if (command) return "no error";
  EXPECT_EQ(command.error().code, 1);
  EXPECT_TRUE(command.error().text.starts_with("error: ")) << command.error().text;
  return command.error().text;
}

TEST(CommandLine, TakesFlagsBeforeAndBehindTheVerb) {
  for (const auto& arguments : {std::vector<const char*>{"--context=x", "status", "jetson"},
                                {"status", "--context", "x", "jetson"},
                                {"status", "jetson", "--context=x"}}) {
    const auto command = parse(arguments);
    ASSERT_TRUE(command) << command.error().text;
    EXPECT_EQ(command->verb, Verb::Status);
    EXPECT_EQ(command->name, "jetson");
    EXPECT_EQ(command->connection.kube_config.context, "x");
  }
}

TEST(CommandLine, HasTheConnectionFlagsOfKubectl) {
  const auto command =
      parse({"list", "--kubeconfig=/k", "--cluster=c", "--user=u", "--server=https://s", "--as=me",
             "--as-group=a", "--as-group=b", "--request-timeout=7s", "--insecure-skip-tls-verify"});
  ASSERT_TRUE(command) << command.error().text;
  const auto& connection = command->connection;
  EXPECT_EQ(connection.kube_config.kubeconfig, "/k");
  EXPECT_EQ(connection.kube_config.cluster, "c");
  EXPECT_EQ(connection.kube_config.user, "u");
  EXPECT_EQ(connection.kube_config.server, "https://s");
  EXPECT_TRUE(connection.kube_config.insecure_allowed);
  EXPECT_EQ(connection.as_user, "me");
  EXPECT_THAT(connection.as_groups, testing::ElementsAre("a", "b"));
  EXPECT_EQ(connection.request_timeout, 7s);
}

TEST(CommandLine, TakesNamesThatAreVerbs) {
  EXPECT_EQ(parse({"status", "list"})->name, "list");
  EXPECT_EQ(parse({"plan", "plan"})->removal.node, "plan");
}

TEST(CommandLine, SaysWhatIsWrong) {
  EXPECT_THAT(error_of({"star"}), HasSubstr("star: give one of the verbs plan start status"));
  EXPECT_THAT(error_of({"status"}), HasSubstr("REMOVAL is required"));
  EXPECT_THAT(error_of({"status", "a", "b"}), HasSubstr("b"));
  EXPECT_THAT(error_of({"status", "a", "--fast"}), HasSubstr("--fast"));
  EXPECT_THAT(error_of({"start"}), HasSubstr("give the name of a node, or a selector with -l"));
  EXPECT_THAT(error_of({"start", "a", "-l", "x=y"}), HasSubstr("and not both"));
  EXPECT_THAT(error_of({"start", "-l", "x=y"}), HasSubstr("--name"));
  EXPECT_THAT(error_of({"start", "-l", "x = = y", "--name=n"}),
              HasSubstr("is not a label selector"));
  EXPECT_THAT(error_of({"start", "-l", "x=y", "--name=n", "--node-uid=u"}),
              HasSubstr("without -l"));
  EXPECT_THAT(error_of({"start", "a", "--max-concurrent=2"}), HasSubstr("use it with -l"));
  EXPECT_THAT(error_of({"start", "-l", "x", "--name=n", "--max-concurrent=0%"}),
              HasSubstr("\"0%\" is not a number from 1 to 500"));
  EXPECT_THAT(error_of({"start", "a", "--grace-period=0"}), HasSubstr("at least 1 second"));
  EXPECT_THAT(error_of({"start", "a", "--grace-period=010"}), HasSubstr("is not a whole number"));
  EXPECT_THAT(error_of({"start", "a", "--timeout=soon"}), HasSubstr("is not a duration"));
  EXPECT_THAT(error_of({"start", "a", "--on-timeout=Retry"}), HasSubstr("Retry"));
  EXPECT_THAT(error_of({"start", "a", "--force="}), HasSubstr("\"\" is not true or false"));
  EXPECT_THAT(error_of({"start", "a", "--force=7"}), HasSubstr("is not true or false"));
  EXPECT_THAT(error_of({"start", "a", "--dry-run=maybe"}),
              HasSubstr("\"maybe\" is not one of client|none|server"));
  EXPECT_THAT(error_of({"start", "a", "--dry-run=server", "--watch"}),
              HasSubstr("nothing to --watch"));
  EXPECT_THAT(error_of({"status", "a", "--timeout=5s"}), HasSubstr("limit of --wait and --watch"));
  EXPECT_THAT(error_of({"status", "a", "--watch", "-o", "json"}), HasSubstr("without -o"));
  EXPECT_THAT(error_of({"status", "a", "-o", "wide"}), HasSubstr("list only"));
  EXPECT_THAT(error_of({"plan", "a", "-o", "name"}), HasSubstr("a plan has no name"));
  EXPECT_THAT(error_of({"list", "-o", "xml"}), HasSubstr("\"xml\" is not one of json|name|table"));
  EXPECT_THAT(error_of({"list", "--as-group=g"}), HasSubstr("--as-group needs --as"));
  EXPECT_THAT(error_of({"list", "--request-timeout=0"}), HasSubstr("between 1s and 1h"));
  EXPECT_THAT(error_of({"completion", "tcsh"}), HasSubstr("tcsh"));
}

TEST(CommandLine, HelpSaysHowItIsCalledAndHowItEnds) {
  for (const auto& arguments : {std::vector<const char*>{}, {"--help"}}) {
    const auto help = parse(arguments);
    ASSERT_FALSE(help);
    EXPECT_EQ(help.error().code, 0);
    EXPECT_THAT(help.error().text, HasSubstr("Usage: kubectl noderemoval "));
    EXPECT_THAT(help.error().text, HasSubstr("130 interrupted"));
    EXPECT_THAT(help.error().text, HasSubstr("--context"));
  }
  const auto help = parse({"start", "--help"});
  ASSERT_FALSE(help);
  EXPECT_EQ(help.error().code, 0);
  EXPECT_THAT(help.error().text, HasSubstr("Usage: kubectl noderemoval start "));
  EXPECT_THAT(help.error().text, HasSubstr("--delete-emptydir-data"));
}

std::string spec_of(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "start");
  const auto command = parse(arguments);
  if (!command) return command.error().text;
  const auto object = manifest(command->removal);
  // What the flags make has to be a spec for the operator as well.
  const auto spec = crd::node_removal_spec_from_json(object.at("spec").as_object());
  EXPECT_FALSE(reconcilers::validate(spec)) << reconcilers::validate(spec)->message;
  return boost::json::serialize(object.at("metadata")) + boost::json::serialize(object.at("spec"));
}

TEST(Manifest, HasWhatTheFlagsSayAndNothingElse) {
  EXPECT_EQ(spec_of({"jetson"}), R"({"name":"jetson"}{"nodeName":"jetson"})");
  EXPECT_EQ(spec_of({"jetson", "--ignore-daemonsets", "--grace-period=-1", "--force=false"}),
            R"({"name":"jetson"}{"nodeName":"jetson"})")
      << "the defaults of the API";
  EXPECT_EQ(
      spec_of({"jetson", "--name=n", "--node-uid=u-1", "--force", "--delete-emptydir-data",
               "--ignore-daemonsets=false", "--grace-period=30", "--timeout=5m",
               "--on-timeout=Delete", "--disable-eviction", "--pod-selector=app=web",
               "--wait-for-completion=job-name", "--fenced", "--no-delete",
               "--allow-control-plane"}),
      R"({"name":"n"}{"nodeName":"jetson","nodeUID":"u-1","drain":{"force":true,)"
      R"("deleteEmptyDirData":true,"ignoreDaemonSets":false,"gracePeriodSeconds":30,)"
      R"("timeoutSeconds":300,"onTimeout":"Delete","podSelector":{"matchLabels":{"app":"web"}},)"
      R"("waitForCompletion":{"matchExpressions":[{"key":"job-name","operator":"Exists"}]},)"
      R"("disableEviction":true},"unreachable":{"fenced":true},"deleteNode":false,)"
      R"("allowControlPlane":true})");
  EXPECT_EQ(spec_of({"jetson", "--host-cleanup"}),
            R"({"name":"jetson"}{"nodeName":"jetson","hostCleanup":{"enabled":true}})");
  EXPECT_EQ(spec_of({"-l", "pool=edge", "--name=edge", "--max-concurrent=2"}),
            R"({"name":"edge"}{"nodeSelector":{"matchLabels":{"pool":"edge"}},"maxConcurrent":2})");
  EXPECT_THAT(spec_of({"-l", "pool=edge", "--name=edge", "--max-concurrent=25%"}),
              HasSubstr(R"("maxConcurrent":"25%")"));
}

TEST(Manifest, OfAPlanGoesByItself) {
  const auto object = dry_run_manifest(parse({"plan", "jetson"})->removal, "plan-jetson-1");
  EXPECT_EQ(boost::json::serialize(object.at("spec")),
            R"({"nodeName":"jetson","dryRun":true,"ttlSecondsAfterFinished":60})");
}

TEST(Manifest, OfAPlanHasANameThatTheServerTakes) {
  EXPECT_EQ(dry_run_name("jetson", 0x1234abcd), "plan-jetson-1234abcd");
  EXPECT_EQ(dry_run_name("", 1), "plan-00000001") << "of a selector";
  EXPECT_EQ(dry_run_name(std::string(199, 'a') + ".b", 1),
            "plan-" + std::string(199, 'a') + "-00000001");
  EXPECT_LE(dry_run_name(std::string(253, 'a'), 1).size(), 253U);
}

}  // namespace
}  // namespace plugin
