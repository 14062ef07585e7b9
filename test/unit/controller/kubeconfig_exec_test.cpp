#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "controller/kube_config.hpp"
#include "test/fake/kubeconfig_fixture.hpp"

namespace controller {
namespace {

class KubeconfigExecTest : public fake::KubeconfigFixture {
 protected:
  static constexpr const char* kVersion = "client.authentication.k8s.io/v1";

  /// A user with these lines under `exec`.
  std::string error_with(const std::string& lines) {
    set(lines);
    return error_of(valid_);
  }
  void set(const std::string& lines) { valid_.user = "    exec:\n" + lines; }
  static std::string line(const std::string& text) { return "      " + text + "\n"; }
  static std::string v1() {
    return line(std::string("apiVersion: ") + kVersion) + line("interactiveMode: Never");
  }
};

TEST_F(KubeconfigExecTest, ReadsAllFields) {
  set(v1() + line("command: sh") + line("args: [get-token, '--id', 1]") +
      line("env: [{name: A, value: b}, {name: C}]") + line("installHint: ask somebody"));
  const auto config = parse(valid_.text());
  ASSERT_TRUE(config) << config.error();
  ASSERT_TRUE(config->exec);
  EXPECT_EQ(config->exec->api_version, kVersion);
  EXPECT_EQ(config->exec->command, "sh");
  EXPECT_EQ(config->exec->args, (std::vector<std::string>{"get-token", "--id", "1"}));
  const std::vector<std::pair<std::string, std::string>> env = {{"A", "b"}, {"C", ""}};
  EXPECT_EQ(config->exec->env, env);
  EXPECT_EQ(config->exec->install_hint, "ask somebody");
  EXPECT_EQ(boost::json::parse(config->exec->info),
            boost::json::parse(R"({"kind":"ExecCredential","apiVersion":
                "client.authentication.k8s.io/v1","spec":{"interactive":false}})"));
}

TEST_F(KubeconfigExecTest, TakesACommandWithASlashRelativeToTheKubeconfig) {
  std::filesystem::create_directory(directory_ / "bin");
  write("bin/plugin", "#!/bin/sh\n");
  std::filesystem::permissions(directory_ / "bin/plugin", std::filesystem::perms::owner_all);
  set(v1() + line("command: ./bin/plugin"));
  const auto config = parse(valid_.text());
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->exec->command, (directory_ / "bin/plugin").string());
}

TEST_F(KubeconfigExecTest, TellsThePluginOfTheCluster) {
  set(v1() + line("command: sh") + line("provideClusterInfo: true"));
  valid_.cluster +=
      "    tls-server-name: other\n    extensions:\n    - name: client.authentication.k8s.io/exec\n"
      "      extension: {a: 1, b: 'x', c: [true, null, '1'], d: {e: 1.5}}\n    - name: z\n"
      "      extension: {}\n";
  const auto config = parse(valid_.text());
  ASSERT_TRUE(config) << config.error();
  const auto info = boost::json::parse(config->exec->info);
  const auto& cluster = info.at("spec").at("cluster").as_object();
  EXPECT_EQ(cluster.at("server"), "https://api.example.com:6443");
  EXPECT_EQ(cluster.at("tls-server-name"), "other");
  EXPECT_EQ(cluster.at("certificate-authority-data").as_string(), base64_encode(ca_.pem()));
  EXPECT_EQ(cluster.at("config"),
            boost::json::parse(R"({"a":1,"b":"x","c":[true,null,"1"],"d":{"e":1.5}})"));
}

TEST_F(KubeconfigExecTest, DoesNotUnfoldAliasesWithoutEnd) {
  set(v1() + line("command: sh") + line("provideClusterInfo: true"));
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]";
  for (char name = 'b'; name < 'j'; ++name) {
    const std::string before = std::string("*") + static_cast<char>(name - 1) + " ";
    std::string all;
    for (int i = 0; i < 10; ++i) all += (i > 0 ? ", " : "") + before;
    bomb += std::string(", ") + name + ": &" + name + " [" + all + "]";
  }
  valid_.cluster +=
      "    extensions:\n    - name: client.authentication.k8s.io/exec\n      extension: {" + bomb +
      "}\n";
  EXPECT_TRUE(error_of(valid_).starts_with("is not valid YAML for a kubeconfig"))
      << error_of(valid_);
}

TEST_F(KubeconfigExecTest, SaysWhatIsWrong) {
  const auto beta = line("apiVersion: client.authentication.k8s.io/v1beta1");
  const std::pair<std::string, std::string> cases[] = {
      {line("command: sh"),
       "exec: apiVersion \"\" is not supported: update the plugin and use "
       "client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1"},
      {line("command: sh") + line("apiVersion: client.authentication.k8s.io/v1alpha1"),
       "exec: apiVersion \"client.authentication.k8s.io/v1alpha1\" is not supported: update the "
       "plugin and use client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1"},
      {line(std::string("apiVersion: ") + kVersion) + line("command: sh"),
       "exec: interactiveMode has to be Never or IfAvailable"},
      {beta + line("command: sh") + line("interactiveMode: Always"),
       "exec: interactiveMode Always needs a terminal, and the operator has none"},
      {v1(), "exec: has no command"},
      {v1() + line("command: sh") + line("env: [{value: hunter2}]"),
       "exec: an entry of env has no good name"},
      {v1() + line("command: sh") + line("args: [\"a\\0b\"]"),
       "exec: command, args or env has a NUL character"},
      {v1() + line("command: no-such-plugin") + line("installHint: apt install it"),
       "exec plugin no-such-plugin: there is no such program in $PATH; to install it: apt install "
       "it"},
      {v1() + line("command: ./none"),
       "exec plugin " + (directory_ / "none").string() + ": there is no such program"},
      {v1() + line("command: sh") + "    token: abc\n",
       "has exec and another way to log in: remove one of them"},
  };
  for (const auto& [lines, why] : cases) EXPECT_EQ(error_with(lines), "user \"u\": " + why);
  EXPECT_EQ(error_with(beta + line("command: sh")), "no error");
  EXPECT_EQ(error_with(beta + line("command: sh") + line("interactiveMode: IfAvailable")),
            "no error");
}

}  // namespace
}  // namespace controller
