#include "controller/kube_config.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <thread>

#include "test/fake/kubeconfig_fixture.hpp"

namespace controller {
namespace {

namespace fs = std::filesystem;
using fake::CertificateRequest;
using std::chrono::hours;

using KubeConfigTest = fake::KubeconfigFixture;

TEST_F(KubeConfigTest, ReadsDataFields) {
  const auto config = parse(valid_.text());
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->host, "api.example.com");
  EXPECT_EQ(config->port, "6443");
  EXPECT_EQ(config->path_prefix, "");
  EXPECT_EQ(config->tls_server_name, "api.example.com");
  EXPECT_EQ(config->ca_pem, ca_.pem());
  EXPECT_EQ(config->client_certificate_pem, client_.certificate_pem);
  EXPECT_EQ(config->client_key_pem, client_.key_pem);
  EXPECT_EQ(config->token, "");
  EXPECT_EQ(config->source, "kubeconfig " + (directory_ / "config").string() + ", context main");
}

TEST_F(KubeConfigTest, ReadsFilesRelativeToTheKubeconfig) {
  fs::create_directory(directory_ / "pki");
  write("pki/ca.crt", ca_.pem());
  write("client.pem", client_.certificate_pem + client_.key_pem);
  write("token", "secret\n");
  valid_.cluster = "    certificate-authority: pki/ca.crt\n    tls-server-name: other\n";
  valid_.user = "    client-certificate: client.pem\n    client-key: " +
                (directory_ / "client.pem").string() + "\n    tokenFile: token\n";
  const auto config = parse(valid_.text(), "main");
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->ca_pem, ca_.pem());
  EXPECT_EQ(config->tls_server_name, "other");
  EXPECT_EQ(config->token_file, directory_ / "token");
  EXPECT_EQ(config->token, "");
}

TEST_F(KubeConfigTest, TakesClusterUserAndServerThatAreNamedInsteadOfThoseOfTheContext) {
  KubeConfigSource source;
  source.context = "broken";
  const auto read = [&] {
    return parse_kubeconfig({{directory_ / "config", valid_.text()}}, source);
  };
  EXPECT_FALSE(read());
  source.cluster = "c";
  ASSERT_TRUE(read()) << read().error();
  source.context = "userless";
  EXPECT_FALSE(read());
  source.user = "u";
  source.server = "https://other:7443/x";
  const auto config = read();
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->host, "other");
  EXPECT_EQ(config->port, "7443");
  EXPECT_EQ(config->path_prefix, "/x");
  EXPECT_EQ(config->tls_server_name, "other");
  source.server = "http://other";
  EXPECT_FALSE(read());
}

TEST_F(KubeConfigTest, ReadsJson) {
  const auto text =
      R"({"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],
    "clusters":[{"name":"c","cluster":{"server":"https://10.0.0.1","certificate-authority-data":")" +
      base64_encode(ca_.pem()) + R"("}}],"users":[{"name":"u","user":{"token":"abc"}}]})";
  const auto config = parse(text);
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->token, "abc");
  EXPECT_EQ(config->port, "443");
}

TEST_F(KubeConfigTest, TakesServerUrlsApart) {
  struct {
    std::string url, host, port, prefix;
  } const cases[] = {
      {"https://a", "a", "443", ""},
      {"https://a/", "a", "443", ""},
      {"https://127.0.0.1:6443/", "127.0.0.1", "6443", ""},
      {"https://[fd00::1]:6443", "fd00::1", "6443", ""},
      {"https://[::1]", "::1", "443", ""},
      {"https://rancher.example/k8s/clusters/c-1/", "rancher.example", "443", "/k8s/clusters/c-1"},
  };
  for (const auto& one : cases) {
    valid_.server = "server: '" + one.url + "'";
    const auto config = parse(valid_.text());
    ASSERT_TRUE(config) << one.url << ": " << config.error();
    EXPECT_EQ(config->host, one.host);
    EXPECT_EQ(config->port, one.port);
    EXPECT_EQ(config->path_prefix, one.prefix);
  }
}

TEST_F(KubeConfigTest, RefusesServersItCannotTalkToSafely) {
  valid_.server = "server: http://localhost:8080";
  EXPECT_EQ(error_of(valid_),
            "cluster \"c\": server \"http://localhost:8080\" is not an https:// URL");
  valid_.server = "other: 1";
  EXPECT_EQ(error_of(valid_), "cluster \"c\": has no server");
  for (const std::string url :
       {"https://", "https://:1", "https://a:", "https://a:b", "https://a:0", "https://a:70000",
        "https://user@a", "https://a b", "https://a?x", "https://a/../b", "https://[::1",
        "https://::1", "https://a:1:2", "https://a/\\r\\nHost: b", "https://[::1]x:1"}) {
    valid_.server = "server: \"" + url + "\"";
    EXPECT_NE(error_of(valid_), "no error") << url;
  }
}

TEST_F(KubeConfigTest, SaysWhichContextsThereAre) {
  EXPECT_EQ(error_of(valid_, "nope"),
            "there is no context \"nope\" (there are: main, broken, userless)");
  EXPECT_EQ(error_of(valid_, "broken"),
            "context \"broken\": there is no cluster \"absent\" (there are: c)");
  EXPECT_EQ(error_of(valid_, "userless"),
            "context \"userless\": there is no user \"absent\" (there are: u)");
  valid_.current = "";
  EXPECT_EQ(error_of(valid_), "has no current-context: set one or choose with --context");
}

TEST_F(KubeConfigTest, RefusesANameThatStandsTwice) {
  write("config",
        "current-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n"
        "- name: a\n  context: {cluster: d, user: u}\n");
  EXPECT_EQ(load_kube_config({.kubeconfig = directory_ / "config", .context = {}}).error(),
            "kubeconfig " + (directory_ / "config").string() + ": context \"a\" stands twice in " +
                (directory_ / "config").string());
}

TEST_F(KubeConfigTest, RefusesAKeyThatStandsTwice) {
  const auto config = (directory_ / "config").string();
  const auto wrong = [&](const std::string& text) {
    write("config", text);
    return load_kube_config({.kubeconfig = config, .context = {}}).error();
  };
  EXPECT_EQ(
      wrong("current-context: a\ncurrent-context: b\n"),
      "kubeconfig " + config +
          ": \"current-context\" stands twice in the mapping that begins in line 1, column 1");
  EXPECT_EQ(wrong("current-context: a\ncontexts: []\ncontexts:\n- name: a\n"),
            "kubeconfig " + config +
                ": \"contexts\" stands twice in the mapping that begins in line 1, column 1");
  EXPECT_EQ(wrong("current-context: a\ncontexts:\n- name: a\n  context: {cluster: c, user: u}\n"
                  "clusters:\n- name: c\n  cluster:\n    server: https://one\n    server: "
                  "https://two\nusers:\n- name: u\n  user: {token: x}\n"),
            "kubeconfig " + config +
                ": \"server\" stands twice in the mapping that begins in line 8, column 5");
}

TEST_F(KubeConfigTest, ReadsAPipe) {
  const auto pipe = (directory_ / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer{[&] { std::ofstream{pipe} << "current-context: a\n"; }};
  EXPECT_EQ(load_kube_config({.kubeconfig = pipe, .context = {}}).error(),
            "kubeconfig " + pipe + ": there is no context \"a\" (there are: none)");
  writer.join();
}

TEST_F(KubeConfigTest, RefusesWhatItDoesNotSupport) {
  const std::pair<std::string, std::string> users[] = {
      {"    auth-provider: {name: gcp}\n", "auth-provider is not supported"},
      {"    username: a\n    password: b\n", "username and password are not supported"},
      {"    token: abc\n    as: someone\n", "impersonation (as) is not supported"},
  };
  for (const auto& [user, why] : users) {
    valid_.user = user;
    EXPECT_EQ(error_of(valid_),
              "user \"u\": " + why + ": use a client certificate, token, tokenFile or exec");
  }
}

TEST_F(KubeConfigTest, RefusesAProxy) {
  valid_.cluster += "    proxy-url: http://proxy\n";
  EXPECT_EQ(
      error_of(valid_),
      "cluster \"c\": proxy-url is not supported, the API server is always talked to directly: "
      "remove it, and give a server that is reached without a proxy");
}

TEST_F(KubeConfigTest, SkipsTheVerificationOnlyWhenTheFlagSaysSoToo) {
  valid_.cluster = "    insecure-skip-tls-verify: true\n";
  EXPECT_EQ(
      error_of(valid_),
      "cluster \"c\": insecure-skip-tls-verify: whoever can answer in place of the API server "
      "would get our credentials; give its CA in certificate-authority, or, where nothing is at "
      "stake, start with --insecure-skip-tls-verify");
  insecure_allowed_ = true;
  const auto config = parse(valid_.text());
  ASSERT_TRUE(config) << config.error();
  EXPECT_TRUE(config->insecure_skip_tls_verify);
  EXPECT_EQ(config->ca_pem, "");
}

TEST_F(KubeConfigTest, DoesNotSkipTheVerificationBecauseOfTheFlagAlone) {
  insecure_allowed_ = true;
  EXPECT_FALSE(parse(valid_.text())->insecure_skip_tls_verify);
  const auto authority = valid_.cluster;
  valid_.cluster = authority + "    insecure-skip-tls-verify: false\n";
  EXPECT_FALSE(parse(valid_.text())->insecure_skip_tls_verify);
  valid_.cluster = "";
  EXPECT_TRUE(error_of(valid_).contains("has no certificate-authority"));
  valid_.cluster = authority + "    insecure-skip-tls-verify: true\n";
  EXPECT_EQ(
      error_of(valid_),
      "cluster \"c\": has a certificate-authority and insecure-skip-tls-verify: true: remove one "
      "of them");
}

TEST_F(KubeConfigTest, NeedsACa) {
  valid_.cluster = "";
  EXPECT_EQ(
      error_of(valid_),
      "cluster \"c\": has no certificate-authority or certificate-authority-data; the CAs of the "
      "system are not used");
  valid_.cluster = "    certificate-authority: absent.crt\n";
  EXPECT_EQ(error_of(valid_), "cluster \"c\": certificate-authority " +
                                  (directory_ / "absent.crt").string() +
                                  ": No such file or directory");
  write("empty.crt", "");
  valid_.cluster = "    certificate-authority: empty.crt\n";
  EXPECT_EQ(error_of(valid_), "cluster \"c\": certificate-authority " +
                                  (directory_ / "empty.crt").string() +
                                  " holds no PEM certificate");
  valid_.cluster = "    certificate-authority-data: '***'\n";
  EXPECT_EQ(error_of(valid_), "cluster \"c\": certificate-authority-data is not base64");
  auto damaged = ca_.pem();
  damaged[60] = '!';
  valid_.cluster = "    certificate-authority-data: " + base64_encode(damaged) + "\n";
  EXPECT_EQ(error_of(valid_),
            "cluster \"c\": certificate-authority-data holds a damaged PEM certificate");
}

TEST_F(KubeConfigTest, NeedsCredentialsThatFitTogether) {
  const auto certificate =
      "    client-certificate-data: " + base64_encode(client_.certificate_pem) + "\n";
  const auto key = "    client-key-data: " + base64_encode(client_.key_pem) + "\n";
  const auto other = "    client-key-data: " + base64_encode(ca_.issue({}).key_pem) + "\n";
  const std::pair<std::string, std::string> users[] = {
      {"    unknown: 1\n", "has no client certificate, token, tokenFile or exec"},
      {certificate, "has a client-certificate but no client-key"},
      {key, "has a client-key but no client-certificate"},
      {certificate + other, "client-key-data is not the key of client-certificate-data"},
      {certificate + "    client-key-data: " + base64_encode(ca_.pem()) + "\n",
       "client-key-data holds no PEM private key"},
      {"    client-certificate-data: " + base64_encode("x") + "\n" + key,
       "client-certificate-data holds no PEM certificate"},
      {"    token: \"a b\"\n", "token has a space, a control character or a non-ASCII character"},
      {"    token: \"a\\r\\nX: y\"\n",
       "token has a space, a control character or a non-ASCII character"},
  };
  for (const auto& [user, why] : users) {
    valid_.user = user;
    EXPECT_EQ(error_of(valid_), "user \"u\": " + why);
  }
}

TEST_F(KubeConfigTest, RefusesAnEncryptedKey) {
  valid_.user =
      "    client-certificate-data: " + base64_encode(client_.certificate_pem) +
      "\n    client-key-data: " +
      base64_encode(
          "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGj\n-----END ENCRYPTED PRIVATE KEY-----\n") +
      "\n";
  EXPECT_EQ(error_of(valid_),
            "user \"u\": client-key-data holds an encrypted key, which is not supported");
}

TEST_F(KubeConfigTest, SaysWhenTheClientCertificateExpired) {
  CertificateRequest request;
  request.valid_from = -hours(48);
  request.valid_until = -hours(24);
  valid_.user = certificate_lines(ca_.issue(request));
  const auto error = error_of(valid_);
  EXPECT_TRUE(error.starts_with("user \"u\": client-certificate-data expired at 20")) << error;
  EXPECT_TRUE(error.ends_with("Z: renew it")) << error;
}

TEST_F(KubeConfigTest, TakesAClientCertificateThatIsValidForThousandsOfYears) {
  CertificateRequest request;
  request.valid_until = std::chrono::years(7000);
  valid_.user = certificate_lines(ca_.issue(request));
  const auto config = parse(valid_.text());
  EXPECT_TRUE(config) << config.error();
}

TEST_F(KubeConfigTest, RefusesWhatIsNoKubeconfig) {
  for (const std::string text :
       {"", "[]", "a", "{", "a: [", "\t- x", "contexts: 1\ncurrent-context: a",
        "contexts: [1]\ncurrent-context: a", "current-context: {a: b}",
        "contexts: [{name: a, context: b}]\ncurrent-context: a"}) {
    EXPECT_FALSE(parse(text)) << text;
  }
  EXPECT_FALSE(parse(std::string(100'000, '[')));
  EXPECT_FALSE(parse(std::string(100'000, '{')));
}

TEST_F(KubeConfigTest, NeverShowsASecretThatIsInABadKubeconfig) {
  const std::string secret = "eyJhunter2";
  const std::string users[] = {
      "    token: \"" + secret + " x\"\n",
      "    token: *" + secret + "\n",
      "    token: {" + secret + ": 1}\n",
      "    token: [" + secret + "]\n",
      "    token: !<" + secret + "\n",
      "    token: '" + secret + "\n  x: [}\n",
      "    token: " + secret + ": " + secret + "\n",
      "    token: %" + secret + "\n",
      "    token: \"\\q" + secret + "\"\n",
      "    token: " + secret + "\n    username: " + secret + "\n",
      "    username: a\n    password: " + secret + "\n",
      "    auth-provider: {name: x, config: {access-token: " + secret + "}}\n",
      "    tokenFile: " + secret + "\n",
      "    client-key: " + secret + "\n    client-certificate: " + secret + "\n",
      "    client-key-data: " + secret + "!\n    client-certificate-data: " + secret + "\n",
      "    client-key-data: " + base64_encode(secret) +
          "\n    client-certificate-data: " + base64_encode(client_.certificate_pem) + "\n",
      "    client-key: |\n      -----BEGIN PRIVATE KEY-----\n      " + secret + "\n",
  };
  for (const auto& user : users) {
    valid_.user = user;
    const auto error = error_of(valid_);
    EXPECT_NE(error, "no error") << user;
    EXPECT_FALSE(error.contains("hunter2")) << user << "\n" << error;
  }
  valid_.user = "    token: abc\n";
  valid_.server = "server: https://me:hunter2@api.example.com";
  EXPECT_EQ(error_of(valid_),
            "cluster \"c\": server has a user name or password in it (it is not shown)");
  valid_.server = "server: https://a\n    proxy-url: http://me:hunter2@proxy";
  EXPECT_FALSE(error_of(valid_).contains("hunter2"));
}

TEST_F(KubeConfigTest, NamesTheFileInItsMessages) {
  const auto path = (directory_ / "config").string();
  EXPECT_EQ(load_kube_config(only(path)).error(),
            "kubeconfig " + path + ": No such file or directory");
  write("config", "a: [");
  EXPECT_TRUE(
      load_kube_config(only(path))
          .error()
          .starts_with("kubeconfig " + path + ": is not valid YAML for a kubeconfig (line 1, "));
  write("config", std::string(1024 * 1024 + 1, ' '));
  EXPECT_EQ(load_kube_config(only(path)).error(),
            "kubeconfig " + path + ": is longer than 1048576 bytes");
  write("config", valid_.text());
  EXPECT_EQ(load_kube_config(only(path))->source, "kubeconfig " + path + ", context main");
}

TEST_F(KubeConfigTest, ReadsTheFilesOfAPod) {
  write("ca.crt", ca_.pem());
  write("token", "secret\n");
  const auto config = in_cluster_config("10.96.0.1", "443", directory_);
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->host, "10.96.0.1");
  EXPECT_EQ(config->tls_server_name, "10.96.0.1");
  EXPECT_EQ(config->token_file, directory_ / "token");
  EXPECT_EQ(config->source, "in-cluster files in " + directory_.string());
}

TEST_F(KubeConfigTest, SaysWhatAPodLacks) {
  EXPECT_TRUE(in_cluster_config("10.96.0.1", "443", directory_)
                  .error()
                  .starts_with((directory_ / "ca.crt").string() +
                               ": No such file or directory (a pod needs a service account"));
  write("ca.crt", ca_.pem());
  EXPECT_TRUE(in_cluster_config("10.96.0.1", "443", directory_)
                  .error()
                  .starts_with((directory_ / "token").string() + ": No such file or directory"));
  write("token", "\n");
  EXPECT_EQ(in_cluster_config("10.96.0.1", "443", directory_).error(),
            (directory_ / "token").string() + " is empty");
  EXPECT_FALSE(in_cluster_config("10.96.0.1", "", directory_));
}

}  // namespace
}  // namespace controller
