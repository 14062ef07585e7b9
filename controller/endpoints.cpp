#include "controller/endpoints.hpp"

#include <fmt/format.h>

#include <utility>

#include "controller/log.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;
using Verdict = ScrapeAccess::Verdict;

// 0.0.4 is the version of the text format.
constexpr auto kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

WebAnswer text(int status, std::string body) {
  WebAnswer answer;
  answer.status = status;
  answer.body = std::move(body) + "\n";
  return answer;
}

asio::awaitable<WebAnswer> answer_now(WebAnswer answer) { co_return answer; }

asio::awaitable<WebAnswer> answer_scrape(Metrics& metrics, ScrapeAccess* access,
                                         WebRequest request) {
  if (request.path != "/metrics") co_return text(404, "not found; there is /metrics");
  auto verdict = Verdict::Allowed;
  if (access != nullptr) {
    verdict = co_await access->check(std::move(request.authorization), request.path);
  }
  switch (verdict) {
    case Verdict::Unauthenticated:
      co_return text(401, "a bearer token that the API server knows is needed");
    case Verdict::Forbidden:
      co_return text(403, "this user may not get the nonResourceURL /metrics");
    case Verdict::Unknown:
      co_return text(503, "the API server does not say whether this is allowed; try again");
    case Verdict::Allowed:
      break;
  }
  WebAnswer answer;
  answer.content_type = kMetricsType;
  answer.body = metrics.text();
  co_return answer;
}

}  // namespace

WebHandler health_handler(WhatIsMissing what_is_missing) {
  return [what_is_missing = std::move(what_is_missing)](const WebRequest& request) {
    if (request.path == "/healthz") return answer_now(text(200, "ok"));
    if (request.path != "/readyz") {
      return answer_now(text(404, "not found; there are /healthz and /readyz"));
    }
    auto missing = what_is_missing();
    return answer_now(missing.empty() ? text(200, "ok") : text(503, std::move(missing)));
  };
}

WebHandler metrics_handler(Metrics& metrics, ScrapeAccess* access) {
  return [&metrics, access](WebRequest request) {
    return answer_scrape(metrics, access, std::move(request));
  };
}

std::expected<std::unique_ptr<Endpoints>, std::string> Endpoints::open(
    const asio::any_io_executor& executor, const EndpointOptions& options, KubeClient& client,
    Metrics& metrics, WhatIsMissing what_is_missing) {
  std::unique_ptr<Endpoints> out{new Endpoints{client}};
  if (options.health) {
    WebServerSettings settings;
    settings.address = *options.health;
    auto server =
        WebServer::open(executor, std::move(settings), health_handler(std::move(what_is_missing)));
    if (!server) return std::unexpected("--health-address: " + server.error());
    out->health_ = std::move(*server);
  }
  if (options.metrics) {
    if (auto wrong = out->open_metrics(executor, options, metrics); !wrong.empty()) {
      return std::unexpected(std::move(wrong));
    }
  }
  return out;
}

std::string Endpoints::open_metrics(const asio::any_io_executor& executor,
                                    const EndpointOptions& options, Metrics& metrics) {
  WebServerSettings settings;
  settings.address = *options.metrics;
  if (options.metrics_tls()) {
    auto tls = TlsServer::open(options.metrics_certificate_file, options.metrics_key_file);
    if (!tls) return "--metrics-tls-cert-file, --metrics-tls-key-file: " + tls.error();
    settings.tls = std::move(*tls);
  }
  auto* access = options.metrics_tls() ? &access_ : nullptr;
  auto server = WebServer::open(executor, std::move(settings), metrics_handler(metrics, access));
  if (!server) return "--metrics-address: " + server.error();
  metrics_ = std::move(*server);
  return {};
}

void Endpoints::start(TaskGroup& tasks) {
  if (health_) {
    log(LogLevel::Info, "serves health", {{"address", health_->address().str()}});
    tasks.spawn(health_->run(tasks));
  }
  if (metrics_) {
    log(LogLevel::Info, "serves metrics", {{"address", metrics_->address().str()}});
    tasks.spawn(metrics_->run(tasks));
  }
}

}  // namespace controller
