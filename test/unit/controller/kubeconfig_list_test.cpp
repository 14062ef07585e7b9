#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "controller/base64.hpp"
#include "test/fake/kubeconfig_fixture.hpp"

namespace controller {
namespace {

namespace fs = std::filesystem;

/// Which kubeconfigs are read, by the environment.
class Environment : public fake::KubeconfigFixture {
 protected:
  Environment() {
    ::unsetenv("KUBECONFIG");
    ::unsetenv("KUBERNETES_SERVICE_HOST");
    ::setenv("HOME", directory_.c_str(), 1);
  }
};

TEST_F(Environment, SaysWhereItLooked) {
  EXPECT_EQ(load_kube_config({}).error(),
            "no way to reach a cluster: --kubeconfig is not given, KUBECONFIG and "
            "KUBERNETES_SERVICE_HOST "
            "are not set, and " +
                (directory_ / ".kube/config").string() + " does not exist");
}

TEST_F(Environment, TakesTheKubeconfigOfTheHomeDirectoryLast) {
  fs::create_directory(directory_ / ".kube");
  write(".kube/config", valid_.text());
  EXPECT_TRUE(load_kube_config({}));
  ::setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1", 1);
  ::setenv("KUBERNETES_SERVICE_PORT", "443", 1);
  EXPECT_FALSE(load_kube_config({}));  // there is no service account here
  write("config", valid_.text());
  ::setenv("KUBECONFIG", (directory_ / "config").c_str(), 1);
  EXPECT_TRUE(load_kube_config({}));
}

TEST_F(Environment, MergesAListOfKubeconfigsAndTheFirstToNameAnEntryWins) {
  fs::create_directory(directory_ / "users");
  write("one", "current-context: b\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n");
  write("two",
        "current-context: a\ncontexts:\n- name: a\n  context: {cluster: absent, user: absent}\n"
        "- name: b\n  context: {cluster: c, user: u}\n"
        "clusters:\n- name: c\n  cluster: {server: 'https://two', certificate-authority-data: " +
            base64_encode(ca_.pem()) + "}\n");
  write("users/three",
        "current-context: a\nclusters:\n- name: c\n  cluster: {server: 'https://three', "
        "tls-server-name: other}\n"
        "users:\n- name: u\n  user: {tokenFile: token}\n");
  write("users/token", "secret");
  const auto list = (directory_ / "missing").string() + "::" + (directory_ / "one").string() + ":" +
                    (directory_ / "two").string() + ":" + (directory_ / "users/three").string();
  ::setenv("KUBECONFIG", list.c_str(), 1);
  auto config = load_kube_config({});
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->host, "two");
  EXPECT_EQ(config->tls_server_name, "two");  // nothing of the second cluster of that name
  EXPECT_EQ(config->token_file, directory_ / "users/token");
  EXPECT_TRUE(config->source.ends_with("users/three, context b")) << config->source;
  KubeConfigSource other;
  other.context = "a";
  config = load_kube_config(other);
  EXPECT_TRUE(config) << config.error();
}

TEST_F(Environment, NamesTheFileOfTheListThatIsWrong) {
  write("one", "contexts:\n- name: main\n  context: {cluster: c, user: u}\n");
  write("two", "current-context: main\nusers:\n- name: u\n  user: {username: x}\n");
  write("empty", "");
  valid_.current = "";
  write("three", valid_.text());
  const auto one = (directory_ / "one").string();
  const auto two = (directory_ / "two").string();
  ::setenv("KUBECONFIG", (one + ":" + two).c_str(), 1);
  EXPECT_EQ(load_kube_config({}).error(),
            "kubeconfig " + one + ":" + two +
                ": context \"main\": there is no cluster \"c\" (there are: none)");
  ::setenv("KUBECONFIG", (one + ":" + (directory_ / "three").string()).c_str(), 1);
  EXPECT_TRUE(load_kube_config({}).error().ends_with(
      "has no current-context: set one or choose with --context"));
  ::setenv("KUBECONFIG",
           (one + ":" + (directory_ / "empty").string() + ":" + two + ":" +
            (directory_ / "three").string())
               .c_str(),
           1);
  EXPECT_TRUE(load_kube_config({}).error().starts_with("kubeconfig " + two + ": user \"u\": "))
      << load_kube_config({}).error();
}

TEST_F(Environment, SaysThatNoFileOfTheListExists) {
  ::setenv("KUBECONFIG", "/missing/a:/missing/b", 1);
  EXPECT_EQ(load_kube_config({}).error(),
            "KUBECONFIG names no file that exists: /missing/a:/missing/b");
}

TEST_F(Environment, ReadsNoFileOfTheListBesideTheOneGivenByFlag) {
  write("config", valid_.text());
  write("other", "current-context: other\n");
  ::setenv("KUBECONFIG", (directory_ / "other").c_str(), 1);
  const auto config = load_kube_config(only(directory_ / "config"));
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->source, "kubeconfig " + (directory_ / "config").string() + ", context main");
}

}  // namespace
}  // namespace controller
