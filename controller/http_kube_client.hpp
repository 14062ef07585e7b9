#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controller/kube_client.hpp"
#include "controller/kube_config.hpp"
#include "controller/metrics.hpp"

namespace controller {

/// Deadlines and limits of the client. Deadlines are total (from the call to the parsed answer),
/// not idle. Sources: reliability contract C2, C20-C23 (server behaviour measured on 1.36.2).
struct ClientOptions {
  using Duration = std::chrono::milliseconds;

  Duration connect_timeout =
      std::chrono::seconds(10);                       ///< look-up, TCP connect, TLS handshake, each
  Duration read_timeout = std::chrono::seconds(10);   ///< GET, and the header of a watch
  Duration list_timeout = std::chrono::seconds(30);   ///< one page of a list
  Duration write_timeout = std::chrono::seconds(15);  ///< PATCH, POST, DELETE
  Duration eviction_timeout =
      std::chrono::seconds(35);         ///< the server itself retries for up to 10 s
  std::chrono::seconds watch_min{300};  ///< timeoutSeconds of a watch is random in [min, 2 min)
  Duration watch_idle =
      std::chrono::seconds(90);                   ///< a watch silent for so long fails with Unknown
  Duration pool_idle = std::chrono::seconds(60);  ///< the server closes idle connections at 90 s
  std::size_t max_connections = 32;  ///< pooled connections in use at once; watches have their own
  std::size_t page_size = 500;
  /// Evictions and deletions on average; three times as many at once after a pause. Bounds what a
  /// mistake can do, ours or that of who creates the removals; far above what a cluster can do.
  int deletions_per_second = 100;
  std::size_t max_body = 64 * 1024 * 1024;                      ///< one answer
  std::size_t max_event = 4 * 1024 * 1024;                      ///< one watch event
  std::string user_agent = "noderemoval/" NODEREMOVAL_VERSION;  ///< in the audit log of the server
  std::string field_manager = "noderemoval";  ///< of what is written, in metadata.managedFields
  std::string as_user;                 ///< impersonated; empty: nobody, and as_groups do not count
  std::vector<std::string> as_groups;  ///< of as_user
  bool dry_run = false;  ///< the server is to check what is written and not to keep it
  /// Asked at the last moment before anything but a read is sent; empty: always yes. When it says
  /// no, the call fails with NotSent.
  std::function<bool()> may_write;
  /// One run of an exec plugin; comes on top of the deadline of the request that waits for it.
  Duration plugin_timeout = std::chrono::seconds(60);
  /// By which the age of credentials is measured; a test puts another clock here.
  std::function<std::chrono::steady_clock::time_point()> clock = [] {
    return std::chrono::steady_clock::now();
  };
};

/// KubeClient over HTTPS (HTTP/1.1). Redirects and proxies are not followed, answers are never
/// compressed. Single-threaded. Calls must have ended before the client is
/// destroyed; watches may live longer. Throws std::invalid_argument when the certificates in
/// `config` are not usable (load_kube_config has checked them). `metrics` may be null, and has to
/// live longer.
std::unique_ptr<KubeClient> make_http_kube_client(KubeConfig config, ClientOptions options = {},
                                                  RestClientMetrics* metrics = nullptr);

}  // namespace controller
