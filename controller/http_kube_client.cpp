#include "controller/http_kube_client.hpp"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <random>
#include <utility>

#include "controller/api_connection.hpp"
#include "controller/delete_options.hpp"
#include "controller/list_page.hpp"
#include "controller/token_bucket.hpp"
#include "crd/json.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using crd::json::object_at;
using crd::json::string_at;
using std::chrono::seconds;

constexpr Resource kPods{"api/v1", "pods", "Pod", true};
constexpr Resource kNodes{"api/v1", "nodes", "Node", false};
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMergePatch = "application/merge-patch+json";
constexpr int kFirstMinorWithEvictionV1 = 22;
constexpr int kMaxPages = 10'000;  // of one list: five million objects
constexpr std::string_view kEvictionBeta = "policy/v1beta1";

/// A request that breaks our own rules; it is not sent.
std::unexpected<KubeError> refused(std::string_view what, std::string_view why) {
  KubeError error;
  error.kind = ErrorKind::Invalid;
  error.message = fmt::format("{} was not sent: {}", what, why);
  return std::unexpected(std::move(error));
}

std::unexpected<KubeError> unknown(std::string_view request, std::string_view why) {
  KubeError error;
  error.http_status = 200;
  error.message = fmt::format("{}: {}", request, why);
  return std::unexpected(std::move(error));
}

/// Believes the answer only when it is the object asked for.
Result<json::object> same_object(std::string_view request, const ObjectRef& asked,
                                 Result<json::object> answer) {
  if (!answer) return answer;
  const auto* metadata = object_at(*answer, "metadata");
  const auto name = metadata != nullptr ? string_at(*metadata, "name") : std::string();
  const auto ns = metadata != nullptr ? string_at(*metadata, "namespace") : std::string();
  const bool same = string_at(*answer, "kind") == asked.resource.kind && name == asked.name &&
                    (!asked.resource.namespaced || ns == asked.ns);
  if (same) return answer;
  return unknown(request, "the answer names another object than the one asked for");
}

/// The answer to a DELETE or an eviction is the object or a Status; either may carry the UID.
Result<void> confirm(std::string_view request, const std::string& uid,
                     const Result<json::object>& answer) {
  if (!answer) return std::unexpected(answer.error());
  const bool is_status = string_at(*answer, "kind") == "Status";
  if (is_status && string_at(*answer, "status") == "Failure") {
    return unknown(request, "the answer is a failure with the code of a success");
  }
  const auto* about = object_at(*answer, is_status ? "details" : "metadata");
  const auto its_uid = about != nullptr ? string_at(*about, "uid") : std::string();
  if (!its_uid.empty() && its_uid != uid) {
    return unknown(request, "the answer names another object than the one asked for");
  }
  return {};
}

/// "20" or "20+" as in the answer of /version; nullopt for anything that is no Kubernetes 1.x.
std::optional<int> minor_version(const json::object& version) {
  const auto text = string_at(version, "minor");
  int minor = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), minor);
  if (string_at(version, "major") != "1" || parsed.ec != std::errc()) return std::nullopt;
  return minor;
}

/// Of one page of a list.
Projection page_fields(Fields of_items) {
  Projection page;
  for (const std::string_view path : {"kind", "metadata|resourceVersion", "metadata|continue"}) {
    page.add_path(path);
  }
  page.add("items", Projection{of_items});
  return page;
}

class HttpKubeClient final : public KubeClient {
 public:
  HttpKubeClient(KubeConfig config, const ClientOptions& options, RestClientMetrics* metrics)
      : options_(options),
        api_(std::move(config), options, metrics),
        deletions_(options.deletions_per_second, 3.0 * options.deletions_per_second),
        random_(std::random_device()()) {}

  awaitable<Result<json::object>> get(ObjectRef object) override {
    auto call = call_for("GET", object, {}, options_.read_timeout);
    if (!call) co_return std::unexpected(std::move(call).error());
    auto name = api_.describe(*call);
    auto answer = co_await api_.run(std::move(*call));
    co_return same_object(name, object, std::move(answer));
  }

  awaitable<Result<List>> list(ListRequest request) override {
    auto first = call_for("LIST", request.collection, options_.list_timeout);
    if (!first) co_return std::unexpected(std::move(first).error());
    add_selectors(first->query, request.field_selector, request.label_selector);
    // With "0" the server ignores the limit, so we do not pretend.
    if (request.resource_version != "0") first->query["limit"] = std::to_string(options_.page_size);
    const auto name = api_.describe(*first);
    first->fields = page_fields(request.fields);
    first->on_item = request.on_item;

    List out;
    std::string token;
    int pages = 0;
    do {
      auto call = *first;
      if (token.empty()) {
        add_if(call.query, "resourceVersion", request.resource_version);
      } else {
        call.query["continue"] = token;  // holds the resourceVersion; both together are refused
      }
      auto page = co_await api_.run_large(std::move(call));
      if (!page) co_return std::unexpected(std::move(page).error());
      auto next = append_page(request.collection.resource.kind, std::move(*page), out);
      if (!next) co_return unknown(name, next.error());
      if (!next->empty() && (*next == token || ++pages == kMaxPages))
        co_return unknown(name, "the list has no end");
      token = std::move(*next);
    } while (!token.empty());
    co_return out;
  }

  awaitable<Result<std::unique_ptr<WatchStream>>> watch(WatchRequest request) override {
    auto call = call_for("WATCH", request.collection, options_.read_timeout);
    if (!call) co_return std::unexpected(std::move(call).error());
    if (request.resource_version.empty())
      co_return refused("WATCH", "no resourceVersion to start from");
    const auto shortest = options_.watch_min.count();
    std::uniform_int_distribution<seconds::rep> length(shortest, 2 * shortest - 1);
    const seconds duration(length(random_));
    add_selectors(call->query, request.field_selector, request.label_selector);
    call->query["watch"] = "1";
    call->query["resourceVersion"] = request.resource_version;
    call->query["allowWatchBookmarks"] = "true";
    call->query["timeoutSeconds"] = std::to_string(duration.count());
    call->fields = Projection{request.fields};
    co_return co_await api_.open_watch(std::move(*call), duration);
  }

  awaitable<Result<json::object>> patch(ObjectRef object, std::string_view subresource,
                                        json::object merge_patch) override {
    auto call = call_for("PATCH", object, subresource, options_.write_timeout);
    if (!call) co_return std::unexpected(std::move(call).error());
    set_body(*call, kMergePatch, json::serialize(merge_patch));
    auto name = api_.describe(*call);
    auto answer = co_await api_.run(std::move(*call));
    co_return same_object(name, object, std::move(answer));
  }

  awaitable<Result<json::object>> create(CollectionRef collection, json::object object) override {
    auto call = call_for("POST", collection, options_.write_timeout);
    if (!call) co_return std::unexpected(std::move(call).error());
    if (collection.resource.namespaced && collection.ns.empty()) {
      co_return refused("POST", "the namespace is empty");
    }
    const auto* metadata = object_at(object, "metadata");
    ObjectRef asked{collection.resource, collection.ns,
                    metadata != nullptr ? string_at(*metadata, "name") : std::string()};
    call->asked.name = asked.name;
    set_body(*call, kJson, json::serialize(object));
    auto name = api_.describe(*call);
    auto answer = co_await api_.run(std::move(*call));
    if (asked.name.empty()) co_return answer;  // generateName
    co_return same_object(name, asked, std::move(answer));
  }

  awaitable<Result<void>> evict(PodRef pod, std::optional<seconds> grace, bool dry_run) override {
    // Another eviction may learn of an older server while this one is under way.
    const auto version = eviction_version_;
    auto result = co_await evict_with(version, pod, grace, dry_run);
    // Servers before 1.22 refuse policy/v1 before they do anything. Only then is it worth a look at
    // /version.
    const bool refused_as_invalid = !result && result.error().http_status == 400;
    if (!refused_as_invalid || version == kEvictionBeta) co_return result;
    const auto minor = co_await server_minor();
    if (!minor) {
      const bool answered = minor.error().http_status != 0;
      co_return answered ? result : std::unexpected(minor.error());
    }
    if (*minor >= kFirstMinorWithEvictionV1) co_return result;
    eviction_version_ = kEvictionBeta;
    co_return co_await evict_with(eviction_version_, pod, grace, dry_run);
  }

  awaitable<Result<int>> server_minor() override {
    if (minor_) co_return *minor_;
    ApiCall call;
    call.method = "GET";
    call.path = "/version";
    call.timeout = options_.read_timeout;
    const auto name = api_.describe(call);
    const auto version = co_await api_.run(std::move(call));
    if (!version) co_return std::unexpected(version.error());
    minor_ = minor_version(*version);
    if (!minor_) co_return unknown(name, "this is no version of Kubernetes 1");
    co_return *minor_;
  }

  awaitable<Result<void>> delete_pod(PodRef pod, std::optional<seconds> grace) override {
    auto call = call_for("DELETE", pod_ref(pod), {}, options_.write_timeout);
    if (!call) co_return std::unexpected(std::move(call).error());
    if (const auto wrong = wrong_with(pod, grace); !wrong.empty())
      co_return refused("DELETE", wrong);
    set_body(*call, kJson, delete_options(pod.uid, {}, grace));
    co_return co_await send_away(std::move(*call), pod.uid);
  }

  awaitable<Result<void>> delete_object(ObjectRef object, std::string uid) override {
    auto call = call_for("DELETE", object, {}, options_.write_timeout);
    if (!call) co_return std::unexpected(std::move(call).error());
    if (uid.empty()) co_return refused("DELETE", "the object has no uid");
    if (object.resource == kPods || object.resource == kNodes) {
      co_return refused("DELETE", "pods and nodes have their own functions");
    }
    set_body(*call, kJson, delete_options(uid, {}, std::nullopt));
    co_return co_await send_away(std::move(*call), uid);
  }

  awaitable<Result<void>> delete_node(crd::NodeDeletePermit permit) override {
    ObjectRef node{kNodes, {}, permit.name()};
    auto call = call_for("DELETE", node, {}, options_.write_timeout);
    if (!call) co_return std::unexpected(std::move(call).error());
    if (permit.uid().empty() || permit.resource_version().empty()) {
      co_return refused("DELETE", "the permit has no uid or no resourceVersion");
    }
    set_body(*call, kJson, delete_options(permit.uid(), permit.resource_version(), std::nullopt));
    co_return co_await send_away(std::move(*call), permit.uid());
  }

 private:
  /// A deletion or an eviction, when it is its turn; the deadline begins then. A dry run does not
  /// wait.
  awaitable<Result<void>> send_away(ApiCall call, std::string uid, bool dry_run = false) {
    const auto wait = dry_run ? std::chrono::nanoseconds::zero()
                              : deletions_.take(std::chrono::steady_clock::now());
    if (wait > wait.zero()) {
      asio::steady_timer timer(co_await asio::this_coro::executor, wait);
      co_await timer.async_wait(asio::use_awaitable);
    }
    const auto name = api_.describe(call);
    co_return confirm(name, uid, co_await api_.run(std::move(call)));
  }

  static ObjectRef pod_ref(const PodRef& pod) { return ObjectRef{kPods, pod.ns, pod.name}; }

  static std::string wrong_with(const PodRef& pod, std::optional<seconds> grace) {
    if (pod.uid.empty()) return "the pod has no uid";
    if (grace && grace->count() < 0) return "the grace period is negative";
    return {};
  }

  static void add_if(Query& query, const std::string& key, const std::string& value) {
    if (!value.empty()) query[key] = value;
  }

  static void add_selectors(Query& query, const std::string& field, const std::string& label) {
    add_if(query, "fieldSelector", field);
    add_if(query, "labelSelector", label);
  }

  void set_body(ApiCall& call, std::string_view type, std::string body) const {
    call.content_type = type;
    call.body = std::move(body);
    if (options_.dry_run) call.query["dryRun"] = "All";
    if (call.method == "DELETE") return;
    // A misspelt field is an error, not a warning in a header (servers before 1.25 ignore this).
    call.query["fieldValidation"] = "Strict";
    call.query["fieldManager"] = options_.field_manager;
  }

  static Result<ApiCall> call_for(std::string_view verb, const ObjectRef& object,
                                  std::string_view subresource, std::chrono::milliseconds timeout) {
    auto path = object_path(object, subresource);
    if (!path) return refused(fmt::format("{} of a {}", verb, object.resource.kind), path.error());
    ApiCall call;
    call.method = verb;
    call.path = std::move(*path);
    call.asked = Asked{object.resource.plural, object.resource.kind, object.name};
    call.timeout = timeout;
    return call;
  }

  static Result<ApiCall> call_for(std::string_view verb, const CollectionRef& collection,
                                  std::chrono::milliseconds timeout) {
    auto path = collection_path(collection);
    if (!path)
      return refused(fmt::format("{} of {}", verb, collection.resource.plural), path.error());
    ApiCall call;
    call.method = verb == "POST" ? "POST" : "GET";
    call.path = std::move(*path);
    call.asked = Asked{collection.resource.plural, collection.resource.kind, {}};
    call.timeout = timeout;
    return call;
  }

  awaitable<Result<void>> evict_with(std::string api_version, PodRef pod,
                                     std::optional<seconds> grace, bool dry_run) {
    auto call = call_for("POST", pod_ref(pod), "eviction", options_.eviction_timeout);
    if (!call) co_return std::unexpected(std::move(call).error());
    if (const auto wrong = wrong_with(pod, grace); !wrong.empty())
      co_return refused("Eviction", wrong);
    set_body(*call, kJson, eviction(api_version, pod, grace, dry_run));
    co_return co_await send_away(std::move(*call), pod.uid, dry_run);
  }

  ClientOptions options_;
  ApiConnection api_;
  TokenBucket deletions_;
  std::mt19937_64 random_;
  std::string eviction_version_ = "policy/v1";
  std::optional<int> minor_;  ///< of the server
};

}  // namespace

std::unique_ptr<KubeClient> make_http_kube_client(KubeConfig config, ClientOptions options,
                                                  RestClientMetrics* metrics) {
  return std::make_unique<HttpKubeClient>(std::move(config), options, metrics);
}

}  // namespace controller
