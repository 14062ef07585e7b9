#include "controller/host_cleanup/credentials_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <system_error>

#include "controller/base64.hpp"
#include "controller/host_cleanup/text.hpp"
#include "controller/kube_config.hpp"
#include "controller/small_file.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;
namespace bj = boost::json;

std::string url_of(const controller::KubeConfig& config) {
  const bool v6 = config.host.contains(':');
  return "https://" + (v6 ? "[" + config.host + "]" : config.host) + ":" + config.port +
         config.path_prefix;
}

/// Everything in place, so that it needs no other file. JSON is YAML too.
std::expected<std::string, std::string> self_contained(const controller::KubeConfig& config) {
  bj::object cluster{{"server", url_of(config)}};
  if (!config.ca_pem.empty()) {
    cluster["certificate-authority-data"] = controller::base64_encode(config.ca_pem);
  }
  if (!config.tls_server_name.empty() && config.tls_server_name != config.host) {
    cluster["tls-server-name"] = config.tls_server_name;
  }
  bj::object user;
  auto token = config.token;
  if (!config.token_file.empty()) {
    token = controller::read_token_file(config.token_file).value_or("");
  }
  if (!config.client_key_pem.empty()) {
    user["client-certificate-data"] = controller::base64_encode(config.client_certificate_pem);
    user["client-key-data"] = controller::base64_encode(config.client_key_pem);
  } else if (!token.empty()) {
    user["token"] = token;
  } else {
    return std::unexpected("the kubelet's kubeconfig has neither a client certificate nor a token");
  }
  const auto named = [](std::string_view key, bj::object value) {
    return bj::array{bj::object{{"name", "node"}, {key, std::move(value)}}};
  };
  const bj::object document{
      {"apiVersion", "v1"},
      {"kind", "Config"},
      {"current-context", "node"},
      {"clusters", named("cluster", std::move(cluster))},
      {"users", named("user", std::move(user))},
      {"contexts", named("context", {{"cluster", "node"}, {"user", "node"}})}};
  return bj::serialize(document) + "\n";
}

std::expected<void, std::string> make_folder(const fs::path& folder) {
  for (const auto& path : {folder.parent_path(), folder}) {
    ::mkdir(path.c_str(), 0700);
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
      return std::unexpected(path.string() + " is not a folder of its owner alone");
    }
  }
  return {};
}

}  // namespace

CredentialsCopy::CredentialsCopy(const std::string& removal_uid)
    : folder_(fs::path{"/run/noderemoval"} / removal_uid) {}

std::expected<void, std::string> CredentialsCopy::make(const fs::path& kubeconfig) const {
  const auto config = controller::load_kube_config({.kubeconfig = kubeconfig, .context = {}});
  const auto text = config ? self_contained(*config) : std::unexpected(config.error());
  std::error_code error;
  if (!text) {
    if (fs::exists(this->kubeconfig(), error)) return {};
    return std::unexpected(text.error());
  }
  if (const auto made = make_folder(folder_); !made) return made;
  return write_file(this->kubeconfig(), *text);
}

void CredentialsCopy::wipe() const {
  const auto path = kubeconfig();
  std::error_code error;
  const auto size = fs::file_size(path, error);
  const int fd = error ? -1 : ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0) {
    const std::string zeros(static_cast<std::size_t>(size), '\0');
    [[maybe_unused]] const auto count = ::write(fd, zeros.data(), zeros.size());
    ::close(fd);
  }
  ::unlink(path.c_str());
  ::rmdir(folder_.c_str());
  ::rmdir(folder_.parent_path().c_str());
}

}  // namespace host_cleanup
