#include "controller/client_certificate.hpp"
#include "controller/kubeconfig_parts.hpp"
#include "controller/small_file.hpp"

namespace controller::kubeconfig {
namespace {

namespace fs = std::filesystem;

Checked refuse_unsupported(const YAML::Node& user) {
  const std::pair<const char*, const char*> unsupported[] = {
      {"auth-provider", "auth-provider is not supported"},
      {"username", "username and password are not supported"},
      {"password", "username and password are not supported"},
      {"as", "impersonation (as) is not supported"},
      {"as-uid", "impersonation (as-uid) is not supported"},
      {"as-groups", "impersonation (as-groups) is not supported"},
      {"as-user-extra", "impersonation (as-user-extra) is not supported"},
  };
  for (const auto& [key, why] : unsupported) {
    if (is_set(user, key))
      return fail("{}: use a client certificate, token, tokenFile or exec", why);
  }
  return {};
}

Checked read_certificate(const YAML::Node& user, const fs::path& directory, KubeConfig& config) {
  auto certificate = text_or_file(user, "client-certificate", directory);
  if (!certificate) return Failure(std::move(certificate).error());
  auto key = text_or_file(user, "client-key", directory);
  if (!key) return Failure(std::move(key).error());
  if (!*certificate && !*key) return {};
  if (!*key) return fail("has a client-certificate but no client-key");
  if (!*certificate) return fail("has a client-key but no client-certificate");

  auto valid = check_client_certificate((*certificate)->text, (*certificate)->where, (*key)->text,
                                        (*key)->where);
  if (!valid) return Failure(valid.error());
  config.client_certificate_pem = std::move((*certificate)->text);
  config.client_key_pem = std::move((*key)->text);
  config.client_certificate_file = std::move((*certificate)->file);
  config.client_key_file = std::move((*key)->file);
  return {};
}

Checked read_token(const YAML::Node& user, const fs::path& directory, KubeConfig& config) {
  if (const auto token = text_at(user, "token"); !token.empty()) {
    auto clean = clean_token(token);
    if (!clean) return fail("token {}", clean.error());
    config.token = std::move(*clean);
  }
  auto path = path_at(user, "tokenFile", directory);
  if (!path) return Failure(std::move(path).error());
  if (path->empty()) return {};
  config.token_file = std::move(*path);
  if (const auto token_in_file = read_token_file(config.token_file); !token_in_file) {
    return fail("tokenFile {}", token_in_file.error());
  }
  return {};
}

}  // namespace

Checked read_user(const YAML::Node& user, const YAML::Node& cluster, const fs::path& directory,
                  KubeConfig& config) {
  if (auto supported = refuse_unsupported(user); !supported) return supported;
  if (auto read = read_certificate(user, directory, config); !read) return read;
  if (auto read = read_token(user, directory, config); !read) return read;
  if (is_set(user, "exec")) {
    if (!config.client_certificate_pem.empty() || !config.token.empty() ||
        !config.token_file.empty()) {
      return fail("has exec and another way to log in: remove one of them");
    }
    return read_exec(child(user, "exec"), cluster, directory, config);
  }
  if (config.client_certificate_pem.empty() && config.token.empty() && config.token_file.empty()) {
    return fail("has no client certificate, token, tokenFile or exec");
  }
  return {};
}

}  // namespace controller::kubeconfig
