#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "controller/base64.hpp"
#include "controller/kube_config.hpp"
#include "test/fake/temporary_folder.hpp"
#include "test/fake/test_certificates.hpp"

namespace fake {

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

class KubeconfigFixture : public testing::Test {
 protected:
  KubeconfigFixture() {
    valid_.cluster =
        "    certificate-authority-data: " + controller::base64_encode(ca_.pem()) + "\n";
    valid_.user = certificate_lines(client_);
  }

  static std::string certificate_lines(const Identity& identity) {
    return "    client-certificate-data: " + controller::base64_encode(identity.certificate_pem) +
           "\n    client-key-data: " + controller::base64_encode(identity.key_pem) + "\n";
  }

  void write(const std::string& name, const std::string& text) const { folder_.write(name, text); }

  std::expected<controller::KubeConfig, std::string> parse(const std::string& yaml,
                                                           const std::string& context = "") const {
    controller::KubeConfigSource source;
    source.context = context;
    source.insecure_allowed = insecure_allowed_;
    return controller::parse_kubeconfig({{directory_ / "config", yaml}}, source);
  }

  /// Without the name of the file, with which every message begins.
  std::string error_of(const Kubeconfig& kubeconfig, const std::string& context = "") const {
    const auto config = parse(kubeconfig.text(), context);
    if (config) return "no error";
    const auto prefix = "kubeconfig " + (directory_ / "config").string() + ": ";
    EXPECT_TRUE(config.error().starts_with(prefix)) << config.error();
    return config.error().substr(prefix.size());
  }

  static controller::KubeConfigSource only(const std::filesystem::path& path) {
    controller::KubeConfigSource source;
    source.kubeconfig = path;
    return source;
  }

  TemporaryFolder folder_;
  std::filesystem::path directory_ = folder_.path();
  CertificateAuthority ca_;
  Identity client_ = ca_.issue(CertificateRequest{.common_name = "admin"});
  Kubeconfig valid_;
  bool insecure_allowed_ = false;
};

}  // namespace fake
