#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "controller/api_status.hpp"
#include "controller/credentials.hpp"
#include "controller/http_kube_client.hpp"
#include "controller/http_transport.hpp"
#include "controller/kube_client.hpp"
#include "controller/kube_config.hpp"
#include "controller/metrics.hpp"
#include "controller/object_decoder.hpp"
#include "controller/projection.hpp"
#include "controller/resource.hpp"

namespace controller {

/// One request to the API server.
struct ApiCall {
  std::string method;
  std::string path;  ///< starts with "/"; the prefix of the server's URL is added
  Query query;
  std::string content_type;  ///< of the body; empty without one
  std::string body;
  Asked asked;
  std::chrono::milliseconds timeout{0};  ///< total
  Projection fields{};                   ///< what is kept of the answer
  ObjectDecoder::OnItem on_item{};       ///< given the items of a list
};

/// Sends requests with our credentials and turns every way they can end into a Result. Knows the
/// API server's manners (Status, bearer tokens, watch streams), but none of its resources.
class ApiConnection {
 public:
  /// Throws std::invalid_argument when the certificates in `config` are not usable. `metrics` may
  /// be null, and has to live longer.
  ApiConnection(KubeConfig config, const ClientOptions& options, RestClientMetrics* metrics);

  /// The object in the answer. A 401 is tried once more with a fresh token: it means "not
  /// executed".
  awaitable<Result<boost::json::object>> run(ApiCall call);

  /// The same for an answer that may be large: it is decoded while it arrives, and only what is
  /// wanted is kept.
  awaitable<Result<boost::json::object>> run_large(ApiCall call);

  /// Opens a watch that the server should end after `duration`.
  awaitable<Result<std::unique_ptr<WatchStream>>> open_watch(ApiCall call,
                                                             std::chrono::seconds duration);

  /// How messages name the request: "GET https://host:6443/api/v1/nodes/n1".
  std::string describe(const ApiCall& call) const;

 private:
  /// Counts and logs (debug) one request and its answer; no head when there was none.
  void note(const ApiCall& call, const HttpHead& head, Deadline started);
  /// The 2xx answer. `on_body`: as in HttpRequest.
  awaitable<Result<HttpResponse>> send(ApiCall call, std::function<bool(std::string_view)> on_body);
  /// The credential for the next attempt; `refused` is how the one before ended.
  awaitable<Result<RequestCredential>> prepare(const ApiCall& call,
                                               const std::optional<KubeError>& refused);
  HttpRequest to_request(const ApiCall& call, const std::string& token) const;
  KubeError no_answer(const ApiCall& call, const HttpError& error);
  awaitable<std::string> read_error_body(HttpStream& stream, Deadline deadline);

  KubeConfig config_;
  ClientOptions options_;
  RestClientMetrics* metrics_;
  Credentials credentials_;
  std::string base_url_;
  HttpTransport transport_;
};

}  // namespace controller
