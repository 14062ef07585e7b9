#include "controller/api_connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "controller/log.hpp"
#include "controller/redact.hpp"
#include "controller/tcp_connector.hpp"
#include "controller/wall_clock.hpp"
#include "controller/watch_decoder.hpp"

namespace controller {

using std::chrono::steady_clock;

namespace {

constexpr std::size_t kMaxErrorBody = 64 * 1024;
// A watch that outlives its timeoutSeconds by this has lost its server.
constexpr std::chrono::seconds kWatchMargin{30};

HttpServer server_of(const KubeConfig& config, const ClientOptions& options, TlsSettings tls) {
  HttpServer server;
  server.host = config.host;
  server.port = config.port;
  server.tls = std::move(tls);
  server.connect_timeout = options.connect_timeout;
  server.pool_idle = options.pool_idle;
  server.max_connections = options.max_connections;
  server.max_body = options.max_body;
  server.may_write = options.may_write;
  return server;
}

/// A proxy may send our request back in its error page. Before anything is shortened: of a token
/// that is cut, nothing is recognised.
void without_token(HttpHead& head, std::string& body, const std::string& token) {
  head.content_type = redact(std::move(head.content_type), {token});
  if (head.status / 100 != 2) body = redact(std::move(body), {token});
}

ApiAnswer answer_of(const HttpHead& head, std::string_view body) {
  ApiAnswer answer;
  answer.status = head.status;
  answer.content_type = head.content_type;
  answer.retry_after = head.retry_after;
  answer.body = body;
  return answer;
}

/// For the second attempt; the time that an exec plugin takes is not the request's.
std::chrono::milliseconds time_left(Deadline deadline) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
}

std::string advice(const TlsRefusal& refusal, const KubeConfig& config) {
  switch (refusal.cause) {
    case TlsRefusal::Cause::Authority:
      return fmt::format("check certificate-authority in {}", config.source);
    case TlsRefusal::Cause::Name:
      return fmt::format("it is not for \"{}\": check server and tls-server-name in {}",
                         config.tls_server_name, config.source);
    case TlsRefusal::Cause::Validity:
      return fmt::format(
          "renew the certificate of the API server or check the clock of this machine; "
          "server and certificate-authority are from {}",
          config.source);
  }
  return {};
}

/// Empty, or what is wrong with the body. Nothing but whitespace may follow the object.
std::string feed_to_end(ObjectDecoder& decoder, std::string_view piece) {
  if (!decoder.done()) {
    const auto fed = decoder.feed(piece);
    if (!fed) return fed.error();
    piece.remove_prefix(*fed);
  }
  return piece.find_first_not_of(" \t\r\n") == std::string_view::npos
             ? std::string()
             : "that goes on after its end";
}

class HttpWatchStream final : public WatchStream {
 public:
  struct Limits {
    std::chrono::milliseconds idle;
    std::chrono::seconds total;
    std::size_t max_event;
  };

  HttpWatchStream(std::string name, std::unique_ptr<HttpStream> stream, Limits limits,
                  Projection fields)
      : name_(std::move(name)),
        stream_(std::move(stream)),
        limits_(limits),
        ends_at_(steady_clock::now() + limits.total),
        decoder_(limits.max_event, std::move(fields)) {}

  awaitable<Result<std::optional<WatchEvent>>> next() override {
    while (events_.empty()) {
      if (!stream_)
        co_return std::unexpected(end(failure_.empty() ? "the watch is closed" : failure_));
      const auto deadline = std::min(steady_clock::now() + limits_.idle, ends_at_);
      const auto piece = co_await stream_->read_some(deadline);
      if (!piece) {
        auto error = end(why(piece.error(), deadline));
        error.silent = piece.error().timed_out && deadline != ends_at_;
        co_return std::unexpected(std::move(error));
      }
      if (piece->empty()) {
        stream_.reset();
        if (decoder_.inside_event())
          co_return std::unexpected(end("the watch ended inside an event"));
        co_return std::nullopt;
      }
      if (auto fed = decoder_.feed(*piece, events_); !fed) {
        // The events before the bad one are good.
        stream_.reset();
        failure_ = std::move(fed).error();
      }
    }
    auto event = std::move(events_.front());
    events_.pop_front();
    co_return event;
  }

 private:
  std::string why(const HttpError& error, Deadline deadline) const {
    if (!error.timed_out) return error.message;
    if (deadline == ends_at_) {
      return fmt::format("the watch did not end within {}", in_words(limits_.total));
    }
    return fmt::format("the watch was silent for {}", in_words(limits_.idle));
  }

  KubeError end(std::string_view why) {
    stream_.reset();
    KubeError error;
    error.http_status = 200;
    error.message = fmt::format("{}: {}", name_, why);
    return error;
  }

  std::string name_;
  std::unique_ptr<HttpStream> stream_;  // null when the watch is over
  Limits limits_;
  Deadline ends_at_;
  WatchDecoder decoder_;
  std::deque<WatchEvent> events_;
  std::string failure_;
};

}  // namespace

ApiConnection::ApiConnection(KubeConfig config, const ClientOptions& options,
                             RestClientMetrics* metrics)
    : config_(std::move(config)),
      options_(options),
      metrics_(metrics),
      credentials_(config_, options.plugin_timeout, options.clock),
      base_url_(fmt::format("https://{}:{}{}",
                            config_.host.contains(':') ? "[" + config_.host + "]" : config_.host,
                            config_.port, config_.path_prefix)),
      transport_(server_of(config_, options, credentials_.tls())) {}

std::string ApiConnection::describe(const ApiCall& call) const {
  return fmt::format("{} {}{}", call.method, base_url_, call.path);
}

awaitable<Result<boost::json::object>> ApiConnection::run(ApiCall call) {
  const auto name = describe(call);
  const auto response = co_await send(std::move(call), {});
  if (!response) co_return std::unexpected(response.error());
  co_return object_from_answer(name, answer_of(response->head, response->body));
}

awaitable<Result<boost::json::object>> ApiConnection::run_large(ApiCall call) {
  const auto name = describe(call);
  ObjectDecoder decoder{call.fields, call.on_item};
  std::string problem;
  const auto response = co_await send(std::move(call), [&](std::string_view piece) {
    problem = feed_to_end(decoder, piece);
    return problem.empty();
  });
  if (!response && problem.empty()) co_return std::unexpected(response.error());
  const int status = response ? response->head.status : 200;
  if (problem.empty()) {
    const auto sent = check_json(response->head.content_type);
    if (!sent) problem = sent.error();
  }
  if (problem.empty() && !decoder.done()) problem = "that is cut or empty";
  if (!problem.empty()) co_return std::unexpected(unusable_body(name, status, problem));
  co_return decoder.take();
}

awaitable<Result<HttpResponse>> ApiConnection::send(ApiCall call,
                                                    std::function<bool(std::string_view)> on_body) {
  std::optional<KubeError> refused;
  while (true) {
    const auto credential = co_await prepare(call, refused);
    if (!credential) co_return std::unexpected(credential.error());
    const auto deadline = steady_clock::now() + call.timeout;
    auto request = to_request(call, credential->token);
    request.on_body = on_body;
    const auto started = steady_clock::now();
    auto response = co_await transport_.exchange(std::move(request), deadline);
    note(call, response ? response->head : HttpHead{}, started);
    if (!response) co_return std::unexpected(no_answer(call, response.error()));
    without_token(response->head, response->body, credential->token);
    if (response->head.status / 100 == 2) co_return std::move(*response);
    const auto answer = answer_of(response->head, response->body);
    auto error = error_from_answer(describe(call), call.asked, answer);
    if (answer.status != 401 || refused) co_return std::unexpected(std::move(error));
    refused = std::move(error);
    credentials_.rejected(*credential);
    call.timeout = time_left(deadline);
  }
}

awaitable<Result<std::unique_ptr<WatchStream>>> ApiConnection::open_watch(
    ApiCall call, std::chrono::seconds duration) {
  std::optional<KubeError> refused;
  while (true) {
    const auto credential = co_await prepare(call, refused);
    if (!credential) co_return std::unexpected(credential.error());
    const auto deadline = steady_clock::now() + call.timeout;
    const auto started = steady_clock::now();
    auto stream = co_await transport_.open_stream(to_request(call, credential->token), deadline);
    note(call, stream ? (*stream)->head() : HttpHead{}, started);
    if (!stream) co_return std::unexpected(no_answer(call, stream.error()));
    if ((*stream)->head().status == 200) {
      HttpWatchStream::Limits limits{};
      limits.idle = options_.watch_idle;
      limits.total = duration + kWatchMargin;
      limits.max_event = options_.max_event;
      co_return std::make_unique<HttpWatchStream>(describe(call), std::move(*stream), limits,
                                                  std::move(call.fields));
    }
    auto head = (*stream)->head();
    auto body = co_await read_error_body(**stream, deadline);
    without_token(head, body, credential->token);
    const auto answer = answer_of(head, body);
    auto error = error_from_answer(describe(call), call.asked, answer);
    if (answer.status != 401 || refused) co_return std::unexpected(std::move(error));
    refused = std::move(error);
    credentials_.rejected(*credential);
    call.timeout = time_left(deadline);
  }
}

awaitable<Result<RequestCredential>> ApiConnection::prepare(
    const ApiCall& call, const std::optional<KubeError>& refused) {
  auto credential = co_await credentials_.current();
  if (const auto change = credentials_.take_change(); change.authority || change.identity) {
    transport_.replace_tls(credentials_.tls(), change.identity);
  }
  if (credential) co_return std::move(*credential);
  KubeError error;
  if (refused) {
    error = *refused;
    error.message += fmt::format(" ({})", credential.error());
  } else {
    error.kind = ErrorKind::NotSent;
    error.message = fmt::format("{}: {}", describe(call), credential.error());
  }
  co_return std::unexpected(std::move(error));
}

awaitable<std::string> ApiConnection::read_error_body(HttpStream& stream, Deadline deadline) {
  std::string body;
  while (body.size() < kMaxErrorBody) {
    const auto piece = co_await stream.read_some(deadline);
    if (!piece || piece->empty()) break;  // half a body is not a Status, which is an answer too
    body += *piece;
  }
  co_return body;
}

void ApiConnection::note(const ApiCall& call, const HttpHead& head, Deadline started) {
  const auto duration = steady_clock::now() - started;
  if (is_logged(LogLevel::Debug)) {
    log(LogLevel::Debug, "request",
        {{"method", call.method},
         {"path", call.path},
         {"status", std::to_string(head.status)},
         {"seconds", fmt::format("{:.3f}", std::chrono::duration<double>(duration).count())},
         {"flowSchema", head.flow_schema},
         {"priorityLevel", head.priority_level}});
  }
  if (metrics_ == nullptr) return;
  metrics_->answered(call.method, head.status, duration);
  if (!head.date.empty()) metrics_->server_said_date(head.date, wall_clock());
}

HttpRequest ApiConnection::to_request(const ApiCall& call, const std::string& token) const {
  HttpRequest request;
  request.method = call.method;
  request.target = config_.path_prefix + call.path + query_string(call.query);
  request.headers.push_back({"Accept", "application/json"});
  request.headers.push_back({"User-Agent", options_.user_agent});
  if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
  if (!options_.as_user.empty()) {
    request.headers.push_back({"Impersonate-User", options_.as_user});
    for (const auto& group : options_.as_groups) {
      request.headers.push_back({"Impersonate-Group", group});
    }
  }
  if (!call.content_type.empty()) request.headers.push_back({"Content-Type", call.content_type});
  request.body = call.body;
  request.may_repeat = call.method == "GET";
  return request;
}

KubeError ApiConnection::no_answer(const ApiCall& call, const HttpError& error) {
  if (error.certificate) credentials_.authority_failed();
  KubeError out;
  out.kind = error.sent ? ErrorKind::Unknown : ErrorKind::NotSent;
  out.tls_verification = error.certificate.has_value();
  out.message = fmt::format("{}: {}", describe(call), error.message);
  if (error.refused) out.message += " (is the API server running?)";
  if (error.certificate) {
    out.message += fmt::format(" ({})", advice(*error.certificate, config_));
  }
  if (error.sent && call.method != "GET") out.message += " (the request may have been executed)";
  return out;
}

}  // namespace controller
