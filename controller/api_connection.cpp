#include "controller/api_connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "controller/tcp_connector.hpp"
#include "controller/watch_decoder.hpp"

namespace controller {

using std::chrono::steady_clock;

namespace {

constexpr std::size_t kMaxErrorBody = 64 * 1024;
// A watch that outlives its timeoutSeconds by this has lost its server.
constexpr std::chrono::seconds kWatchMargin{30};

HttpServer server_of(const KubeConfig& config, const ClientOptions& options) {
  HttpServer server;
  server.host = config.host;
  server.port = config.port;
  server.tls.server_name = config.tls_server_name.empty() ? config.host : config.tls_server_name;
  server.tls.ca_pem = config.ca_pem;
  server.tls.certificate_pem = config.client_certificate_pem;
  server.tls.key_pem = config.client_key_pem;
  server.tls.verify = !config.insecure_skip_tls_verify;
  server.connect_timeout = options.connect_timeout;
  server.pool_idle = options.pool_idle;
  server.max_connections = options.max_connections;
  server.max_body = options.max_body;
  server.may_write = options.may_write;
  return server;
}

ApiAnswer answer_of(const HttpHead& head, std::string_view body) {
  ApiAnswer answer;
  answer.status = head.status;
  answer.content_type = head.content_type;
  answer.retry_after = head.retry_after;
  answer.body = body;
  return answer;
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
      if (!piece) co_return std::unexpected(end(why(piece.error(), deadline)));
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

ApiConnection::ApiConnection(KubeConfig config, const ClientOptions& options)
    : config_(std::move(config)),
      options_(options),
      tokens_(config_),
      base_url_(fmt::format("https://{}:{}{}",
                            config_.host.contains(':') ? "[" + config_.host + "]" : config_.host,
                            config_.port, config_.path_prefix)),
      transport_(server_of(config_, options)) {}

std::string ApiConnection::describe(const ApiCall& call) const {
  return fmt::format("{} {}{}", call.method, base_url_, call.path);
}

awaitable<Result<boost::json::object>> ApiConnection::run(ApiCall call) {
  const auto deadline = steady_clock::now() + call.timeout;
  for (bool first = true;; first = false) {
    auto request = to_request(call);
    const auto sent_at = steady_clock::now();
    const auto response = co_await transport_.exchange(std::move(request), deadline);
    if (!response) co_return std::unexpected(no_answer(call, response.error()));
    const auto answer = answer_of(response->head, response->body);
    if (answer.status / 100 == 2) co_return object_from_answer(describe(call), answer);
    if (answer.status != 401 || !first) co_return std::unexpected(refusal(call, answer));
    tokens_.rejected(sent_at);
  }
}

awaitable<Result<boost::json::object>> ApiConnection::run_large(ApiCall call) {
  const auto deadline = steady_clock::now() + call.timeout;
  for (bool first = true;; first = false) {
    ObjectDecoder decoder{call.fields, call.on_item};
    std::string problem;
    auto request = to_request(call);
    request.on_body = [&](std::string_view piece) {
      problem = feed_to_end(decoder, piece);
      return problem.empty();
    };
    const auto response = co_await transport_.exchange(std::move(request), deadline);
    if (!problem.empty()) co_return std::unexpected(bad_body(call, problem));
    if (!response) co_return std::unexpected(no_answer(call, response.error()));
    const auto answer = answer_of(response->head, response->body);
    if (answer.status / 100 == 2) {
      if (!is_json(answer.content_type))
        co_return std::unexpected(bad_body(call, "that is not JSON"));
      if (!decoder.done()) co_return std::unexpected(bad_body(call, "that is cut or empty"));
      co_return decoder.take();
    }
    if (answer.status != 401 || !first) co_return std::unexpected(refusal(call, answer));
    tokens_.invalidate();
  }
}

awaitable<Result<std::unique_ptr<WatchStream>>> ApiConnection::open_watch(
    ApiCall call, std::chrono::seconds duration) {
  const auto deadline = steady_clock::now() + call.timeout;
  for (bool first = true;; first = false) {
    auto request = to_request(call);
    const auto sent_at = steady_clock::now();
    auto stream = co_await transport_.open_stream(std::move(request), deadline);
    if (!stream) co_return std::unexpected(no_answer(call, stream.error()));
    if ((*stream)->head().status == 200) {
      HttpWatchStream::Limits limits{};
      limits.idle = options_.watch_idle;
      limits.total = duration + kWatchMargin;
      limits.max_event = options_.max_event;
      co_return std::make_unique<HttpWatchStream>(describe(call), std::move(*stream), limits,
                                                  std::move(call.fields));
    }
    if ((*stream)->head().status != 401 || !first) {
      const auto body = co_await read_error_body(**stream, deadline);
      co_return std::unexpected(refusal(call, answer_of((*stream)->head(), body)));
    }
    tokens_.rejected(sent_at);
  }
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

HttpRequest ApiConnection::to_request(const ApiCall& call) {
  HttpRequest request;
  request.method = call.method;
  request.target = config_.path_prefix + call.path + query_string(call.query);
  request.headers.push_back({"Accept", "application/json"});
  request.headers.push_back({"User-Agent", options_.user_agent});
  const auto& token = tokens_.current(steady_clock::now());
  if (!token.empty()) request.headers.push_back({"Authorization", "Bearer " + token});
  if (!call.content_type.empty()) request.headers.push_back({"Content-Type", call.content_type});
  request.body = call.body;
  request.may_repeat = call.method == "GET";
  return request;
}

KubeError ApiConnection::no_answer(const ApiCall& call, const HttpError& error) const {
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

KubeError ApiConnection::bad_body(const ApiCall& call, std::string_view problem) const {
  KubeError error;
  error.http_status = 200;
  error.message = fmt::format("{}: 200 with a body {}", describe(call), problem);
  return error;
}

KubeError ApiConnection::refusal(const ApiCall& call, const ApiAnswer& answer) {
  auto error = error_from_answer(describe(call), call.asked, answer);
  // A proxy may send our request back in its error page.
  const auto& token = tokens_.current(steady_clock::now());
  if (token.empty()) return error;
  for (auto at = error.message.find(token); at != std::string::npos;
       at = error.message.find(token, at)) {
    error.message.replace(at, token.size(), "[redacted]");
  }
  return error;
}

}  // namespace controller
