#include "controller/kube_config.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "test/fake/test_certificates.hpp"

namespace controller {
namespace {

namespace fs = std::filesystem;
using fake::CertificateAuthority;
using fake::CertificateRequest;
using fake::Identity;
using std::chrono::hours;
using std::chrono::seconds;

std::string base64(const std::string& text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

/// A kubeconfig whose parts a test can replace.
struct Kubeconfig {
  std::string server = "server: https://api.example.com:6443";
  std::string cluster;
  std::string user;
  std::string current = "current-context: main\n";

  std::string text() const {
    return "apiVersion: v1\nkind: Config\n" + current +
           "contexts:\n- name: main\n  context: {cluster: c, user: u}\n"
           "- name: broken\n  context: {cluster: absent, user: u}\n"
           "- name: userless\n  context: {cluster: c, user: absent}\n"
           "clusters:\n- name: c\n  cluster:\n    " +
           server + "\n" + cluster + "users:\n- name: u\n  user:\n" + user;
  }
};

class KubeConfigTest : public testing::Test {
 protected:
  KubeConfigTest() : directory_(make_directory()) {
    valid_.cluster = "    certificate-authority-data: " + base64(ca_.pem()) + "\n";
    valid_.user = certificate_lines(client_);
  }
  ~KubeConfigTest() override { fs::remove_all(directory_); }

  static fs::path make_directory() {
    std::string pattern = (fs::temp_directory_path() / "kube_config_test_XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    return pattern;
  }

  static std::string certificate_lines(const Identity& identity) {
    return "    client-certificate-data: " + base64(identity.certificate_pem) +
           "\n    client-key-data: " + base64(identity.key_pem) + "\n";
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }

  std::string error_of(const Kubeconfig& kubeconfig, const std::string& context = "") const {
    const auto config = parse_kubeconfig(kubeconfig.text(), context, directory_);
    return config ? "no error" : config.error();
  }

  fs::path directory_;
  CertificateAuthority ca_;
  Identity client_ = ca_.issue(CertificateRequest{.common_name = "admin"});
  Kubeconfig valid_;
};

TEST_F(KubeConfigTest, ReadsDataFields) {
  const auto config = parse_kubeconfig(valid_.text(), "", directory_);
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->host, "api.example.com");
  EXPECT_EQ(config->port, "6443");
  EXPECT_EQ(config->path_prefix, "");
  EXPECT_EQ(config->tls_server_name, "api.example.com");
  EXPECT_EQ(config->ca_pem, ca_.pem());
  EXPECT_EQ(config->client_certificate_pem, client_.certificate_pem);
  EXPECT_EQ(config->client_key_pem, client_.key_pem);
  EXPECT_EQ(config->token, "");
  EXPECT_EQ(config->source, "context main");
}

TEST_F(KubeConfigTest, ReadsFilesRelativeToTheKubeconfig) {
  fs::create_directory(directory_ / "pki");
  write("pki/ca.crt", ca_.pem());
  write("client.pem", client_.certificate_pem + client_.key_pem);
  write("token", "secret\n");
  valid_.cluster = "    certificate-authority: pki/ca.crt\n    tls-server-name: other\n";
  valid_.user = "    client-certificate: client.pem\n    client-key: " +
                (directory_ / "client.pem").string() + "\n    tokenFile: token\n";
  const auto config = parse_kubeconfig(valid_.text(), "main", directory_);
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->ca_pem, ca_.pem());
  EXPECT_EQ(config->tls_server_name, "other");
  EXPECT_EQ(config->token_file, directory_ / "token");
  EXPECT_EQ(config->token, "");
}

TEST_F(KubeConfigTest, ReadsJson) {
  const auto text =
      R"({"current-context":"x","contexts":[{"name":"x","context":{"cluster":"c","user":"u"}}],
    "clusters":[{"name":"c","cluster":{"server":"https://10.0.0.1","certificate-authority-data":")" +
      base64(ca_.pem()) + R"("}}],"users":[{"name":"u","user":{"token":"abc"}}]})";
  const auto config = parse_kubeconfig(text, "", directory_);
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
    const auto config = parse_kubeconfig(valid_.text(), "", directory_);
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

TEST_F(KubeConfigTest, RefusesWhatItDoesNotSupport) {
  const auto cluster = valid_.cluster;
  valid_.cluster = cluster + "    insecure-skip-tls-verify: true\n";
  EXPECT_TRUE(
      error_of(valid_).starts_with("cluster \"c\": insecure-skip-tls-verify is not supported"));
  valid_.cluster = cluster + "    insecure-skip-tls-verify: false\n";
  EXPECT_EQ(error_of(valid_), "no error");
  valid_.cluster = cluster + "    proxy-url: http://proxy\n";
  EXPECT_EQ(error_of(valid_), "cluster \"c\": proxy-url is not supported");
  valid_.cluster = cluster;
  const std::pair<std::string, std::string> users[] = {
      {"    exec: {command: aws}\n", "exec plugins are not supported"},
      {"    auth-provider: {name: gcp}\n", "auth-provider is not supported"},
      {"    username: a\n    password: b\n", "username and password are not supported"},
      {"    token: abc\n    as: someone\n", "impersonation (as) is not supported"},
  };
  for (const auto& [user, why] : users) {
    valid_.user = user;
    EXPECT_EQ(error_of(valid_),
              "user \"u\": " + why + ": use a client certificate, token or tokenFile");
  }
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
  valid_.cluster = "    certificate-authority-data: " + base64(damaged) + "\n";
  EXPECT_EQ(error_of(valid_),
            "cluster \"c\": certificate-authority-data holds a damaged PEM certificate");
}

TEST_F(KubeConfigTest, NeedsCredentialsThatFitTogether) {
  const auto certificate = "    client-certificate-data: " + base64(client_.certificate_pem) + "\n";
  const auto key = "    client-key-data: " + base64(client_.key_pem) + "\n";
  const auto other = "    client-key-data: " + base64(ca_.issue({}).key_pem) + "\n";
  const std::pair<std::string, std::string> users[] = {
      {"    unknown: 1\n", "has no client certificate, token or tokenFile"},
      {certificate, "has a client-certificate but no client-key"},
      {key, "has a client-key but no client-certificate"},
      {certificate + other, "client-key-data is not the key of client-certificate-data"},
      {certificate + "    client-key-data: " + base64(ca_.pem()) + "\n",
       "client-key-data holds no PEM private key"},
      {"    client-certificate-data: " + base64("x") + "\n" + key,
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
      "    client-certificate-data: " + base64(client_.certificate_pem) +
      "\n    client-key-data: " +
      base64("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGj\n-----END ENCRYPTED PRIVATE KEY-----\n") +
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

TEST_F(KubeConfigTest, RefusesWhatIsNoKubeconfig) {
  for (const std::string text :
       {"", "[]", "a", "{", "a: [", "\t- x", "contexts: 1\ncurrent-context: a",
        "contexts: [1]\ncurrent-context: a", "current-context: {a: b}",
        "contexts: [{name: a, context: b}]\ncurrent-context: a"}) {
    EXPECT_FALSE(parse_kubeconfig(text, "", directory_)) << text;
  }
  EXPECT_FALSE(parse_kubeconfig(std::string(100'000, '['), "", directory_));
  EXPECT_FALSE(parse_kubeconfig(std::string(100'000, '{'), "", directory_));
}

TEST_F(KubeConfigTest, NamesTheFileInItsMessages) {
  const auto path = (directory_ / "config").string();
  EXPECT_EQ(load_kube_config({path, ""}).error(),
            "kubeconfig " + path + ": No such file or directory");
  write("config", "a: [");
  EXPECT_TRUE(load_kube_config({path, ""})
                  .error()
                  .starts_with("kubeconfig " + path + ": is not valid YAML for a kubeconfig"));
  write("config", std::string(1024 * 1024 + 1, ' '));
  EXPECT_EQ(load_kube_config({path, ""}).error(),
            "kubeconfig " + path + ": is longer than 1048576 bytes");
  write("config", valid_.text());
  EXPECT_EQ(load_kube_config({path, ""})->source, "kubeconfig " + path + ", context main");
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

class Environment : public KubeConfigTest {
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

TEST_F(Environment, RefusesAListOfKubeconfigs) {
  ::setenv("KUBECONFIG", "/a:/b", 1);
  EXPECT_EQ(
      load_kube_config({}).error(),
      "KUBECONFIG names several files (/a:/b): merging is not supported yet, give one file with "
      "--kubeconfig");
  write("config", valid_.text());
  ::setenv("KUBECONFIG", (":" + (directory_ / "config").string() + ":").c_str(), 1);
  EXPECT_TRUE(load_kube_config({}));
}

class TokenSourceTest : public KubeConfigTest {
 protected:
  TokenSource source() const {
    KubeConfig config;
    config.token = "static";
    config.token_file = directory_ / "token";
    return TokenSource(config);
  }
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

TEST_F(TokenSourceTest, ReadsTheFileAgainAfterAMinute) {
  auto tokens = source();
  write("token", "one\n");
  EXPECT_EQ(tokens.current(start_), "one");
  write("token", "two\n");
  EXPECT_EQ(tokens.current(start_ + seconds(59)), "one");
  EXPECT_EQ(tokens.current(start_ + seconds(60)), "two");
}

TEST_F(TokenSourceTest, ReadsTheFileAgainWhenToldThatTheTokenIsBad) {
  auto tokens = source();
  write("token", "one");
  EXPECT_EQ(tokens.current(start_), "one");
  write("token", "two");
  tokens.invalidate();
  EXPECT_EQ(tokens.current(start_), "two");
}

TEST_F(TokenSourceTest, KeepsTheLastGoodToken) {
  auto tokens = source();
  EXPECT_EQ(tokens.current(start_), "static");
  for (const std::string& bad :
       {std::string(), std::string("\n"), std::string("a b"), std::string("a\0b", 3),
        std::string("a\r\nX: y"), std::string(65 * 1024, 'a')}) {
    write("token", "good");
    tokens.invalidate();
    EXPECT_EQ(tokens.current(start_), "good");
    write("token", bad);
    tokens.invalidate();
    EXPECT_EQ(tokens.current(start_), "good") << bad.substr(0, 20);
  }
  fs::remove(directory_ / "token");
  tokens.invalidate();
  EXPECT_EQ(tokens.current(start_), "good");
}

}  // namespace
}  // namespace controller
