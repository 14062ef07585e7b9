#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "controller/kube_client.hpp"
#include "controller/listen_address.hpp"
#include "controller/metrics.hpp"
#include "controller/scrape_access.hpp"
#include "controller/task_group.hpp"
#include "controller/web_server.hpp"

namespace controller {

/// nullopt: not served.
struct EndpointOptions {
  std::optional<ListenAddress> health = ListenAddress{"127.0.0.1", 8081};
  std::optional<ListenAddress> metrics = ListenAddress{"127.0.0.1", 8080};
  std::string metrics_certificate_file;  ///< both or neither; with them a token is asked for
  std::string metrics_key_file;
  bool metrics_insecure = false;  ///< plain HTTP for everybody, on any address

  bool metrics_tls() const { return !metrics_certificate_file.empty(); }
};

/// "" when it is ready, else what is missing.
using WhatIsMissing = std::function<std::string()>;

/// `/healthz` (200 as long as the event loop turns, whatever the API server does) and `/readyz`
/// (200, or 503 with what is missing).
WebHandler health_handler(WhatIsMissing what_is_missing);
/// `/metrics`; only for those whom `access` allows, when it is not null.
WebHandler metrics_handler(Metrics& metrics, ScrapeAccess* access);

/// The servers that tell others how the process is.
class Endpoints {
 public:
  /// Listens. Fails with a sentence that names the option. All that is passed has to live longer.
  static std::expected<std::unique_ptr<Endpoints>, std::string> open(
      const boost::asio::any_io_executor& executor, const EndpointOptions& options,
      KubeClient& client, Metrics& metrics, WhatIsMissing what_is_missing);

  /// Serves until `tasks` is cancelled; it has to be joined before this is destroyed.
  void start(TaskGroup& tasks);

 private:
  explicit Endpoints(KubeClient& client) : access_(client) {}
  std::string open_metrics(const boost::asio::any_io_executor& executor,
                           const EndpointOptions& options, Metrics& metrics);

  ScrapeAccess access_;
  std::unique_ptr<WebServer> health_;
  std::unique_ptr<WebServer> metrics_;
};

}  // namespace controller
